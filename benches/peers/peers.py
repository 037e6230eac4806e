"""Our solver, SciPy's LSODA and diffrax on the same flows, in alternating rounds: see `run` beside this file.

Errors are relative, of motion and head, the worse of both, against our own solution at tolerance 1e-13. A peer runs at a
list of tolerances; the row that counts is the cheapest one with an error of at most GOAL. Each run is a process
of its own, so that its peak memory is its own. Compilation of diffrax is not counted.
"""

import json
import os
import resource
import subprocess
import sys
import time

GOAL = 1e-8
TIMEOUT = float(os.environ.get("PEERS_TIMEOUT", 600))
ROUNDS = 2
# Case, time, and the tolerances that peers try until one meets the goal.
CASES = {"easy": 100.0, "wide": 100.0, "forty": 1e4, "condition-1e6": 1e6, "digits": 10.0}
METHODS = ["ours", "lsoda", "diffrax-kvaerno5", "diffrax-tsit5", "diffrax-kvaerno5-full", "diffrax-tsit5-full"]
TOLERANCES = [1e-8, 1e-9, 1e-10, 1e-11]


def load(binary, name, until):
    import numpy as np

    text = subprocess.run([binary, "export", name, str(until)], check=True, capture_output=True, text=True).stdout
    return {key: np.array(value, dtype=float) for key, value in json.loads(text).items()}


def relative(pairs):
    import numpy as np

    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)


def lsoda(case, until, rtol):
    import numpy as np
    from scipy.integrate import solve_ivp

    root = np.sqrt(case["lambda"])[:, None]
    z0, y, v0, gamma = case["reduced_features"], case["reduced_targets"], case["reduced_head"], float(case["head_rate"])
    split = z0.size

    def velocity(_, x):
        v = x[split:].reshape(v0.shape)
        z = z0 + root * x[:split].reshape(z0.shape)
        r = y - z @ v
        return np.concatenate([(root * (r @ v.T)).ravel(), gamma * (z.T @ r).ravel()])

    start = np.concatenate([np.zeros(split), v0.ravel()])
    clock = time.perf_counter()
    # Absolute tolerances relative to the size of the answer, as ours are.
    size = np.concatenate([np.full(split, np.abs(case["motion_end"]).max()), np.full(v0.size, np.abs(v0).max())])
    result = solve_ivp(velocity, (0, until), start, method="LSODA", rtol=rtol, atol=rtol * size, t_eval=[until])
    seconds = time.perf_counter() - clock
    end = result.y[:, -1]
    error = relative([(end[:split].reshape(z0.shape), case["motion_end"]), (end[split:].reshape(v0.shape), case["reduced_head_end"])])
    return {"seconds": seconds, "evaluations": int(result.nfev), "error": error}


def diffrax_run(case, until, rtol, method, full):
    import jax

    jax.config.update("jax_enable_x64", True)
    import diffrax
    import jax.numpy as jnp

    gamma = float(case["head_rate"])
    if full:
        x, y = jnp.array(case["inputs"]), jnp.array(case["targets"])

        def velocity(_, state, __):
            b, v = state
            z = x @ b.T
            r = y - z @ v
            return v @ (r.T @ x), gamma * (z.T @ r)

        start = (jnp.array(case["backbone"]), jnp.array(case["head"]))
    else:
        root = jnp.sqrt(jnp.array(case["lambda"]))[:, None]
        z0, y = jnp.array(case["reduced_features"]), jnp.array(case["reduced_targets"])

        def velocity(_, state, __):
            d, v = state
            z = z0 + root * d
            r = y - z @ v
            return root * (r @ v.T), gamma * (z.T @ r)

        start = (jnp.zeros_like(z0), jnp.array(case["reduced_head"]))
    solver = {"tsit5": diffrax.Tsit5, "kvaerno5": diffrax.Kvaerno5}[method]()
    controller = diffrax.PIDController(rtol=rtol, atol=rtol, pcoeff=0.3, icoeff=0.3)

    @jax.jit
    def solve(start):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(velocity), solver, 0.0, until, 1e-4, start,
            stepsize_controller=controller, max_steps=10_000_000, saveat=diffrax.SaveAt(t1=True),
        )

    compiled = solve.lower(start).compile()
    clock = time.perf_counter()
    solution = jax.block_until_ready(compiled(start))
    seconds = time.perf_counter() - clock
    first, v = (a[-1] for a in solution.ys)
    if full:
        moved = case["inputs"] @ (first - case["backbone"]).T
        error = relative([(moved, case["features_moved"]), (v, case["head_end"])])
    else:
        error = relative([(first, case["motion_end"]), (v, case["reduced_head_end"])])
    steps = int(solution.stats["num_steps"])
    # Stages of a step: Tsit5 has 6 new ones. Kvaerno5 solves 6 implicit ones by Newton iterations it does not count.
    return {"seconds": seconds, "evaluations": 6 * steps, "steps": steps, "error": error}


def one(binary, method, name, until, rtol):
    """Runs in a process of its own and prints its result."""
    if method == "ours":
        result = json.loads(subprocess.run([binary, "solve", name, str(until), str(rtol)], check=True, capture_output=True, text=True).stdout)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    else:
        case = load(binary, name, until)
        if method == "lsoda":
            result = lsoda(case, until, rtol)
        else:
            _, solver, *full = method.split("-")
            result = diffrax_run(case, until, rtol, solver, bool(full))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**result, "megabytes": peak / 1024}))


def attempt(binary, method, name, until, rtol):
    command = [sys.executable, __file__, "--one", binary, method, name, str(until), str(rtol)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"more than {TIMEOUT:.0f} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:60]
    return json.loads(done.stdout)


def main(binary, names):
    print(f"| case | solver | tolerance | error | seconds (best of {ROUNDS}) | evaluations | MB | time / ours |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names or CASES:
        until, chosen, notes = CASES[name], {}, {}
        for method in METHODS:
            for rtol in TOLERANCES:
                result = attempt(binary, method, name, until, rtol)
                if isinstance(result, str):
                    notes[method] = result
                    break
                chosen[method] = (rtol, [result])
                if result["error"] <= GOAL:
                    break
        for _ in range(ROUNDS - 1):
            for method, (rtol, results) in chosen.items():
                again = attempt(binary, method, name, until, rtol)
                if not isinstance(again, str):
                    results.append(again)
        best = {method: min(r["seconds"] for r in results) for method, (_, results) in chosen.items()}
        for method in METHODS:
            if method not in chosen:
                print(f"| {name} | {method} | | | {notes[method]} | | | |", flush=True)
                continue
            rtol, results = chosen[method]
            r = results[0]
            count = f"{r['evaluations']}" + (f" ({r['products']} products)" if "products" in r else "")
            print(f"| {name} | {method} | {rtol:.0e} | {r['error']:.1e} | {best[method]:.4f} | {count} | {r['megabytes']:.0f} | {best[method] / best['ours']:.1f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        _, _, binary, method, name, until, rtol = sys.argv
        one(binary, method, name, float(until), float(rtol))
    else:
        main(sys.argv[1], sys.argv[2:])
