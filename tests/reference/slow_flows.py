#!/usr/bin/env python3
"""Limits of flows that are slow or come to rest with a residual, by an independent integration.

    Z' = K R V^T,   V' = gamma Z^T R,   R = Y - Z V

How to run (in a virtual environment; half an hour on one core):

    pip install numpy scipy
    python slow_flows.py               # checks slow_flows.json beside this script

Nothing is shared with the program: the flow is integrated in full width by SciPy's Radau at a relative tolerance of
1e-10, to the time that a case names and to ten times that, where nothing has changed any more. It prints residual and
mean distance of the features beside those of the file.
"""

import json
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp


def check(case: dict) -> None:
    z0, kernel, y, v0 = (np.array(case[name]) for name in ("features", "kernel", "targets", "head"))
    (n, h), k, gamma = z0.shape, v0.shape[1], case["gamma"]
    values, vectors = np.linalg.eigh((kernel + kernel.T) / 2)
    values[values < 1e-15 * n * values.max()] = 0
    kernel = (vectors * values) @ vectors.T

    def velocity(_: float, x: np.ndarray) -> np.ndarray:
        z, v = x[: n * h].reshape(n, h), x[n * h :].reshape(h, k)
        r = y - z @ v
        return np.concatenate([(kernel @ r @ v.T).ravel(), (gamma * z.T @ r).ravel()])

    start = np.concatenate([z0.ravel(), v0.ravel()])
    times = [case["time"], 10 * case["time"]]
    absolute = 1e-14 * np.abs(start).max()
    found = solve_ivp(velocity, (0, times[1]), start, "Radau", times, rtol=1e-10, atol=absolute)
    for t, x in zip(found.t, found.y.T):
        z, v = x[: n * h].reshape(n, h), x[n * h :].reshape(h, k)
        residual, distance = np.linalg.norm(y - z @ v), np.linalg.norm(z - z0, axis=1).mean()
        print(f"{case['name']} at {t:g}: {residual:.12g} {distance:.12g}; {case['residual']} {case['distance']}")


if __name__ == "__main__":
    for one in json.loads(Path(__file__).with_suffix(".json").read_text())["cases"]:
        check(one)
