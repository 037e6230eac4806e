#!/usr/bin/env python3
"""Reference values for probing and finetuning under cross-entropy, to 50 significant digits.

    Z' = K R V^T,   V' = gamma Z^T R,   R = Y - softmax(Z V)   (k = 1: R = y - 1/(1 + exp(-Z V)))

How to run (Python >= 3.10, in a virtual environment; about half an hour on one core):

    pip install gmpy2==2.3.2
    python cross_entropy.py            # writes cross_entropy.json beside this script
    python cross_entropy.py NAME...    # only the cases whose name begins so, to standard output

Nothing is shared with the program: the flow is integrated in full width by Taylor series of high order, with the
recurrences of products, exponentials and quotients. Every case is integrated twice, with another order, precision and step,
and "digits" says how many digits of the worst output agree (at most 50; a case with fewer than 45 stops the script). Inputs are
f64 whose shortest decimal form the JSON holds; outputs are decimal strings with 50 digits.

Kinds of cases ("kind"):
  time   the flow at time t.
  loss   the flow when the loss, on average over the samples, has fallen to "level"; t is an output.
  probe  gamma = 1 and K = 0: the head alone, at time t.

Outputs: features_out, head_out, residual_out, loss (summed over the samples), budget_backbone and budget_head (the
loss spent by either).
"""
import json
import os
import random
import sys
from operator import mul

import gmpy2
from gmpy2 import mpfr

HERE = os.path.dirname(os.path.abspath(__file__))


def conv(a, b, m):
    """Coefficient m of a product of two series."""
    return sum(map(mul, a[: m + 1], b[m::-1]))


