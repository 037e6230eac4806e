"""Arrays of all kinds make the same problem; what is wrong is said as the command says it."""

import numpy as np
import pytest

import taskhead as th


def same(problem, features, targets):
    np.testing.assert_array_equal(problem.features, features)
    np.testing.assert_array_equal(problem.targets, targets)


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "f2", "i4", ">i2", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F", "strided", "reversed", "read-only", "unaligned", "list"])
def test_every_type_and_layout_is_the_same_problem(dtype, order):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2 if dtype == "?" else 100, size=(4, 3)).astype(dtype)
    if dtype[-2:] in ("f8", "f4", "f2"):
        values = (values / np.array(8, dtype=dtype)).astype(dtype)
    wide = np.zeros((8, 9), dtype=dtype)
    wide[::2, ::3] = values
    unaligned = np.zeros(values.nbytes + 1, dtype=np.uint8)[1:].view(dtype).reshape(values.shape)
    unaligned[:] = values
    read_only = values.copy()
    read_only.flags.writeable = False
    given = {
        "C": np.ascontiguousarray(values),
        "F": np.asfortranarray(values),
        "strided": wide[::2, ::3],
        "reversed": values[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": read_only,
        "unaligned": unaligned,
        "list": values.tolist(),
    }[order]
    before = np.array(given)
    targets = np.arange(8.0).reshape(4, 2)
    same(th.Problem(features=given, targets=targets), values.astype(float), targets)
    np.testing.assert_array_equal(given, before)


def test_bfloat16_is_widened():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([[1.5, -2.25]], dtype=ml_dtypes.bfloat16)
    same(th.Problem(features=values, targets=[[1.0]]), [[1.5, -2.25]], [[1.0]])


def test_tensors_of_pytorch():
    torch = pytest.importorskip("torch")
    values = torch.tensor([[1.5, -2.25], [0.5, 3.0]], requires_grad=True)
    for tensor in (values, values.double(), values.to(torch.bfloat16), values.half(), values.T.T):
        same(th.Problem(features=tensor, labels=torch.tensor([1, 0])), [[1.5, -2.25], [0.5, 3.0]], [[0, 1], [1, 0]])


def test_what_only_speaks_dlpack():
    class Other:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    same(th.Problem(features=Other(np.ones((2, 3))), targets=[1.0, 2.0]), np.ones((2, 3)), [[1.0], [2.0]])


@pytest.mark.parametrize("kind", [list, np.array, lambda x: np.array(x, dtype=object), lambda x: np.array(x, dtype="S")])
def test_labels_that_are_texts_are_classes_in_sorted_order(kind):
    problem = th.Problem(features=np.eye(3), labels=kind(["dog", "cat", "dog"]))
    assert problem.classes == ["cat", "dog"]
    np.testing.assert_array_equal(problem.targets, [[0, 1], [1, 0], [0, 1]])
    assert any("classes, in sorted order: 0 = cat, 1 = dog" in note for note in problem.notes)


def test_numbers_that_are_objects():
    values = [[1.5, 2], [np.float32(0.25), True]]
    same(th.Problem(features=np.array(values, dtype=object), labels=np.array([0, 1], dtype=object)), values, np.eye(2))
    for labels in (np.array([0, "a"], dtype=object), [0, "a"]):
        with pytest.raises(ValueError, match="`labels` holds texts beside numbers; accepted: numbers, or texts as labels"):
            th.Problem(features=np.eye(2), labels=labels)


def test_nullable_columns_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}).astype("Float64")
    same(th.Problem(features=frame, labels=pandas.Series([1, 0], dtype="Int64")), frame.to_numpy(float), np.eye(2)[::-1])
    with pytest.raises(ValueError, match="`labels`"):
        th.Problem(features=frame, labels=pandas.Series([1, None], dtype="Int64"))


def test_pooled_features_and_labels_in_a_column():
    same(
        th.Problem(features=np.ones((2, 3, 1, 1)), labels=np.array([[0], [1]])),
        np.ones((2, 3)),
        np.eye(2),
    )


