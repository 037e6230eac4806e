#!/usr/bin/env python3
"""Reference values for heads that are probed to very small energies, and for paths that meet an energy several times.

    pip install mpmath==1.4.1
    python small_energies.py        # writes small_energies.json and crossings.json beside this script

Everything is made with 400 digits from inputs that are f64 (their shortest decimal forms are in the files). A head is
probed by T3 to the Frobenius energies 1e-12 … 1e-140; from there the flow is that of the tangent kernel at its start,
Theta = K x V'V + gamma ZZ' x I, up to a relative error of the order of the energy, which is below 1e-10 here.
crossings.json has, for the average initial energy over the probing time, every turning point and every time at which a
level is met, from the sign changes of the energy and of its derivative on a grid of 20,000 points, refined to 30
digits.
"""
import json
import os
import random

from mpmath import matrix, mp, mpf

mp.dps = 400
HERE = os.path.dirname(os.path.abspath(__file__))


def s(x):
    return mp.nstr(x, 25)


def rows(m):
    return [[float(m[i, j]) for j in range(m.cols)] for i in range(m.rows)]


def gauss(rng, n, m, scale=1.0):
    return matrix([[rng.gauss(0, 1) * scale for _ in range(m)] for _ in range(n)])


class Path:
    def __init__(self, z, y, v):
        self.z, self.v = z, v
        self.rates, self.u = mp.eigsy(z * z.T)
        self.c = self.u.T * (y - z * v)

    def decayed(self, t):
        return [mp.exp(-l * t) if l > mpf(10) ** -100 else mpf(1) for l in self.rates]

    def residual(self, t):
        e = self.decayed(t)
        return self.u * matrix([[e[i] * self.c[i, j] for j in range(self.c.cols)] for i in range(self.c.rows)])

    def head(self, t):
        g = [-mp.expm1(-l * t) / l if l > mpf(10) ** -100 else mpf(t) for l in self.rates]
        return self.v + self.z.T * (
            self.u * matrix([[g[i] * self.c[i, j] for j in range(self.c.cols)] for i in range(self.c.rows)])
        )

    def energy(self, t):
        return mp.norm(self.residual(t))


def solve_increasing(f, a, b):
    """The zero of an increasing f between a and b."""
    for _ in range(400):
        m = (a + b) / 2
        if f(m) > 0:
            b = m
        else:
            a = m
    return (a + b) / 2


def finetune(z, k, v, r, gamma, t):
    n, o = r.rows, r.cols
    g, h = v.T * v, z * z.T
    index = [(i, j) for i in range(n) for j in range(o)]
    kernel = matrix([[k[i, a] * g[j, b] for (a, b) in index] for (i, j) in index])
    theta = kernel + gamma * matrix([[h[i, a] if j == b else 0 for (a, b) in index] for (i, j) in index])
    rates, q = mp.eigsy(theta)
    tiny = max(rates) * mpf(10) ** -100
    c = q.T * matrix([r[i, j] for (i, j) in index])
    gone = lambda l: (t if l < tiny else (-mp.expm1(-l * t) / l if t is not None else 1 / l))
    if t is None:
        assert min(rates) > tiny
    integral = q * matrix([c[a] * gone(rates[a]) for a in range(len(c))])
    total = matrix([[integral[i * o + j] for j in range(o)] for i in range(n)])
    moved = k * total * v.T
    distance = sum(mp.sqrt(sum(moved[i, j] ** 2 for j in range(moved.cols))) for i in range(n)) / n
    m = q.T * kernel * q
    backbone = sum(
        c[a] * c[b] * m[a, b] * gone(rates[a] + rates[b]) for a in range(len(c)) for b in range(len(c))
    )
    left = [0 if t is None else c[a] * mp.exp(-rates[a] * t) for a in range(len(c))]
    end = mp.sqrt(sum(x * x for x in left))
    spent = (mp.norm(r) ** 2 - end**2) / 2
    return {"euclidean": s(distance), "backbone": s(backbone), "head": s(spent - backbone), "residual": s(end)}


