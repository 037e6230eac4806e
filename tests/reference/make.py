#!/usr/bin/env python3
"""Reference values for the gradient flow of a two-layer linear model, to 50 significant digits.

    Z' = K R V^T,   V' = gamma Z^T R,   R = Y - Z V

How to run (Python >= 3.10, in a virtual environment):

    pip install mpmath==1.4.1 gmpy2==2.3.2 python-flint==0.9.0
    python make.py                  # writes every file beside this script, prints a summary
    python make.py rank_one limits  # only the named files
    python make.py check            # only parses the files that are there and checks their shape

The whole takes about 18 minutes on one core (VERBOSE=1 prints every case).

gmpy2 and python-flint give fast integers and floats; every formula is plain Python below.
The script is deterministic: inputs are written out here or drawn from seeded generators, and
every input is an f64 whose shortest decimal form is what the JSON file holds (numbers), so that
a program which parses the JSON as f64 starts from exactly the data used here. Outputs are
decimal strings with 50 significant digits (trailing zeros dropped, "inf" and "-inf" allowed;
exponents may lie far outside the range of an f64, such as 1e-868588, which reads as 0).
t and tau are a number or the string "inf". Matrices are arrays of rows.

How the values were made and confirmed. Closed forms are evaluated with 200 to 3000 digits.
Independently of them, two Taylor-series integrators of the polynomial ODE written here (one in
floating point for the rank-one model, one in fixed point for matrices; at least 100 working
digits) integrate the flow itself. "confirmed": true says that both agree to at least 40 digits;
"agreement" is the number of agreeing digits (relative to the size of the quantity; at most 60 is
recorded). For t = "inf" the integration runs until the motion that is left is below that
accuracy. "confirmed": false says that the integration was not feasible (never that it disagreed:
a disagreement stops this script).

Files:
  rank_one.json  one sample, one output: z' = kappa r v, v' = gamma r z, r = y - z.v; also the
                 rapidity sigma (sigma' = sqrt(kappa gamma) r, sigma(0) = 0) and the loss spent by
                 the backbone, kappa int r^2 |v|^2 dt, and by the head, gamma int r^2 |z|^2 dt.
                 The residual has 50 digits relative to itself, however small it is.
  probing.json   head probing V' = Z^T R with the features Z fixed.
  frozen.json    finetuning with a frozen head: Z' = K R V^T with V fixed.
  balanced.json  K = I, gamma = 1, V0 V0^T - Z0^T Z0 = lambda I exactly in the data.
  flow.json      the general flow, by integration only (two runs with different order, precision
                 and step; "digits" is the number of digits, at most 60, to which the worst
                 output agrees).
  limits.json    rank-one limits t = inf for z0 = e1, v0 = a e1 + w e2, kappa = gamma = 1.
  slopes.json    the same limits for a = s y (the product in exact arithmetic), with the derivatives of
                 the metrics along the energy: differentiated numerically with 150 digits and, as the
                 confirmation, by the chain rule through the limit equation.

In the matrix files an entry smaller than 1e-100 (flow.json: 1e-50) times the scale of the problem
is written "0.0"; matrix outputs hold to 50 digits (flow.json: "digits") of their largest entry.
"""
import json
import math
import os
import random
import sys
import time
from operator import mul

import gmpy2
import mpmath
from flint import fmpz, fmpz_mat, fmpz_poly
from mpmath import mp, mpf

HERE = os.path.dirname(os.path.abspath(__file__))
MAXDIG = 60


# ------------------------------------------------------------------ output

def s50(x):
    """50 significant digits as a decimal string."""
    if isinstance(x, str):
        return x
    x = mpf(x)
    if mpmath.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0:
        return "0.0"
    return mp.nstr(x, 50)


def rows(m):
    return [[s50(m[i, j]) for j in range(m.cols)] for i in range(m.rows)]


def chop(m, scale):
    for i in range(m.rows):
        for j in range(m.cols):
            if abs(m[i, j]) < scale * mpf(10) ** -100:
                m[i, j] = mpf(0)
    return m


def M(a, r=None, c=None):
    """exact mp matrix of an array of f64 rows"""
    if r is None:
        r, c = len(a), len(a[0])
    m = mp.matrix(r, c)
    for i in range(r):
        for j in range(c):
            m[i, j] = mpf(float(a[i][j]))
    return m


def maxabs(m):
    return max([abs(m[i, j]) for i in range(m.rows) for j in range(m.cols)] + [mpf(0)])


def scale_of(*ms):
    s = max([maxabs(m) for m in ms])
    return s if s > 0 else mpf(1)


def fro(m):
    return mp.sqrt(sum((m[i, j] ** 2 for i in range(m.rows) for j in range(m.cols)), mpf(0)))


def digits(err, scale):
    """number of agreeing digits, at most MAXDIG"""
    if err == 0:
        return MAXDIG
    if scale == 0:
        return 0
    return max(0, min(MAXDIG, int(mp.floor(-mp.log10(err / scale)))))


# ------------------------------------------------------------------ Taylor integrator, rank one

class R1:
    """z' = kappa r v, v' = gamma r z in floating point, step chosen from the coefficients."""
    PREC = 420
    ORDER = 90
    TOL = -78  # log10 of the local relative truncation error

    def __init__(self, kappa, gamma, y, z0, v0):
        gmpy2.get_context().precision = self.PREC
        gmpy2.get_context().emin = gmpy2.get_emin_min()
        gmpy2.get_context().emax = gmpy2.get_emax_max()
        f = gmpy2.mpfr
        self.kap, self.gam, self.y = f(kappa), f(gamma), f(y)
        self.c = gmpy2.sqrt(self.kap * self.gam)
        self.z = [f(x) for x in z0]
        self.v = [f(x) for x in v0]
        self.sig, self.bb, self.bh, self.t = f(0), f(0), f(0), f(0)
        self.steps = 0

    def resid(self):
        return self.y - sum(map(mul, self.z, self.v))

    def coefficients(self):
        p, kap, gam, f = self.ORDER, self.kap, self.gam, gmpy2.mpfr
        d = len(self.z)
        z = [[x] for x in self.z]
        v = [[x] for x in self.v]
        r, bb, bh = [], [f(0)], [f(0)]
        for n in range(p):
            x = self.y if n == 0 else f(0)
            for i in range(d):
                x = x - sum(map(mul, z[i], reversed(v[i])))
            r.append(x)
            for i in range(d):
                rv = sum(map(mul, r, reversed(v[i])))
                rz = sum(map(mul, r, reversed(z[i])))
                z[i].append(kap * rv / (n + 1))
                v[i].append(gam * rz / (n + 1))
        # kappa r^2 |v|^2 = |z'|^2 / kappa and gamma r^2 |z|^2 = |v'|^2 / gamma
        dz = [[(n + 1) * a[n + 1] for n in range(p)] for a in z]
        dv = [[(n + 1) * a[n + 1] for n in range(p)] for a in v]
        for n in range(p):
            a = sum((sum(map(mul, q[:n + 1], q[n::-1])) for q in dz), f(0))
            b = sum((sum(map(mul, q[:n + 1], q[n::-1])) for q in dv), f(0))
            bb.append(a / kap / (n + 1) if kap else f(0))
            bh.append(b / gam / (n + 1) if gam else f(0))
        return z, v, r, bb, bh

    def step_size(self, groups):
        """largest tau with |c_q| tau^q <= TOL * max_j |c_j| tau^j for q = p, p - 1"""
        best = None
        for norm, first in groups:
            p = len(norm) - 1
            for q in (p, p - 1):
                if norm[q] == 0:
                    continue
                c = None
                for j in range(first, first + 5):
                    if norm[j] == 0:
                        continue
                    e = (gmpy2.log2(norm[j]) - gmpy2.log2(norm[q]) + self.TOL * math.log2(10)) / (q - j)
                    c = e if c is None or e > c else c
                if c is not None and (best is None or c < best):
                    best = c
        return best

    def at_rest(self):
        zz, vv = sum(map(mul, self.z, self.z)), sum(map(mul, self.v, self.v))
        return abs(self.resid()) <= gmpy2.mpfr("1e-80") * (abs(self.y) + gmpy2.sqrt(zz * vv))

    def run(self, t, tiny=None, max_steps=6000):
        """to time t (None: inf); tiny: stop once |z|, |v| fell below tiny times their start.
        Returns "end", "rest", "tiny", or "steps" (not finished)."""
        f = gmpy2.mpfr
        t_end = None if t is None else f(t)
        start = max(map(abs, self.z + self.v))
        while True:
            if t_end is not None and self.t >= t_end:
                return "end"
            if self.at_rest():
                return "rest"
            if tiny and max(map(abs, self.z + self.v)) <= f(tiny) * start:
                return "tiny"
            if self.steps >= max_steps:
                return "steps"
            self.steps += 1
            z, v, r, bb, bh = self.coefficients()
            nz = [max(abs(a[n]) for a in z) for n in range(self.ORDER + 1)]
            nv = [max(abs(a[n]) for a in v) for n in range(self.ORDER + 1)]
            e = self.step_size([(nz, 0), (nv, 0), (bb and [abs(x) for x in bb], 1), ([abs(x) for x in bh], 1)])
            if e is None:  # nothing moves
                if t_end is None:
                    return "rest"
                tau = t_end - self.t
            else:
                tau = gmpy2.exp2(e)
            if t_end is not None and self.t + tau >= t_end:
                tau, last = t_end - self.t, True
            else:
                last = False

            def at(c):
                s = f(0)
                for x in reversed(c):
                    s = s * tau + x
                return s
            self.z = [at(a) for a in z]
            self.v = [at(a) for a in v]
            self.sig += self.c * tau * at([x / (n + 1) for n, x in enumerate(r)])
            self.bb += at(bb)
            self.bh += at(bh)
            self.t = t_end if last else self.t + tau


def to_mp(x):
    m, e = x.as_mantissa_exp()
    return mp.ldexp(mpf(int(m)), int(e))


# ------------------------------------------------------------------ rank one, closed form

def dot(a, b):
    return sum((x * y for x, y in zip(a, b)), mpf(0))


