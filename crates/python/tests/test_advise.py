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
        ({"rate": 0.1}, "`rate` and `batch` need each other"),
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
    with pytest.raises(ValueError, match="`row` is 3; accepted: 0 to 2"):
        advice.head(3)