def small():
    cases = []

    def add(name, z, k, y, v, gamma):
        path = Path(z, y, v)
        for exponent in (12, 30, 75, 140):
            wanted = mpf(10) ** -exponent
            # In the logarithm of time.
            x = solve_increasing(lambda x: wanted - path.energy(mp.exp(x)), mpf(-5), mpf(25))
            tau = mp.exp(x)
            r, head = path.residual(tau), path.head(tau)
            slow = 1 / max(mp.eigsy(z * z.T, eigvals_only=True))
            case = {"name": name, "gamma": gamma, "energy": float(f"1e-{exponent}"), "tau": s(tau)}
            case["time"] = float(mp.nstr(slow, 3))
            case["limit"] = finetune(z, k, head, r, mpf(gamma), None)
            case["early"] = finetune(z, k, head, r, mpf(gamma), mpf(case["time"]))
            for key, value in (("features", z), ("kernel", k), ("targets", y), ("head", v)):
                case[key] = rows(value)
            cases.append(case)

    rng = random.Random(5)
    x = gauss(rng, 4, 7, 0.5)
    add("general", gauss(rng, 4, 6, 0.6), exact(x * x.T), gauss(rng, 4, 2), gauss(rng, 6, 2, 0.3), 0.7)
    add("one sample", gauss(rng, 1, 3), matrix([[1.5]]), gauss(rng, 1, 1), gauss(rng, 3, 1, 0.4), 1.0)
    x = gauss(rng, 3, 5, 0.5)
    add("frozen head", gauss(rng, 3, 4, 0.7), exact(x * x.T), gauss(rng, 3, 2), gauss(rng, 4, 2, 0.5), 0.0)
    z = matrix([[1, 0, 0, 0], [0, 0.75, 0, 0]])
    add("decoupled", z, matrix([[1, 0], [0, 2]]), matrix([[1.5, 0], [0, -0.5]]),
        matrix([[0.25, 0], [0, 0.5], [0.5, 0], [0, 0.25]]), 1.0)
    return cases


def exact(k):
    """Rounded to f64, symmetric."""
    return matrix([[float(k[min(i, j), max(i, j)]) for j in range(k.cols)] for i in range(k.rows)])


def crossings():
    mp.dps = 40
    cases = []
    seed = 0
    while len(cases) < 12:
        seed += 1
        rng = random.Random(1000 + seed)
        n, h, k = rng.choice([4, 5, 6]), rng.choice([3, 4, 6]), rng.choice([1, 1, 2])
        z = gauss(rng, n, h)
        z = matrix([[float(z[i, j] * mpf(10) ** (-1.2 * j / h)) for j in range(h)] for i in range(n)])
        y, v = gauss(rng, n, k), gauss(rng, h, k)
        path = Path(z, y, v)

        def aie(t):
            r = path.residual(t)
            return sum(mp.sqrt(sum(r[i, j] ** 2 for j in range(k))) for i in range(n)) / n

        live = [l for l in path.rates if l > mpf(10) ** -25]
        low, high = mp.log(mpf("1e-4") / max(live)), mp.log(60 / min(live))
        import math
        u = [[float(path.u[i, j]) for j in range(n)] for i in range(n)]
        c = [[float(path.c[i, j]) for j in range(k)] for i in range(n)]
        rates = [float(l) if l > mpf(10) ** -25 else 0.0 for l in path.rates]

        def fast(t):
            e = [math.exp(-l * t) for l in rates]
            total = 0.0
            for i in range(n):
                total += math.sqrt(sum(sum(u[i][m] * e[m] * c[m][j] for m in range(n)) ** 2 for j in range(k)))
            return total / n

        grid = [float(low + (high - low) * i / 20000) for i in range(20001)]
        values = [fast(math.exp(x)) for x in grid]
        turns = [i for i in range(1, 20000) if (values[i] - values[i - 1]) * (values[i + 1] - values[i]) < 0
                 and max(abs(values[i] - values[i - 1]), abs(values[i + 1] - values[i])) > 1e-13]
        if len(turns) < 2 and not (seed % 7 == 0 and turns):
            continue
        # Turning points by golden section.
        extremes = [aie(mpf(0)), aie(mp.exp(high) * 100)]
        for i in turns:
            sign = 1 if values[i] < values[i - 1] else -1
            a, b = mpf(grid[i - 1]), mpf(grid[i + 1])
            for _ in range(150):
                p, q = a + (b - a) * mpf("0.381966"), a + (b - a) * mpf("0.618034")
                if sign * aie(mp.exp(p)) < sign * aie(mp.exp(q)):
                    b = q
                else:
                    a = p
            extremes.append(aie(mp.exp((a + b) / 2)))
        lowest, highest = min(extremes), max(extremes)
        inner = sorted(extremes)
        levels = []
        for a, b in zip(inner, inner[1:]):
            if b - a < mpf("1e-9"):
                continue
            level = float((a + b) / 2)
            times = []
            for i in range(20000):
                if (values[i] > level) != (values[i + 1] > level):
                    sign = 1 if values[i + 1] > level else -1
                    root = solve_increasing(lambda x: sign * (aie(mp.exp(x)) - level), mpf(grid[i]), mpf(grid[i + 1]))
                    times.append(s(mp.exp(root)))
            levels.append({"level": level, "times": times})
        cases.append({"features": rows(z), "targets": rows(y), "head": rows(v),
                      "lowest": s(lowest), "highest": s(highest), "levels": levels})
    return cases


if __name__ == "__main__":
    for name, make in (("small_energies", small), ("crossings", crossings)):
        with open(os.path.join(HERE, name + ".json"), "w") as out:
            json.dump({"cases": make()}, out, indent=1)
            out.write("\n")
        print(name)
