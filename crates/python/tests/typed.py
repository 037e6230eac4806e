"""What a type checker has to accept; it is not run."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import taskhead as th


def finetuned(features: NDArray[np.float32], labels: list[str]) -> NDArray[np.float64]:
    problem = th.Problem(features=features, labels=labels)
    names: list[str] | None = problem.classes
    head = problem.head(seed=1, loss="cross-entropy")
    run = head.probe(energy=0.3).finetune(until_loss=0.1)
    euclidean, *_ = run.adaptation
    print(names, euclidean + run.adaptation.cosine, run.accuracy and run.accuracy[1])
    return head.probe(tau=float("inf")).finetune_at([0.1, 1.0])[0].features


def swept(path: Path) -> th.Figure:
    table = th.sweep(problem="gaussian", scales=[0.5, 1.0], energies=np.array([0.1, 0.2]), out=path)
    print(len(table), table["euclidean"].mean())
    return th.read(path).plot("trend", dark=True)


def proved() -> list[str]:
    return [report.verdict for report in th.verify("T7", instances=10)]
