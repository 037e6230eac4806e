"""What the README says in Python runs."""

from pathlib import Path

import numpy as np

README = Path(__file__).parents[3] / "README.md"


def blocks():
    parts = README.read_text(encoding="utf-8").split("```python\n")[1:]
    return [part.split("```")[0] for part in parts if "import taskhead" in part]


def test_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(blocks()) == 1
    names = {}
    exec(blocks()[0], names)
    for figure in ("trend.svg", "advice.svg"):
        assert (tmp_path / figure).read_text().startswith("<svg ")
    assert names["run"].status == "loss" and np.isfinite(names["run"].features).all()
    printed = capsys.readouterr().out
    assert "<taskhead.Report T7 holds: " in printed and "<taskhead.Advice: " in printed
