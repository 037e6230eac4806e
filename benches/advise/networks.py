"""MLPs, many at once: every parameter has a first axis of copies, and all copies step together."""

import numpy as np
import torch

WIDTHS = (128, 64)


def drawn(inputs, seeds):
    """Backbones inputs → 128 → 64 with rectifiers, one a seed, as PyTorch draws linear layers."""
    layers = []
    for fan, width in zip((inputs, WIDTHS[0]), WIDTHS):
        bound = fan**-0.5
        layers += [torch.empty(len(seeds), fan, width), torch.empty(len(seeds), 1, width)]
        for copy, seed in enumerate(seeds):
            source = torch.Generator().manual_seed(1000 * seed + fan)
            for tensor in layers[-2:]:
                tensor[copy].uniform_(-bound, bound, generator=source)
    return layers


def features(layers, inputs):
    """Copies×N×64 from copies×N×inputs."""
    w, b, u, c = layers
    return torch.baddbmm(c, torch.baddbmm(b, inputs, w).relu(), u).relu()


def kernel(layers, copy, inputs, others=None):
    """The tangent kernel of one backbone, averaged over its 64 features: (1/h) Σ ⟨∂z_j(x), ∂z_j(x')⟩, N×N or P×N."""
    w, b, u, c = (layer[copy].double() for layer in layers)

    def parts(x):
        hidden = x @ w + b
        first = hidden.relu()
        gates = (first @ u + c > 0).double()
        return x, (hidden > 0).double(), first, gates

    x, hidden, first, gates = parts(inputs.double())
    y, hidden_y, first_y, gates_y = (x, hidden, first, gates) if others is None else parts(others.double())
    alike = gates_y @ gates.T
    last = alike * (first_y @ first.T + 1)
    # Σ_j gate_j gate'_j Σ_m u_mj² hidden_m hidden'_m, one feature after the other.
    through = sum(
        (gates_y[:, j : j + 1] * hidden_y * u[:, j]) @ (gates[:, j : j + 1] * hidden * u[:, j]).T for j in range(u.shape[1])
    )
    return ((last + through * (y @ x.T + 1)) / u.shape[1]).numpy()


def train(layers, weight, bias, inputs, labels, *, rate, batch, epochs, seeds, momentum=0.0, known=None):
    """SGD on cross-entropy: layers, weight (copies×h×k) and bias (copies×1×k) are changed in place.

    Inputs are copies×N×d or seeds×N×d with an equal number of copies for each seed; all copies of a seed see the same
    batches. `known` (seeds×N) leaves samples out, for folds. Every seed has as many samples.
    """
    parameters = [tensor.requires_grad_() for tensor in (*layers, weight, bias)]
    optimiser = torch.optim.SGD(parameters, lr=rate, momentum=momentum)
    copies, count = weight.shape[0], inputs.shape[1]
    each = copies // len(seeds)
    sources = [np.random.default_rng([7, seed]) for seed in seeds]
    rows = np.stack([np.arange(count)] * len(seeds)) if known is None else known
    for _ in range(epochs):
        order = torch.from_numpy(np.stack([source.permutation(row) for source, row in zip(sources, rows)]))
        for start in range(0, order.shape[1], batch):
            part = order[:, start : start + batch]
            chosen = torch.stack([x[p] for x, p in zip(inputs, part)]).repeat_interleave(each, 0)
            wanted = torch.stack([y[p] for y, p in zip(labels, part)]).repeat_interleave(each, 0)
            predictions = torch.baddbmm(bias, features(layers, chosen), weight)
            loss = torch.nn.functional.cross_entropy(predictions.flatten(0, 1), wanted.flatten(), reduction="sum")
            optimiser.zero_grad()
            (loss / part.shape[1]).backward()
            optimiser.step()
    for tensor in parameters:
        tensor.requires_grad_(False)


@torch.no_grad()
def right(layers, weight, bias, inputs, labels):
    """Which samples (N×d, common to all copies) every copy predicts right, copies×N."""
    copies = weight.shape[0]
    each = lambda copy: features([layer[copy : copy + 1] for layer in layers], inputs[None])[0] @ weight[copy] + bias[copy]
    return np.stack([(each(copy).argmax(-1) == labels).numpy() for copy in range(copies)])


def accuracy(layers, weight, bias, inputs, labels):
    """Of every copy, on samples common to all, each class counted alike."""
    found = right(layers, weight, bias, inputs, labels)
    return np.mean([found[:, (labels == kind).numpy()].mean(axis=1) for kind in labels.unique()], axis=0)
