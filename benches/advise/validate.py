"""Whether `taskhead advise` finds the head to start finetuning from: MLPs finetuned from heads at nine shares of the
energy, ten seeds each, on the transfers below. See README.md beside this file.

    target/advise-venv/bin/python benches/advise/validate.py --data target/advise-data --out results.csv [TRANSFER…]
"""

import argparse
import csv
import dataclasses
import pathlib
import time
import warnings

import numpy as np
import torch

import data
import networks
import taskhead as th

SHARES = 9
RATE, BATCH, EPOCHS = 0.05, 10, 100
UP, DOWN = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
ALL = tuple(range(10))


@dataclasses.dataclass(frozen=True)
class Transfer:
    """A backbone pretrained on `source`, finetuned on few samples of `target`, tested on `test`."""

    source: tuple
    target: tuple
    per_class: int
    noise: float = 0.0
    test: tuple | None = None
    head_scale: float = 3**-0.5
    side: int = 14


#: docs/advise.md says how this list came about.
TRANSFERS = {
    "digits": Transfer(("digits", UP), ("digits", DOWN), 10, side=8),
    "mnist": Transfer(("mnist", UP), ("mnist", DOWN), 10),
    "fashion": Transfer(("fashion", UP), ("fashion", DOWN), 10),
    "molecules": Transfer(("tox21",), ("HIV",), 50),
    "digits noise": Transfer(("digits", UP), ("digits", DOWN), 20, 0.3, side=8),
    "shifted noise": Transfer(("mnist", ALL), ("digits", ALL), 5, 0.3, test=("mnist", ALL), side=8),
    "shifted scale 4": Transfer(("mnist", ALL), ("digits", ALL), 5, test=("mnist", ALL), head_scale=4.0, side=8),
    "fashion-mnist": Transfer(("fashion", ALL), ("mnist", DOWN), 10),
    "mnist-fashion": Transfer(("mnist", ALL), ("fashion", DOWN), 10),
    "fashion-mnist scale 4": Transfer(("fashion", ALL), ("mnist", DOWN), 10, head_scale=4.0),
    "mnist-fashion noise": Transfer(("mnist", ALL), ("fashion", DOWN), 20, 0.3),
    "fashion noise": Transfer(("fashion", UP), ("fashion", DOWN), 20, 0.3),
    "mnist noise": Transfer(("mnist", UP), ("mnist", DOWN), 20, 0.3),
    "shifted": Transfer(("mnist", ALL), ("digits", ALL), 5, test=("mnist", ALL), side=8),
    # Chosen before any of them was run: what changes where there are many samples.
    "mnist 200": Transfer(("mnist", UP), ("mnist", DOWN), 200),
    "fashion 200": Transfer(("fashion", UP), ("fashion", DOWN), 200),
    "fashion-mnist 200": Transfer(("fashion", ALL), ("mnist", DOWN), 200),
    "mnist-fashion noise 200": Transfer(("mnist", ALL), ("fashion", DOWN), 200, 0.3),
}

#: What `advise` may be given: features and labels and nothing else; the tangent kernel of the backbone and how long
#: finetuning will take; the same and HELD more samples, with labels as noisy, in place of folds.
WAYS = ("default", "kernel", "held out")
HELD = 200
#: Samples up to which kernels are tried.
MOST = 400


class Sources:
    """Samples by name, read once."""

    def __init__(self, folders):
        self.folders, self.read = folders, {}

    def __call__(self, which, side):
        key = (which, side)
        if key not in self.read:
            name, *classes = which
            if name == "digits":
                found = data.digits()
            elif name in ("mnist", "fashion"):
                images, labels = getattr(data, name)(self.folders[name])
                found = data.shrunk(images, side), labels
            else:
                found = data.molecules(self.folders["molecules"], name, {"HIV": "HIV_active", "tox21": "NR-AhR"}[name])
            self.read[key] = data.of_classes(found, classes[0]) if classes else found
        return self.read[key]


