"""Theorems, their checks and certificates."""

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
