"""The notebooks run from top to bottom, and show what they are stored with."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "crates/python/notebooks", ROOT / "examples")
#: What a notebook needs beside the package.
NEEDS = {"finetune_torch": ("torch",)}


#: The course, in its order.
COURSE = (
    "quickstart",
    "energy",
    "motion",
    "laws",
    "downstream",
    "cross_entropy",
    "finetune_torch",
)


def texts(notebook):
    """What the code cells printed, each as one text however it arrived, and showed as text."""
    shown = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            printed = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")
            shown.append([printed] + [o.data.get("text/plain") for o in cell.outputs if "data" in o])
    return shown


def test_the_course_is_complete_and_short():
    there = {path.stem: path for folder in FOLDERS for path in folder.glob("*.ipynb")}
    assert not set(COURSE) - set(there)
    for name in COURSE[:-1]:
        cells = nbformat.read(there[name], as_version=4).cells
        assert cells[0].source.startswith("# ") and len(cells) <= 16, name
        assert "import torch" not in "".join(cell.source for cell in cells), name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(p for f in FOLDERS for p in f.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook(path, tmp_path):
    for module in NEEDS.get(path.stem, ()):
        pytest.importorskip(module)
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(fresh, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert texts(fresh) == texts(stored)
