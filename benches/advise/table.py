"""The table of docs/advise.md from the rows that `validate.py` wrote: `table.py results.csv`.

Regret is how many points of test accuracy a choice of the head loses against the share that is best on average over the
seeds. That share is known only afterwards, and the best of nine noisy means looks better than it is, by about the same
for every rule.
"""

import csv
import sys

import numpy as np

SHARES = 9
RULES = ("advise", "with the kernel", "with 200 held out", "probing fully", "no probing", "the middle")


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


def choices(rows):
    """What every rule chooses, for each seed."""
    asked = lambda way: [int(row[way]) if row[way] else None for row in rows]
    always = lambda share: [share] * len(rows)
    found = dict(zip(RULES, (asked("default"), asked("kernel"), asked("held out"), always(0), always(8), always(4))))
    # The networks themselves, all nine finetuned and compared on held-out samples; ties go to less energy.
    for size in (50, 200):
        found[f"networks on {size}"] = list(column(rows, f"of {size}").argmax(axis=1))
    return found


def main():
    table = read(sys.argv[1])
    all_rules = list(choices(next(iter(table.values()))))
    print("| transfer | N | best share | its accuracy | " + " | ".join(all_rules) + " |")
    print("|---|---|---|---|" + "---|" * len(all_rules))
    every = {rule: [] for rule in all_rules}
    for name, rows in table.items():
        accuracy = column(rows, "accuracy")
        best = accuracy.mean(axis=0).argmax()
        cells = []
        for rule, chosen in choices(rows).items():
            mean, error = regrets(accuracy, chosen)
            every[rule].append(mean)
            cells.append("–" if np.isnan(mean) else f"{mean:.1f} ± {error:.1f}")
        top = f"{100 * accuracy[:, best].mean():.1f}"
        print(f"| {name} | {rows[0]['samples']} | {best / (SHARES - 1):.3g} | {top} | " + " | ".join(cells) + " |")
    means = [f"**{np.nanmean(every[rule]):.2f}**" for rule in all_rules]
    print("| mean | | | | " + " | ".join(means) + " |")


if __name__ == "__main__":
    main()
