"""Theorems, their checks and certificates."""

import numpy as np
import pytest

import taskhead as th


def test_the_catalogue(command):
    listed = command.json("verify", "--list")
    theorems = th.theorems()
    assert len(theorems) == len(listed) > 30
    for theorem, entry in zip(theorems, listed):
        for name in ("id", "name", "kind", "statement", "formula", "hypotheses", "source", "proofs"):
            assert getattr(theorem, name) == entry[name]
    assert th.theorems("t7")[0].id == "T7" and repr(th.theorems("T7")[0]).startswith("<taskhead.Theorem T7: ")


def test_verifying_counts_what_the_command_counts(command):
    entries = command.json("verify", "T7", "O2", "--instances", 50)["entries"]
    reports = th.verify("T7", "O2", instances=50)
    for report, entry in zip(reports, entries, strict=True):
        assert (report.theorem.id, report.verdict) == (entry["id"], entry["verdict"])
        for check, other in zip(report.checks, entry["checks"], strict=True):
            assert (check.claim, check.verdict, check.cases, check.failed) == (
                other["claim"], other["verdict"], other["cases"], other["failed"])
            assert check.worst == (other["worst"] and (other["worst"]["case"], other["worst"]["score"]))
            assert (check.violations, check.unseen) == (other["violations"], other["violations_unseen"])
    rows = entries[1]["finding"]["rows"]
    assert reports[1].counts == [(r["what"], r["seen"], r["of"], tuple(r["interval"])) for r in rows]


def test_problems_to_replay_are_those_of_the_command(command, tmp_path):
    command.run("verify", "T7", "T25", "O1", "--instances", 20, "--save", tmp_path, "--quiet")
    problems = {name: case for report in th.verify("T7", "T25", "O1", instances=20) for name, case in report.problems.items()}
    assert {f"{name}.npz" for name in problems} == {path.name for path in tmp_path.iterdir()}
    assert any("violation" in name for name in problems) and any("counter" in name for name in problems)
    for name, case in problems.items():
        case.save(tmp_path / "again.npz")
        with np.load(tmp_path / f"{name}.npz") as stored, np.load(tmp_path / "again.npz") as own:
            assert set(stored) == set(own) == {"features", "kernel", "targets", "head"}
            assert all(np.array_equal(stored[array], own[array]) for array in stored)
            assert np.array_equal(case.problem.head().weights, own["head"])
    stopped = next(case for case in problems.values() if case.until_loss is not None)
    assert stopped.finetune().loss == pytest.approx(stopped.until_loss) or stopped.finetune().time == stopped.time
    case = problems["T7-1"]
    start = case.problem.head(loss=case.loss, smoothing=case.smoothing).probe(tau=case.tau)
    run = start.finetune(time=case.time, head_rate=case.head_rate)
    assert np.array_equal(case.finetune().features, run.features)
    assert case.finetune(method="flow", rtol=1e-6).method == "flow"


def test_reports_in_a_notebook():
    (report,) = th.verify("T7", instances=20)
    shown = report._repr_html_()
    assert "<b>T7</b>" in shown and shown.count("<tr>") == 1 + len(report.checks) and "violations seen" in shown
    assert "95 % interval" in th.verify("O2", instances=20)[0]._repr_html_()
    (certificate,) = th.certify("T12", range=(0.5, 2), boxes=2000)[:1]
    assert "boxes, 100 % of the region" in certificate._repr_html_() and certificate.verdict == "proved"


def test_certificates_are_those_of_the_command(command):
    flags = ["--certify", "--range", 0.1, 10, "--boxes", 20_000]
    expected = command.json("verify", "T10", "T12", *flags)
    certificates = th.certify("T10", "T12", range=(0.1, 10), boxes=20_000)
    for own, other in zip(certificates, expected["laws"] + expected["beyond"], strict=True):
        assert (own.theorem, own.statement, own.verdict) == (other["theorem"], other["statement"], other["verdict"])
        assert own.boxes == tuple(other["boxes"]) and own.shares == tuple(other["shares"])
        assert own.region[:2] == (tuple(other["region"]["y"]), tuple(other["region"]["w"]))
    assert certificates[0].verdict == "proved" and certificates[0].region[2] == (0.0, 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: th.theorems("T99"), "there is no statement `T99`; there are T1, T2"),
        (lambda: th.verify("X"), "there is no statement `X`"),
        (lambda: th.verify("T7", instances=0), "`instances` is 0; accepted: from 1 to 10000000"),
        (lambda: th.verify("T7", seed=-1), "`seed` is -1; accepted: whole numbers from 0"),
        (lambda: th.certify("T8", boxes=-1), "`boxes` is -1; accepted: whole numbers from 0"),
        (lambda: th.certify("T1"), "there are certificates for T8, T9, T10, T11, T12, T13 only"),
        (lambda: th.certify("T8", reach=1.0), "the largest energy over y 1 is not valid"),
    ],
)
def test_what_is_not_accepted(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)
