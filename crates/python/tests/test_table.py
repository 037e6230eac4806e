"""Tables of trainings that taskhead did not run."""

import numpy as np
import pytest

import taskhead as th


def columns():
    rng = np.random.default_rng(0)
    rows = [(seed, point) for seed in range(3) for point in range(4)]
    energy = np.array([0.1 + 0.2 * point + 0.01 * seed for seed, point in rows])
    return {
        "seed": [seed for seed, _ in rows],
        "point": [point for _, point in rows],
        "aie": energy,
        "euclidean": energy**1.5,
        "cosine": energy**2 / 2,
        "dot": 1 + energy - energy**2 + 0 * rng.normal(size=12),
        "norm": 1 + energy / 2,
    }


def test_seven_columns_are_a_table(tmp_path):
    sweep = th.table(columns())
    assert len(sweep) == 12 and sweep.figures == ["trend", "transfer"]
    np.testing.assert_array_equal(sweep["euclidean"], columns()["euclidean"])
    np.testing.assert_array_equal(sweep["frobenius"], columns()["aie"])
    assert sweep.laws()[0][2:4] == (3, 3) and np.isnan(sweep["residual"]).all()
    for name in ("t.parquet", "t.csv"):
        sweep.save(tmp_path / name)
        again = th.read(tmp_path / name)
        for column in sweep.columns:
            np.testing.assert_array_equal(again[column], sweep[column])
    assert again.plot("trend").svg == sweep.plot("trend").svg


def test_more_columns_where_they_are_known():
    more = columns() | {"time": np.ones(12), "problem": ["mine"] * 12, "accuracy_start": [0.5] * 12, "accuracy": [None] * 12}
    sweep = th.table(more)
    assert set(sweep["problem"]) == {"mine"} and np.isnan(sweep["accuracy"]).all()
    assert (sweep["time"] == 1.0).all() and (sweep["time_reached"] == 1.0).all()


def test_pandas_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(columns())
    np.testing.assert_array_equal(th.table(dict(frame.items()))["norm"], columns()["norm"])


def test_a_training_that_failed_has_its_start_only(tmp_path):
    more = columns() | {"status": ["time"] * 11 + ["failed"], "error": [None] * 11 + ["it diverged"]}
    for name in ("euclidean", "cosine", "dot", "norm"):
        more[name] = [*more[name][:11], None]
    sweep = th.table(more)
    assert (sweep.failed, len(sweep)) == (1, 12) and sweep["error"][11] == "it diverged"
    sweep.save(tmp_path / "t.csv")
    assert th.read(tmp_path / "t.csv").failed == 1


def test_data_frames_are_tables():
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    of_dict = th.table(columns() | {"accuracy": [None] * 12})
    frame = pandas.DataFrame(columns() | {"accuracy": pandas.array([None] * 12, dtype="Float64")})
    for table in (frame, polars.DataFrame(columns()), pyarrow.table(columns()), of_dict):
        if table is not of_dict:
            table = th.table(table)
        assert table.columns == of_dict.columns
        for name in ("seed", "aie", "norm", "accuracy"):
            np.testing.assert_array_equal(table[name], of_dict[name])


def test_trainings_that_end_at_their_own_time_are_all_seen():
    times = np.arange(1.0, 13.0)
    sweep = th.table(columns() | {"time": times})
    assert sweep.laws()[0][2:4] == (3, 3)
    assert sweep.plot("trend").svg == th.table(columns()).plot("trend").svg