class Flow:
    def __init__(self, case, bits, order, shrink):
        gmpy2.get_context().precision = bits
        self.order, self.shrink = order, mpfr(shrink)
        f = lambda rows: [[mpfr(x) for x in row] for row in rows]
        self.z, self.v, self.y, self.kernel = (f(case[n]) for n in ("features", "head", "targets", "kernel"))
        self.n, self.h, self.k = len(self.z), len(self.v), len(self.y[0])
        self.gamma = mpfr(case["gamma"])
        self.t, self.backbone, self.turned = mpfr(0), mpfr(0), mpfr(0)
        self.bits = bits

    def series(self):
        """Taylor coefficients here of Z, V, R, and of both rates of spending."""
        n, h, k, zero = self.n, self.h, self.k, mpfr(0)
        z = [[[x] for x in row] for row in self.z]
        v = [[[x] for x in row] for row in self.v]
        vt = [[v[i][c] for i in range(h)] for c in range(k)]
        f = [[[] for _ in range(k)] for _ in range(n)]
        e = [[[] for _ in range(k)] for _ in range(n)]
        total = [[] for _ in range(n)]
        p = [[[] for _ in range(k)] for _ in range(n)]
        r = [[[] for _ in range(k)] for _ in range(n)]
        a = [[[] for _ in range(h)] for _ in range(n)]
        zdot = [[[] for _ in range(h)] for _ in range(n)]
        vdot = [[[] for _ in range(k)] for _ in range(h)]
        for m in range(self.order):
            for s in range(n):
                for c in range(k):
                    f[s][c].append(sum((conv(z[s][i], vt[c][i], m) for i in range(h)), zero))
                if m == 0:
                    # The largest logit is taken out; for k = 1 the other one is 0.
                    self.top = getattr(self, "top", [None] * n)
                    logits = [f[s][c][0] for c in range(k)] + ([zero] if k == 1 else [])
                    self.top[s] = max(logits)
                for c in range(k):
                    if m == 0:
                        e[s][c].append(gmpy2.exp(f[s][c][0] - self.top[s]))
                    else:
                        # E' = F' E
                        weighted = [j * x for j, x in enumerate(f[s][c])]
                        e[s][c].append(sum(map(mul, weighted[1:], e[s][c][m - 1 :: -1]), zero) / m)
                other = gmpy2.exp(-self.top[s]) if k == 1 and m == 0 else zero
                total[s].append(sum((e[s][c][m] for c in range(k)), zero) + other)
                for c in range(k):
                    known = sum(map(mul, p[s][c], total[s][m:0:-1]), zero)
                    p[s][c].append((e[s][c][m] - known) / total[s][0])
                # Y sums to 1: y - p of the largest target is the sum of the others with the opposite sign.
                if k == 1:
                    if m == 0:
                        y, x = self.y[s][0], f[s][0][0]
                        # 1 - p = exp(-f)/(1 + exp(-f))
                        rest = other / total[s][0]
                        r[s][0].append(rest - (1 - y) if x > 0 else y - p[s][0][0])
                    else:
                        r[s][0].append(-p[s][0][m])
                else:
                    own = max(range(k), key=lambda c: self.y[s][c])
                    for c in range(k):
                        if c != own:
                            r[s][c].append((self.y[s][c] if m == 0 else zero) - p[s][c][m])
                    r[s][own].append(-sum((r[s][c][m] for c in range(k) if c != own), zero))
                for i in range(h):
                    a[s][i].append(sum((conv(r[s][c], v[i][c], m) for c in range(k)), zero))
            for s in range(n):
                for i in range(h):
                    x = sum((self.kernel[s][q] * a[q][i][m] for q in range(n)), zero)
                    zdot[s][i].append(x)
                    z[s][i].append(x / (m + 1))
            for i in range(h):
                for c in range(k):
                    x = sum((conv(z[s][i], r[s][c], m) for s in range(n)), zero)
                    vdot[i][c].append(x)
                    v[i][c].append(self.gamma * x / (m + 1))
        spent = []
        for left, right, rate in ((a, zdot, 1), (vdot, vdot, self.gamma)):
            pairs = [(x, y) for xs, ys in zip(left, right) for x, y in zip(xs, ys)]
            spent.append([rate * sum((conv(x, y, m) for x, y in pairs), zero) for m in range(self.order)])
        return z, v, r, spent

    def step_size(self, z, v):
        """So that the last terms of the series are below rounding."""
        tiny = gmpy2.exp2(-self.bits + 10)
        best = None
        for group in (z, v):
            flat = [x for row in group for x in row]
            first = max(abs(x[0]) for x in flat)
            for q in (self.order, self.order - 1):
                last = max(abs(x[q]) for x in flat)
                if last > 0:
                    size = gmpy2.exp2(gmpy2.log2(tiny * (first if first > 0 else 1) / last) / q)
                    best = size if best is None or size < best else best
        return best * self.shrink if best is not None else mpfr(1)

    def evaluate(self, x, tau):
        y = mpfr(0)
        for c in reversed(x):
            y = y * tau + c
        return y

    def advance(self, series, tau):
        z, v, _, spent = series
        self.backbone += self.integral(spent[0], tau)
        self.turned += self.integral(spent[1], tau)
        self.z = [[self.evaluate(x, tau) for x in row] for row in z]
        self.v = [[self.evaluate(x, tau) for x in row] for row in v]
        self.t += tau

    def integral(self, x, tau):
        return self.evaluate([mpfr(0)] + [c / (m + 1) for m, c in enumerate(x)], tau)

    def predictions(self):
        return [[sum((zi * self.v[i][c] for i, zi in enumerate(row)), mpfr(0)) for c in range(self.k)] for row in self.z]

    def residual(self):
        out = []
        for f, y in zip(self.predictions(), self.y):
            logits = f + ([mpfr(0)] if self.k == 1 else [])
            top = max(logits)
            e = [gmpy2.exp(x - top) for x in logits]
            p = [x / sum(e) for x in e]
            if self.k == 1:
                out.append([p[1] - (1 - y[0]) if f[0] > 0 else y[0] - p[0]])
                continue
            own = max(range(self.k), key=lambda c: y[c])
            row = [yc - pc for yc, pc in zip(y, p)]
            row[own] = -sum(row[c] for c in range(self.k) if c != own)
            out.append(row)
        return out

    def loss(self):
        total = mpfr(0)
        for f, y in zip(self.predictions(), self.y):
            logits = f + ([mpfr(0)] if self.k == 1 else [])
            weights = y + ([1 - y[0]] if self.k == 1 else [])
            place = max(range(len(logits)), key=lambda c: logits[c])
            top = logits[place]
            rest = sum((gmpy2.exp(x - top) for c, x in enumerate(logits) if c != place), mpfr(0))
            total += gmpy2.log1p(rest) + sum((w * (top - x) for w, x in zip(weights, logits)), mpfr(0))
        return total

    def run(self, case):
        until = mpfr(case["t"]) if case["kind"] != "loss" else None
        level = mpfr(case["level"]) * self.n if until is None else None
        for _ in range(100000):
            series = self.series()
            tau = self.step_size(series[0], series[1])
            if until is not None:
                if self.t + tau >= until:
                    self.advance(series, until - self.t)
                    return
                self.advance(series, tau)
                continue
            before = (self.z, self.v, self.t, self.backbone, self.turned)
            self.advance(series, tau)
            if self.loss() > level:
                continue
            # Newton's method for the logarithm of the loss, whose slope is minus the rate of spending over it.
            for _ in range(60):
                gap = gmpy2.log(self.loss() / level)
                rate = self.evaluate(series[3][0], tau) + self.evaluate(series[3][1], tau)
                change = gap * self.loss() / rate
                tau += change
                self.z, self.v, self.t, self.backbone, self.turned = before
                self.advance(series, tau)
                if abs(change) <= abs(tau) * gmpy2.exp2(20 - self.bits) or change == 0:
                    return
            raise SystemExit(f"{case['id']}: no time for the level")
        raise SystemExit(f"{case['id']}: too many steps")

    def outputs(self):
        return {
            "t_out": self.t, "features_out": self.z, "head_out": self.v, "residual_out": self.residual(),
            "loss": self.loss(), "budget_backbone": self.backbone, "budget_head": self.turned,
        }


