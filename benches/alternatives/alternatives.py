"""Other kinds of methods on the reduced flow, as prototypes: how many evaluations and decompositions they need.

    target/peers-venv/bin/python3 benches/alternatives/alternatives.py target/release/solver_suite [CASE…]

The environment and the binary are those that benches/peers/run makes. All have adaptive steps; local errors are
measured as ours are: of motion and head, each relative to its own size. For each goal the table shows the run with the
fewest products among tolerances 10^-3, 10^-3.5 … whose achieved error meets it. Products are of the size n×p×k: 3 an
evaluation, 6 a product with the full Jacobian. Decompositions are not counted in products, but by number and size.
"""

import json
import math
import pathlib
import subprocess
import sys
import time

import numpy as np
import scipy.linalg
from scipy.integrate import solve_ivp

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "peers"))
from peers import export, relative

CASES = {"easy": 100.0, "condition-1e4": 1e4, "condition-1e6": 1e6, "wide": 100.0, "forty": 1e4, "digits": 10.0}
GOALS = [1e-4, 1e-6, 1e-8]
TOLERANCES = [10 ** (-3 - i / 2) for i in range(17)]
# Seconds for one run, and unknowns up to which the full Jacobian is made.
LIMIT, DENSE = 20, 2000


class TooLong(Exception):
    pass


class Flow:
    """The flow in (D, V/√γ), in which its Jacobian is symmetric, with counters."""

    def __init__(self, case):
        self.root = np.sqrt(case["lambda"])[:, None]
        self.z0, self.y = case["reduced_features"], case["reduced_targets"]
        self.rate = math.sqrt(float(case["head_rate"]))
        self.v_shape, self.split = case["reduced_head"].shape, self.z0.size
        self.start = np.concatenate([np.zeros(self.split), case["reduced_head"].ravel() / self.rate])
        self.wanted = case["motion_end"], case["reduced_head_end"]
        self.evaluations = self.jacobian_products = self.decompositions = self.steps = self.refused = 0
        self.decomposed = self.other_products = 0
        self.deadline = time.process_time() + LIMIT

    def parts(self, x):
        return x[: self.split].reshape(self.z0.shape), x[self.split :].reshape(self.v_shape)

    def linearised(self, x):
        d, v = self.parts(x)
        z, v = self.rate * (self.z0 + self.root * d), self.rate * v
        return z, v, self.y - z @ v / self.rate

    def f(self, x):
        self.evaluations += 1
        z, v, r = self.linearised(x)
        return np.concatenate([(self.root * (r @ v.T)).ravel(), (z.T @ r).ravel()])

    def jacobian_at(self, x):
        """J as a function of a vector."""
        z, v, r = self.linearised(x)

        def apply(change):
            self.jacobian_products += 1
            d, w = self.parts(change)
            m = self.root * d
            s = -(m @ v + z @ w)
            back = self.rate * r
            return np.concatenate([(self.root * (s @ v.T + back @ w.T)).ravel(), (z.T @ s + m.T @ back).ravel()])

        return apply

    def dense(self, x):
        z, v, r = self.linearised(x)
        pull = np.hstack([np.kron(np.diag(self.root[:, 0]), v.T), np.kron(z, np.eye(v.shape[1]))])
        jacobian = -pull.T @ pull
        cross = np.einsum("ic,ab->iabc", self.rate * self.root * r, np.eye(len(v))).reshape(self.split, -1)
        jacobian[: self.split, self.split :] += cross
        jacobian[self.split :, : self.split] += cross.T
        return jacobian

    def decompose(self, size):
        self.decompositions += 1
        self.decomposed = size

    def sizes(self, x, new):
        return [np.linalg.norm(a) + np.linalg.norm(b - a) for a, b in zip(self.parts(x), self.parts(new))]

    def error(self, x):
        d, v = self.parts(x)
        return relative([(d, self.wanted[0]), (v * self.rate, self.wanted[1])])