def rank_one(kappa, gamma, y, z0, v0, t):
    """t: mpf or inf. Returns z, v, r, sigma, budget_backbone, budget_head."""
    kap, gam, y = mpf(kappa), mpf(gamma), mpf(y)
    z0, v0 = [mpf(x) for x in z0], [mpf(x) for x in v0]
    inf = mpmath.isinf(t)
    r0 = y - dot(z0, v0)
    zero = mpf(0)
    if kap == 0 or gam == 0:
        # at most one of the two moves, and linearly
        if kap == 0 and gam == 0:
            return z0, v0, r0, zero, zero, zero
        fixed, rate = (z0, gam) if kap == 0 else (v0, kap)
        lam = rate * dot(fixed, fixed)
        if lam == 0:
            return z0, v0, r0, zero, zero, zero
        E = zero if inf else mp.exp(-lam * t)
        g = -mp.expm1(-lam * t) / lam if not inf else 1 / lam
        moved = [rate * r0 * g * x for x in fixed]
        spent = r0 ** 2 * (1 - E ** 2) / 2
        if kap == 0:
            return z0, [a + b for a, b in zip(v0, moved)], r0 * E, zero, zero, spent
        return [a + b for a, b in zip(z0, moved)], v0, r0 * E, zero, spent, zero
    c, sk, sg = mp.sqrt(kap * gam), mp.sqrt(kap), mp.sqrt(gam)
    p = [a / sk + b / sg for a, b in zip(z0, v0)]
    m = [a / sk - b / sg for a, b in zip(z0, v0)]
    # exact zeros must stay exact zeros (v0 = +-z0 sqrt(gamma/kappa), only for exact square roots)
    tiny = mpf(10) ** (-mp.dps + 50)
    p = [zero if abs(x) <= tiny * abs(a) / sk else x for x, a in zip(p, z0)]
    m = [zero if abs(x) <= tiny * abs(a) / sk else x for x, a in zip(m, z0)]
    al, be, D = dot(p, p), dot(m, m), dot(p, m)
    a, b = c * al / 2, c * be / 2
    w = mp.sqrt(y * y + a * b)
    s = w + abs(y)                       # w + y and w - y without cancellation
    d = a * b / s if s else zero
    wpy, wmy = (s, d) if y >= 0 else (d, s)
    # u = e^{2 sigma} = num / den, all terms nonnegative:
    #   num = (w + y) + E (w - y) + b (1 - E),  den = (w - y) + E (w + y) + a (1 - E),  E = e^{-2 c w t}
    #   r = 4 r0 w^2 E / (num den)
    if w > 0:
        E = zero if inf else mp.exp(-2 * c * w * t)
        F = mpf(1) if inf else -mp.expm1(-2 * c * w * t)
        num = wpy + E * wmy + b * F
        den = wmy + E * wpy + a * F
        lost = 4 * r0 * w * w * E        # r = lost / (num den)
    else:                                # y = 0 and (alpha = 0 or beta = 0)
        if inf:
            num, den, lost = (mpf(1) if b == 0 else mpf("inf")), (mpf(1) if a == 0 else mpf("inf")), zero
        else:
            num, den, lost = 1 + c * t * b, 1 + c * t * a, r0
    if den == 0 or mpmath.isinf(num):    # alpha = 0, t = inf, y >= 0: u -> inf, down to the saddle
        assert al == 0 and inf and y >= 0
        if be == 0:                      # z0 = v0 = 0: nothing moves
            return z0, v0, y, zero if y == 0 else mpf("inf"), zero, zero
        half = (r0 ** 2 - y ** 2) / 4
        return [zero] * len(z0), [zero] * len(z0), y, mpf("inf"), half, half
    if num == 0 or mpmath.isinf(den):    # beta = 0, t = inf, y <= 0: u -> 0
        assert be == 0 and inf and y <= 0
        if al == 0:
            return z0, v0, y, zero if y == 0 else mpf("-inf"), zero, zero
        half = (r0 ** 2 - y ** 2) / 4
        return [zero] * len(z0), [zero] * len(z0), y, mpf("-inf"), half, half
    u = num / den
    r = lost / (num * den)
    sigma = mp.log(u) / 2
    e = mp.sqrt(u)
    z = [sk * (x * e + q / e) / 2 for x, q in zip(p, m)]
    v = [sg * (x * e - q / e) / 2 for x, q in zip(p, m)]
    pos, neg = al * (u - 1), be * (1 - 1 / u)
    common = y * (pos + neg) / 8 - c / 64 * (al ** 2 * (u * u - 1) - be ** 2 * (1 - 1 / u ** 2))
    # |v|^2 = gamma ((alpha u + beta / u) / 4 - D / 2), |z|^2 = kappa ((alpha u + beta / u) / 4 + D / 2)
    tilt = D * (y * sigma / 2 - c * (pos - neg) / 16) if D else zero
    return z, v, r, sigma, c * (common - tilt), c * (common + tilt)


def t7_as_stated(c, y, al, be, t):
    """T7 with u+, u-, q, omega, as it is written in the theory note (alpha > 0, omega > 0)"""
    om = mp.sqrt(4 * c ** 2 * y ** 2 + c ** 4 * al * be)
    up, um = (2 * c * y + om) / (c ** 2 * al), (2 * c * y - om) / (c ** 2 * al)
    q = (1 - up) / (1 - um)
    E = mpf(0) if mpmath.isinf(t) else mp.exp(-om * t)
    return (up - um * q * E) / (1 - q * E)


def rank_one_cases():
    L = []

    def add(id, y, z0, v0, t, kappa=1.0, gamma=1.0):
        L.append((id, float(kappa), float(gamma), float(y), [float(x) for x in z0], [float(x) for x in v0],
                  t if t == "inf" else float(t)))
    z, v = [1.2, -0.7, 0.3], [0.4, 0.9, -1.1]
    for t in (0, 1e-12, 1e-3, 1, 10, 1e6, "inf"):
        add(f"generic-t{t}", 1.5, z, v, t)
    for t in (1e-3, 1, 10, "inf"):
        add(f"generic-negative-y-t{t}", -2.25, z, v, t, 0.5, 3.0)
    for t in (1, 1e6, "inf"):
        add(f"zero-y-t{t}", 0, z, v, t, 2.0, 0.7)
    add("one-dimension-t1", 2, [1], [-3], 1)
    add("one-dimension-inf", 2, [1], [-3], "inf")
    # zero feature, zero head, both
    for t in (1e-3, 1, "inf"):
        add(f"zero-feature-t{t}", 1.5, [0, 0], [0.6, -0.8], t)
        add(f"zero-head-t{t}", 1.5, [0.6, -0.8], [0, 0], t, 1.0, 2.5)
    add("zero-head-negative-y-inf", -1.5, [0.6, -0.8], [0, 0], "inf")
    add("zero-head-zero-y-t1", 0, [0.6, -0.8], [0, 0], 1)
    for t in (1, "inf"):
        add(f"both-zero-zero-y-t{t}", 0, [0, 0], [0, 0], t)
    add("both-zero-t1", 1.5, [0, 0], [0, 0], 1)
    add("both-zero-negative-y-t10", -1.5, [0, 0], [0, 0], 10)
    # |a| = 1, w = 0: v0 = z0 (beta = 0), v0 = -z0 (alpha = 0)
    for name, sg in (("beta0", 1), ("alpha0", -1)):
        for y in (1.5, 0, -1.5):
            for t in (1, 10, "inf"):
                add(f"{name}-y{y}-t{t}", y, [0.8, -1.1], [sg * 0.8, sg * -1.1], t)
        add(f"{name}-scaled-y2-t1", 2, [0.75, -1.1], [sg * 0.1875, sg * -0.275], 1, 4.0, 0.25)
        add(f"{name}-scaled-y2-inf", 2, [0.75, -1.1], [sg * 0.1875, sg * -0.275], "inf", 4.0, 0.25)
        add(f"{name}-y0-t1e6", 0, [0.8, -1.1], [sg * 0.8, sg * -1.1], 1e6)
        add(f"{name}-y0.001-t1000", 1e-3, [0.8, -1.1], [sg * 0.8, sg * -1.1], 1000)
        add(f"{name}-y-0.001-t1000", -1e-3, [0.8, -1.1], [sg * 0.8, sg * -1.1], 1000)
        add(f"{name}-y1.5-t1e6", 1.5, [0.8, -1.1], [sg * 0.8, sg * -1.1], 1e6)
        add(f"{name}-y-1.5-t1e6", -1.5, [0.8, -1.1], [sg * 0.8, sg * -1.1], 1e6)
    # near alpha = 0
    for e in (1e-8, 1e-4):
        for y in (1.5, -1.5, 0):
            for t in (1, 10, "inf"):
                add(f"near-alpha0-{e}-y{y}-t{t}", y, [1.0, 0.5], [-1.0 + e, -0.5], t)
    add("near-alpha0-1e-8-y0-t1e6", 0, [1.0, 0.5], [-1.0 + 1e-8, -0.5], 1e6)
    add("near-alpha0-1e-8-y0.001-t10000", 1e-3, [1.0, 0.5], [-1.0 + 1e-8, -0.5], 10000)
    add("near-alpha0-orthogonal-inf", 1.5, [1.0, 0.0], [-1.0, 1e-8], "inf")
    add("near-alpha0-scaled-t10", 1.5, [4.0, 2.0], [-1.0 + 1e-8, -0.5], 10, 4.0, 0.25)
    add("near-alpha0-scaled-inf", 1.5, [4.0, 2.0], [-1.0 + 1e-8, -0.5], "inf", 4.0, 0.25)
    add("near-beta0-1e-8-y-1.5-t10", -1.5, [1.0, 0.5], [1.0 - 1e-8, 0.5], 10)
    add("near-beta0-1e-8-y-1.5-inf", -1.5, [1.0, 0.5], [1.0 - 1e-8, 0.5], "inf")
    # residual zero or tiny
    for t in (1, "inf"):
        add(f"zero-residual-t{t}", 1.25, [1.0, 0.5], [1.0, 0.5], t)
        add(f"zero-residual-generic-t{t}", 0.25, [1.0, 0.5], [0.5, -0.5], t)
        add(f"tiny-residual-t{t}", 0.25 + 1e-12, [1.0, 0.5], [0.5, -0.5], t)
        add(f"tiny-residual-negative-t{t}", -0.25 - 1e-12, [1.0, 0.5], [-0.5, 0.5], t, 0.25, 16.0)
    # unequal rates
    for t in (1e-3, 1, "inf"):
        add(f"slow-backbone-t{t}", 1.5, z, v, t, 1e-3, 1e3)
        add(f"slow-head-t{t}", 1.5, z, v, t, 1e3, 1e-3)
    add("slow-backbone-negative-y-t1", -1.5, z, v, 1, 1e-3, 1e3)
    add("unequal-zero-y-t1", 0, z, v, 1, 1e3, 1e-3)
    add("slow-both-t1e6", 1.5, z, v, 1e6, 1e-6, 1e-6)
    # kappa = 0, gamma = 0
    for t in (1e-3, 1, 10, "inf"):
        add(f"kappa0-t{t}", 1.5, z, v, t, 0, 2.0)
        add(f"gamma0-t{t}", 1.5, z, v, t, 2.0, 0)
    add("kappa0-zero-feature-inf", 1.5, [0, 0], [0.6, -0.8], "inf", 0, 2.0)
    add("gamma0-zero-head-inf", 1.5, [0.6, -0.8], [0, 0], "inf", 2.0, 0)
    add("kappa0-gamma0-t10", 1.5, z, v, 10, 0, 0)
    # tiny scales and slow escape from the saddle
    for t in (1, 10, 300, 400, "inf"):
        add(f"tiny-1e-150-t{t}", 1, [1e-150, 2e-150], [3e-150, -1e-150], t)
    add("tiny-1e-150-negative-y-inf", -1, [1e-150, 2e-150], [3e-150, -1e-150], "inf")
    add("tiny-1e-150-zero-y-t1e6", 0, [1e-150, 2e-150], [3e-150, -1e-150], 1e6)
    add("tiny-1e-150-zero-y-inf", 0, [1e-150, 2e-150], [3e-150, -1e-150], "inf")
    add("tiny-all-inf", 1e-150, [1e-150, 2e-150], [3e-150, -1e-150], "inf")
    add("tiny-all-t1e6", 1e-150, [1e-150, 2e-150], [3e-150, -1e-150], 1e6)
    for t in (10, 60, 70, 80, "inf"):
        add(f"escape-1e-30-t{t}", 1, [1e-30, 0], [0, 0], t)
    add("escape-1e-6-t10", 1, [1e-6, 2e-6], [0, 1e-6], 10)
    add("escape-1e-6-t20", 1, [1e-6, 2e-6], [0, 1e-6], 20)
    add("escape-1e-6-slow-t10000", 1e-3, [1e-6, 2e-6], [0, 1e-6], 10000)
    # huge scales, z.v moderate
    for x in (1e60, 1e120):
        i = 1 / x
        for t in (1e-12, 1, "inf"):
            add(f"huge-{x:g}-t{t}", 2.5, [x, 0.5 * x], [i, -0.25 * i], t)
        add(f"huge-head-{x:g}-inf", -2.5, [i, -0.25 * i], [x, 0.5 * x], "inf")
    add("huge-1e60-short-time", 2.5, [1e60, 5e59], [1e-60, -2.5e-61], 1e-120)
    add("huge-1e120-short-time", 2.5, [1e120, 5e119], [1e-120, -2.5e-121], 1e-240)
    add("huge-y-t1", 1e6, z, v, 1)
    add("huge-y-short-time", 1e6, z, v, 1e-6)
    add("huge-y-inf", -1e6, z, v, "inf")
    rng = random.Random(20230501)
    for i in range(8):
        d = rng.randint(1, 4)
        add(f"random-{i}", round(rng.gauss(0, 2), 3), [round(rng.gauss(0, 1), 3) for _ in range(d)],
            [round(rng.gauss(0, 1), 3) for _ in range(d)], rng.choice([0.05, 0.3, 0.8, 2.0, "inf"]),
            round(math.exp(rng.gauss(0, 1)), 2), round(math.exp(rng.gauss(0, 1)), 2))
    return L


