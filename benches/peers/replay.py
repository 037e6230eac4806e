"""The sweeps of `taskhead replay digits`, `digits-cnn` and `digits --backbone resnet8` in PyTorch: the same data,
networks, batches, steps and measurements (with other random numbers). With --ours PROGRAM each is timed against
ours, one after the other, on one thread, from the start of the process to its end.

    python3 -m venv peers && peers/bin/pip install torch==2.9.0 numpy
    peers/bin/python benches/peers/replay.py mlp                      # or cnn, resnet8
    peers/bin/python benches/peers/replay.py mlp cnn resnet8 --ours target/release/taskhead
"""

import argparse
import gzip
import math
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn

SEEDS, POINTS, TIMES, LONGEST = 3, 8, [1, 3, 10, 30, 100], 200
SAMPLES, BATCH = 150, 32
OURS = {"mlp": ["digits"], "cnn": ["digits-cnn"], "resnet8": ["digits", "--backbone", "resnet8"]}
WIDTHS = {"mlp": 128, "cnn": 64, "resnet8": 64}


def digits(low, high):
    path = pathlib.Path(__file__).parents[2] / "data/digits/digits.bin.gz"
    raw = torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())), dtype=torch.uint8).view(-1, 65)
    labels = raw[:, 0].long()
    keep = (labels >= low) & (labels < high)
    x, y = raw[keep, 1:].float().div(16).view(-1, 1, 8, 8), labels[keep] - low
    held = torch.arange(len(y)) % 3 == 2
    return x[~held], y[~held], x[held], y[held]


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        conv = lambda i, size, stride: nn.Conv2d(i, outputs, size, stride, size // 2, bias=False)
        norm = lambda: nn.BatchNorm2d(outputs, track_running_stats=False)
        self.body = nn.Sequential(conv(inputs, 3, stride), norm(), nn.ReLU(), conv(outputs, 3, 1), norm())
        changes = stride != 1 or inputs != outputs
        self.shortcut = nn.Sequential(conv(inputs, 1, stride), norm()) if changes else nn.Identity()

    def forward(self, x):
        return (self.body(x) + self.shortcut(x)).relu()


def backbone(kind):
    if kind == "resnet8":
        norm = nn.BatchNorm2d(16, track_running_stats=False)
        stem = [nn.Conv2d(1, 16, 3, padding=1, bias=False), norm, nn.ReLU()]
        blocks = [Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2)]
        return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if kind == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
    block = lambda i, o: [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Linear(128, 64), nn.ReLU())


def head(width, seed):
    layer = nn.Linear(width, 5, bias=False)
    torch.manual_seed(1000 + seed)
    nn.init.normal_(layer.weight, std=1 / math.sqrt(width))
    return layer


def train(model, params, x, y, epochs, rate, after_epoch=None, until=None):
    optimizer = torch.optim.SGD(params, lr=rate, momentum=0.9)
    for epoch in range(epochs):
        for rows in torch.randperm(len(y)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
            if until and until():
                return
        if after_epoch:
            after_epoch(epoch + 1)


@torch.no_grad()
def energy(logits, y):
    r = nn.functional.one_hot(y, 5) - logits.softmax(1)
    return r.norm(dim=1).mean().item(), r.norm().item()


@torch.no_grad()
def adaptation(z0, z):
    cosine = 1 - nn.functional.cosine_similarity(z0, z)
    return [v.mean().item() for v in ((z - z0).norm(dim=1), cosine, (z * z0).sum(1), z.norm(dim=1))]


def path(kind, state, seed):
    """Energies along probing: once for each seed, as taskhead does."""
    torch.manual_seed(seed)
    x, y, _, _ = digits(5, 10)
    rows = torch.randperm(len(y))[:SAMPLES]
    body = backbone(kind)
    body.load_state_dict(state)
    with torch.no_grad():
        z = body(x[rows])
    top = head(z.shape[1], seed)
    seen = [energy(top(z), y[rows])[1]]
    train(top, top.parameters(), z, y[rows], LONGEST, 0.02, lambda _: seen.append(energy(top(z), y[rows])[1]))
    return seen


def cell(job):
    kind, state, seed, point, seen = job
    torch.manual_seed(seed)
    x, y, xh, yh = digits(5, 10)
    rows = torch.randperm(len(y))[:SAMPLES]
    x, y = x[rows], y[rows]
    body = backbone(kind)
    body.load_state_dict(state)
    with torch.no_grad():
        z0, zh0 = body(x), body(xh)
    top = head(z0.shape[1], seed)
    wanted = seen[-1] + (seen[0] - seen[-1]) * point / (POINTS - 1)
    if point == 0:
        train(top, top.parameters(), z0, y, LONGEST, 0.02)
    elif point < POINTS - 1:
        # To the epoch before, then step by step.
        epoch = next(i for i, e in enumerate(seen) if e <= wanted) - 1
        train(top, top.parameters(), z0, y, epoch, 0.02)
        train(top, top.parameters(), z0, y, 1, 0.02, until=lambda: energy(top(z0), y)[1] <= wanted)
    whole = nn.Sequential(body, top)
    records = []

    def measure(epoch):
        if epoch in TIMES:
            with torch.no_grad():
                z, zh = body(x), body(xh)
                logits, held = top(z), top(zh)
                accuracy = (logits.argmax(1) == y).float().mean().item(), (held.argmax(1) == yh).float().mean().item()
                records.append((*adaptation(z0, z), *adaptation(zh0, zh), *energy(logits, y), *energy(held, yh), *accuracy))

    start = energy(top(z0), y)
    train(whole, whole.parameters(), x, y, TIMES[-1], 0.01, measure)
    return seed, point, start[0], records


def sweep(kind):
    begun = time.time()
    torch.manual_seed(0)
    x, y, _, _ = digits(0, 5)
    body = backbone(kind)
    whole = nn.Sequential(body, head(WIDTHS[kind], -1))
    train(whole, whole.parameters(), x, y, 20, 0.02)
    state = body.state_dict()
    paths = [path(kind, state, seed) for seed in range(SEEDS)]
    done = [cell((kind, state, seed, point, paths[seed])) for seed in range(SEEDS) for point in range(POINTS)]
    for seed, point, aie, records in done[:POINTS]:
        print(f"seed {seed} point {point}: AIE {aie:.3f}, distance {records[-1][0]:.3f}, accuracy {records[-1][-1]:.3f}")
    print(f"{kind}: {len(done)} cells in {time.time() - begun:.2f} s")


def timed(command):
    """Wall and processor seconds of a process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="+", choices=list(OURS))
    parser.add_argument("--ours", metavar="PROGRAM", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for kind in args.kinds:
        if not args.ours:
            sweep(kind)
            continue
        with tempfile.TemporaryDirectory() as out:
            flags = ["--threads", "1", "-q", "--out", f"{out}/replay"]
            ours = timed([args.ours.resolve(), "replay", *OURS[kind], *flags])
        peer = timed([sys.executable, __file__, kind])
        print(
            f"{kind}: ours {ours[0]:.1f} s ({ours[1]:.1f} of the processor), PyTorch {peer[0]:.1f} s ({peer[1]:.1f}), "
            f"PyTorch over ours {peer[0] / ours[0]:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
