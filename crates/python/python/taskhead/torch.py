"""Heads to start from, and measurements, for your own training in PyTorch.

    heads = probe_heads(model.head, features, labels, shares=[0.1, 0.5, 1.0])
    for point, probed in enumerate(heads):
        model = pretrained()
        recorder = Recorder(model.backbone, model.head, loader, point=point, every=50)
        model.head.load_state_dict(probed.state_dict)
        recorder.start()
        for step, (inputs, labels) in enumerate(batches, 1):
            ...                                    # your own step
            recorder.step(step)
        recorder.finish(step)
        recorders.append(recorder)
    recording(recorders).plot("trend")

What is recorded has the schema of sweeps, of which seed, point, AIE and the four metrics are enough
(:func:`taskhead.table`); it can be stored, read and drawn like them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._taskhead import Adaptation, Problem, Sweep, adaptation, table

__all__ = ["ProbedHead", "Recorder", "probe_heads", "recording", "tangent_kernel"]

# Features of single precision that moved by less than this part of their size did not move.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class ProbedHead:
    """A head to start finetuning from."""

    #: Average initial energy (AIE) that is left.
    energy: float
    #: Probing time τ, in units of one over the rate of gradient descent on the summed loss.
    tau: float
    #: ``weight`` (k×h) and ``bias`` (k), if the head has one: what ``load_state_dict`` takes.
    state_dict: dict[str, torch.Tensor]


def probe_heads(
    head: torch.nn.Linear,
    features: Any,
    labels: Any,
    *,
    energies: Sequence[float] | None = None,
    shares: Sequence[float] | None = None,
    loss: str = "cross-entropy",
    smoothing: float = 0.0,
) -> list[ProbedHead]:
    """Trains a linear head alone, by gradient flow from its present weights, to each of several energies (T3, T24).

    Parameters
    ----------
    head : torch.nn.Linear
        The head to start from; it is not changed.
    features : tensor or array of shape (N, h)
        What the head takes, of all training samples, in eval mode.
    labels : tensor or array of shape (N,), or (N, k) for targets
        Classes, integers from 0 to k − 1; for a single output 0 and 1, or under the squared loss numbers to regress on.
    energies : sequence of float
        Average initial energies (AIE) to leave: means over the samples of ‖y − p‖.
    shares : sequence of float
        Instead of them: shares of the AIE of the head as it is, which 1 leaves as it is.
    loss : {"cross-entropy", "squared"}
        What probing lowers.
    smoothing : float
        Label smoothing while probing, from 0 to 1.

    Raises ``ValueError`` for an energy that probing does not reach, with those that it does.
    """
    rows = _numpy(features)
    weights = _numpy(head.weight).T
    if head.bias is not None:
        # A bias is the weight of a feature that is always one.
        rows = np.column_stack([rows, np.ones(len(rows))])
        weights = np.vstack([weights, _numpy(head.bias)])
    given = np.asarray(labels.detach().cpu() if isinstance(labels, torch.Tensor) else labels)
    targets = _targets(given, weights.shape[1])
    problem = Problem(features=rows, targets=targets)
    start = problem.head(weights, loss=loss, smoothing=smoothing)  # type: ignore[arg-type]
    if energies is not None and shares is None:
        points = [start.probe(energy=wanted) for wanted in energies]
    elif shares is not None and energies is None:
        whole = start.energy(0.0)
        # The head as it is need not be looked for.
        points = [start.probe(tau=0.0) if share == 1.0 else start.probe(energy=share * whole) for share in shares]
    else:
        raise ValueError("of `energies` and `shares` one has to be given")
    heads = []
    for probed in points:
        tensors = {"weight": probed.weights[: head.in_features].T}
        if head.bias is not None:
            tensors["bias"] = probed.weights[-1]
        like = {"dtype": head.weight.dtype, "device": head.weight.device}
        state = {name: torch.tensor(np.ascontiguousarray(value), **like) for name, value in tensors.items()}
        heads.append(ProbedHead(probed.energy, probed.tau, state))
    return heads


def tangent_kernel(backbone: torch.nn.Module, inputs: torch.Tensor, others: torch.Tensor | None = None) -> NDArray[np.float64]:
    """The tangent kernel of a backbone with features z(x) of width h: the mean over them of ⟨∂z_j(x)/∂θ, ∂z_j(x′)/∂θ⟩.

    That is the ``kernel`` of :class:`taskhead.Problem`: N×N for N ``inputs``. With P ``others`` it is P×N, the
    ``probe_kernel``. θ are the parameters that require a gradient, at their present values, in eval mode. It takes h
    passes over all inputs, and at a time as many numbers as inputs times parameters.

    The theory assumes that all features have this kernel, and none with each other: the mean is the best such kernel.
    """
    modes = [(module, module.training) for module in backbone.modules()]
    trained = {name: value.detach() for name, value in backbone.named_parameters() if value.requires_grad}
    rest = {name: value.detach() for name, value in backbone.named_parameters() if not value.requires_grad}
    rest |= {name: value.detach() for name, value in backbone.named_buffers()}

    def features(parameters: dict[str, torch.Tensor], sample: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.func.functional_call(backbone, (parameters, rest), (sample[None],))
        return found.reshape(-1)

    def gradients(samples: torch.Tensor, direction: torch.Tensor) -> list[torch.Tensor]:
        of_one = torch.func.grad(lambda parameters, sample: features(parameters, sample) @ direction)
        found = torch.func.vmap(of_one, in_dims=(None, 0))(trained, samples)
        return [value.flatten(1).double() for value in found.values()]

    try:
        backbone.eval()
        width = features(trained, inputs[0])
        kernel = torch.zeros(len(inputs if others is None else others), len(inputs), dtype=torch.float64)
        for direction in torch.eye(len(width), dtype=width.dtype, device=width.device):
            right = gradients(inputs, direction)
            left = right if others is None else gradients(others, direction)
            kernel += sum(a @ b.T for a, b in zip(left, right)).cpu()  # type: ignore[union-attr]
    finally:
        for module, mode in modes:
            module.training = mode
    return np.asarray(kernel / len(width))


def _targets(labels: NDArray[Any], outputs: int) -> NDArray[Any]:
    """Targets N×k of classes, of numbers for a single output, or as they are."""
    if labels.ndim == 2 and labels.shape[1] == outputs:
        return labels
    if labels.ndim not in (1, 2) or labels.size != len(labels):
        raise ValueError(f"`labels` has shape {labels.shape}; accepted: one for each sample, or {outputs} targets")
    labels = labels.reshape(-1)
    return labels[:, None] if outputs == 1 else np.asarray(np.eye(outputs)[_classes(labels, outputs)])


def _classes(labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    classes = labels.astype(np.int64)
    if (classes != labels).any() or classes.min() < 0 or classes.max() >= count:
        raise ValueError(f"`labels` holds other values than the {count} classes of the head, 0 to {count - 1}")
    return classes


class Recorder:
    """Measures one finetuning: how far the features of ``loader`` move from where they are now.

    Parameters
    ----------
    backbone : callable
        The module, or what stands for it, from a batch of inputs to features (n, h) or (n, h, 1, 1).
    head : callable
        The module from features to predictions (n, k), or (n,) for a single output.
    loader : iterable of (inputs, labels)
        The samples to measure on, each time in the same order (``shuffle=False``, no random augmentation).
    every : int, optional
        Measure each so many calls of :meth:`step`; without it at the end only.
    seed, point : int
        The seed, and the number of the probing point of this finetuning, from 0.
    problem : str
        A name.
    loss : {"cross-entropy", "squared"}
        What residuals are: e_y − softmax(f), or e_y − f; for a single output y − σ(f), or y − f.
    others : values of further columns of the table
        As ``head_rate=0.1``, ``head_scale=1.0``, ``probe_time=3.0``.

    z₀ is taken when the recorder is made: do so before head probing, then :meth:`start` warns if features moved
    meanwhile (normalisation statistics that go on moving, a backbone that was trained). Where features are not finite any
    more a ``RuntimeWarning`` says so, and the row has failed. Measuring is done without
    gradients and in eval mode, so with the normalisation statistics of that moment and without dropout, and leaves
    every module in the mode that it was in.
    """

    def __init__(
        self,
        backbone: Callable[[Any], torch.Tensor],
        head: Callable[[Any], torch.Tensor],
        loader: Iterable[tuple[Any, Any]],
        *,
        every: int | None = None,
        seed: int = 0,
        point: int = 0,
        problem: str = "recorded",
        loss: str = "cross-entropy",
        **others: Any,
    ) -> None:
        if loss not in ("cross-entropy", "squared"):
            raise ValueError(f"`loss` is {loss!r}; accepted: cross-entropy, squared")
        if every is not None and every < 1:
            raise ValueError(f"`every` is {every}; accepted: at least 1")
        self._backbone, self._head, self._loader = backbone, head, loader
        self._every, self._loss = every, loss
        self._fixed = {"problem": problem, "seed": seed, "point": point} | others
        self._steps = 0
        self._time: float | None = None
        self._labels: NDArray[Any] | None = None
        self._before = self._measure()[0]
        self._start: dict[str, Any] | None = None
        #: One row for each measurement, by the names of columns.
        self.rows: list[dict[str, Any]] = []

    def start(self) -> Adaptation:
        """Takes energy, accuracy and head norm at the start of finetuning, after the head is what it shall start from.

        Warns with ``RuntimeWarning`` if features have moved since the recorder was made, which should not be while only
        the head trains. Returns how far.
        """
        features, predictions = self._measure()
        moved = adaptation(self._before, features)
        if moved.euclidean > _ROUNDING * max(moved.norm, np.finfo(float).tiny):
            text = (
                f"features moved by {moved.euclidean:.3g} (mean distance; their mean norm is {moved.norm:.3g}) before "
                "finetuning: only the head should train until then, with the backbone in eval mode"
            )
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        norms = np.linalg.norm(self._residual(predictions), axis=1)
        self._start = {
            "aie": float(norms.mean()),
            "frobenius": float(np.linalg.norm(norms)),
            "accuracy_start": self._accuracy(predictions),
            "head_norm_start": self._head_norm(),
        }
        return moved

    def step(self, time: float | None = None) -> None:
        """To be called after each step of finetuning; ``time`` is what the table shows (default: the number of steps).

        In the theory's unit it is the backbone's learning rate times the number of steps, for plain gradient descent on
        the loss summed over the samples.
        """
        self._steps += 1
        self._time = time
        if self._every is not None and self._steps % self._every == 0:
            self._record(self._steps if time is None else time)

    def finish(self, time: float | None = None) -> None:
        """To be called at the end of finetuning: the last measurement, unless a step has just made it.

        ``time`` is that of the last step, if it is left out.
        """
        last = self._steps if self._time is None else self._time
        end = float(last if time is None else time)
        if not self.rows or self.rows[-1]["time"] != end:
            self._record(end)

    def _record(self, time: float) -> None:
        if self._start is None:
            raise ValueError("`start` has to be called before finetuning")
        features, predictions = self._measure()
        row = self._fixed | self._start
        if not np.isfinite(features).all():
            text = "features are not finite any more: this training has diverged"
            warnings.warn(text, RuntimeWarning, stacklevel=3)
            self.rows.append(row | {"time": float(time), "status": "failed", "error": text})
            return
        moved = adaptation(self._before, features)
        euclidean, cosine, dot, norm = moved
        row |= {"time": float(time), "euclidean": euclidean, "cosine": cosine, "dot": dot, "norm": norm}
        row["frobenius_distance"] = moved.frobenius_distance
        row["residual"] = float(np.linalg.norm(self._residual(predictions)))
        row["accuracy"] = self._accuracy(predictions)
        row["head_norm"] = self._head_norm()
        self.rows.append(row)

    @torch.no_grad()
    def _measure(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features and predictions of all samples."""
        parts = [part for part in (self._backbone, self._head) if isinstance(part, torch.nn.Module)]
        modes = [(module, module.training) for part in parts for module in part.modules()]
        features, predictions, labels = [], [], []
        try:
            for part in parts:
                part.eval()
            for inputs, wanted in self._loader:
                batch = self._backbone(inputs)
                features.append(_numpy(batch).reshape(len(batch), -1))
                predicted = _numpy(self._head(batch))
                predicted = predicted[:, None] if predicted.ndim == 1 else predicted
                if predicted.ndim != 2:
                    raise ValueError(f"`head` gives an array of shape {predicted.shape}; accepted: (n, k)")
                predictions.append(predicted)
                labels.append(np.asarray(wanted.detach().cpu() if isinstance(wanted, torch.Tensor) else wanted))
        finally:
            for module, mode in modes:
                module.training = mode
        if not features:
            raise ValueError("`loader` gives no samples; accepted: at least one batch, again and again")
        seen = np.concatenate(labels)
        if self._labels is not None and not np.array_equal(seen, self._labels):
            raise ValueError("`loader` gives its samples in another order each time; accepted: shuffle=False")
        self._labels = seen
        return np.concatenate(features), np.concatenate(predictions)

    def _residual(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """R, N×k."""
        assert self._labels is not None
        targets = _targets(self._labels, predictions.shape[1])
        if self._loss == "squared":
            return np.asarray(targets - predictions)
        if predictions.shape[1] == 1:  # logistic
            if targets.min() < 0 or targets.max() > 1:
                raise ValueError("`loader` gives labels outside of 0 to 1, which a single output cannot be under cross-entropy")
            return np.asarray(targets - 0.5 * (1.0 + np.tanh(predictions / 2)))
        shifted = np.exp(predictions - predictions.max(axis=1, keepdims=True))
        return np.asarray(targets - shifted / shifted.sum(axis=1, keepdims=True))

    def _accuracy(self, predictions: NDArray[np.float64]) -> float | None:
        assert self._labels is not None
        outputs = predictions.shape[1]
        if outputs > 1 and self._labels.ndim == 2 and self._labels.shape[1] == outputs:
            return None
        labels = self._labels.reshape(-1)
        if outputs > 1:
            return float((predictions.argmax(axis=1) == labels).mean())
        if not np.isin(labels, (0, 1)).all():
            return None
        threshold = 0.5 if self._loss == "squared" else 0.0
        return float(((predictions[:, 0] > threshold) == labels).mean())

    def _head_norm(self) -> float:
        if not isinstance(self._head, torch.nn.Module):
            return math.nan
        squares = (float(p.detach().double().square().sum()) for p in self._head.parameters() if p.ndim > 1)
        return math.sqrt(sum(squares))


def recording(recorders: Iterable[Recorder]) -> Sweep:
    """One table of several recorded finetunings: their seeds and points make the curves."""
    rows = [row for recorder in recorders for row in recorder.rows]
    names = dict.fromkeys(name for row in rows for name in row)
    return table({name: [row.get(name) for row in rows] for name in names})


def _numpy(tensor: Any) -> NDArray[np.float64]:
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.detach().to("cpu", torch.float64)
    return np.asarray(tensor, dtype=np.float64)
