"""Recording a training in PyTorch."""

import copy

import numpy as np
import pytest

import taskhead as th

torch = pytest.importorskip("torch")

from taskhead.torch import Recorder, probe_heads, recording, tangent_kernel  # noqa: E402


@pytest.fixture
def task():
    """A linear backbone with a head on it, and two classes: the model that the theory is about."""
    torch.manual_seed(0)
    inputs = torch.randn(10, 6, dtype=torch.float64)
    labels = torch.arange(10) % 2
    backbone = torch.nn.Linear(6, 8, bias=False, dtype=torch.float64)
    head = torch.nn.Linear(8, 2, bias=False, dtype=torch.float64)
    return inputs, labels, backbone, head


def loader(inputs, labels, size=4):
    return [(inputs[i : i + size], labels[i : i + size]) for i in range(0, len(inputs), size)]


def aie(head, features, labels, k):
    return (torch.eye(k)[labels] - torch.softmax(head(features), dim=1)).norm(dim=1).mean().item()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_probed_heads_leave_their_energy_and_load(bias, dtype):
    torch.manual_seed(1)
    features, labels = torch.randn(12, 5, dtype=dtype), torch.arange(12) % 3
    head = torch.nn.Linear(5, 3, bias=bias, dtype=dtype)
    before = copy.deepcopy(head.state_dict())
    start = aie(head, features, labels, 3)
    heads = probe_heads(head, features, labels, energies=[0.97 * start, 0.95 * start])
    for probed, wanted in zip(heads, (0.97 * start, 0.95 * start), strict=True):
        assert probed.energy == pytest.approx(wanted, rel=1e-9) and probed.tau > 0
        other = torch.nn.Linear(5, 3, bias=bias, dtype=dtype)
        other.load_state_dict(probed.state_dict)
        assert aie(other, features, labels, 3) == pytest.approx(wanted, rel=1e-5 if dtype == torch.float32 else 1e-9)
    for name, value in head.state_dict().items():
        assert torch.equal(value, before[name])
    for probed, other in zip(probe_heads(head, features, labels, shares=[0.97, 1.0]), (heads[0], None)):
        if other is None:
            assert probed.tau == 0.0 and probed.energy == pytest.approx(start, rel=1e-6)
            for name, value in probed.state_dict.items():
                assert torch.equal(value, before[name])
        else:
            assert probed.tau == pytest.approx(other.tau, rel=1e-5)
    with pytest.raises(ValueError, match="of `energies` and `shares` one has to be given"):
        probe_heads(head, features, labels)
    with pytest.raises(ValueError, match="is not reached by probing"):
        probe_heads(head, features, labels, energies=[50.0])
    with pytest.raises(ValueError, match="other values than the 3 classes"):
        probe_heads(head, features, labels + 1, energies=[0.5])


def test_what_is_recorded_is_what_the_theory_predicts(task):
    """Gradient descent with small steps on the linear model is the flow of the engine."""
    inputs, labels, backbone, head = task
    recorder = Recorder(backbone, head, loader(inputs, labels), every=100, point=3, seed=2, head_rate=0.5)
    assert recorder.start().euclidean == 0.0
    problem = th.Problem(
        inputs=inputs, backbone=backbone.weight, labels=labels, head=head.weight.T
    )
    probed = problem.head(loss="cross-entropy").probe(tau=0)
    rate, steps = 1e-4, 1000
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    optimiser = torch.optim.SGD(
        [{"params": backbone.parameters(), "lr": rate}, {"params": head.parameters(), "lr": 0.5 * rate}]
    )
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        loss(head(backbone(inputs)), labels).backward()
        optimiser.step()
        recorder.step(rate * step)
    recorder.finish(rate * steps)
    runs = probed.finetune_at([rate * step for step in range(100, steps + 1, 100)], head_rate=0.5)
    assert len(recorder.rows) == len(runs) == 10
    for row, run in zip(recorder.rows, runs):
        assert row["aie"] == pytest.approx(run.energy, rel=1e-12)
        assert row["frobenius"] == pytest.approx(run.frobenius, rel=1e-12)
        assert row["euclidean"] == pytest.approx(run.adaptation.euclidean, rel=2e-3)
        assert row["norm"] == pytest.approx(run.adaptation.norm, rel=1e-4)
        assert row["residual"] == pytest.approx(run.residual, rel=1e-3)
        assert row["head_norm"] == pytest.approx(run.head_norm[1], rel=1e-4)
        assert row["accuracy"] == run.accuracy[1]
    sweep = recording([recorder])
    assert (sweep["seed"] == 2).all() and (sweep["point"] == 3).all() and (sweep["head_rate"] == 0.5).all()
    assert "course" in sweep.figures


