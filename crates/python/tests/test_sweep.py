"""Sweeps, their tables and figures."""

import csv
import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest

import taskhead as th


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("# ")))


def check(sweep, path):
    """A sweep has the rows of the command's CSV."""
    rows = table(path)
    assert len(sweep) == len(rows) and list(rows[0]) == sweep.columns
    for name in sweep.columns:
        column = sweep[name]
        for value, row in zip(column, rows):
            if column.dtype == object:
                assert (value or "") == row[name]
            elif row[name] == "":
                assert np.isnan(value)
            else:
                assert value == float(row[name]), name


CASES = [
    ({"problem": "gaussian", "samples": 4, "inputs": 6, "width": 8, "seeds": 3, "points": 5},
     "--problem gaussian --samples 4 --inputs 6 --width 8 --seeds 3 --points 5"),
    ({"problem": "rank-one", "target": 2.0, "across": 0.3, "taus": [0, 1, np.inf], "times": [0.5, np.inf]},
     "--problem rank-one --target 2 --across 0.3 --probe-times 0,1,inf --times 0.5,inf"),
    ({"samples": 3, "width": 5, "inputs": 6, "scales": np.array([0.5, 1.0]), "smoothings": (0.0, 0.2),
      "head_rates": [0.1, 1], "energies": np.array([0.4]), "first_seed": 7, "rtol": 1e-6, "metrics": ["dot"]},
     "--samples 3 --width 5 --inputs 6 --scales 0.5,1 --smoothings 0,0.2 --head-rates 0.1,1 --energies 0.4 "
     "--first-seed 7 --rtol 1e-6 --metrics dot"),
    ({"problem": "digits", "samples": 10, "width": 12, "energies": [0.7, 0.5], "loss": "cross-entropy", "until_loss": 0.5},
     "--problem digits --samples 10 --width 12 --energies 0.7,0.5 --loss cross-entropy --until-loss 0.5"),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("options", "flags"), CASES, ids=range(len(CASES)))
def test_the_numbers_are_those_of_the_command(options, flags, command, tmp_path):
    out = tmp_path / "s"
    command.run("sweep", *flags.split(), "--out", out, "--quiet", code=0)
    sweep = th.sweep(**options)
    check(sweep, f"{out}.csv")
    stored = th.read(f"{out}.parquet")
    assert stored.config == sweep.config and stored.version == sweep.version
    for name in sweep.columns:
        np.testing.assert_array_equal(stored[name], sweep[name])
    # The files are the same to the last byte, whoever writes them.
    th.sweep(**options, out=tmp_path / "own", threads=1)
    for suffix in ("csv", "parquet"):
        assert (tmp_path / f"own.{suffix}").read_bytes() == (tmp_path / f"s.{suffix}").read_bytes()
        sweep.save(tmp_path / f"saved.{suffix}")
    assert not (tmp_path / "own.partial.parquet").exists()
    for suffix in ("csv", "parquet"):
        saved = th.read(tmp_path / f"saved.{suffix}")
        for name in sweep.columns:
            np.testing.assert_array_equal(saved[name], sweep[name])


def test_a_configuration_and_changes_to_it(command, tmp_path):
    text = 'times = [1.0, inf]\n[problem]\nkind = "gaussian"\nsamples = 4\n[heads]\nseeds = 2\n[probe]\npoints = 3\n'
    path = tmp_path / "c.toml"
    path.write_text(text)
    command.run("sweep", path, "--width", 9, "--energies", "0.3,0.2", "--out", tmp_path / "s", "--quiet")
    for config in (text, path, str(path)):
        check(th.sweep(config, width=9, energies=[0.3, 0.2]), tmp_path / "s.csv")