def pretrained(sources, transfer, seeds, cache={}):
    """One backbone for each seed, trained on up to 4,000 samples of the source that are drawn anew for each."""
    key = (transfer.source, transfer.side, tuple(seeds))
    if key not in cache:
        images, labels = sources(transfer.source, transfer.side)
        count, kinds = min(4000, len(labels)), labels.max() + 1
        rows = [np.random.default_rng([3, seed]).permutation(len(labels))[:count] for seed in seeds]
        inputs = torch.tensor(np.stack([images[row] for row in rows]), dtype=torch.float32)
        wanted = torch.tensor(np.stack([labels[row] for row in rows]))
        layers = networks.drawn(images.shape[1], seeds)
        weight = torch.zeros(len(seeds), networks.WIDTHS[-1], kinds)
        bias = torch.zeros(len(seeds), 1, kinds)
        networks.train(layers, weight, bias, inputs, wanted, rate=0.05, batch=50, epochs=20, momentum=0.9, seeds=seeds)
        cache[key] = layers
    return [layer.clone() for layer in cache[key]]


def split(sources, transfer, seed):
    """(inputs, labels with noise) to finetune on, HELD more such samples, and up to 2,000 that no one sees until the
    end."""
    images, labels = sources(transfer.target, transfer.side)
    source = np.random.default_rng([5, seed])
    order = source.permutation(len(labels))
    kinds = np.unique(labels)
    chosen = np.concatenate([order[labels[order] == kind][: transfer.per_class] for kind in kinds])
    rest = np.setdiff1d(order, chosen, assume_unique=True)
    if transfer.target == ("HIV",):
        # As many of the other class as there are of the rare one.
        rest = np.sort(np.concatenate([rest[labels[rest] == kind][:1200] for kind in kinds]))
        rest = rest[source.permutation(len(rest))]
    held, rest = rest[:HELD], rest[HELD:]

    def noisy(rows):
        given = labels[rows].copy()
        wrong = source.random(len(given)) < transfer.noise
        given[wrong] = (given[wrong] + source.integers(1, len(kinds), size=wrong.sum())) % len(kinds)
        return images[rows], given

    if transfer.test:
        test = tuple(part[-2000:] if transfer.target == transfer.test else part for part in sources(transfer.test, transfer.side))
        rest = np.random.default_rng([9, seed]).permutation(len(test[1]))
    else:
        test = images, labels
    return noisy(chosen), noisy(held), (test[0][rest[:2000]], test[1][rest[:2000]])


def tensors(part):
    return torch.tensor(part[0], dtype=torch.float32), torch.tensor(part[1])