def test_a_kernel_and_the_linear_model():
    rng = np.random.default_rng(2)
    inputs, backbone, targets = rng.normal(size=(5, 4)), rng.normal(size=(3, 4)), rng.normal(size=(5, 2))
    linear = th.Problem(inputs=inputs, backbone=backbone, targets=targets)
    kernel = th.Problem(features=inputs @ backbone.T, kernel=inputs @ inputs.T, targets=targets)
    np.testing.assert_allclose(linear.kernel, kernel.kernel, atol=1e-12)
    assert (linear.samples, linear.width, linear.outputs) == (5, 3, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": np.ones((3, 2)), "labels": [0, 1]},
        {"features": np.ones((2, 2)), "labels": [0, -1]},
        {"features": np.ones((2, 2)), "labels": [0.5, 1.0]},
        {"features": np.full((2, 2), np.nan), "labels": [0, 1]},
        {"features": np.ones(2), "labels": [0, 1]},
        {"features": np.ones((2, 2, 2, 2)), "labels": [0, 1]},
        {"features": np.ones((0, 2)), "labels": np.zeros(0)},
        {"features": np.ones((2, 2)) * 1j, "labels": [0, 1]},
        {"features": np.ones((2, 2))},
        {"labels": [0, 1]},
        {"features": np.ones((2, 2)), "labels": [0, 1], "kernel": -np.eye(2)},
        {"features": np.ones((2, 2)), "labels": [0, 1], "kernel": np.array([[1.0, 2e-4], [0.0, 1.0]])},
        {"features": np.ones((2, 3)), "labels": [0, 1], "head": np.ones((2, 3))},
        {"features": np.ones((2, 2)), "labels": [0, 1], "probe_features": np.ones((3, 3))},
        {"features": np.ones((2, 2)), "labels": [0, 1], "probe_labels": [0, 1]},
        {"features": np.ones((2, 2)), "inputs": np.ones((2, 2)), "labels": [0, 1]},
    ],
)
def test_the_text_of_an_error_is_that_of_the_command(wrong, command, tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, **wrong)
    expected = command.error("simulate", path).removeprefix(f"{path}: ")
    expected = expected.replace("add --kernel-tolerance ", "pass kernel_tolerance=")
    with pytest.raises(ValueError) as error:
        th.Problem(**wrong)
    assert str(error.value) == expected
    with pytest.raises(ValueError) as error:
        th.Problem.read(path)
    assert str(error.value) == f"{path}: {expected}"


def test_what_is_no_array_is_named():
    masked = np.ma.array([[1.0]], mask=[[True]])
    for value, words in (
        (masked, "masked array"), ([[1.0], [2.0, 3.0]], "is not an array"), (object(), "holds a object; accepted"),
        ([[1.0], [None]], "holds None; accepted"), ({"a": 1}, "holds a dict; accepted"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="`features`") as error:
            th.Problem(features=value, labels=[0])
        assert words in str(error.value)
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match="which is sparse: pass its .toarray"):
        th.Problem(features=sparse.csr_matrix(np.eye(2)), labels=[0, 1])


def test_a_kernel_may_have_the_errors_that_it_is_allowed():
    kernel = np.array([[1.0, 2e-4], [0.0, 1.0]])
    arrays = {"features": np.ones((2, 2)), "labels": [0, 1], "kernel": kernel}
    th.Problem(**arrays, kernel_tolerance=1e-3)
    with pytest.raises(ValueError, match="`kernel_tolerance` is 0.2; accepted: a number from 0 to 0.1"):
        th.Problem(**arrays, kernel_tolerance=0.2)


def test_missing_files_are_no_values(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.npz: cannot open"):
        th.Problem.read(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError, match="none.parquet"):
        th.read(tmp_path / "none.parquet")


def test_arguments_are_keywords():
    with pytest.raises(TypeError):
        th.Problem(np.eye(2), [0, 1])
    with pytest.raises(TypeError, match="haed"):
        th.Problem(features=np.eye(2), labels=[0, 1], haed=np.eye(2))


def test_the_digits_are_those_of_sweeps(tmp_path):
    images, labels = th.digits()
    assert images.shape == (1797, 64) and labels.shape == (1797,) and labels.dtype == np.int64
    assert images.min() == 0.0 and images.max() == 1.0 and (images * 16 == np.round(images * 16)).all()
    assert (labels[:10] == np.arange(10)).all() and set(labels) == set(range(10))
    # The same as scikit-learn's, image by image.
    sklearn = pytest.importorskip("sklearn.datasets")
    others, their_labels = sklearn.load_digits(return_X_y=True)
    np.testing.assert_array_equal(images, others / 16)
    np.testing.assert_array_equal(labels, their_labels)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("gaussian", {"samples": 5, "width": 7, "outputs": 3, "input_decay": 1.0, "held_out": 2}),
        ("rank_one", {"target": 1.5, "across": 0.3, "along": 0.1}),
        ("digits", {"samples": 12, "width": 10}),
    ],
)
def test_tasks_are_those_of_sweeps(kind, options):
    seeds = {} if kind == "rank_one" else {"seeds": 1, "first_seed": 3}
    cell = th.sweep(problem=kind, **options, **seeds, taus=[0.5], times=[1.0])
    problem = th.Problem.task(kind, seed=3, **options)
    run = problem.head(seed=3).probe(tau=0.5).finetune(time=1.0)
    for name in ("euclidean", "cosine", "dot", "norm", "frobenius_distance"):
        assert getattr(run.adaptation, name) == cell[name][0]
    assert not np.array_equal(th.Problem.task(seed=4).features, th.Problem.task(seed=3).features)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("circle", {}, "`kind` is 'circle'; accepted: gaussian, rank-one, digits"),
        ("rank-one", {"samples": 4}, "samples"),
        ("gaussian", {"samples": 0}, "samples"),
        ("gaussian", {"width": "wide"}, 'invalid type: string "wide"'),
        ("gaussian", {"input_decay": float("nan")}, "decay"),
        ("gaussian", {"seed": -1}, "`seed` is -1; accepted: whole numbers from 0"),
    ],
)
def test_tasks_that_cannot_be(kind, options, words):
    with pytest.raises(ValueError, match=words):
        th.Problem.task(kind, **options)
