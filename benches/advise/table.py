"""The table of docs/advise.md from the rows that `validate.py` wrote: `table.py results.csv`;
`--all` shows more rules.

Columns "best mean" are the recommendations of `advise` as they were before it smoothed; rows without errors of the
scores take all shares as close.

Regret is how many points of test accuracy a choice of the head loses against the share that is best on average over the
seeds. That share is known only afterwards, and the best of nine noisy means looks better than it is, by about the same
for every rule.
"""

import csv
import sys

import numpy as np

SHARES = 9
#: By what they are called in the table: what `advise` was given.
WAYS = {"default": "advise", "kernel": "with kernel", "held out": "with 200 held out"}


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(dict.fromkeys(row["transfer"] for row in rows))
    return {name: [row for row in rows if row["transfer"] == name] for name in names}


def column(rows, what):
    return np.array([[float(row[f"{what} {i}"]) for i in range(SHARES)] for row in rows])


def regrets(accuracy, choices):
    """Of a choice for each seed (or none), against the share that is best on average: mean and standard error."""
    best = accuracy.mean(axis=0).argmax()
    lost = np.array([row[best] - row[choice] for row, choice in zip(accuracy, choices) if choice is not None])
    if not len(lost):
        return np.nan, np.nan
    return 100 * lost.mean(), 100 * lost.std(ddof=1) / len(lost) ** 0.5 if len(lost) > 1 else np.nan


def smoothed(row, way):
    """What `advise` recommends since it smooths: the highest of a parabola among what is not clearly worse than the
    best."""
    if not row[way]:
        return None
    of = lambda what: np.array([float(row[f"{way} {what} {i}"] or np.inf) for i in range(SHARES)])
    score, error = of("score"), of("error")
    parabola = np.polyval(np.polyfit(np.arange(SHARES), score, 2), np.arange(SHARES))
    close = score.max() - score <= 2 * error
    return int(np.where(close, np.round(parabola, 9), -np.inf).argmax())


def choices(rows):
    """What every rule chooses, for each seed."""
    found = {name: [smoothed(row, way) for row in rows] for way, name in WAYS.items()}
    for way, name in WAYS.items():
        found[f"{name}, best mean"] = [int(row[way]) if row[way] else None for row in rows]
    for name, share in (("probing fully", 0), ("no probing", 8), ("the middle", 4)):
        found[name] = [share] * len(rows)
    # The networks themselves, all nine finetuned and compared on held-out samples; ties go to less energy.
    for size in (50, 200):
        found[f"networks on {size}"] = list(column(rows, f"of {size}").argmax(axis=1))
    return found


def main():
    table = read(sys.argv[1])
    all_rules = list(choices(next(iter(table.values()))))
    if "--all" not in sys.argv:
        all_rules = [rule for rule in all_rules if "best mean" not in rule and rule != "networks on 50"]
    print("| transfer | N | best share | its accuracy | " + " | ".join(all_rules) + " |")
    print("|---|---|---|---|" + "---|" * len(all_rules))
    every, asked = {rule: [] for rule in all_rules}, {rule: [] for rule in all_rules}
    for name, rows in table.items():
        accuracy = column(rows, "accuracy")
        best = accuracy.mean(axis=0).argmax()
        advised = [i for i, row in enumerate(rows) if row["default"]]
        cells = []
        for rule, chosen in ((rule, choices(rows)[rule]) for rule in all_rules):
            mean, error = regrets(accuracy, chosen)
            every[rule].append(mean)
            asked[rule] += [100 * (accuracy[i, best] - accuracy[i, chosen[i]]) for i in advised if chosen[i] is not None]
            cells.append("–" if np.isnan(mean) else f"{mean:.1f} ± {error:.1f}")
        top = f"{100 * accuracy[:, best].mean():.1f}"
        print(f"| {name} | {rows[0]['samples']} | {best / (SHARES - 1):.3g} | {top} | " + " | ".join(cells) + " |")
    means = [f"**{np.nanmean(every[rule]):.2f}**" for rule in all_rules]
    print("| mean of the transfers | | | | " + " | ".join(means) + " |")
    same = [f"{np.mean(asked[rule]):.2f} ± {np.std(asked[rule], ddof=1) / len(asked[rule]) ** 0.5:.2f}" for rule in all_rules]
    print("| mean of the seeds with advice | | | | " + " | ".join(same) + " |")


if __name__ == "__main__":
    main()