def rel_digits(got, want, scale=None):
    if not isinstance(got, list):
        got, want = [got], [want]
    if scale is None:
        scale = max(abs(x) for x in want)
    return digits(max(abs(a - b) for a, b in zip(got, want)), scale)


def make_rank_one():
    mp.dps = 3000
    cases, worst = [], 99
    for id, kappa, gamma, y, z0, v0, t in rank_one_cases():
        T = mpf("inf") if t == "inf" else mpf(t)
        z, v, r, sig, bb, bh = rank_one(kappa, gamma, y, z0, v0, T)
        # at the saddle itself sigma is not fixed by z and v
        if not any(z0) and not any(v0) and kappa > 0 and gamma > 0 and not mpmath.isinf(T):
            assert abs(sig - mp.sqrt(mpf(kappa) * mpf(gamma)) * y * T) <= mpf(10) ** -100
        # the formula of the note, where it can be evaluated
        if kappa > 0 and gamma > 0:
            k, g, c = mpf(kappa), mpf(gamma), mp.sqrt(mpf(kappa) * mpf(gamma))
            al = sum((mpf(a) / mp.sqrt(k) + mpf(b) / mp.sqrt(g)) ** 2 for a, b in zip(z0, v0))
            be = sum((mpf(a) / mp.sqrt(k) - mpf(b) / mp.sqrt(g)) ** 2 for a, b in zip(z0, v0))
            om = mp.sqrt(4 * c ** 2 * mpf(y) ** 2 + c ** 4 * al * be)
            um = (2 * c * mpf(y) - om) / (c ** 2 * al) if al else mpf(0)
            if al > 0 and om > 0 and um != 1 and not mpmath.isinf(sig):
                u = t7_as_stated(c, mpf(y), al, be, T)
                if u > 0:
                    dg = digits(abs(mp.log(u) / 2 - sig), abs(sig) if sig else mpf(1))
                    assert dg >= 50, ("T7", id, dg)
        o = R1(kappa, gamma, y, z0, v0)
        saddle = all(x == 0 for x in z + v) and (any(z0) or any(v0))
        tiny = None
        if saddle:
            tiny = "1e-45"
        elif T > 1e4 and max(map(abs, z + v)) < mpf("1e-1000"):
            tiny = "1e-100"
        end = o.run(None if t == "inf" else t, tiny)
        agree = None
        if end != "steps":
            gz, gv = [to_mp(x) for x in o.z], [to_mp(x) for x in o.v]
            sz, sv = max(map(abs, z)), max(map(abs, v))
            if tiny:
                sz, sv = max(abs(mpf(x)) for x in z0), max(abs(mpf(x)) for x in v0)
            sr = max(abs(mpf(y)), sz * sv)
            parts = {"z": rel_digits(gz, z, sz), "v": rel_digits(gv, v, sv),
                     "r": rel_digits(to_mp(o.resid()), r, sr),
                     "bb": rel_digits(to_mp(o.bb), bb), "bh": rel_digits(to_mp(o.bh), bh)}
            if not mpmath.isinf(sig) and not (end == "tiny" and t != "inf"):
                parts["sigma"] = rel_digits(to_mp(o.sig), sig)
            agree = min(parts.values())
            if agree < 40:
                raise SystemExit(f"rank_one {id}: disagreement {parts} after {o.steps} steps ({end})")
            worst = min(worst, agree)
        # the two budgets sum to the loss that was spent
        spent = ((mpf(y) - dot([mpf(x) for x in z0], [mpf(x) for x in v0])) ** 2 - r ** 2) / 2
        assert abs(bb + bh - spent) <= abs(spent) * mpf(10) ** -60 + r ** 2 * mpf(10) ** -2000, id
        if VERBOSE:
            print(f"    {id}: {agree} digits, {o.steps} steps", flush=True)
        cases.append({"id": id, "kappa": kappa, "gamma": gamma, "y": y, "z0": z0, "v0": v0, "t": t,
                      "z": [s50(x) for x in z], "v": [s50(x) for x in v], "residual": s50(r), "rapidity": s50(sig),
                      "budget_backbone": s50(bb), "budget_head": s50(bh),
                      "confirmed": agree is not None, "agreement": agree})
    return cases, worst


# ------------------------------------------------------------------ Taylor integrator, matrices