def test_problems_in_memory_and_in_files(arrays, command, tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, **arrays)
    command.run("sweep", "--problem", path, "--points", 4, "--out", tmp_path / "s", "--quiet")
    of_file = th.sweep(problem=path, points=4)
    check(of_file, tmp_path / "s.csv")
    of_arrays = th.sweep(problem=th.Problem(**arrays), points=4)
    for name in set(of_file.columns) - {"problem"}:
        np.testing.assert_array_equal(of_arrays[name], of_file[name])
    assert of_file.notes and set(of_arrays["problem"]) == {"arrays"}
    assert not np.isnan(of_arrays["held_out_accuracy"]).any()
    # A sweep of other numbers is another sweep.
    th.sweep(problem=th.Problem(**arrays), points=4, out=tmp_path / "m")
    other = arrays | {"features": arrays["features"] + 1e-13}
    with pytest.raises(ValueError, match="this is there already.*, or force=True to replace it$") as error:
        th.sweep(problem=th.Problem(**other), points=4, out=tmp_path / "m")
    assert "--" not in str(error.value)
    th.sweep(problem=th.Problem(**other), points=4, out=tmp_path / "m", force=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"samples": 0}, "samples 0 is not valid; it must be at least 1"),
        ({"samples": -1}, "invalid value: integer `-1`"),
        ({"samples": 2.5}, "invalid type: floating point `2.5`"),
        ({"times": [2.0, 1.0]}, "`times` holds 1; accepted: times in strictly ascending order"),
        ({"times": []}, "`times` is empty; it must hold at least one value"),
        ({"points": 3, "energies": [0.1]}, "2 of `points`, `energies` and `taus` are given; accepted: one"),
        ({"points": 1}, "`points` holds 1; accepted: at least 2"),
        ({"taus": [-1.0]}, "`taus` holds -1; accepted"),
        ({"head_rates": [-1.0]}, "`head_rates` holds -1; accepted"),
        ({"max_time": -1.0}, "`max_time` holds -1; accepted: finite numbers"),
        ({"max_time": 1.0, "method": "closed-form"}, "`max_time` has no effect"),
        ({"until_loss": 0.1, "until_accuracy": 0.5}, "`until_loss` and `until_accuracy` are both set"),
        ({"backbone_decay": -1.0}, "backbone_decay -1 is not valid"),
        ({"problem": "rank-one", "held_out": 3}, "unknown field `held_out`"),
        ({"config": "# " + "x" * 300_000 + "\n"}, "`config` has more than 262144 bytes"),
        ({"problem": "rank-one", "samples": 3}, "unknown field `samples`"),
        ({"problem": "nowhere.npz"}, "`problem` is 'nowhere.npz'; accepted: gaussian, rank-one, digits"),
        ({"loss": "hinge"}, "unknown variant `hinge`"),
        ({"metrics": ["angle"]}, "unknown variant `angle`"),
        ({"threads": 0}, "`threads` is 0; accepted: at least 1"),
        ({"threads": -1}, "`threads` is -1; accepted: at least 1"),
        ({"problem": np.eye(3)}, "`problem` is a ndarray; accepted: gaussian, rank-one, digits, the path of a file, or"),
        ({"kernel_tolerance": 1e-3}, "`kernel_tolerance` has no effect but on the file of a problem"),
        ({"seeds": 10**30}, "`seeds` holds 1000000000000000000000000000000; accepted"),
        ({"scales": {1.0}}, "`scales` is of type set; accepted: numbers, texts, and lists of them"),
        ({"config": "[problem]\nkind = 3\n"}, "this is not a valid configuration"),
        ({"config": "[problem\n"}, "this is not a valid configuration"),
        ({"problem": "rank-one", "energies": [9.0]}, "the only cell failed: the AIE energy 9"),
        ({"out": "no/such/folder/s"}, "there is no folder"),
    ],
)
def test_what_is_not_accepted(options, words):
    with pytest.raises(ValueError) as error:
        th.sweep(**options)
    assert words in str(error.value)


def test_numbers_come_in_any_sequence():
    polars = pytest.importorskip("polars")
    options = {"samples": 3, "inputs": 5, "width": 6, "times": [1.0]}
    expected = th.sweep(**options, taus=[0, 1, 2])["euclidean"]
    for taus in (range(3), (0, 1, 2), np.arange(3), polars.Series([0, 1, 2])):
        np.testing.assert_array_equal(th.sweep(**options, taus=taus)["euclidean"], expected)


