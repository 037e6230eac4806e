"""What a call costs on tiny problems, in microseconds: the least of many, all of it, with the work in Rust.

On a rank-one problem that work is a closed form of a few dozen operations. Run it with the wheel installed:
`python crates/python/benches/overhead.py`.
"""

import timeit

import numpy as np

import taskhead as th


def least(call, number=20, repeat=500):
    return min(timeit.repeat(call, number=number, repeat=repeat)) / number * 1e6


def main():
    features, targets, weights = np.array([[1.0, 0.0]]), np.array([[1.5]]), np.array([[0.0], [0.7]])
    problem = th.Problem(features=features, targets=targets)
    head = problem.head(weights)
    probed = head.probe(energy=0.9)
    run = probed.finetune()
    classes = th.Problem(features=features, targets=[[1.0]])
    crossed = classes.head(weights, loss="cross-entropy")
    for name, call in {
        "Problem(features=, targets=)": lambda: th.Problem(features=features, targets=targets),
        "Problem.head(weights)": lambda: problem.head(weights),
        "Head.probe(energy=)": lambda: head.probe(energy=0.9),
        "Probed.finetune()": probed.finetune,
        "Run.adaptation": lambda: run.adaptation,
        "Run.features": lambda: run.features,
        "Problem.head, cross-entropy": lambda: classes.head(weights, loss="cross-entropy"),
        "Head.probe, cross-entropy": lambda: crossed.probe(energy=0.4),
        "adaptation(before, after)": lambda: th.adaptation(features, features),
        "all of it": lambda: th.Problem(features=features, targets=targets)
        .head(weights)
        .probe(energy=0.9)
        .finetune()
        .features,
    }.items():
        print(f"{name:<30} {least(call):8.1f} µs")


if __name__ == "__main__":
    main()
