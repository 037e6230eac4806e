import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def arrays():
    """Features, labels and held-out ones of a problem with more samples than the head can fit."""
    rng = np.random.default_rng(7)
    return {
        "features": rng.normal(size=(12, 6)),
        "labels": rng.integers(0, 3, size=12),
        "head": rng.normal(size=(6, 3)) / 3,
        "probe_features": rng.normal(size=(5, 6)),
        "probe_labels": rng.integers(0, 3, size=5),
    }


class Command:
    """The command `taskhead`, whose numbers are those of the package."""

    def __init__(self, path):
        self.path = path

    def run(self, *args, code=0):
        done = subprocess.run([self.path, *map(str, args)], capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done

    def json(self, *args, code=0):
        return json.loads(self.run(*args, "--json", "--quiet", code=code).stdout)

    def error(self, *args):
        text = self.run(*args, "--quiet", code=2).stderr.strip()
        assert text.startswith("error: ")
        return text.removeprefix("error: ")


@pytest.fixture(scope="session")
def command():
    path = os.environ.get("TASKHEAD_COMMAND")
    if path is None:
        pytest.skip("TASKHEAD_COMMAND does not name the command")
    assert Path(path).is_file(), path
    return Command(path)
