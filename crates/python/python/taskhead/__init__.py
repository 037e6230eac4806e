"""How the task head that you start finetuning with decides how far the features move.

>>> import numpy as np
>>> import taskhead as th
>>> rng = np.random.default_rng(0)
>>> features, labels = rng.normal(size=(8, 16)), rng.integers(0, 2, size=8)
>>> head = th.Problem(features=features, labels=labels).head(seed=0)
>>> far, near = (head.probe(energy=e).finetune() for e in (0.5, 0.1))
>>> bool(far.adaptation.euclidean > near.adaptation.euclidean)
True

A problem is features Z₀ (N×h), a kernel K (N×N) and targets Y (N×k). With R = Y − ZV the flow is Ż = K R Vᵀ,
V̇ = γ ZᵀR; time is in units of one over the backbone's learning rate, and γ is the head's rate in those units. Numbers
like T7 are those of :func:`theorems`.

Whatever takes long releases the interpreter, shows a progress bar on a terminal if tqdm is installed, and ends at
Ctrl-C.
"""

from ._sweep import sweep
from ._taskhead import (
    Adaptation,
    Advice,
    Best,
    Case,
    Certificate,
    Check,
    Figure,
    Head,
    Probed,
    Problem,
    Report,
    Run,
    Sweep,
    Theorem,
    __version__,
    adaptation,
    advise,
    beside,
    certify,
    digits,
    merge,
    read,
    table,
    theorems,
    verify,
)

__all__ = [
    "Adaptation",
    "Advice",
    "Best",
    "Case",
    "Certificate",
    "Check",
    "Figure",
    "Head",
    "Probed",
    "Problem",
    "Report",
    "Run",
    "Sweep",
    "Theorem",
    "__version__",
    "adaptation",
    "advise",
    "beside",
    "certify",
    "digits",
    "merge",
    "read",
    "sweep",
    "table",
    "theorems",
    "verify",
]
