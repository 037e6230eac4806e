"""The sweep of `taskhead replay digits` and `digits-cnn` in PyTorch: the same data, networks, batches, steps
and measurements (with other random numbers), for its time.

    python3 -m venv peers && peers/bin/pip install torch==2.9.0 numpy
    OMP_NUM_THREADS=1 peers/bin/python benches/peers/replay.py mlp    # or cnn; --workers 2 for two processes
"""

import argparse
import gzip
import math
import pathlib
import time

import torch
import torch.multiprocessing as mp
from torch import nn

SEEDS, POINTS, TIMES, LONGEST = 3, 8, [1, 3, 10, 30, 100], 200
SAMPLES, BATCH = 150, 32


def digits(low, high):
    path = pathlib.Path(__file__).parents[2] / "data/digits/digits.bin.gz"
    raw = torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())), dtype=torch.uint8).view(-1, 65)
    labels = raw[:, 0].long()
    keep = (labels >= low) & (labels < high)
    x, y = raw[keep, 1:].float().div(16).view(-1, 1, 8, 8), labels[keep] - low
    held = torch.arange(len(y)) % 3 == 2
    return x[~held], y[~held], x[held], y[held]


def backbone(kind):
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


def one_thread():
    torch.set_num_threads(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["mlp", "cnn"])
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    begun = time.time()
    torch.manual_seed(0)
    x, y, xh, yh = digits(0, 5)
    body = backbone(args.kind)
    whole = nn.Sequential(body, head(128 if args.kind == "mlp" else 64, -1))
    train(whole, whole.parameters(), x, y, 20, 0.02)
    state = body.state_dict()
    run = map
    if args.workers > 1:
        pool = mp.get_context("fork").Pool(args.workers, one_thread)
        run = lambda f, jobs: pool.imap(f, jobs)
    paths = list(run_path(run, args.kind, state))
    jobs = [(args.kind, state, seed, point, paths[seed]) for seed in range(SEEDS) for point in range(POINTS)]
    done = list(run(cell, jobs))
    for seed, point, aie, records in done[:POINTS]:
        print(f"seed {seed} point {point}: AIE {aie:.3f}, distance {records[-1][0]:.3f}, accuracy {records[-1][-1]:.3f}")
    print(f"{args.kind}: {len(done)} cells in {time.time() - begun:.2f} s with {args.workers} worker(s)")


def path_of(job):
    return path(*job)


def run_path(run, kind, state):
    return run(path_of, [(kind, state, seed) for seed in range(SEEDS)])


if __name__ == "__main__":
    main()
