"""Advice has the numbers of the command, and heads that are what the table says."""

import json
import os
import subprocess

import numpy as np
import pytest

import taskhead as th


def arrays():
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 3
    features = rng.normal(size=(24, 5))
    features[np.arange(24), labels] += 2.0
    return features, labels


FEW = {"points": 3, "seeds": 1, "folds": 3}


def test_numbers_are_those_of_the_command(tmp_path):
    features, labels = arrays()
    np.savez(tmp_path / "f.npz", features=features, labels=labels)
    for loss in ("squared", "cross-entropy"):
        advice = th.advise(th.Problem(features=features, labels=labels), loss=loss, rate=0.1, batch=8, **FEW)
        command = [os.environ["TASKHEAD_COMMAND"], "advise", "f.npz", "--json", "--loss", loss]
        command += ["--rate", "0.1", "--batch", "8", "--points", "3", "--seeds", "1", "--folds", "3"]
        printed = json.loads(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)
        assert (advice.best, advice.reason, advice.matters) == (printed["best"], printed["reason"], printed["matters"])
        assert advice.assumptions == printed["assumptions"]
        table = advice.table
        for i, row in enumerate(printed["rows"]):
            assert table["share"][i] == row["share"]
            assert table["probe_time"][i] == float(row["probe_time"])
            assert table["epochs"][i] == float(row["epochs"])
            assert table["euclidean"][i] == row["adaptation"]["euclidean"]
            assert table["score"][i] == row["probe_score"]["finetuned"]
            assert table["behind"][i] == row["behind"]["mean"]
        assert np.isnan(table["strength"]).all()


def test_heads_have_the_accuracy_of_the_table():
    features, labels = arrays()
    advice = th.advise(th.Problem(features=features, labels=labels), standardise=True, **FEW)
    for row, accuracy in enumerate(advice.table["accuracy"]):
        weight, bias = advice.head(row)
        assert weight.shape == (3, 5) and bias.shape == (3,)
        assert np.mean((features @ weight.T + bias).argmax(1) == labels) == pytest.approx(accuracy)
    best = advice.head()
    np.testing.assert_array_equal(best[0], advice.head(advice.best)[0])
    assert advice.plot().svg.startswith("<svg ") and advice.reason in repr(advice)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"points": 1}, "points 1 is not valid; it must be at least 2"),
        ({"points": -1}, "`points` is -1; accepted: whole numbers from 0"),
        ({"seed": -1}, "`seed` is -1; accepted: whole numbers from 0"),
        ({"rate": 0.1, "batch": -2}, "`batch` is -2; accepted: whole numbers from 0"),
        ({"rate": 0.1}, "`rate` and `batch` need each other"),
        ({"momentum": 0.9}, "`momentum` needs `rate` and `batch`"),
        ({"labels": [0, 1]}, "`labels` has no effect beside a Problem"),
        ({"until_loss": 0.1, "until_accuracy": 0.9}, "exclude each other"),
        ({"loss": "cubic"}, "`loss`: unknown variant `cubic`"),
        ({"folds": 99}, "folds 99 is not valid"),
    ],
)
def test_what_is_not_accepted_is_said(options, text):
    features, labels = arrays()
    with pytest.raises(ValueError, match=text):
        th.advise(th.Problem(features=features, labels=labels), **{**FEW, **options})


def test_a_row_that_is_not_there():
    features, labels = arrays()
    advice = th.advise(th.Problem(features=features, labels=labels), loss="squared", **FEW)
    for row in (3, -1):
        with pytest.raises(ValueError, match=f"`row` is {row}; accepted: 0 to 2"):
            advice.head(row)


def test_features_and_labels_are_enough():
    features, labels = arrays()
    few = FEW | {"loss": "squared"}
    whole = th.advise(th.Problem(features=features, labels=labels), **few)
    assert th.advise(features, labels, **few).reason == whole.reason
    held = {"probe_features": features[::2], "probe_labels": labels[::2]}
    some = th.advise(th.Problem(features=features, labels=labels, **held), **few)
    np.testing.assert_array_equal(th.advise(features, labels, **held, **few).table["score"], some.table["score"])
    with pytest.raises(ValueError, match="nothing says what to learn|labels"):
        th.advise(features)


def test_heads_are_stored_as_frameworks_take_them(tmp_path):
    features, labels = arrays()
    advice = th.advise(features, labels, loss="squared", **FEW)
    advice.save(tmp_path / "best.npz")
    advice.save(tmp_path / "first.npz", 0)
    for name, row in (("best", None), ("first", 0)):
        stored = np.load(tmp_path / f"{name}.npz")
        weight, bias = advice.head(row)
        np.testing.assert_array_equal(stored["weight"], weight)
        np.testing.assert_array_equal(stored["bias"], bias)
    advice.save(tmp_path / "best.safetensors")
    content = (tmp_path / "best.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["weight"]["shape"] == [3, 5] and header["bias"]["shape"] == [3]
    with pytest.raises(ValueError, match="cannot write a .pt file; accepted: `npz`, `safetensors`"):
        advice.save(tmp_path / "best.pt")


def test_a_notebook_shows_the_table():
    features, labels = arrays()
    advice = th.advise(features, labels, loss="squared", **FEW)
    shown = advice._repr_html_()
    assert advice.reason in shown and shown.count("<tr>") == 4 and shown.count("→") == 1
    # Nobody asked for epochs.
    assert "<th>score</th>" in shown and "<th>epochs</th>" not in shown


def test_the_bar_counts_flows(monkeypatch):
    from taskhead import _support

    asked = []
    monkeypatch.setattr(_support, "progress", lambda total, unit: asked.append((total, unit)))
    features, labels = arrays()
    th.advise(features, labels, loss="squared", **FEW)
    assert asked == [(9, "flow")]