class Flow:
    """Z' = K R V^T, V' = gamma Z^T R in fixed point (BITS after the point), Taylor series of order p.
    K = None: features fixed; gamma = 0: head fixed."""

    def __init__(self, Z, V, Y, K, gamma, bits=360, order=84, tol_bits=190, budgets=False):
        self.B, self.p, self.tol, self.want = bits, order, tol_bits, budgets
        self.N, self.h, self.k = len(Y), len(V), len(Y[0])
        flat = lambda m: [self.fix(x) for row in m for x in row]
        self.Z, self.V, self.Y = flat(Z), flat(V), flat(Y)
        self.K = None if K is None else fmpz_mat(self.N, self.N, flat(K))
        self.g = self.fix(gamma)
        self.t = fmpz(0)
        self.T = fmpz(1) << (bits - 6)      # step, a multiple of 2^16 / 2^bits
        self.bb = self.bh = fmpz(0)
        self.steps = 0

    def fix(self, x):
        n, d = float(x).as_integer_ratio()
        q, rem = divmod(fmpz(n) << self.B, fmpz(d))
        assert rem == 0
        return q

    def series(self):
        N, h, k, B, p, T = self.N, self.h, self.k, self.B, self.p, self.T
        zrow = [list(self.Z[i * h:(i + 1) * h]) for i in range(N)]       # Z_0 row i, Z_1 row i, ...
        zcol = [list(self.Z[l::h]) for l in range(h)]                    # Z_0 col l, Z_1 col l, ...
        vrev = list(self.V)                                              # V_n, V_{n-1}, ... (h x k each)
        tr = lambda a, r, c: [a[i * c + j] for j in range(c) for i in range(r)]
        vtrev = tr(self.V, h, k)                                         # V_n^T, ... (k x h each)
        rrow = [[] for _ in range(N)]
        rrev = []
        Zs, Vs, Rs, As, Cs = [list(self.Z)], [list(self.V)], [], [], []
        for n in range(p):
            P = (fmpz_mat(N, h * (n + 1), sum(zrow, [])) * fmpz_mat(h * (n + 1), k, vrev)).entries()
            R = [-(x >> B) for x in P]
            if n == 0:
                R = [y + x for x, y in zip(R, self.Y)]
            Rs.append(R)
            rrev = R + rrev
            for i in range(N):
                rrow[i].extend(R[i * k:(i + 1) * k])
            if self.K is not None:
                A = fmpz_mat(N, k * (n + 1), sum(rrow, [])) * fmpz_mat(k * (n + 1), h, vtrev)
                A = fmpz_mat(N, h, [x >> B for x in A.entries()])
                As.append(A.entries())
                Zn = [((x >> B) * T >> B) // (n + 1) for x in (self.K * A).entries()]
            else:
                As.append([fmpz(0)] * (N * h))
                Zn = [fmpz(0)] * (N * h)
            C = fmpz_mat(h, N * (n + 1), sum(zcol, [])) * fmpz_mat(N * (n + 1), k, rrev)
            C = [x >> B for x in C.entries()]
            Cs.append(C)
            Vn = [((x * self.g >> B) * T >> B) // (n + 1) for x in C]
            Zs.append(Zn)
            Vs.append(Vn)
            for i in range(N):
                zrow[i].extend(Zn[i * h:(i + 1) * h])
            for l in range(h):
                zcol[l].extend(Zn[l::h])
            vrev = Vn + vrev
            vtrev = tr(Vn, h, k) + vtrev
        return Zs, Vs, Rs, As, Cs

    def motion(self):
        """largest entry of Z' and V' now, as a fixed-point number"""
        N, h, k, B = self.N, self.h, self.k, self.B
        R = self.residual()
        Vm, Zm, Rm = fmpz_mat(h, k, self.V), fmpz_mat(N, h, self.Z), fmpz_mat(N, k, R)
        out = [abs(x) * self.g >> (2 * B) for x in (Zm.transpose() * Rm).entries()]
        if self.K is not None:
            A = fmpz_mat(N, h, [x >> B for x in (Rm * Vm.transpose()).entries()])
            out += [abs(x) >> B for x in (self.K * A).entries()]
        return max(out)

    def residual(self):
        P = (fmpz_mat(self.N, self.h, self.Z) * fmpz_mat(self.h, self.k, self.V)).entries()
        return [y - (x >> self.B) for x, y in zip(P, self.Y)]

    def run(self, t, rest=1e-70, max_steps=800):
        """to time t (None: inf). Returns "end", "rest" (motion below rest) or "steps"."""
        B, p = self.B, self.p
        t_end = None if t is None else self.fix(t)
        floor = fmpz(int(mpf(rest) * mpf(2) ** B))
        while True:
            if t_end is not None and self.t >= t_end:
                return "end"
            if self.motion() <= floor:
                return "rest"
            if self.steps >= max_steps:
                return "steps"
            self.steps += 1
            Zs, Vs, Rs, As, Cs = self.series()
            # x: the part of the step T that is taken, x^p |c_p| <= 2^-tol and the same for p - 1
            lim = 1e9
            for q in (p, p - 1):
                c = max(max(map(abs, Zs[q])), max(map(abs, Vs[q])))
                if c:
                    lim = min(lim, (B - self.tol - (int(c).bit_length())) / q)
            xmax = 2.0 ** min(lim, 3.0)
            X = min(fmpz(1024), fmpz(int(xmax * 1024)))
            if X < 16:                       # far too long a step: try again shorter
                self.T >>= 4
                continue
            if t_end is not None and self.t + self.T * X / 1024 >= t_end:
                rest_t = t_end - self.t      # exactly to the end; x as a fixed-point number
                x = (rest_t << B) // self.T
                self.t = t_end
            else:
                x = (X << B) // 1024
                self.t += self.T * X // 1024
            if self.want:
                self.budget(As, Zs, Cs, Vs, x)
            self.Z, self.V = self.at(Zs, x), self.at(Vs, x)
            grow = fmpz(int(min(xmax, 8.0) * 0.9 * 1024))
            self.T = ((self.T * grow // 1024) >> 16) << 16
            assert self.T > 0

    def at(self, cs, x):
        B = self.B
        s = list(cs[-1])
        for c in reversed(cs[:-1]):
            s = [(a * x >> B) + b for a, b in zip(s, c)]
        return s

    def budget(self, As, Zs, Cs, Vs, x):
        # int <A, Z'> dt with A = R V^T, and int <Z^T R, V'> dt; coefficients of s = t / T
        B, p = self.B, self.p
        for name, F, G in (("bb", As, Zs), ("bh", Cs, Vs)):
            s = fmpz_poly()
            for e in range(len(F[0])):
                f = fmpz_poly([F[n][e] for n in range(p)])
                g = fmpz_poly([(n + 1) * G[n + 1][e] for n in range(p)])
                s += f * g
            c = [s[n] >> B for n in range(p)]      # Z' is per unit of s already
            tot = fmpz(0)
            for n in range(p - 1, -1, -1):
                tot = (tot * x >> B) + c[n] // (n + 1)
            setattr(self, name, getattr(self, name) + (tot * x >> B))

    def get(self, flat, r, c):
        m = mp.matrix(r, c)
        for i in range(r):
            for j in range(c):
                m[i, j] = mp.ldexp(mpf(int(flat[i * c + j])), -self.B)
        return m

    def features(self):
        return self.get(self.Z, self.N, self.h)

    def head(self):
        return self.get(self.V, self.h, self.k)

    def resid(self):
        return self.get(self.residual(), self.N, self.k)


def resume(cache, data, new):
    """the integrator of this problem, where the case before it (at an earlier time) left it"""
    key = str(data)
    if key not in cache:
        cache[key] = new()
    return cache[key]


def agreement(pairs):
    """worst number of agreeing digits over (got, want, scale)"""
    return min(digits(maxabs(a - b), s) for a, b, s in pairs)


# ------------------------------------------------------------------ input helpers (exact in f64)

def dy(rng, r, c, den=8, lim=16):
    return [[rng.randint(-lim, lim) / den for _ in range(c)] for _ in range(r)]


def dec(rng, r, c, sd=1.0, nd=2):
    return [[round(rng.gauss(0, sd), nd) for _ in range(c)] for _ in range(r)]


def zeros(r, c):
    return [[0.0] * c for _ in range(r)]


def eye(n, s=1.0):
    return [[s if i == j else 0.0 for j in range(n)] for i in range(n)]


def tp(a):
    return [list(r) for r in zip(*a)]


def mm(a, b):
    """product of f64 matrices whose entries make it exact (checked)"""
    from fractions import Fraction as Q
    out = []
    for r in a:
        row = []
        for c in zip(*b):
            x = sum((Q(p) * Q(q) for p, q in zip(r, c)), Q(0))
            f = x.numerator / x.denominator
            assert Q(f) == x
            row.append(float(f))
        out.append(row)
    return out


def gram(rng, n, rank, den=4, lim=4):
    x = dy(rng, n, rank, den, lim)
    return mm(x, tp(x))


def reflect(n, idx):
    """orthogonal dyadic matrix: I - 1/2 v v^T with v = e_i + e_j + e_k + e_l"""
    m = eye(n)
    for i in idx:
        for j in idx:
            m[i][j] -= 0.5
    return m


def ortho(rng, n, rounds=3):
    """random orthogonal matrix with dyadic entries"""
    m = eye(n)
    for _ in range(rounds):
        if n >= 4:
            m = mm(m, reflect(n, rng.sample(range(n), 4)))
        perm = rng.sample(range(n), n)
        sg = [rng.choice([-1.0, 1.0]) for _ in range(n)]
        m = [[sg[j] * r[perm[j]] for j in range(n)] for r in m]
    return [[x + 0.0 for x in r] for r in m]


def cols(m, c):
    return [r[:c] for r in m]


# ------------------------------------------------------------------ probing

def eig_psd(G):
    """eigenvalues (exact zeros for the null space) and vectors of a positive semidefinite matrix"""
    E, U = mp.eigsy(G)
    top = max([abs(x) for x in E] + [mpf(0)])
    return [mpf(0) if abs(x) <= top * mpf(10) ** -100 else x for x in E], U


def phi(lam, t):
    """(1 - e^{-lam t}) / lam"""
    if lam == 0:
        return t
    if mpmath.isinf(t):
        return 1 / lam
    return -mp.expm1(-lam * t) / lam


def probe(Z, Y, V, T):
    """Z, Y, V as mp matrices; the path of T3 from the eigendecomposition of the smaller Gram matrix"""
    R0 = Y - Z * V
    if T == 0:
        return V.copy(), R0
    B = Z.T * R0
    if Z.rows < Z.cols:                      # V = V0 + Z^T U phi U^T R0
        E, U = eig_psd(Z * Z.T)
        c = U.T * R0
        for i in range(Z.rows):
            for j in range(Y.cols):
                c[i, j] = mpf(0) if E[i] == 0 else phi(E[i], T) * c[i, j]
        V1 = V + Z.T * (U * c)
    else:                                    # V = V0 + W phi W^T Z^T R0
        E, W = eig_psd(Z.T * Z)
        c = W.T * B
        for i in range(Z.cols):
            for j in range(Y.cols):
                c[i, j] = mpf(0) if E[i] == 0 else phi(E[i], T) * c[i, j]
        V1 = V + W * c
    return V1, Y - Z * V1


def probing_cases():
    rng = random.Random(11)
    L = []

    def add(id, Z, Y, V, tau):
        L.append((id, Z, Y, V, tau if tau == "inf" else float(tau)))
    A = (dec(rng, 5, 3), dec(rng, 5, 2), dec(rng, 3, 2))
    for tau in (0, 1e-3, 1, 1e6, "inf"):
        add(f"tall-5x3x2-tau{tau}", *A, tau)
    A = (dec(rng, 3, 6), dec(rng, 3, 2), dec(rng, 6, 2))
    for tau in (1e-3, 1, 1e6, "inf"):
        add(f"wide-3x6x2-tau{tau}", *A, tau)
    low = mm(dy(rng, 5, 2), dy(rng, 2, 4))
    A = (low, dec(rng, 5, 3), dec(rng, 4, 3))
    for tau in (1, 1e6, "inf"):
        add(f"rank2-5x4x3-tau{tau}", *A, tau)
    low = mm(dy(rng, 3, 2), dy(rng, 2, 6))
    A = (low, dec(rng, 3, 1), dec(rng, 6, 1))
    for tau in (0.1, "inf"):
        add(f"rank2-3x6x1-tau{tau}", *A, tau)
    d = dec(rng, 3, 4)
    A = (d + [list(d[1]), list(d[0])], dec(rng, 5, 2), dec(rng, 4, 2))
    for tau in (1, 1e6, "inf"):
        add(f"duplicated-rows-5x4x2-tau{tau}", *A, tau)
    A = (zeros(3, 4), dec(rng, 3, 2), dec(rng, 4, 2))
    for tau in (1, 1e6, "inf"):
        add(f"zero-features-3x4x2-tau{tau}", *A, tau)
    A = (dec(rng, 1, 5), dec(rng, 1, 1), zeros(5, 1))
    for tau in (0.3, 1e6, "inf"):
        add(f"one-sample-1x5x1-tau{tau}", *A, tau)
    add("one-sample-1x1x1-tau1", [[0.5]], [[2.0]], [[-1.0]], 1)
    add("one-sample-1x4x3-tau1", dec(rng, 1, 4), dec(rng, 1, 3), dec(rng, 4, 3), 1)
    add("zero-head-6x6x4-tau1", dec(rng, 6, 6), dec(rng, 6, 4), zeros(6, 4), 1)
    # singular values from 1 to 1e-3 and 1e-6: slow directions
    U, W = ortho(rng, 4), ortho(rng, 4)
    S = [1.0, 2.0 ** -3, 2.0 ** -10, 2.0 ** -20]
    Z = mm([[u * s for u, s in zip(r, S)] for r in U], W)
    A = (Z, dec(rng, 4, 2), zeros(4, 2))
    for tau in (1, 1000, 1e6, "inf"):
        add(f"ill-conditioned-4x4x2-tau{tau}", *A, tau)
    A = ([[100.0, -50.0], [25.0, 75.0]], [[1.5], [-2.0]], [[0.5], [0.25]])
    for tau in (1e-3, 1, "inf"):
        add(f"large-features-2x2x1-tau{tau}", *A, tau)
    return L


def make_probing():
    mp.dps = 250
    cases, worst, cache = [], 99, {}
    for id, z, y, v, tau in probing_cases():
        Z, Y, V = M(z), M(y), M(v)
        T = mpf("inf") if tau == "inf" else mpf(tau)
        V1, R1_ = probe(Z, Y, V, T)
        sc, sv = scale_of(Y, Z * V), scale_of(V, V1)
        chop(V1, sv), chop(R1_, sc)
        f = resume(cache, (z, y, v), lambda: Flow(z, v, y, None, 1.0))
        end = f.run(None if tau == "inf" else tau, rest=1e-62, max_steps=1600)
        agree = None
        if end != "steps":
            agree = agreement([(f.head(), V1, sv), (f.resid(), R1_, sc)])
            if agree < 40:
                raise SystemExit(f"probing {id}: disagreement {agree} ({end})")
            worst = min(worst, agree)
        aie = sum((mp.sqrt(sum(R1_[i, j] ** 2 for j in range(Y.cols))) for i in range(Y.rows)), mpf(0)) / Y.rows
        if VERBOSE:
            print(f"    {id}: {agree} digits, {f.steps} steps", flush=True)
        cases.append({"id": id, "features": z, "targets": y, "head": v, "tau": tau, "head_out": rows(V1),
                      "residual_out": rows(R1_), "aie": s50(aie), "frobenius": s50(fro(R1_)),
                      "confirmed": agree is not None, "agreement": agree})
    return cases, worst


# ------------------------------------------------------------------ frozen head

def frozen(Z, K, Y, V, T):
    """T15: Z = Z0 + K M, M = U [(U^T R0 W) o phi(lambda_i m_j, t)] W^T V0^T"""
    R0 = Y - Z * V
    if T == 0:
        return Z.copy(), R0
    lam, U = eig_psd(K)
    m, W = eig_psd(V.T * V)
    c = U.T * R0 * W
    for i in range(c.rows):
        for j in range(c.cols):
            # K U = U diag(lambda); W_j^T V0^T = 0 where m_j = 0
            c[i, j] = mpf(0) if lam[i] == 0 or m[j] == 0 else lam[i] * phi(lam[i] * m[j], T) * c[i, j]
    Z1 = Z + U * c * W.T * V.T
    return Z1, Y - Z1 * V


def frozen_cases():
    rng = random.Random(12)
    L = []

    def add(id, Z, K, Y, V, t):
        L.append((id, Z, K, Y, V, t if t == "inf" else float(t)))
    A = (dec(rng, 4, 3), gram(rng, 4, 6), dec(rng, 4, 2), dec(rng, 3, 2))
    for t in (0, 1e-3, 1, 1e6, "inf"):
        add(f"regular-4x3x2-t{t}", *A, t)
    A = (dec(rng, 4, 3), gram(rng, 4, 2), dec(rng, 4, 3), dec(rng, 3, 3))
    for t in (0.5, 1e6, "inf"):
        add(f"singular-kernel-4x3x3-t{t}", *A, t)
    A = (dec(rng, 3, 2), zeros(3, 3), dec(rng, 3, 1), dec(rng, 2, 1))
    for t in (1, 1e6, "inf"):
        add(f"zero-kernel-3x2x1-t{t}", *A, t)
    A = (dec(rng, 3, 5), eye(3), dec(rng, 3, 2), dec(rng, 5, 2))
    for t in (0.25, 10, "inf"):
        add(f"identity-kernel-3x5x2-t{t}", *A, t)
    low = mm(dy(rng, 4, 1), dy(rng, 1, 3))
    A = (dec(rng, 3, 4), gram(rng, 3, 5), dec(rng, 3, 3), low)
    for t in (0.1, 1e6, "inf"):
        add(f"rank1-head-3x4x3-t{t}", *A, t)
    low = mm(dy(rng, 2, 2), dy(rng, 2, 3))
    A = (dec(rng, 3, 2), gram(rng, 3, 2), dec(rng, 3, 3), low)
    for t in (0.1, 1e6, "inf"):
        add(f"both-singular-3x2x3-t{t}", *A, t)
    A = (dec(rng, 3, 2), gram(rng, 3, 4), dec(rng, 3, 2), zeros(2, 2))
    for t in (1, "inf"):
        add(f"zero-head-3x2x2-t{t}", *A, t)
    A = (dec(rng, 1, 3), [[2.25]], dec(rng, 1, 1), dec(rng, 3, 1))
    for t in (0.2, "inf"):
        add(f"one-sample-1x3x1-t{t}", *A, t)
    O = ortho(rng, 4)
    K = mm([[x * s for x, s in zip(r, [4.0, 0.5, 2.0 ** -7, 2.0 ** -14])] for r in O], tp(O))
    A = (zeros(4, 2), K, dec(rng, 4, 1), [[0.5], [-1.25]])
    for t in (1, 1e3, 1e6, "inf"):
        add(f"ill-conditioned-4x2x1-t{t}", *A, t)
    return L


def make_frozen():
    mp.dps = 250
    cases, worst, cache = [], 99, {}
    for id, z, k, y, v, t in frozen_cases():
        assert k == tp(k)
        Z, K, Y, V = M(z), M(k), M(y), M(v)
        T = mpf("inf") if t == "inf" else mpf(t)
        Z1, R = frozen(Z, K, Y, V, T)
        sz, sc = scale_of(Z, Z1), scale_of(Y, Z * V)
        chop(Z1, sz), chop(R, sc)
        f = resume(cache, (z, k, y, v), lambda: Flow(z, v, y, k, 0.0))
        end = f.run(None if t == "inf" else t, rest=1e-62, max_steps=1600)
        agree = None
        if end != "steps":
            agree = agreement([(f.features(), Z1, sz), (f.resid(), R, sc)])
            if agree < 40:
                raise SystemExit(f"frozen {id}: disagreement {agree} ({end})")
            worst = min(worst, agree)
        if VERBOSE:
            print(f"    {id}: {agree} digits, {f.steps} steps", flush=True)
        cases.append({"id": id, "features": z, "kernel": k, "targets": y, "head": v, "t": t,
                      "features_out": rows(Z1), "residual_out": rows(R),
                      "confirmed": agree is not None, "agreement": agree})
    return cases, worst


# ------------------------------------------------------------------ balanced, whitened

def balanced(lam, Y, Z, V, T):
    """Q Q^T at time T (mpf; a huge number stands for inf) from T16.

    In the eigenbasis of F the formula reads P G [B (I + B^T B)^{-1} B^T] G P^T with B = sqrt(s) P^T Q0,
    s = int_0^T e^{2 mu x} dx and G = e^{mu T} / sqrt(s) (bounded for all T). The bracket is a block
    of the orthogonal projector on the columns of [B; I]; columns are eliminated in the order of the
    weights sqrt(s), so that rows of wildly different size do no harm."""
    N, k, h = Z.rows, V.cols, Z.cols
    n = N + k
    Q = mp.matrix(n, h)
    for l in range(h):
        for i in range(N):
            Q[i, l] = Z[i, l]
        for j in range(k):
            Q[N + j, l] = V[l, j]
    if T == 0:
        return Q * Q.T
    F = mp.matrix(n, n)
    for i in range(n):
        F[i, i] = -lam / 2 if i < N else lam / 2
    for i in range(N):
        for j in range(k):
            F[i, N + j] = F[N + j, i] = Y[i, j]
    mu, P = mp.eigsy(F)
    noise = mpf(10) ** (-mp.dps // 2)
    mu = [mpf(0) if abs(x) < noise else x for x in mu]
    A = P.T * Q
    rows_, g = [], []
    for i in range(n):
        if mu[i] == 0:
            s = T
            g.append(1 / mp.sqrt(T))
        else:
            s = mp.expm1(2 * mu[i] * T) / (2 * mu[i])
            g.append(mp.sqrt(2 * mu[i] / -mp.expm1(-2 * mu[i] * T)))
        rows_.append([mp.sqrt(s), [A[i, l] for l in range(h)], i])
    for l in range(h):
        rows_.append([mpf(1), [mpf(int(l == q)) for q in range(h)], n + l])
    top = scale_of(Q)
    order = sorted(range(n + h), key=lambda i: -rows_[i][0])
    free = list(range(h))
    for i in order:
        r = rows_[i][1]
        for l in free:
            if abs(r[l]) < noise * top:
                r[l] = mpf(0)
        if not free:
            continue
        c = max(free, key=lambda l: abs(r[l]))
        if r[c] == 0:
            continue
        free.remove(c)
        for l in free:
            if r[l] != 0:
                f = r[l] / r[c]
                for _, q, _ in rows_:
                    q[l] -= f * q[c]
                r[l] = mpf(0)
    C = mp.matrix(n + h, h)
    for wgt, r, i in rows_:
        for l in range(h):
            C[i, l] = wgt * r[l]
    for l in range(h):
        s = mp.sqrt(sum(C[i, l] ** 2 for i in range(n + h)))
        for i in range(n + h):
            C[i, l] /= s
    Gm = C.T * C
    X = mp.inverse(Gm)
    B = C[:n, :]
    mid = B * X * B.T
    for i in range(n):
        for j in range(n):
            mid[i, j] *= g[i] * g[j]
    return P * mid * P.T


def t16_as_stated(lam, Y, Z, V, T):
    """T16 as it is written, with enough digits for the cancellation"""
    N, k, h = Z.rows, V.cols, Z.cols
    n = N + k
    Q = mp.matrix(n, h)
    F = mp.matrix(n, n)
    for l in range(h):
        for i in range(N):
            Q[i, l] = Z[i, l]
        for j in range(k):
            Q[N + j, l] = V[l, j]
    for i in range(n):
        F[i, i] = -lam / 2 if i < N else lam / 2
    for i in range(N):
        for j in range(k):
            F[i, N + j] = F[N + j, i] = Y[i, j]
    # e^{Ft} and int_0^t e^{2Fs} ds by plain power series
    def expser(A, shift):
        s, term = mp.zeros(n), mp.eye(n)
        j = 1
        if shift:
            term = term / 1
        while True:
            s = s + term
            term = term * A / (j + shift)
            j += 1
            if maxabs(term) < mpf(10) ** (-mp.dps + 5):
                return s
    E = expser(F * T, 0)
    S = T * expser(2 * F * T, 1)
    X = mp.inverse(mp.eye(h) + Q.T * S * Q) * Q.T * E
    return E * Q * X


def pair(d, lam):
    """dyadic v, z > 0 with v^2 - z^2 = lam and v + z = d, checked exactly"""
    from fractions import Fraction as Q
    v, z = (Q(d) + Q(lam) / Q(d)) / 2, (Q(d) - Q(lam) / Q(d)) / 2
    assert v * v - z * z == Q(lam)
    assert Q(float(v)) == v and Q(float(z)) == z
    return float(v), float(z)


def balanced_cases():
    rng = random.Random(16)
    L = []

    def add(id, lam, Z, Y, V, ts):
        # lambda must hold exactly for the f64 data
        from fractions import Fraction as Q
        h = len(V)
        for a in range(h):
            for b in range(h):
                x = sum(Q(p) * Q(q) for p, q in zip(V[a], V[b])) - sum(Q(r[a]) * Q(r[b]) for r in Z)
                assert x == (Q(lam) if a == b else 0), (id, a, b)
        for t in ts:
            L.append((f"{id}-t{t}", float(lam), Z, Y, V, t if t == "inf" else float(t)))

    def build(N, h, k, lam, sums):
        """Z = O1 diag(z) H^T, V = H diag(v) O2^T with dyadic orthonormal columns"""
        vz = [pair(s, lam) for s in sums]
        O1, O2, H = cols(ortho(rng, N), h), cols(ortho(rng, k), h), ortho(rng, h)
        Z = mm([[x * b for x, (_, b) in zip(r, vz)] for r in O1], tp(H))
        V = mm(mm(H, [[vz[i][0] if i == j else 0.0 for j in range(h)] for i in range(h)]), tp(O2))
        return Z, V
    ALL = (0, 0.5, 3, 50, 1e6, "inf")
    # h = 1
    Z, V = build(3, 1, 2, 1, [2])
    add("h1-3x1x2-lambda1", 1, Z, dec(rng, 3, 2), V, ALL)
    Z, V = build(2, 1, 3, -1, [4])
    add("h1-2x1x3-lambda-1", -1, Z, dec(rng, 2, 3), V, (0.5, 50, "inf"))
    # h = 2 < min(N, k)
    Z, V = build(4, 2, 5, 1, [2, 4])
    add("h2-4x2x5-lambda1", 1, Z, dec(rng, 4, 5), V, (0.5, 3, 50, "inf"))
    Z, V = build(5, 2, 4, -4, [8, 1])
    add("h2-5x2x4-lambda-4", -4, Z, dec(rng, 5, 4), V, (0.5, 3, 1e6, "inf"))
    # N = k
    Z, V = build(4, 4, 4, 4, [2, 4, 8, 4])
    add("square-4x4x4-lambda4", 4, Z, dec(rng, 4, 4), V, ALL)
    Z, V = build(4, 3, 4, 0.25, [1, 2, 0.5])
    add("square-4x3x4-lambda0.25", 0.25, Z, dec(rng, 4, 4), V, (0.5, 3, "inf"))
    # h = N < k and h = k < N
    Z, V = build(2, 2, 4, -1, [2, 0.5])
    add("hN-2x2x4-lambda-1", -1, Z, dec(rng, 2, 4), V, (0.5, 50, "inf"))
    Z, V = build(5, 2, 2, 1, [1, 4])
    add("hk-5x2x2-lambda1", 1, Z, dec(rng, 5, 2), V, (0.5, 50, 1e6, "inf"))
    # h = max(N, k): the wider side alone carries lambda
    O = ortho(rng, 4)
    vz = [pair(4, -1), pair(2, -1)]
    H = ortho(rng, 4)
    Z = mm(O, tp(H))
    Zd = [[x * s for x, s in zip(r, [vz[0][1], vz[1][1], 1.0, 1.0])] for r in O]
    Z = mm(Zd, tp(H))
    V = mm(H, [[vz[0][0], 0.0], [0.0, vz[1][0]], [0.0, 0.0], [0.0, 0.0]])
    add("hmax-4x4x2-lambda-1", -1, Z, dec(rng, 4, 2), V, ALL)
    O = ortho(rng, 4)
    V = mm(H, [[x * s for x in r] for r, s in zip(O, [pair(4, 1)[0], pair(2, 1)[0], 1.0, 1.0])])
    Z = mm([[pair(4, 1)[1], 0.0, 0.0, 0.0], [0.0, pair(2, 1)[1], 0.0, 0.0]], tp(H))
    add("hmax-2x4x4-lambda1", 1, Z, dec(rng, 2, 4), V, (0.5, 50, "inf"))
    # zero head, lambda < 0
    Z = mm(cols(ortho(rng, 5), 3), eye(3, 1.0))
    add("zero-head-5x3x2-lambda-1", -1, Z, dec(rng, 5, 2), zeros(3, 2), ALL)
    Z = [[2.0 * x for x in r] for r in ortho(rng, 4)]
    add("zero-head-4x4x3-lambda-4", -4, Z, dec(rng, 4, 3), zeros(4, 3), (0.5, 3, "inf"))
    Z = [[0.25 * x for x in r] for r in cols(ortho(rng, 4), 1)]
    add("zero-head-4x1x1-lambda-1/16", -0.0625, Z, dec(rng, 4, 1), zeros(1, 1), (0.5, 50, "inf"))
    # zero features, lambda > 0
    V = mm(eye(2, 2.0), cols(ortho(rng, 3), 3)[:2])
    add("zero-features-3x2x3-lambda4", 4, zeros(3, 2), dec(rng, 3, 3), V, ALL)
    V = ortho(rng, 4)
    add("zero-features-2x4x4-lambda1", 1, zeros(2, 4), dec(rng, 2, 4), V, (0.5, 50, "inf"))
    # lambda = 0
    Z, V = build(4, 3, 4, 0, [2, 1, 0.5])
    add("lambda0-4x3x4", 0, Z, dec(rng, 4, 4), V, ALL)
    V = dy(rng, 2, 2)
    Z = mm(cols(ortho(rng, 4), 2), tp(V))
    add("lambda0-4x2x2", 0, Z, dec(rng, 4, 2), V, (0.5, 3, 50, "inf"))
    Z = dy(rng, 2, 4)
    V = mm(tp(Z), tp(cols(ortho(rng, 4), 2)))
    add("lambda0-2x4x4", 0, Z, dec(rng, 2, 4), V, (0.5, 50, "inf"))
    Z, V = build(4, 2, 4, 0, [2, 1])
    low = mm(dy(rng, 4, 2), dy(rng, 2, 4))
    add("lambda0-low-rank-targets-4x2x4", 0, Z, low, V, (0.5, 50, "inf"))
    # zero targets at lambda = 0: algebraic decay to 0, like 1 / t
    Z, V = build(2, 2, 2, 0, [2, 1])
    add("lambda0-zero-targets-2x2x2", 0, Z, zeros(2, 2), V, (0.5, 50, 1e6, "inf"))
    # one-by-one, nothing but a scalar
    Z, V = build(1, 1, 1, 1, [-2])
    add("scalar-1x1x1-lambda1", 1, Z, [[1.5]], V, (0.5, 3, "inf"))
    Z, V = build(1, 1, 1, 0, [2])
    add("scalar-1x1x1-lambda0-negative-target", 0, Z, [[-1.5 if Z[0][0] * V[0][0] > 0 else 1.5]], V, (0.5, 3))
    # lambda = 2^-20
    e = 2.0 ** -20
    Z, V = build(3, 2, 3, e, [1, 2])
    add("lambda2^-20-3x2x3", e, Z, dec(rng, 3, 3), V, ALL)
    Z, V = build(3, 1, 2, -e, [1])
    add("lambda-2^-20-3x1x2", -e, Z, dec(rng, 3, 2), V, (0.5, 50, 1e6, "inf"))
    # a zero target in one direction: the rate there is lambda itself
    Z, V = build(2, 2, 2, e, [1, 2])
    add("lambda2^-20-singular-targets-2x2x2", e, Z, [[1.5, 0.75], [1.0, 0.5]], V, (3, 1e6, "inf"))
    Z, V = build(2, 2, 2, 1, [1, 2])
    add("lambda1-singular-targets-2x2x2", 1, Z, [[1.5, 0.75], [1.0, 0.5]], V, (3, 1e6, "inf"))
    return L


def make_balanced():
    cases, worst, cache = [], 99, {}
    for id, lam, z, y, v, t in balanced_cases():
        mp.dps = 700
        Z, Y, V = M(z), M(y), M(v)
        N, k = Y.rows, Y.cols
        T = mpf(10) ** 200 if t == "inf" else mpf(t)
        S = balanced(mpf(lam), Y, Z, V, T)
        if t != "inf" and 0 < t <= 3:
            d = digits(maxabs(S - t16_as_stated(mpf(lam), Y, Z, V, T)), scale_of(S))
            assert d >= MAXDIG, ("T16", id, d)
        mp.dps = 200
        sc = scale_of(S, Y, Z * Z.T, V.T * V)
        chop(S, sc)
        f = resume(cache, (z, y, v), lambda: Flow(z, v, y, eye(N), 1.0, bits=420))
        end = f.run(None if t == "inf" else t, rest=1e-62)
        agree = None
        if end != "steps":
            Q = mp.matrix(N + k, len(v))
            Zt, Vt = f.features(), f.head()
            for l in range(len(v)):
                for i in range(N):
                    Q[i, l] = Zt[i, l]
                for j in range(k):
                    Q[N + j, l] = Vt[l, j]
            agree = agreement([(Q * Q.T, S, sc)])
            if agree < 40:
                raise SystemExit(f"balanced {id}: disagreement {agree} ({end}, {f.steps} steps)")
            worst = min(worst, agree)
        if VERBOSE:
            print(f"    {id}: {agree} digits, {f.steps} steps", flush=True)
        cases.append({"id": id, "lambda": lam, "features": z, "targets": y, "head": v, "t": t,
                      "feature_gram": rows(S[:N, :N]), "prediction": rows(S[:N, N:]), "head_gram": rows(S[N:, N:]),
                      "confirmed": agree is not None, "agreement": agree})
    return cases, worst


# ------------------------------------------------------------------ general flow

def flow_cases():
    rng = random.Random(5)
    L = []

    def add(id, Z, K, Y, V, g, ts):
        assert K == tp(K)
        for t in ts:
            L.append((f"{id}-t{t}", Z, K, Y, V, float(g), t if t == "inf" else float(t)))

    def kernel(n):
        """well conditioned: Gram matrix of n x (2 n + 2) data, scaled by a power of two"""
        x = dy(rng, n, 2 * n + 2, 4, 4)
        s = 2.0 ** -round(math.log2(2 * n + 2))
        return [[a * s for a in r] for r in mm(x, tp(x))]

    def conditioned(n, ev):
        o = ortho(rng, n)
        return mm([[a * e for a, e in zip(r, ev)] for r in o], tp(o))
    add("n1-1x2x1", dec(rng, 1, 2), [[1.5]], [[2.0]], dec(rng, 2, 1), 1, (0.1, 1, 10, "inf"))
    add("n2-wide-2x5x1", dec(rng, 2, 5), kernel(2), dec(rng, 2, 1), dec(rng, 5, 1, 0.5), 1, (0.1, 1, "inf"))
    add("n3-3x4x2", dec(rng, 3, 4), kernel(3), dec(rng, 3, 2), dec(rng, 4, 2, 0.5), 1, (0.1, 1, 10, 100, "inf"))
    add("n4-narrow-4x2x3", dec(rng, 4, 2), kernel(4), dec(rng, 4, 3), dec(rng, 2, 3, 0.5), 1, (0.1, 1, "inf"))
    add("n5-narrow-5x3x1", dec(rng, 5, 3), kernel(5), dec(rng, 5, 1), dec(rng, 3, 1), 1, (1, 10, "inf"))
    add("n6-6x8x4", dec(rng, 6, 8, 0.5), kernel(6), dec(rng, 6, 4), dec(rng, 8, 4, 0.3), 1, (0.1, 1, 10))
    add("h1-3x1x1", dec(rng, 3, 1), kernel(3), dec(rng, 3, 1), dec(rng, 1, 1), 1, (1, "inf"))
    Z, K, Y, V = dec(rng, 3, 4), kernel(3), dec(rng, 3, 2), dec(rng, 4, 2, 0.5)
    add("gamma0.01-3x4x2", Z, K, Y, V, 0.01, (1, 10, "inf"))
    add("gamma100-3x4x2", Z, K, Y, V, 100, (0.1, 1, "inf"))
    add("gamma0.01-narrow-4x2x2", dec(rng, 4, 2), kernel(4), dec(rng, 4, 2), dec(rng, 2, 2), 0.01, (1, 100))
    add("zero-head-3x5x2", dec(rng, 3, 5), kernel(3), dec(rng, 3, 2), zeros(5, 2), 1, (0.1, 1, "inf"))
    add("zero-head-narrow-4x2x1", dec(rng, 4, 2), kernel(4), dec(rng, 4, 1), zeros(2, 1), 1, (1, "inf"))
    add("small-head-3x4x1", dec(rng, 3, 4), kernel(3), dec(rng, 3, 1), [[1e-3], [-2e-3], [5e-4], [1e-3]], 1, (1, 10, "inf"))
    add("small-all-3x3x2", dec(rng, 3, 3, 1e-3, 5), kernel(3), dec(rng, 3, 2), dec(rng, 3, 2, 1e-3, 5), 1, (1, 10, 100))
    add("zero-features-2x3x2", zeros(2, 3), kernel(2), dec(rng, 2, 2), dec(rng, 3, 2), 1, (1, "inf"))
    K = conditioned(4, [4.0, 1.0, 0.125, 2.0 ** -8])
    add("cond1e3-4x5x1", dec(rng, 4, 5), K, dec(rng, 4, 1), dec(rng, 5, 1), 1, (0.1, 1, 10, 100))
    add("cond1e3-narrow-4x2x2", dec(rng, 4, 2), K, dec(rng, 4, 2), dec(rng, 2, 2), 1, (1, 10, 100))
    # singular kernel; h < N, so the targets cannot be reached
    K = gram(rng, 4, 2)
    add("singular-kernel-4x2x1", dec(rng, 4, 2), K, dec(rng, 4, 1), dec(rng, 2, 1), 1, (0.1, 1, 10, "inf"))
    add("singular-kernel-4x2x2", dec(rng, 4, 2), K, dec(rng, 4, 2), dec(rng, 2, 2), 1, (1, 10, 100))
    d = dec(rng, 2, 3)
    add("duplicated-samples-3x3x1", [d[0], d[1], list(d[0])],
        mm([[1.0, 0.5], [0.25, 1.0], [1.0, 0.5]], [[1.0, 0.25, 1.0], [0.5, 1.0, 0.5]]), [[1.0], [-0.5], [-2.0]],
        dec(rng, 3, 1), 1, (1, 10, "inf"))
    add("zero-kernel-3x2x1", dec(rng, 3, 2), zeros(3, 3), dec(rng, 3, 1), dec(rng, 2, 1), 1, (1, "inf"))
    # targets with the wrong sign: Y = -Z V
    Z, V = dy(rng, 3, 4, 4, 4), dy(rng, 4, 2, 4, 3)
    add("reversed-targets-3x4x2", Z, kernel(3), [[-a for a in r] for r in mm(Z, V)], V, 1, (0.1, 1, "inf"))
    add("one-hot-4x6x3", dec(rng, 4, 6, 0.5), kernel(4), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
        dec(rng, 6, 3, 0.2), 1, (1, 10))
    add("zero-targets-2x2x1", dec(rng, 2, 2), kernel(2), zeros(2, 1), dec(rng, 2, 1), 1, (1, 10))
    return L


def make_flow():
    mp.dps = 150
    cases, worst = [], 99
    cache = {}
    for id, z, k, y, v, g, t in flow_cases():
        N, h, q = len(y), len(v), len(y[0])
        t0 = time.time()
        outs = []
        for opt in (dict(bits=340, order=80, tol_bits=180), dict(bits=400, order=92, tol_bits=205)):
            f = resume(cache, (z, k, y, v, g, opt), lambda: Flow(z, v, y, k, g, budgets=True, **opt))
            end = f.run(None if t == "inf" else t, rest=1e-52, max_steps=3000)
            if end == "steps":
                raise SystemExit(f"flow {id}: not finished at t = {float(f.t) / 2.0 ** f.B if f.t < 2 ** 900 else f.t}")
            outs.append((f.features(), f.head(), f.resid(), mp.ldexp(mpf(int(f.bb)), -f.B), mp.ldexp(mpf(int(f.bh)), -f.B)))
        (Z1, V1, R1_, b1, h1), (Z2, V2, R2, b2, h2) = outs
        Z, Y, V = M(z), M(y), M(v)
        R0 = Y - Z * V
        sr = scale_of(Y, Z * V)
        spent = (fro(R0) ** 2 - fro(R2) ** 2) / 2
        dg = min(agreement([(Z1, Z2, scale_of(Z2)), (V1, V2, scale_of(V2)), (R1_, R2, sr)]),
                 digits(abs(b1 - b2), b2), digits(abs(h1 - h2), h2), digits(abs(b2 + h2 - spent), spent))
        if dg < 35:
            raise SystemExit(f"flow {id}: only {dg} digits")
        worst = min(worst, dg)
        cut = mpf(10) ** -50
        for m, s in ((Z2, scale_of(Z2)), (V2, scale_of(V2)), (R2, sr)):
            for i in range(m.rows):
                for j in range(m.cols):
                    if abs(m[i, j]) < s * cut:
                        m[i, j] = mpf(0)
        cases.append({"id": id, "features": z, "kernel": k, "targets": y, "head": v, "gamma": g, "t": t,
                      "features_out": rows(Z2), "head_out": rows(V2), "residual_out": rows(R2),
                      "budget_backbone": s50(b2), "budget_head": s50(h2), "digits": dg})
        if VERBOSE:
            print(f"    {id}: {dg} digits, {f.steps} steps, {time.time() - t0:.1f} s", flush=True)
    return cases, worst


# ------------------------------------------------------------------ limits

def make_limits():
    mp.dps = 1000
    L = [(1.0, 0.5, 0.25), (1.0, 0.5, 0.0), (1.0, 0.5, 1.0), (1.0, 0.5, -0.5), (1.0, 0.5, -1.0), (1.0, 0.5, -3.0),
         (1.0, 0.5, 2.0), (1.0, 0.0, 0.5), (1.0, 0.0, 0.0), (1.0, 0.0, 1.0), (1.0, 0.0, -2.0), (2.0, 0.0, -0.5),
         (1e-3, 1e-3, 0.0), (1e-3, 1e-3, 5e-4), (1e-3, 1e3, 0.0), (1e-3, 1.0, -1e-3), (1e-3, 0.0, 0.0),
         (1e3, 1e-3, 0.0), (1e3, 1e-3, 999.0), (1e3, 1e3, 0.0), (1e3, 1e3, 500.0), (1e3, 1.0, -1.0), (1e3, 0.0, 0.0),
         (1e3, 1e3, -1e3), (10.0, 2.0, 3.0), (10.0, 2.0, -3.0), (0.1, 0.3, 0.05), (0.1, 0.3, -0.9),
         (100.0, 0.01, 1.0), (0.5, 1e-3, -1.0), (0.5, 1e-3, -0.999), (30.0, 10.0, 30.0 - 1e-9), (1.0, 0.5, 1.0 - 1e-12),
         (3.0, 1e-6, 2.0), (2.5, 0.75, 1.25), (0.01, 100.0, 0.005)]
    cases, worst = [], 99
    for i, (y, w, a) in enumerate(L):
        Y, W, A = mpf(y), mpf(w), mpf(a)
        m = 1 + A * A + W * W
        # T8: m S + 2 a C = 2 y
        z, v, r, sig, _, _ = rank_one(1.0, 1.0, y, [1.0, 0.0], [a, w], mpf("inf"))
        assert abs(m * mp.sinh(2 * sig) + 2 * A * mp.cosh(2 * sig) - 2 * Y) < mpf(10) ** -200 * (1 + abs(Y)), i
        norm = mp.sqrt(dot(z, z))
        t9 = mp.sqrt((mp.sqrt(4 * Y * Y + m * m - 4 * A * A) + 1 - A * A - W * W) / 2)
        assert abs(norm - t9) < mpf(10) ** -200 * (1 + norm), i
        dist = mp.sqrt((z[0] - 1) ** 2 + z[1] ** 2)
        # 1 - cos = |z/|z| - e1|^2 / 2, free of cancellation at 1000 digits anyway
        cosd = 1 - z[0] / norm
        if abs(cosd) < mpf(10) ** -500:
            cosd = mpf(0)
        if abs(dist) < mpf(10) ** -500:
            dist = mpf(0)
        o = R1(1.0, 1.0, y, [1.0, 0.0], [a, w])
        end = o.run(None)
        assert end == "rest"
        gz = [to_mp(x) for x in o.z]
        parts = [rel_digits(gz, z), rel_digits(to_mp(o.sig), sig) if sig else MAXDIG]
        if dist:
            parts.append(rel_digits(mp.sqrt((gz[0] - 1) ** 2 + gz[1] ** 2), dist))
        if cosd and w:
            parts.append(rel_digits(1 - gz[0] / mp.sqrt(dot(gz, gz)), cosd))
        if min(parts) < 40:
            raise SystemExit(f"limits {i}: disagreement {parts}")
        worst = min(worst, min(parts))
        cases.append({"id": f"y{y:g}-w{w:g}-a{a!r}", "y": y, "w": w, "a": a, "sigma": s50(sig), "euclidean": s50(dist),
                      "cosine_distance": s50(cosd), "dot": s50(z[0]), "norm": s50(norm),
                      "confirmed": True, "agreement": min(parts)})
    return cases, worst


# ------------------------------------------------------------------ slopes

def limit_at(y, w, a):
    """sigma from its closed form, corrected by Newton's method on the limit equation T8."""
    m = 1 + a * a + w * w
    s = mp.log((2 * y + mp.sqrt(4 * y * y + m * m - 4 * a * a)) / (m + 2 * a)) / 2
    for _ in range(20):
        step = (m * mp.sinh(2 * s) + 2 * a * mp.cosh(2 * s) - 2 * y) / (2 * m * mp.cosh(2 * s) + 4 * a * mp.sinh(2 * s))
        s -= step
        if abs(step) <= mpf(10) ** (12 - mp.dps) * abs(s):
            return s
    raise SystemExit(f"limit {y} {w} {a}: no convergence")


def metrics_at(y, w, a):
    s = limit_at(y, w, a)
    along, across = mp.cosh(s) + a * mp.sinh(s), w * mp.sinh(s)
    return [mp.hypot(2 * mp.sinh(s / 2) ** 2 + a * mp.sinh(s), across), mp.atan2(across, along), along, mp.hypot(along, across)]


def slopes_cases():
    rng = random.Random(13)
    L = [(1.0, 0.5, s) for s in (0.0, 1e-9, -1e-9, 1.0 - 1e-9, 0.999, -0.5, -1.0, -4.0)]
    L += [(y, w, s) for y in (1e-3, 1e3) for w in (1e-3, 1e3) for s in (0.5, 0.0, -1.0, -4.0, 0.999999)]
    L += [(1.0, 1e-3, -1.0), (0.5, 1e-3, -2.0), (2.0, 1e-3, -0.5), (2.0, 1e-3, -0.501), (100.0, 0.01, -0.01), (1.5, 0.2857, -1.0)]
    while len(L) < 160:
        y, w = (float(f"{10 ** rng.uniform(-3, 3):.4g}") for _ in range(2))
        L.append((y, w, float(f"{rng.uniform(-4, 1):.5g}")))
    return L


def make_slopes():
    mp.dps = 150
    cases, worst = [], 99
    for i, (y, w, s) in enumerate(slopes_cases()):
        Y, W = mpf(y), mpf(w)
        A = Y * mpf(s)
        sig = limit_at(Y, W, A)
        C, S = mp.cosh(2 * sig), mp.sinh(2 * sig)
        m = 1 + A * A + W * W
        P = m * C + 2 * A * S
        # -d/da, numerically, near the face E = 0 with a step well inside
        step = mpf(10) ** -25 * (Y + abs(A)) * min(1, 1 - mpf(s))
        def slope(f):
            # central difference of order 6
            g = lambda n: f(A + n * step)
            return -(45 * (g(1) - g(-1)) - 9 * (g(2) - g(-2)) + (g(3) - g(-3))) / (60 * step)
        got = [slope(lambda a, k=k: metrics_at(Y, W, a)[k]) for k in range(4)]
        # the chain rule: d sigma / dE = (C + a S) / P
        ds = (C + A * S) / P
        z = (mp.cosh(sig) + A * mp.sinh(sig), W * mp.sinh(sig))
        dz = ((mp.sinh(sig) + A * mp.cosh(sig)) * ds - mp.sinh(sig), W * mp.cosh(sig) * ds)
        D = (2 * mp.sinh(sig / 2) ** 2 + A * mp.sinh(sig), z[1])
        n2 = z[0] ** 2 + z[1] ** 2
        want = [(D[0] * dz[0] + D[1] * dz[1]) / mp.hypot(*D), (z[0] * dz[1] - z[1] * dz[0]) / n2, dz[0],
                (z[0] * dz[0] + z[1] * dz[1]) / mp.sqrt(n2)]
        # relative to the terms that make up each slope
        size = [mp.hypot(*dz), mp.hypot(*dz) / mp.sqrt(n2), abs(dz[0]) + mp.sinh(sig), mp.hypot(*dz)]
        dg = min(rel_digits(g, v, scale) for g, v, scale in zip(got, want, size))
        if dg < 40:
            raise SystemExit(f"slopes {y} {w} {s}: agreement {dg}")
        worst = min(worst, dg)
        want[3] = mpf(0) if s == 0 else want[3]
        cases.append({"id": f"{i}: y={y:g} w={w:g} s={s!r}", "y": y, "w": w, "s": s, "sigma": s50(sig), "p": s50(P),
                      "tanh": s50(mp.tanh(sig)), "sech": s50(1 / mp.cosh(sig)), "tanh_half": s50(mp.tanh(sig / 2)),
                      "dot": s50(z[0]), "norm": s50(mp.sqrt(n2)), "distance": s50(mp.hypot(*D)),
                      "slope_distance": s50(want[0]), "slope_angle": s50(want[1]), "slope_dot": s50(want[2]),
                      "slope_norm": s50(want[3]), "confirmed": True, "agreement": dg})
    return cases, worst


# ------------------------------------------------------------------ main

ABOUT = {
    "rank_one": "Rank-one flow z' = kappa r v, v' = gamma r z, r = y - z.v from z0, v0 to time t: z, v, residual r, "
                "rapidity sigma (sigma' = sqrt(kappa gamma) r), and the loss spent by backbone and head.",
    "probing": "Head probing V' = Z^T (Y - Z V), Z fixed, for time tau; aie is the mean over rows of the l2 norm of the "
               "residual row, frobenius its Frobenius norm.",
    "frozen": "Frozen head (gamma = 0): Z' = K R V^T, V fixed, to time t.",
    "balanced": "K = I, gamma = 1, V0 V0^T - Z0^T Z0 = lambda I exactly: Z Z^T, Z V and V^T V at time t.",
    "flow": "General flow Z' = K R V^T, V' = gamma Z^T R to time t, by Taylor integration; digits: how many hold in every "
            "output, relative to the largest entry of that output (residual: of Y or Z0 V0). For t = inf the integration "
            "ran until every entry of Z' and V' was below 1e-52. Entries below 1e-50 of the scale are written 0.0.",
    "limits": "Limits t = inf of the rank-one flow with z0 = e1, v0 = a e1 + w e2, kappa = gamma = 1: rapidity, |z - z0|, "
              "1 - cos(z, z0), z.z0, |z|.",
    "slopes": "Limits t = inf of the same model with a = s y: rapidity, P = |z|^2 + |v|^2, tanh and sech of the rapidity, tanh of "
              "its half, metrics, and the derivatives along the energy E = y - a of |z - z0|, the angle between z and z0, z.z0 and |z|.",
}
COMMON = (" Inputs are exactly the f64 shown; outputs are decimal strings with 50 significant digits (see make.py). "
          "confirmed: an independent Taylor integration agrees to at least 40 digits (agreement: how many, at most 60).")
LEAST = {"rank_one": 40, "probing": 10, "frozen": 10, "balanced": 14, "flow": 16, "limits": 12, "slopes": 100}
MAKE = {"rank_one": make_rank_one, "probing": make_probing, "frozen": make_frozen, "balanced": make_balanced,
        "flow": make_flow, "limits": make_limits, "slopes": make_slopes}
VERBOSE = os.environ.get("VERBOSE", "") != ""


def write(name, cases):
    about = ABOUT[name] + (COMMON if name not in ("flow", "slopes") else COMMON.split(" confirmed:")[0])
    lines = ",\n".join(json.dumps(c) for c in cases)
    with open(os.path.join(HERE, name + ".json"), "w") as f:
        f.write('{"about": ' + json.dumps(about) + ',\n"cases": [\n' + lines + "\n]}\n")


def check():
    total = 0
    for name in MAKE:
        path = os.path.join(HERE, name + ".json")
        if not os.path.exists(path):
            print(f"{name}.json is missing")
            continue
        size = os.path.getsize(path)
        total += size
        d = json.load(open(path))
        cs = d["cases"]
        assert len(cs) >= LEAST[name] and len({c["id"] for c in cs}) == len(cs), name
        for c in cs:
            for key, x in c.items():
                flat = [x]
                while flat:
                    q = flat.pop()
                    if isinstance(q, list):
                        flat.extend(q)
                    elif isinstance(q, str) and key not in ("id", "t", "tau"):
                        mpf(q)
                        assert len(q.lstrip("-").split("e")[0].replace(".", "").lstrip("0")) <= 50 or q == "inf", (name, c["id"], q)
                    elif isinstance(q, float):
                        assert math.isfinite(q)
        conf = [c.get("confirmed") for c in cs]
        low = min(c["digits"] for c in cs) if name == "flow" else min(c["agreement"] for c in cs if c["confirmed"])
        say = "by two integrations" if name == "flow" else f"{conf.count(True)} confirmed, {conf.count(False)} not"
        print(f"{name + '.json':14} {len(cs):4} cases, {say}; least agreement {low} digits; {size} bytes")
        for c in cs:
            if c.get("confirmed") is False:
                print(f"    not confirmed: {c['id']}")
    print(f"total {total} bytes")


def main():
    names = sys.argv[1:]
    if names != ["check"]:
        for name in names or MAKE:
            t0 = time.time()
            cases, worst = MAKE[name]()
            write(name, cases)
            print(f"{name}: {len(cases)} cases, least agreement {worst}, {time.time() - t0:.1f} s", flush=True)
    check()


if __name__ == "__main__":
    main()
