"""Sweeps: every option of the configuration as a keyword."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._taskhead import Problem, Sweep, _sweep

_Numbers = Sequence[float] | NDArray[np.floating[Any] | np.integer[Any]]

_KINDS = ("gaussian", "rank-one", "digits")


def sweep(
    config: str | os.PathLike[str] | None = None,
    *,
    problem: str | os.PathLike[str] | Problem | None = None,
    samples: int | None = None,
    inputs: int | None = None,
    width: int | None = None,
    outputs: int | None = None,
    input_decay: float | None = None,
    backbone_decay: float | None = None,
    held_out: int | None = None,
    teacher_angle: float | None = None,
    target: float | None = None,
    across: float | None = None,
    along: float | None = None,
    pretrain_time: float | None = None,
    pretrain_scale: float | None = None,
    seeds: int | None = None,
    first_seed: int | None = None,
    scales: _Numbers | None = None,
    smoothings: _Numbers | None = None,
    head_rates: _Numbers | None = None,
    points: int | None = None,
    energies: _Numbers | None = None,
    taus: _Numbers | None = None,
    times: _Numbers | None = None,
    loss: str | None = None,
    until_loss: float | None = None,
    until_accuracy: float | None = None,
    method: str | None = None,
    rtol: float | None = None,
    max_steps: int | None = None,
    max_time: float | None = None,
    metrics: Sequence[str] | None = None,
    kernel_tolerance: float | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    threads: int | None = None,
    shard: str | None = None,
    on: Literal["ray"] | None = None,
) -> Sweep:
    """Runs many heads, energies and seeds, each probed, finetuned and measured.

    Parameters
    ----------
    config : str or path, optional
        A configuration in TOML, as a file or as text (of more than one line), which the other options change.
    problem : {"gaussian", "rank-one", "digits"}, path or Problem
        Random problems, the normalised rank-one problem, the digits, a file as :meth:`Problem.read` takes it, or a
        problem in memory.
    samples, inputs, width, outputs : int
        N, d, h and k of random problems; N and h of the digits.
    input_decay, backbone_decay : float
        Singular values of random inputs and backbones fall like i^-decay.
    held_out : int
        Random held-out inputs.
    teacher_angle : float
        Angle (rad) between a linear teacher and the features of random problems.
    target, across, along : float
        y, w and a of the rank-one problem.
    pretrain_time, pretrain_scale : float
        Pretraining of the digits backbone.
    seeds, first_seed : int
        Number of seeds, and the first of them.
    scales, smoothings, head_rates : sequences of float
        Scales of the initial head, label smoothings while probing (T21), learning rates γ of the head over that of the
        backbone.
    points, energies, taus : int, sequence of float, sequence of float
        One of them: a number of probing points, evenly in Frobenius energy; average initial energies (AIE) to probe to;
        probing times.
    times : sequence of float
        Finetuning times, ascending; ``inf`` for the limit, which is the default.
    loss : {"squared", "cross-entropy"}
        What probing and finetuning lower.
    until_loss, until_accuracy : float
        Stop earlier: at this training loss, or this share of samples that are predicted right.
    method, rtol, max_steps, max_time
        As in :meth:`Probed.finetune`, for each cell.
    metrics : sequence of {"euclidean", "cosine", "dot", "norm", "frobenius_distance"}
        The metrics that are kept.
    kernel_tolerance : float
        As in :class:`Problem`, for a file.
    out : path, optional
        Write OUT.parquet and OUT.csv. What is finished is stored on the way: an interrupted sweep goes on where it
        stopped when it is run again with the same options and the same input.
    force : bool
        Replace a sweep of other content that has the same ``out``.
    threads : int, optional
        Threads (default: all cores). The result does not depend on it.
    shard : str, optional
        "I/N" runs part I (from 1) of N only, for one of several machines; ``out`` gets OUT.I-of-N.parquet, and
        :func:`merge` puts all parts together.
    on : {"ray"}, optional
        Compute each curve as a task of the Ray cluster that ``ray.init`` has connected to (else of this machine), with
        ``threads`` (default: 1) processors. Curves whose node is lost are computed again. A problem in a file has to be
        there on every node.

    Returns
    -------
    Sweep
        One row for each cell. The records are the same as those of the command ``taskhead sweep``.

    Raises
    ------
    ValueError
        A value that is not accepted, options of another kind of problem, a sweep of which every cell fails, or an
        ``out`` with other content.

    Warns
    -----
    RuntimeWarning
        Cells that failed or stopped early; columns ``status`` and ``error`` have them.
    """
    of_problem: dict[str, Any] = {
        "samples": samples,
        "inputs": inputs,
        "width": width,
        "outputs": outputs,
        "input-decay": input_decay,
        "backbone-decay": backbone_decay,
        "held-out": held_out,
        "teacher-angle": teacher_angle,
        "target": target,
        "across": across,
        "along": along,
        "pretrain-time": pretrain_time,
        "pretrain-scale": pretrain_scale,
    }
    given: dict[str, Any] = {
        "seeds": seeds,
        "first-seed": first_seed,
        "scales": scales,
        "smoothings": smoothings,
        "head-rates": head_rates,
    }
    probe: dict[str, Any] = {"points": points, "energies": energies, "times": taus}
    changes: dict[str, Any] = {
        "times": times,
        "loss": loss and loss.replace("_", "-"),
        "until-loss": until_loss,
        "until-accuracy": until_accuracy,
        "method": method and method.replace("_", "-"),
        "rtol": rtol,
        "max-steps": max_steps,
        "max-time": max_time,
        "metrics": metrics,
    }
    if threads is not None and threads < 1:
        raise ValueError(f"`threads` is {threads}; accepted: at least 1")
    memory = None
    if isinstance(problem, Problem):
        memory = problem
        of_problem |= {"kind": "file", "path": "arrays"}
    elif problem is not None:
        accepted = "gaussian, rank-one, digits, the path of a file, or a Problem"
        if not isinstance(problem, (str, os.PathLike)):
            raise ValueError(f"`problem` is a {type(problem).__name__}; accepted: {accepted}")
        name = os.fspath(problem)
        if name.replace("_", "-") in _KINDS:
            of_problem["kind"] = name.replace("_", "-")
        elif os.path.exists(name):
            of_problem |= {"kind": "file", "path": name}
        else:
            raise ValueError(f"`problem` is {name!r}; accepted: {accepted}")
    for name, table in (("problem", of_problem), ("heads", given), ("probe", probe)):
        chosen = {key: value for key, value in table.items() if value is not None}
        if chosen:
            changes[name] = chosen
    text = None if config is None else _text(config)
    asked: dict[str, Any] = {
        "config": text,
        "changes": changes,
        "problem": memory,
        "out": out,
        "force": force,
        "kernel_tolerance": kernel_tolerance,
        "threads": threads,
        "shard": shard,
    }
    if on is None:
        return _sweep(asked)
    if on != "ray":
        raise ValueError(f"`on` is {on!r}; accepted: 'ray'")
    from ._ray import sweep_on_ray

    return sweep_on_ray(asked)


def _text(config: str | os.PathLike[str]) -> str:
    """The text of a configuration."""
    if isinstance(config, str) and "\n" in config:
        return config
    with open(config, encoding="utf-8") as file:
        return file.read()