def adaptive(flow, until, tolerance, order, attempt):
    """Steps with local errors of h^order. `attempt(x, f, h)` gives the new state and the error, or None."""
    x, t = flow.start.copy(), 0.0
    f = flow.f(x)
    z, v, _ = flow.linearised(x)
    h = 0.01 / (np.linalg.norm(z, 2) ** 2 + np.linalg.norm(flow.root * np.linalg.norm(v, 2)) ** 2)
    while t < until:
        if time.process_time() > flow.deadline:
            raise TooLong
        h = min(h, until - t)
        tried = attempt(x, f, h)
        if tried is None:
            flow.refused += 1
            h /= 4
            continue
        new, delta = tried
        ratios = [np.linalg.norm(e) / s for e, s in zip(flow.parts(delta), flow.sizes(x, new))]
        error = max(ratios) / tolerance
        if not np.isfinite(error):
            flow.refused += 1
            h /= 4
            continue
        if error <= 1:
            t = until if h == until - t else t + h
            x, f = new, flow.f(new)
            flow.steps += 1
        else:
            flow.refused += 1
        h *= min(5.0, max(0.1, 0.85 * max(error, 1e-10) ** (-1 / order)))
    return x


def chebyshev_step(flow, x, f, h):
    """A step of second-order Runge–Kutta–Chebyshev (Sommeijer, Shampine and Verwer, J. Comput. Appl. Math. 88, 1998),
    with the spectral radius of the exact Jacobian for nothing."""
    z, v, r = flow.linearised(x)
    # ‖Θ‖ ≤ ‖K‖‖V‖² + ‖Z‖² and the part that the residual makes, at most ‖Λ^{1/2} R‖; 5 % more for safety.
    radius = 1.05 * ((flow.root.max() * np.linalg.norm(v, 2)) ** 2 + np.linalg.norm(z, 2) ** 2)
    radius += flow.rate * np.linalg.norm(flow.root * r, 2)
    s = max(2, 1 + math.ceil(math.sqrt(1.54 * h * radius + 1)))
    w0 = 1 + 2 / 13 / s**2
    # Chebyshev polynomials and two derivatives at w0.
    T, D, E = [1.0, w0], [0.0, 1.0], [0.0, 0.0]
    for j in range(2, s + 1):
        T.append(2 * w0 * T[-1] - T[-2])
        D.append(2 * T[-2] + 2 * w0 * D[-1] - D[-2])
        E.append(4 * D[-2] + 2 * w0 * E[-1] - E[-2])
    w1 = D[s] / E[s]
    b = [0.0, 0.0] + [E[j] / D[j] ** 2 for j in range(2, s + 1)]
    b[0] = b[1] = b[2]
    before, now = x, x + b[1] * w1 * h * f
    for j in range(2, s + 1):
        mu, nu, mut = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], 2 * b[j] * w1 / b[j - 1]
        a = 1 - b[j - 1] * T[j - 1]
        before, now = now, (1 - mu - nu) * x + mu * now + nu * before + mut * h * flow.f(now) - a * mut * h * f
        if j % 50 == 0 and time.process_time() > flow.deadline:
            raise TooLong
    return now


def rkc2(flow, until, tolerance):
    def attempt(x, f, h):
        now = chebyshev_step(flow, x, f, h)
        # The evaluation at the new state is made again by `adaptive` if the step is taken.
        new = flow.f(now)
        flow.evaluations -= 1
        return now, 0.8 * (x - now) + 0.4 * h * (f + new)

    return adaptive(flow, until, tolerance, 3, attempt)