def test_cells_that_fail_or_stop_are_warned_of():
    with pytest.warns(RuntimeWarning, match="1 of 2 cells failed; the first one is cell 1: the AIE energy 9"):
        sweep = th.sweep(problem="rank-one", energies=[0.5, 9.0])
    assert (sweep.failed, sweep.stopped, len(sweep)) == (1, 0, 2)
    assert list(sweep["status"]) == ["exact", "failed"] and np.isnan(sweep["euclidean"][1])
    with pytest.warns(RuntimeWarning, match="stopped early"):
        assert th.sweep(samples=5, max_steps=2, points=2).stopped > 0


INTERRUPTED = """
import signal
import taskhead as th
from taskhead import _support

class Bar:
    n = 0

    def update(self, more):
        self.n += more
        if self.n:
            signal.raise_signal(signal.SIGINT)

    def close(self):
        pass

_support.progress = lambda total, unit: Bar()
th.sweep({options}, out="s")
"""


def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path):
    options = "samples=24, width=48, inputs=40, seeds=60, points=8"
    # Ctrl-C comes with the first cells that are done.
    script = INTERRUPTED.replace("{options}", options)
    ended = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt", ended.stderr
    partial = tmp_path / "s.partial.parquet"
    with pytest.warns(UserWarning, match="the run that writes it has not finished: it holds [0-9]+ of 480 cells"):
        part = th.read(partial)
    whole = eval(f"th.sweep({options})")
    assert 0 < len(part) < len(whole) and not (part["status"] == "interrupted").any()
    resumed = eval(f"th.sweep({options}, out=tmp_path / 's')")
    for name in whole.columns:
        np.testing.assert_array_equal(resumed[name], whole[name])
    assert not partial.exists() and (tmp_path / "s.csv").exists()


@pytest.fixture(scope="module")
def sweep():
    return th.sweep(samples=4, inputs=6, width=8, seeds=3, points=6)


def test_arrow(sweep, tmp_path):
    polars = pytest.importorskip("polars")
    frame = sweep.to_polars()
    assert frame.columns == sweep.columns and frame.shape == (18, len(sweep.columns))
    assert frame["cell"].dtype == polars.UInt64 and frame["held_out_norm"].null_count() == 18
    np.testing.assert_array_equal(frame["euclidean"].to_numpy(), sweep["euclidean"])
    assert polars.DataFrame(sweep).equals(frame)
    pyarrow = pytest.importorskip("pyarrow")
    arrow = pyarrow.table(sweep)
    assert arrow.schema.metadata[b"taskhead.config"].decode() == sweep.config
    assert arrow.num_rows == 18 and not arrow.schema.field("cell").nullable
    sweep.save(tmp_path / "s.parquet")
    own = polars.read_parquet(tmp_path / "s.parquet")
    assert own.equals(frame)


def test_pandas(sweep):
    pandas = pytest.importorskip("pandas")
    frame = sweep.to_pandas()
    assert list(frame.columns) == sweep.columns and frame["seed"].nunique() == 3
    assert isinstance(frame, pandas.DataFrame) and frame["held_out_norm"].isna().all()
    np.testing.assert_array_equal(frame["euclidean"], sweep["euclidean"])


def test_columns_and_laws(sweep):
    with pytest.raises(KeyError, match="there is no column `euclid`"):
        sweep["euclid"]
    laws = sweep.laws()
    assert [law[0] for law in laws] == ["euclidean", "cosine", "dot", "norm", "frobenius_distance"]
    assert laws[0][1] == laws[4][1] == "rises" and laws[0][3] == 3
    figure = sweep.plot("trend", metrics=["frobenius_distance"]).svg
    assert "Frobenius distance" in figure and "Euclidean distance" not in figure
    with pytest.raises(ValueError, match="there is no metric `total`; accepted: euclidean, cosine, dot, norm, frob"):
        sweep.plot("trend", metrics=["total"])
    html = sweep._repr_html_()
    assert "18 cells, 0 failed, 0 stopped early" in html and "held_out_norm" not in html
    assert repr(sweep) == "<taskhead.Sweep: 18 cells, 0 failed, 0 stopped early>"