def run(name, transfer, sources, seeds, advised, advice_seeds):
    """Rows of the table: for each seed the accuracies of every share, and what each way of advice chose."""
    started = time.process_time()
    layers = pretrained(sources, transfer, seeds)
    parts = [split(sources, transfer, seed) for seed in seeds]
    inputs, labels = tensors([np.stack([part[0][i] for part in parts]) for i in (0, 1)])
    count, kinds = labels.shape[1], int(labels.max()) + 1
    rows, heads, clock = [], [], {way: 0.0 for way in WAYS}
    for copy, seed in enumerate(seeds):
        own = [layer[copy : copy + 1] for layer in layers]
        rows.append({"transfer": name, "seed": seed, "samples": count})
        given = {"features": networks.features(own, inputs[copy][None])[0].double().numpy(), "labels": labels[copy].numpy()}
        settings = {"points": SHARES, "seed": seed, "head_scale": transfer.head_scale, "rtol": 1e-4}
        first = None
        for way in WAYS:
            if copy >= advised or (count > MOST and way != "default"):
                continue
            before = time.process_time()
            more, stop = {}, {}
            if way != "default":
                more = {"kernel": networks.kernel(layers, copy, inputs[copy])}
                stop = {"time": EPOCHS * RATE / BATCH}
            if way == "held out":
                x, y = tensors(parts[copy][1])
                more["probe_features"] = networks.features(own, x[None])[0].double().numpy()
                more["probe_labels"] = y.numpy()
                more["probe_kernel"] = networks.kernel(layers, copy, inputs[copy], x)
            problem = th.Problem(**given, **more)
            advice = th.advise(problem, seeds=advice_seeds, **settings, **stop)
            clock[way] += time.process_time() - before
            rows[-1][way] = advice.best
            rows[-1][f"{way} matters"] = int(advice.matters)
            for i in range(SHARES):
                rows[-1][f"{way} score {i}"] = round(advice.table["score"][i], 5)
                rows[-1][f"{way} error {i}"] = round(advice.table["behind_error"][i], 5)
                rows[-1][f"{way} risk {i}"] = round(advice.table["risk"][i], 5)
                rows[-1][f"{way} probed {i}"] = round(advice.table["probed"][i], 5)
            # The heads do not depend on how finetuning is predicted.
            first = first or advice
        first = first or th.advise(th.Problem(**given), seeds=1, folds=2, time=1e-9, **settings)
        heads.append([first.head(i) for i in range(SHARES)])
        for i in range(SHARES):
            rows[-1][f"energy {i}"] = round(first.table["energy"][i], 5)
            rows[-1][f"norm {i}"] = round(first.table["head_norm"][i], 3)
    weight = torch.tensor(np.stack([w.T for own in heads for w, _ in own]), dtype=torch.float32)
    bias = torch.tensor(np.stack([b[None] for own in heads for _, b in own]), dtype=torch.float32)
    wide = lambda: [layer.repeat_interleave(SHARES, 0) for layer in layers]
    settings = {"rate": RATE, "batch": BATCH, "epochs": EPOCHS, "seeds": seeds}
    before = time.process_time()
    tuned, w, b = wide(), weight.clone(), bias.clone()
    networks.train(tuned, w, b, inputs, labels, **settings)
    for copy, seed in enumerate(seeds):
        held, test = tensors(parts[copy][1]), tensors(parts[copy][2])
        here = slice(copy * SHARES, (copy + 1) * SHARES)
        found = networks.accuracy([layer[here] for layer in tuned], w[here], b[here], *test)
        fitted = networks.accuracy([layer[here] for layer in tuned], w[here], b[here], inputs[copy], labels[copy])
        alone = networks.accuracy([layer[here] for layer in wide()], weight[here], bias[here], *test)
        few = networks.right([layer[here] for layer in tuned], w[here], b[here], *held)
        for i in range(SHARES):
            for size in (50, HELD):
                rows[copy][f"of {size} {i}"] = int(few[i, :size].sum())
            rows[copy][f"accuracy {i}"] = round(found[i], 5)
            rows[copy][f"fitted {i}"] = round(fitted[i], 5)
            rows[copy][f"unfinetuned {i}"] = round(alone[i], 5)
    clock["networks"] = time.process_time() - before
    clock["all"] = time.process_time() - started
    mean = np.mean([[row[f"accuracy {i}"] for i in range(SHARES)] for row in rows], axis=0)
    print(f"{name}: N {count}, accuracy {np.round(100 * mean, 1)}", flush=True)
    for way in WAYS:
        asked = [row for row in rows if way in row]
        if asked:
            scores = np.mean([[row[f"{way} score {i}"] for i in range(SHARES)] for row in asked], axis=0)
            print(f"  {way}: chose {[row[way] for row in asked]}, predicted {np.round(100 * scores, 1)}", flush=True)
    print("  seconds", {key: round(value, 1) for key, value in clock.items()}, flush=True)
    return rows


def columns():
    """The names of what is written, in order."""
    per = [f"{way} {what}" for way in WAYS for what in ("score", "error", "risk", "probed")]
    per += ["energy", "norm", "accuracy", "fitted", "unfinetuned", "of 50", f"of {HELD}"]
    names = ["transfer", "seed", "samples", *WAYS, *(f"{way} matters" for way in WAYS)]
    return names + [f"{name} {i}" for name in per for i in range(SHARES)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("transfers", nargs="*", help=f"of {', '.join(TRANSFERS)} [all]")
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the folder that `setup` fills")
    parser.add_argument("--molecules", type=pathlib.Path, help="a folder with tox21.csv.gz and HIV.csv.gz of MoleculeNet")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--advised", type=int, default=4, help="for how many of the seeds `advise` is asked")
    parser.add_argument("--advice-seeds", type=int, default=1, help="`seeds` of `advise`")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ResourceWarning)
    folders = {"mnist": args.data, "fashion": args.data / "fashion-mnist", "molecules": args.molecules}
    sources = Sources(folders)
    seeds = list(range(args.first, args.first + args.seeds))
    for name in args.transfers or TRANSFERS:
        transfer = TRANSFERS[name]
        if transfer.source == ("tox21",) and args.molecules is None:
            print(f"{name}: left out, without --molecules")
            continue
        rows = run(name, transfer, sources, seeds, args.advised, args.advice_seeds)
        new = not args.out.exists()
        with args.out.open("a", newline="") as file:
            writer = csv.DictWriter(file, columns(), restval="", lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