def test_a_recorded_trend_is_stored_and_drawn(task, tmp_path):
    inputs, labels, backbone, head = task
    start = aie(head, backbone(inputs), labels, 2)
    recorders = []
    for point, probed in enumerate(probe_heads(head, backbone(inputs), labels, energies=[start * s for s in (0.9, 0.95, 1)])):
        tuned, own = copy.deepcopy(backbone), copy.deepcopy(head)
        recorder = Recorder(tuned, own, loader(inputs, labels), point=point)
        own.load_state_dict(probed.state_dict)
        recorder.start()
        optimiser = torch.optim.Adam([*tuned.parameters(), *own.parameters()], lr=1e-2)
        for _ in range(50):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(own(tuned(inputs)), labels).backward()
            optimiser.step()
            recorder.step()
        recorder.finish()
        recorders.append(recorder)
    sweep = recording(recorders)
    assert len(sweep) == 3 and (sweep["time"] == 50).all()
    assert np.isclose(sweep["aie"], start * np.array([0.9, 0.95, 1])).all()
    sweep.save(tmp_path / "run.parquet")
    assert th.read(tmp_path / "run.parquet").plot("trend").svg == sweep.plot("trend").svg


def test_a_single_output_is_logistic(task):
    inputs, labels, backbone, _ = task
    head = torch.nn.Linear(8, 1, bias=False, dtype=torch.float64)
    features = backbone(inputs).detach()
    expected = th.Problem(features=features, targets=labels[:, None].double(), head=head.weight.T).head(
        loss="cross-entropy"
    )
    right = (((features @ head.weight.T)[:, 0] > 0) == labels.bool()).double().mean().item()
    flat = torch.nn.Sequential(head, torch.nn.Flatten(0))
    for wanted in (labels, labels.double(), labels[:, None].double()):
        for module in (head, flat):
            recorder = Recorder(backbone, module, loader(inputs, wanted))
            recorder.start()
            recorder.finish()
            assert recorder.rows[0]["aie"] == pytest.approx(expected.energy(0.0), rel=1e-12)
            assert recorder.rows[0]["accuracy"] == right
    probed = probe_heads(head, features, labels, shares=[0.99])[0]
    assert probed.energy == pytest.approx(0.99 * expected.energy(0.0), rel=1e-9)
    with pytest.raises(ValueError, match="outside of 0 to 1, which a single output cannot be"):
        Recorder(backbone, head, loader(inputs, labels + 1)).start()
    numbers = Recorder(backbone, head, loader(inputs, labels + 0.5), loss="squared")
    numbers.start()
    numbers.finish()
    assert numbers.rows[0]["accuracy"] is None


def test_labels_in_a_column_are_classes(task):
    inputs, labels, backbone, head = task
    plain, column = (Recorder(backbone, head, loader(inputs, wanted)) for wanted in (labels, labels[:, None]))
    for recorder in (plain, column):
        recorder.start()
        recorder.finish()
    assert plain.rows == column.rows
    with pytest.raises(ValueError, match=r"`labels` has shape \(10, 3\); accepted: one for each sample, or 2 targets"):
        Recorder(backbone, head, loader(inputs, torch.zeros(10, 3))).start()


def test_a_training_that_diverges_is_no_rest(task):
    inputs, labels, backbone, head = task
    recorders = []
    for point, factor in enumerate((1.1, 2.0, float("nan"))):
        tuned = copy.deepcopy(backbone)
        recorder = Recorder(tuned, head, loader(inputs, labels), point=point)
        recorder.start()
        tuned.weight.data *= factor
        recorders.append(recorder)
    for recorder in recorders[:2]:
        recorder.finish()
    with pytest.warns(RuntimeWarning, match="features are not finite any more: this training has diverged"):
        recorders[2].finish()
    sweep = recording(recorders)
    assert list(sweep["status"]) == ["time", "time", "failed"] and sweep.failed == 1
    with pytest.warns(RuntimeWarning, match="of 3 cells, 1 failed"):
        sweep.plot("trend")


