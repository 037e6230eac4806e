"""Sweeps on a Ray cluster: each curve is a task, and its records go into the journal of the one who asked."""

from __future__ import annotations

import os
import warnings
from typing import Any

from . import _support
from ._taskhead import Gathering, Sweep, _sweep


def _curve(asked: dict[str, Any]) -> Sweep:
    """Computes a part, on some node. What there is to warn of is said once, of the whole."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return _sweep(asked)


def sweep_on_ray(asked: dict[str, Any]) -> Sweep:
    """Computes the curves that are not known yet, and puts all together: the same bytes as without Ray."""
    for name, because in (
        ("shard", "all parts are computed"),
        ("problem", "a problem in memory is not sent to other nodes; write its arrays into a file that all of them see"),
    ):
        if asked[name] is not None:
            raise ValueError(f"`{name}` has no effect with on='ray': {because}")
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError("on='ray' needs the package ray") from error

    gathering = Gathering(asked)
    missing, curves = gathering.missing()
    threads = asked["threads"] or 1
    here = {**asked, "out": None, "threads": threads}
    here["changes"] = _absolute(asked["changes"])
    # A node that is lost is no fault of the task.
    compute = ray.remote(num_cpus=threads, max_retries=-1)(_curve)
    bar = _support.progress(curves, "curve")
    running: list[Any] = []
    try:
        if bar is not None:
            bar.update(curves - len(missing))
        todo = iter(missing)
        limit = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)) // threads) + 2
        while True:
            while len(running) < limit and (part := next(todo, None)) is not None:
                running.append(compute.remote({**here, "shard": part}))
            if not running:
                return gathering.finish()
            (done,), running = ray.wait(running)
            gathering.keep(ray.get(done))
            if bar is not None:
                bar.update(1)
    except BaseException:
        for task in running:
            ray.cancel(task, force=True)
        gathering.store()
        raise
    finally:
        if bar is not None:
            bar.close()


def _absolute(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes with the path of a problem as every process on this machine reads it."""
    problem = changes.get("problem", {})
    if "path" not in problem:
        return changes
    return {**changes, "problem": {**problem, "path": os.path.abspath(problem["path"])}}