def test_figures_are_those_of_the_command(sweep, command, tmp_path):
    assert sweep.figures == ["trend", "transfer"]
    sweep.save(tmp_path / "s.parquet")
    for dark in (False, True):
        figure = sweep.plot("trend", dark=dark)
        command.run("plot", tmp_path / "s.parquet", "--figure", "trend", "--theme", "dark" if dark else "light",
                    "--out", tmp_path)
        assert figure.svg == (tmp_path / "trend.svg").read_text() == figure._repr_svg_()
    png = figure.png()
    assert png.startswith(b"\x89PNG") and len(figure.png(scale=1.0)) < len(png)
    figure.save(tmp_path / "f.svg")
    figure.save(tmp_path / "f.png")
    assert (tmp_path / "f.svg").read_text() == figure.svg and (tmp_path / "f.png").read_bytes() == png
    assert figure.name == "trend" and "trend" in repr(figure)
    with pytest.raises(ValueError, match="the figure `risk` needs a downstream risk"):
        sweep.plot("risk")
    with pytest.raises(ValueError, match="there is no figure `pie`; accepted: trend, "):
        sweep.plot("pie")
    with pytest.raises(ValueError, match="cannot write a .pdf file; accepted: `svg`, `png`"):
        figure.save(tmp_path / "f.pdf")
    with pytest.raises(ValueError):
        figure.png(scale=0.0)


def test_foreign_tables_are_read_with_a_warning(sweep, tmp_path):
    polars = pytest.importorskip("polars")
    path = tmp_path / "s.parquet"
    sweep.to_polars().write_parquet(path, compression="snappy")
    with pytest.warns(UserWarning) as caught:
        again = th.read(path)
    said = [str(warning.message) for warning in caught]
    assert "another program has written it" in said[0] and "which configuration" in said[1]
    assert said == [f"{path}: {note}" for note in again.notes]
    np.testing.assert_array_equal(again["norm"], sweep["norm"])


def test_progress_is_quiet_in_scripts(tmp_path):
    script = "import taskhead as th; th.sweep(samples=24, width=48, inputs=40, seeds=8, points=8); th.verify('T3')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_bar_is_shown_on_a_terminal():
    pytest.importorskip("tqdm")
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    main, other = os.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    script = "import taskhead as th; th.sweep(samples=24, width=48, inputs=40, seeds=300, points=8)"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=other, stdout=subprocess.DEVNULL)
    os.close(other)
    shown = b""
    try:
        while chunk := os.read(main, 4096):
            shown += chunk
    except OSError:
        pass
    assert process.wait(timeout=60) == 0
    assert b"/2400 [" in shown, shown


def test_parts(tmp_path):
    options = {"samples": 3, "width": 6, "inputs": 5, "seeds": 5, "points": 3}
    whole = th.sweep(**options, out=tmp_path / "whole")
    parts = []
    for number in (3, 1, 2):
        part = th.sweep(**options, out=tmp_path / "s", shard=f"{number}/3")
        parts.append(tmp_path / f"s.{number}-of-3.parquet")
        assert len(part) in (3, 6)
    merged = th.merge(parts, out=tmp_path / "merged")
    for suffix in ("csv", "parquet"):
        assert (tmp_path / f"merged.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert merged.columns == whole.columns and merged.config == whole.config
    with pytest.raises(ValueError, match="`paths` is empty; accepted: the tables of all parts"):
        th.merge([])
    with pytest.raises(ValueError, match="part 2/3 of 3 is missing"):
        th.merge(parts[:2])
    with pytest.raises(ValueError, match='`shard` is "4/3"; accepted: I/N'):
        th.sweep(**options, shard="4/3")
    with pytest.raises(ValueError, match="only 5 curves can be told apart"):
        th.sweep(**options, shard="1/6")
    with pytest.warns(UserWarning, match="it is part 1/3 of 15 cells"):
        th.read(parts[1])


def test_a_sweep_can_be_pickled(sweep):
    import pickle

    again = pickle.loads(pickle.dumps(sweep))
    assert again.columns == sweep.columns and again.config == sweep.config and again.notes == sweep.notes
    for name in sweep.columns:
        np.testing.assert_array_equal(again[name], sweep[name])