def test_the_end_has_the_time_of_the_last_step(task):
    inputs, labels, backbone, head = task
    recorder = Recorder(backbone, head, loader(inputs, labels), every=2)
    recorder.start()
    for step in range(1, 5):
        recorder.step(0.1 * step)
    recorder.finish()
    assert [row["time"] for row in recorder.rows] == [0.2, 0.4]
    recorder.step(0.5)
    recorder.finish()
    assert [row["time"] for row in recorder.rows] == [0.2, 0.4, 0.5]


def test_features_that_move_while_only_the_head_trains_are_noticed():
    torch.manual_seed(0)
    inputs, labels = torch.randn(20, 4) + 3, torch.arange(20) % 2
    backbone = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5))
    head = torch.nn.Linear(8, 2)
    backbone.train()
    recorder = Recorder(backbone, head, loader(inputs, labels))
    # Measuring is in eval mode, and leaves the modes as they were.
    assert recorder.start().euclidean == 0.0 and all(m.training for m in backbone.modules())
    backbone(inputs)
    with pytest.warns(RuntimeWarning, match="features moved by .* before finetuning"):
        recorder.start()
    frozen = Recorder(backbone, head, loader(inputs, labels))
    backbone.eval()
    backbone(inputs)
    assert frozen.start().euclidean == 0.0


def test_the_tangent_kernel_is_that_of_jacobians():
    torch.manual_seed(0)
    backbone = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Linear(6, 3)
    ).double()
    backbone(torch.randn(20, 4, dtype=torch.float64))
    inputs, others = torch.randn(5, 4, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    backbone[0].bias.requires_grad_(False)
    backbone.eval()

    def jacobian(x):
        rows = []
        for output in backbone(x[None])[0]:
            gradients = torch.autograd.grad(output, [p for p in backbone.parameters() if p.requires_grad], retain_graph=True)
            rows.append(torch.cat([g.flatten() for g in gradients]))
        return torch.stack(rows)

    of = lambda left, right: np.array([[float((jacobian(a) * jacobian(b)).sum()) / 3 for b in right] for a in left])
    expected, between = of(inputs, inputs), of(others, inputs)
    backbone.train()
    np.testing.assert_allclose(tangent_kernel(backbone, inputs), expected, rtol=1e-12)
    np.testing.assert_allclose(tangent_kernel(backbone, inputs, others), between, rtol=1e-12)
    assert all(module.training for module in backbone.modules())
    problem = th.Problem(features=backbone.eval()(inputs).detach(), labels=[0, 1, 0, 1, 0], kernel=expected)
    assert problem.kernel.shape == (5, 5)


def test_what_is_not_accepted(task):
    inputs, labels, backbone, head = task

    class Shuffled:
        def __iter__(self):
            order = torch.randperm(len(labels))
            return iter([(inputs[order], labels[order])])

    recorder = Recorder(backbone, head, loader(inputs, labels))
    with pytest.raises(ValueError, match="`start` has to be called before"):
        recorder.finish()
    with pytest.raises(ValueError, match="in another order each time; accepted: shuffle=False"):
        shuffled = Recorder(backbone, head, Shuffled())
        for _ in range(20):
            shuffled.start()
    with pytest.raises(ValueError, match="`loss` is 'hinge'; accepted"):
        Recorder(backbone, head, loader(inputs, labels), loss="hinge")
    with pytest.raises(ValueError, match="`every` is 0; accepted: at least 1"):
        Recorder(backbone, head, loader(inputs, labels), every=0)
    with pytest.raises(ValueError, match="gives no samples"):
        Recorder(backbone, head, [])
    with pytest.raises(ValueError, match="there is no column `speed`"):
        recorder.start()
        odd = Recorder(backbone, head, loader(inputs, labels), speed=3)
        odd.start()
        odd.finish()
        recording([odd])
