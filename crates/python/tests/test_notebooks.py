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


def texts(notebook):
    """What the code cells printed and showed as text."""
    shown = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown.append([output.get("text") or output.data.get("text/plain") for output in cell.outputs])
    return shown


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(p for f in FOLDERS for p in f.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook(path, tmp_path):
    for module in NEEDS.get(path.stem, ()):
        pytest.importorskip(module)
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(fresh, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert texts(fresh) == texts(stored)