def extrapolated_rkc(flow, until, tolerance):
    """The same in 1, 2 and 3 parts, extrapolated to order 4: a stabilised explicit method of the order of ROCK4,
    without its tables."""

    def attempt(x, f, h):
        ends = []
        for parts in [1, 2, 3]:
            u = x
            for i in range(parts):
                if not np.all(np.isfinite(u)):
                    return None
                u = chebyshev_step(flow, u, f if i == 0 else flow.f(u), h / parts)
            ends.append(u)
        # Errors have the powers 2, 3 and 4 of the step.
        weights = np.linalg.solve([[1, 1, 1], [1, 1 / 4, 1 / 9], [1, 1 / 8, 1 / 27]], [1, 0, 0])
        lower = (4 * ends[1] - ends[0]) / 3
        new = sum(w * u for w, u in zip(weights, ends))
        return new, new - lower

    return adaptive(flow, until, tolerance, 4, attempt)


def exponential(a):
    """Taylor's series to rounding, and squares: SciPy's takes longer to find its way than to compute."""
    halvings = max(0, math.ceil(math.log2(max(np.linalg.norm(a), 1e-300))) + 1)
    a = a / 2**halvings
    total = term = np.eye(len(a))
    for i in range(1, 15):
        term = term @ a / i
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def lie_group(flow, until, tolerance):
    """Runge–Kutta–Munthe-Kaas with the pair of Dormand and Prince, order 5: P = [Bᵀ; Vᵀ/√γ]ᵀ obeys Ṗ = PA with a
    symmetric A that has no diagonal blocks, and P exp(Ω) keeps T2 exactly. For kernels without null space."""
    rows = [
        [],
        [1 / 5],
        [3 / 40, 9 / 40],
        [44 / 45, -56 / 15, 32 / 9],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
    embedded = [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40]
    n, k = len(flow.z0), flow.v_shape[1]
    start = flow.z0 / flow.root
    # An evaluation takes one product, not three; a stage multiplies P by exp(Ω) and matrices of size n + k in four
    # commutators.
    of_a_stage = -2 + (n + k) ** 2 / (n * k) + 8 * (n + k) ** 3 / (n * flow.v_shape[0] * k)

    def generator(p):
        flow.evaluations += 1
        v = flow.rate * p[:, n:]
        r = flow.y - flow.root * p[:, :n].T @ v
        a = np.zeros((n + k, n + k))
        a[:n, n:] = flow.rate * flow.root * r
        return a + a.T

    def commutator(a, b):
        return a @ b - b @ a

    def attempt(x, _, h):
        d, v = flow.parts(x)
        p = np.hstack([(start + d).T, v])
        slopes = []
        for row in rows:
            omega = h * sum((c * s for c, s in zip(row, slopes)), np.zeros((n + k, n + k)))
            moved = p
            if row:
                flow.decompose(n + k)
                if not np.all(np.isfinite(omega)) or np.linalg.norm(omega) > 3:
                    return None
                moved = p @ exponential(omega)
                flow.other_products += of_a_stage
            a = generator(moved)
            one = commutator(omega, a)
            two = commutator(omega, one)
            four = commutator(omega, commutator(omega, two))
            slopes.append(a + one / 2 + two / 12 - four / 720)
        # The first stage is the last of the step before, and the evaluation that `adaptive` makes is not needed.
        flow.evaluations -= 2
        wrong = h * sum((w - e) * s for w, e, s in zip(rows[-1] + [0], embedded, slopes))
        pack = lambda q, shift: np.concatenate([(q[:, :n].T - shift).ravel(), q[:, n:].ravel()])
        return pack(moved, start), pack(moved @ wrong, 0)

    end = adaptive(flow, until, tolerance, 5, attempt)
    flow.evaluations += flow.refused
    return end


def phi(z, k):
    """φ_0 … φ_k."""
    small = np.abs(z) < 2
    safe = np.where(small, 1.0, z)
    values = [np.exp(z)]
    for j in range(1, k + 1):
        series = sum(np.where(small, z, 0.0) ** i / math.factorial(i + j) for i in range(25))
        values.append(np.where(small, series, (values[-1] - 1 / math.factorial(j - 1)) / safe))
    return values


class DenseFunctions:
    """Functions of the full Jacobian by its eigenvectors."""

    def __init__(self, flow, x, h, allowed):
        flow.decompose(len(x))
        self.values, self.vectors = scipy.linalg.eigh(flow.dense(x), driver="evd")
        self.jacobian = flow.jacobian_at(x)

    def space(self, vector):
        coordinates = self.vectors.T @ vector
        return lambda f: self.vectors @ (f(self.values) * coordinates)


class KrylovFunctions:
    """Functions of the full Jacobian by the Lanczos process, all vectors kept orthogonal."""

    def __init__(self, flow, x, h, allowed):
        self.flow, self.h, self.allowed = flow, h, allowed
        self.jacobian = flow.jacobian_at(x)

    def space(self, vector):
        size = np.linalg.norm(vector)
        if size == 0:
            return lambda f: vector
        basis, alpha, beta = [vector / size], [], []
        while True:
            w = self.jacobian(basis[-1])
            alpha.append(basis[-1] @ w)
            q = np.array(basis)
            for _ in range(2):
                w = w - (q @ w) @ q
            rest = np.linalg.norm(w)
            m = len(alpha)
            if m % 5 == 0 or rest < 1e-12 * abs(alpha[0]) or m == len(vector):
                values, vectors = scipy.linalg.eigh_tridiagonal(alpha, beta)
                first = phi(self.h * values, 1)[1]
                left = self.h**2 * size * rest * abs(vectors[-1] @ (first * vectors[0]))
                if left < self.allowed or rest < 1e-12 * abs(alpha[0]) or m == len(vector):
                    break
                if time.process_time() > self.flow.deadline:
                    raise TooLong
            basis.append(w / rest)
            beta.append(rest)
        return lambda f: size * (vectors @ (f(values) * vectors[0])) @ q


def exponential_rosenbrock(functions):
    """Order 5 with embedded order 4, nodes 1/4, 1/2, 9/10: b_3 and b_4 meet the conditions of Luan and Ostermann (J.
    Comput. Appl. Math. 255, 2014) up to order 5, the last in its weak form."""
    c2, c3, c4 = 0.25, 0.5, 0.9

    def method(flow, until, tolerance):
        def weights(p, q, first):
            """What b of two nodes p < q is: 2φ3 and 6φ4 are matched."""
            if first:
                return lambda f: (2 * q * f[3] - 6 * f[4]) / (p * p * (q - p))
            return lambda f: (6 * f[4] - 2 * p * f[3]) / (q * q * (q - p))

        def attempt(x, f, h):
            d, v = flow.parts(x)
            moved = h * f
            guess = [np.linalg.norm(a) for a in flow.parts(moved)]
            allowed = 0.05 * tolerance * min(max(np.linalg.norm(d), min(guess[0], 1.0)), np.linalg.norm(v))
            j = functions(flow, x, h, allowed)
            along = j.space(f)

            def defect(u):
                return flow.f(u) - f - j.jacobian(u - x)

            def at(c):
                return c * h * along(lambda e: phi(c * h * e, 1)[1])

            d2 = j.space(defect(x + at(c2)))
            third = lambda c: h * d2(lambda e: 2 * c**3 / c2**2 * phi(c * h * e, 3)[3])
            d3 = j.space(defect(x + at(c3) + third(c3)))
            d4 = j.space(defect(x + at(c4) + third(c4)))
            use = lambda space, w: h * space(lambda e: w(phi(h * e, 4)))
            base = x + at(1.0)
            new = base + use(d3, weights(c3, c4, True)) + use(d4, weights(c3, c4, False))
            embedded = base + use(d2, weights(c2, c3, True)) + use(d3, weights(c2, c3, False))
            return new, new - embedded

        return adaptive(flow, until, tolerance, 5, attempt)

    return method


def factorised(flow, x, shift):
    """Solves with 1 − shift·J at a state by a dense factorisation."""
    matrix = -shift * flow.dense(x)
    matrix[np.diag_indices_from(matrix)] += 1
    flow.decompose(len(x))
    factors = scipy.linalg.cho_factor(matrix)
    return lambda wrong: scipy.linalg.cho_solve(factors, wrong)


def kvaerno5(equations):
    """Kvaerno's ESDIRK of order 5 (BIT 44, 2004; coefficients from diffrax), Newton's iteration with the exact
    Jacobian at the start of each step, whose linear equations are solved as `equations(flow, x, shift)` does."""

    def method(flow, until, tolerance):
        from diffrax import Kvaerno5

        tableau = Kvaerno5.tableau
        lower = [np.asarray(row) for row in tableau.a_lower]
        diagonal = float(np.asarray(tableau.a_diagonal)[1])
        b, b_error = np.asarray(tableau.b_sol), np.asarray(tableau.b_error)

        def attempt(x, f, h):
            solve = equations(flow, x, h * diagonal)
            k = [f]
            for row in lower:
                known = x + h * sum(a * s for a, s in zip(row, k))
                slope, last = k[-1], None
                for _ in range(10):
                    wrong = flow.f(known + h * diagonal * slope) - slope
                    if not np.all(np.isfinite(wrong)):
                        return None
                    change = solve(wrong)
                    slope = slope + change
                    sizes = flow.sizes(x, known + h * diagonal * slope)
                    size = max(h * diagonal * np.linalg.norm(c) / s for c, s in zip(flow.parts(change), sizes))
                    # The rate of the iteration is known from its second change on.
                    rate = size / last if last else 1
                    if size <= 0.01 * tolerance or (rate < 1 and size * rate / (1 - rate) <= 0.01 * tolerance):
                        break
                    if rate > 2 or not np.isfinite(size):
                        return None
                    last = size
                else:
                    return None
                k.append(slope)
            return x + h * sum(w * s for w, s in zip(b, k)), h * sum(w * s for w, s in zip(b_error, k))

        def safe(x, f, h):
            try:
                return attempt(x, f, h)
            except (np.linalg.LinAlgError, ValueError):
                # The matrix is not finite or not positive definite: the flow runs away from here within the step.
                return None

        return adaptive(flow, until, tolerance, 5, safe)

    return method


def splitting(flow, until, tolerance):
    """Strang splitting into the exact flows of a frozen head and of a frozen backbone, extrapolated with 1, 2, 3 and 4
    parts to order 8."""
    counts = [1, 2, 3, 4]

    def decay(d, t):
        return np.where(d * t > 1e-12, -np.expm1(-d * t) / np.where(d > 0, d, 1), t)

    def frozen_head(x, t):
        z, v, r = flow.linearised(x)
        gains, w = np.linalg.eigh(v.T @ v)
        total = ((r @ w) * decay(flow.root**2 * np.maximum(gains, 0), t)) @ w.T
        flow.evaluations += 1
        return x + np.concatenate([(flow.root * (total @ v.T)).ravel(), np.zeros(v.size)])

    def frozen_backbone(x, t):
        z, v, r = flow.linearised(x)
        flow.decompose(len(z))
        values, q = np.linalg.eigh(z @ z.T)
        total = q @ (decay(np.maximum(values, 0)[:, None], t) * (q.T @ r))
        flow.evaluations += 1
        return x + np.concatenate([np.zeros(flow.split), (z.T @ total).ravel()])

    def attempt(x, _, h):
        table = []
        for row, m in enumerate(counts):
            u = x
            for i in range(m):
                u = frozen_head(u, h / m * (0.5 if i == 0 else 1))
                u = frozen_backbone(u, h / m)
            u = frozen_head(u, h / m * 0.5)
            values = [u]
            for j in range(row):
                ratio = (m / counts[row - 1 - j]) ** 2
                values.append(values[-1] + (values[-1] - table[j]) / (ratio - 1))
            table = values
        return table[-1], table[-1] - table[-2]

    return adaptive(flow, until, tolerance, 7, attempt)


def library(name):
    """A method of SciPy with the exact Jacobian."""

    def method(flow, until, tolerance):
        def f(_, x):
            if time.process_time() > flow.deadline:
                raise TooLong
            return flow.f(x)

        size = [np.abs(part).max() for part in (flow.wanted[0], flow.wanted[1])]
        atol = tolerance * np.concatenate([np.full(flow.split, size[0]), np.full(len(flow.start) - flow.split, size[1])])
        result = solve_ivp(f, (0, until), flow.start, method=name, rtol=max(tolerance, 1e-12), atol=atol, jac=lambda _, x: flow.dense(x))
        flow.steps, flow.decompositions, flow.decomposed = len(result.t) - 1, result.nlu, len(flow.start)
        return result.y[:, -1]

    return method


METHODS = {
    "RKC2": rkc2,
    "extrapolated RKC": extrapolated_rkc,
    "Lie group": lie_group,
    "exponential Rosenbrock, dense": exponential_rosenbrock(DenseFunctions),
    "exponential Rosenbrock, Krylov": exponential_rosenbrock(KrylovFunctions),
    "Kvaerno5, dense": kvaerno5(factorised),
    "SciPy BDF, dense": library("BDF"),
    "SciPy Radau, dense": library("Radau"),
    "extrapolated Strang": splitting,
}


def ours(binary, name, until, tolerance):
    text = subprocess.run([binary, "solve", name, str(until), str(max(tolerance, 1e-13))], check=True, capture_output=True, text=True).stdout
    run = json.loads(text)
    return {**run, "size": None}


def prototype(method, case, until, tolerance):
    flow = Flow(case)
    clock = time.perf_counter()
    try:
        with np.errstate(all="ignore"):
            end = method(flow, until, tolerance)
    except TooLong:
        return None
    return {
        "seconds": time.perf_counter() - clock, "evaluations": flow.evaluations, "steps": flow.steps, "refused": flow.refused,
        "products": round(3 * flow.evaluations + 6 * flow.jacobian_products + flow.other_products), "decompositions": flow.decompositions,
        "size": flow.decomposed, "error": flow.error(end),
    }


def attempts(solve):
    """Runs at smaller and smaller tolerances, until the smallest goal is met or a run takes too long."""
    runs, best = [], np.inf
    for tolerance in TOLERANCES:
        run = solve(tolerance)
        if run is None:
            break
        runs.append(run)
        if not run["error"] >= best / 2 and run["error"] <= GOALS[-1]:
            break
        best = min(best, run["error"])
    return runs


def cheapest(runs):
    """For each goal the run with the fewest products that meets it, or what there is to say instead."""
    for goal in GOALS:
        meet = [run for run in runs if run["error"] <= goal]
        if meet:
            yield goal, min(meet, key=lambda run: run["products"]), ""
        else:
            reached = f"{min(r['error'] for r in runs):.0e}, then " if runs else ""
            yield goal, None, f"{reached}more than {LIMIT} s"


def main(binary, names):
    print("| case | method | goal | error | steps | evaluations | products | decompositions | seconds |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in names or CASES:
        until = CASES[name]
        [case] = export(binary, name, until)
        unknowns = case["reduced_features"].size + case["reduced_head"].size
        n = len(case["reduced_features"])
        for title, method in {"ours": None, **METHODS}.items():
            if "dense" in title and unknowns > DENSE:
                print(f"| {name} | {title} | | more than {DENSE} unknowns | | | | | |", flush=True)
                continue
            solve = lambda tolerance: ours(binary, name, until, tolerance) if method is None else prototype(method, case, until, tolerance)
            for goal, r, instead in cheapest(attempts(solve)):
                if r is None:
                    print(f"| {name} | {title} | {goal:.0e} | {instead} | | | | | |", flush=True)
                    continue
                size = n if r["size"] is None else r["size"]
                made = f"{r['decompositions']} of {size}" if r["decompositions"] else "0"
                print(f"| {name} | {title} | {goal:.0e} | {r['error']:.0e} | {r['steps']} | {r['evaluations']} | {r['products']} | {made} | {r['seconds']:.2f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