def flat(x):
    return [y for row in x for y in row] if isinstance(x, list) else [x]


def digits(a, b):
    worst = 50
    for name in a:
        x, y = flat(a[name]), flat(b[name])
        scale = max(abs(v) for v in x)
        error = max(abs(p - q) for p, q in zip(x, y))
        if error > 0:
            worst = min(worst, int(-gmpy2.log10(error / scale)) if scale > 0 else 0)
    return worst


def text(x):
    if isinstance(x, list):
        return [text(y) for y in x]
    return "0.0" if x == 0 else "{0:.50g}".format(x)


def rounded(rng, rows, columns, size):
    return [[round(rng.gauss(0, size), 2) for _ in range(columns)] for _ in range(rows)]


def labels(n, k, shift=0):
    if k == 1:
        return [[float((i + shift) % 2)] for i in range(n)]
    return [[1.0 if (i + shift) % k == c else 0.0 for c in range(k)] for i in range(n)]


def gram(x):
    return [[sum(a * b for a, b in zip(p, q)) for q in x] for p in x]


def kernel(rng, n, rank):
    # Entries in quarters: sums of products are exact.
    return gram([[rng.randint(-6, 6) / 4 for _ in range(rank)] for _ in range(n)])


def cases():
    rng = random.Random(20261129)
    out = []

    def add(id, kind, n, h, k, t=None, level=None, gamma=1.0, rank=None, size=1.0, features=None, head=None, targets=None):
        z = features or rounded(rng, n, h, 1.0)
        v = head or rounded(rng, h, k, size)
        m = [[0.0] * n for _ in range(n)] if kind == "probe" else kernel(rng, n, rank or n)
        case = {"id": id, "kind": kind, "features": z, "kernel": m, "targets": targets or labels(n, k), "head": v, "gamma": gamma}
        case.update({"t": t} if level is None else {"level": level})
        out.append(case)

    for n, h, k in ((1, 2, 1), (3, 4, 1), (3, 5, 3), (4, 2, 2), (2, 3, 10)):
        for t in (0.125, 2.0, 30.0):
            add(f"probe-{n}x{h}x{k}-t{t:g}", "probe", n, h, k, t)
    add("probe-saturated-right", "probe", 2, 3, 3, 5.0, head=[[40.0, 0.0, 0.0], [0.0, 40.0, 0.0], [0.5, 0.25, -0.75]],
        features=[[1.0, 0.25, 0.0], [0.0, 1.5, 1.0]])
    add("probe-saturated-wrong", "probe", 2, 2, 2, 5.0, head=[[-30.0, 30.0], [20.0, -20.0]], features=[[1.0, 0.0], [0.5, 1.0]])
    for n, h, k, gamma in ((1, 2, 1, 1.0), (1, 3, 1, 0.25), (2, 3, 1, 1.0), (2, 2, 2, 1.0), (3, 2, 2, 0.5), (3, 4, 3, 1.0), (4, 3, 2, 0.0), (2, 3, 10, 1.0)):
        for t in (0.25, 3.0):
            add(f"time-{n}x{h}x{k}-g{gamma:g}-t{t:g}", "time", n, h, k, t, gamma=gamma)
    add("time-late", "time", 2, 3, 2, 40.0)
    add("time-rank-1", "time", 3, 3, 3, 2.0, rank=1)
    add("time-soft-targets", "time", 2, 3, 3, 4.0, targets=[[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]])
    add("time-saturated-right", "time", 2, 2, 2, 4.0, head=[[24.0, 0.0], [0.0, 24.0]], features=[[1.5, 0.25], [0.0, 1.25]])
    add("time-saturated-wrong", "time", 1, 2, 3, 0.5, head=[[-8.0, 8.0, 0.0], [1.0, -2.0, 3.0]], features=[[1.0, 0.5]])
    add("time-gamma-10", "time", 2, 2, 2, 1.0, gamma=10.0)
    for n, h, k, gamma in ((1, 2, 1, 1.0), (1, 3, 1, 4.0), (2, 3, 2, 1.0), (3, 4, 3, 0.5), (2, 4, 10, 1.0)):
        for level in (0.4, 1e-3):
            add(f"loss-{n}x{h}x{k}-g{gamma:g}-{level:g}", "loss", n, h, k, level=level, gamma=gamma)
    add("loss-frozen", "loss", 2, 3, 2, level=0.1, gamma=0.0)
    # A level above the loss at the start says nothing: a share of that loss takes its place.
    for case in out:
        if case["kind"] == "loss":
            start = Flow(case, 100, 1, "1").loss() / n_of(case)
            if case["level"] >= start / 2:
                case["level"] = float("%.3g" % (start / 2))
    return out


def n_of(case):
    return len(case["features"])


def main():
    wanted = sys.argv[1:]
    done = []
    for case in cases():
        if wanted and not any(case["id"].startswith(w) for w in wanted):
            continue
        results = []
        for bits, order, shrink in ((260, 40, "1"), (300, 46, "0.8")):
            flow = Flow(case, bits, order, shrink)
            flow.run(case)
            results.append(flow.outputs())
        agree = digits(*results)
        if agree < 45:
            raise SystemExit(f"{case['id']}: only {agree} digits")
        case["digits"] = agree
        case.update({name: text(value) for name, value in results[1].items()})
        done.append(case)
        print(case["id"], agree, file=sys.stderr, flush=True)
    about = __doc__.split("\n\n")[0] + " Made by cross_entropy.py, which says what everything is."
    body = ",\n".join(json.dumps(case) for case in done)
    document = '{"about": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(about), body)
    if wanted:
        print(document)
    else:
        with open(os.path.join(HERE, "cross_entropy.json"), "w", encoding="utf-8") as file:
            file.write(document)


if __name__ == "__main__":
    main()
