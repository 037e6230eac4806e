"""Other kinds of methods on flows under cross-entropy, as prototypes: how many products and decompositions they need.

    target/peers-venv/bin/python3 benches/alternatives/cross_entropy.py target/release/taskhead [CASE…]

The methods, their step control and their counters are those of alternatives.py. A flow is taken to a finite time; its
width is reduced to N + k beforehand for all of them. Two have no decomposition and no factorisation at all: the
exponential Rosenbrock method by the Lanczos process, and Kvaerno5 whose linear equations are solved by MINRES on the
exact Jacobian.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import LinearOperator, minres

import alternatives
from alternatives import DENSE, LIMIT, METHODS, Flow, TooLong, attempts, cheapest, kvaerno5, prototype, relative

# N, d, h, k, size of the head, time: as in benches/cross_entropy.rs.
CASES = {
    "small": (20, 60, 40, 3, 0.7, 30.0),
    "wide": (32, 512, 256, 4, 0.7, 30.0),
    "middle": (60, 64, 80, 8, 0.7, 100.0),
    "contradictory": (60, 10, 12, 3, 0.7, 100.0),
    "saturated": (24, 32, 48, 5, 1.5e3, 1e-4),
}


class Classifier(Flow):
    """The flow in (D, V/√γ) with γ = 1 under cross-entropy: Z = Z₀ + AD with AAᵀ = K, R = Y − softmax(ZV)."""

    def __init__(self, case):
        self.a, self.z0, self.y = case["a"], case["z0"], case["y"]
        self.rate = 1.0
        self.v_shape = case["v0"].shape
        self.d_shape = (self.a.shape[1], self.z0.shape[1])
        self.split = math.prod(self.d_shape)
        self.start = np.concatenate([np.zeros(self.split), case["v0"].ravel()])
        self.wanted = case.get("wanted")
        self.evaluations = self.jacobian_products = self.decompositions = self.steps = self.refused = 0
        self.decomposed = self.other_products = 0
        self.deadline = time.process_time() + LIMIT
        # For the first step: a bound of the root of the kernel.
        self.root = np.linalg.norm(self.a, 2)

    def parts(self, x):
        return x[: self.split].reshape(self.d_shape), x[self.split :].reshape(self.v_shape)

    def state(self, x):
        d, v = self.parts(x)
        z = self.z0 + self.a @ d
        f = z @ v
        p = np.exp(f - f.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return z, v, p

    def linearised(self, x):
        z, v, p = self.state(x)
        return z, v, self.y - p

    def f(self, x):
        self.evaluations += 1
        z, v, r = self.linearised(x)
        return np.concatenate([(self.a.T @ (r @ v.T)).ravel(), (z.T @ r).ravel()])

    def jacobian_at(self, x):
        z, v, p = self.state(x)
        r = self.y - p

        def apply(change):
            self.jacobian_products += 1
            d, w = self.parts(change)
            m = self.a @ d
            g = m @ v + z @ w
            s = -(p * g - p * (p * g).sum(axis=1, keepdims=True))
            return np.concatenate([(self.a.T @ (s @ v.T + r @ w.T)).ravel(), (z.T @ s + m.T @ r).ravel()])

        return apply

    def dense(self, x):
        z, v, p = self.state(x)
        r, (n, k) = self.y - p, p.shape
        pull = np.hstack([np.einsum("na,bc->ncab", self.a, v).reshape(n * k, -1), np.einsum("nb,cd->ncbd", z, np.eye(k)).reshape(n * k, -1)])
        s = np.einsum("nc,ce->nce", p, np.eye(k)) - np.einsum("nc,ne->nce", p, p)
        curved = np.einsum("nce,nex->ncx", s, pull.reshape(n, k, -1)).reshape(n * k, -1)
        jacobian = -pull.T @ curved
        cross = np.einsum("ac,bd->abdc", self.a.T @ r, np.eye(len(v))).reshape(self.split, -1)
        jacobian[: self.split, self.split :] += cross
        jacobian[self.split :, : self.split] += cross.T
        return jacobian

    def error(self, x):
        return apart(self, x, self.wanted)


def apart(flow, x, wanted):
    d, v = flow.parts(x)
    return relative([(flow.a @ d, wanted[0]), (v, wanted[1])])


def by_minres(flow, x, shift):
    """Solves with 1 − shift·J at a state, which is symmetric, without forming it."""
    jacobian = flow.jacobian_at(x)

    def shifted(u):
        if time.process_time() > flow.deadline:
            raise TooLong
        return u - shift * jacobian(u)

    operator = LinearOperator((len(x), len(x)), matvec=shifted, dtype=float)
    return lambda wrong: minres(operator, wrong, rtol=1e-3, maxiter=2000)[0]


CHOSEN = {name: METHODS[name] for name in ["RKC2", "exponential Rosenbrock, dense", "exponential Rosenbrock, Krylov", "Kvaerno5, dense"]}
CHOSEN["Kvaerno5, MINRES"] = kvaerno5(by_minres)
CHOSEN |= {name: METHODS[name] for name in ["SciPy BDF, dense", "SciPy Radau, dense"]}


def make(name, folder):
    """The problem as a file for ours, and reduced in width for the others."""
    n, d, h, k, size, until = CASES[name]
    rng = np.random.default_rng(7)
    inputs = rng.normal(size=(n, d)) / math.sqrt(d)
    backbone = rng.normal(size=(h, d)) * 1.5 / math.sqrt(h)
    head = rng.normal(size=(h, k)) * size / math.sqrt(h)
    labels = (3 * np.arange(n) + np.arange(n) // k) % k
    path = pathlib.Path(folder) / f"{name}.npz"
    np.savez(path, inputs=inputs, backbone=backbone, head=head, labels=labels)
    features = inputs @ backbone.T
    basis = np.linalg.qr(np.hstack([features.T, head]))[0]
    u, s, _ = np.linalg.svd(inputs, full_matrices=False)
    case = {"a": u * s, "z0": features @ basis, "v0": basis.T @ head, "y": np.eye(k)[labels], "basis": basis, "features": features}
    return path, case, until


def ours(binary, path, case, until, tolerance):
    end = path.with_suffix(".end.npz")
    command = [binary, "simulate", path, "--loss", "cross-entropy", "--time", str(until), "--rtol", str(tolerance), "--json", "--out", end, "--force", "--quiet"]
    run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    arrays = np.load(end)
    moved, head = (arrays["features"] - case["features"]) @ case["basis"], case["basis"].T @ arrays["head"]
    work = run["work"]
    result = {"steps": work["steps"], "refused": work["rejected"], "evaluations": work["evaluations"], "products": work["products"], "size": None}
    result |= {"decompositions": work["decompositions"], "end": (moved, head), "seconds": float("nan")}
    if "wanted" in case:
        result["error"] = relative([(moved, case["wanted"][0]), (head, case["wanted"][1])])
    return result


def main(binary, names):
    alternatives.Flow = Classifier
    print("| case | method | goal | error | steps | evaluations | products | decompositions |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CASES:
            path, case, until = make(name, folder)
            case["wanted"] = ours(binary, path, case, until, 1e-13)["end"]
            flow = Classifier(case)
            check = solve_ivp(lambda _, x: flow.f(x), (0, until), flow.start, method="DOP853", rtol=1e-12, atol=1e-13)
            print(f"| {name} | DOP853 | | {apart(flow, check.y[:, -1], case['wanted']):.0e} | | {flow.evaluations} | | |", flush=True)
            for title, method in {"ours": None, **CHOSEN}.items():
                if "dense" in title and len(flow.start) > DENSE:
                    print(f"| {name} | {title} | | more than {DENSE} unknowns | | | | |", flush=True)
                    continue
                solve = lambda tolerance: ours(binary, path, case, until, tolerance) if method is None else prototype(method, case, until, tolerance)
                for goal, r, instead in cheapest(attempts(solve)):
                    if r is None:
                        print(f"| {name} | {title} | {goal:.0e} | {instead} | | | | |", flush=True)
                        continue
                    size = {None: "k of N"}.get(r["size"], r["size"])
                    made = f"{r['decompositions']} × {size}" if r["decompositions"] else "0"
                    print(f"| {name} | {title} | {goal:.0e} | {r['error']:.0e} | {r['steps']} | {r['evaluations']} | {r['products']} | {made} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