def test_tables_stand_side_by_side(tmp_path, command):
    one = th.table(columns() | {"time": np.full(12, 7.0)})
    other = th.sweep(samples=3, inputs=5, width=6, seeds=2, points=4)
    both = th.beside(network=one, theory=other)
    assert len(both) == 20 and list(both["problem"]) == ["network"] * 12 + ["theory"] * 8
    assert list(both["cell"]) == list(range(20))
    svg = both.plot("trend").svg
    assert ">\nnetwork\n<" in svg and ">\ntheory\n<" in svg
    for name, sweep in (("network", one), ("theory", other), ("both", both)):
        sweep.save(tmp_path / f"{name}.parquet")
    assert th.read(tmp_path / "both.parquet").plot("trend").svg == svg
    files = [tmp_path / f"{name}.parquet" for name in ("network", "theory")]
    command.run("plot", *files, "--figure", "trend", "--out", tmp_path)
    assert (tmp_path / "trend.svg").read_text() == svg
    with pytest.raises(ValueError, match="1 table to be put side by side; accepted: at least 2, by their names"):
        th.beside(network=one)
    with pytest.raises(ValueError, match="`theory` is a dict; accepted: a Sweep"):
        th.beside(network=one, theory={})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("point"), "the column `point` is missing"),
        (lambda c: c.update(epoch=[1] * 12), "there is no column `epoch`"),
        (lambda c: c.update(aie=[0.1]), "`aie` has 1 values and `seed` 12; accepted: as many in each column"),
        (lambda c: c.update(seed=["a"] * 12), 'row 1, column `seed`: "a" is not a whole number'),
        (lambda c: c.update(cosine=[None] * 12), "row 1, column `cosine`"),
        (lambda c: c.update(seed=[0.5] * 12), 'row 1, column `seed`: "0.5" is not a whole number from 0'),
        (lambda c: c.update(aie=[-0.1] * 12), 'row 1, column `aie`: "-0.1" is not a number of at least 0'),
        (lambda c: c.update(cosine=[3] * 12), 'row 1, column `cosine`: "3" is not a cosine distance, from 0 to 2'),
        (lambda c: c.update(euclidean=[np.inf] * 12), 'row 1, column `euclidean`: "inf" is not a finite number'),
        (lambda c: c.update(dot=[-np.inf] * 12), 'row 1, column `dot`: "-inf" is not a finite number'),
        (lambda c: c.update(risk=[-0.5] * 12), 'row 1, column `risk`: "-0.5" is not a number of at least 0'),
        (lambda c: c.update(cell=[0] * 12), "the cell 0 is there twice"),
        (lambda c: c.update(problem="mine"), "`problem` is 'mine'; accepted: a sequence with a value for each row"),
        (lambda c: c.update(aie=0.5), "`aie` is 0.5; accepted: a sequence"),
        (lambda c: c.update(problem=[{}] * 12), "`problem` holds a dict; accepted: numbers, texts and None"),
        (lambda c: c.update({3: [0] * 12}), "`columns` has the name 3; accepted: texts"),
        (lambda c: c.update(seed=[0] * 12), "the cells 0 and 4 are both of problem recorded, seed 0, point 0 and time inf"),
    ],
)
def test_what_is_not_accepted(change, words):
    given = columns()
    change(given)
    with pytest.raises(ValueError) as error:
        th.table(given)
    assert words in str(error.value)


def test_adaptation_of_arrays():
    before, after = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[0.0, 1.0], [0.0, 2.0]])
    euclidean, cosine, dot, norm = th.adaptation(before, after)
    assert (euclidean, cosine, dot, norm) == (2**0.5 / 2, 0.5, 2.0, 1.5)
    assert th.adaptation(before, after).frobenius_distance == 2**0.5
    with pytest.raises(ValueError, match="`after` is 1×2 and `before` 2×2; accepted: the same shape"):
        th.adaptation(before, after[:1])
    # It was a distance of 0, and a norm of 0.
    for odd, word in ((np.nan, "NaN"), (np.inf, "inf")):
        broken = after.copy()
        broken[1, 0] = odd
        with pytest.raises(ValueError, match=f"`after` holds {word} at row 1, column 0; all values must be finite"):
            th.adaptation(before, broken)


def test_what_is_no_table_is_named():
    with pytest.raises(ValueError, match="`columns` is a ndarray; accepted: a mapping of names to sequences, or a data"):
        th.table(np.ones((3, 7)))


def test_the_best_point_is_chosen_on_validation_samples():
    validation, test = [0.6, 0.9, 0.7, 0.5], [0.5, 0.7, 0.8, 0.4]
    more = columns() | {"validation_accuracy": validation * 3, "held_out_accuracy": test * 3}
    # Its start is not known, which is no reason to lose its end.
    (best,) = th.table(more).best()
    assert (best.score, best.seeds, best.validation) == ("accuracy", 3, pytest.approx(0.9))
    # What is best on the test samples is not looked at.
    assert best.test == pytest.approx(0.7) and best.ends == pytest.approx((0.5, 0.4))
    assert best.inner is not None and [difference for difference, _ in best.inner] == pytest.approx([0.2, 0.3])
    assert best.energy == pytest.approx(0.31) and "largest validation accuracy (0.9000)" in repr(best)
    assert th.table(columns()).best() == []


def test_an_accuracy_without_its_start_is_kept(tmp_path):
    sweep = th.table(columns() | {"held_out_accuracy": np.linspace(0.4, 0.9, 12)})
    sweep.save(tmp_path / "t.parquet")
    sweep.save(tmp_path / "t.csv")
    for table in (sweep, th.read(tmp_path / "t.parquet"), th.read(tmp_path / "t.csv")):
        np.testing.assert_array_equal(table["held_out_accuracy"], np.linspace(0.4, 0.9, 12))
        assert np.isnan(table["held_out_accuracy_start"]).all()
    rows = [line.split(",") for line in (tmp_path / "t.csv").read_text().splitlines() if not line.startswith("#")]
    assert {row[rows[0].index("held_out_accuracy_start")] for row in rows[1:]} == {""}
    drawn = sweep.plot("accuracy").svg
    assert "held out" in drawn and "head only" not in drawn
