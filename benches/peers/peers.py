"""Our solver and general ones on the same flows, in alternating rounds: see `run` beside this file.

Errors are relative, of motion and head, the worse of both, and the worst of all heads of a case, against our own
solution at tolerance 1e-13. A peer runs at a list of tolerances until its error is at most GOAL; the row that counts is
the first such one. Each run is a process of its own, so that its peak memory is its own. Compilation of diffrax is not
counted. Seconds are elapsed or processor time, whichever is less, so that what else the machine does counts less. All
runs go to a CSV file, for diagrams, with their work in right-hand sides: evaluations, and for ours all its products of
n×p×k divided by three.
"""

import csv
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

GOAL = 1e-8
# Seconds of processor time, compilation included.
TIMEOUT = float(os.environ.get("PEERS_TIMEOUT", 600))
ROUNDS = 3
# Cases and times; wide-16 is `wide` from 16 heads.
CASES = {"easy": 100.0, "wide": 100.0, "wide-16": 100.0, "forty": 1e4, "condition-1e6": 1e6, "digits": 10.0}
METHODS = [
    "ours", "lsoda", "diffrax-kvaerno5", "diffrax-tsit5", "torchdiffeq-dopri5",
    "diffrax-kvaerno5-full", "diffrax-tsit5-full", "torchdiffeq-dopri5-full", "descent-full",
]
TOLERANCES = [1e-4, 1e-6, 1e-8, 1e-10]
# What stands for a tolerance in gradient descent: the step, in units of 1/(largest eigenvalue of the tangent kernel at
# the start).
DESCENT_STEPS = [0.3, 0.03, 0.003]


def timed(run):
    """What a run gives, and its mean elapsed or processor time, whichever is less, over runs of a fifth of a second
    together. Ours is measured so too."""
    start, runs = (time.perf_counter(), time.process_time()), 0
    while runs == 0 or time.perf_counter() - start[0] < 0.2:
        result, runs = run(), runs + 1
    return result, min(time.perf_counter() - start[0], time.process_time() - start[1]) / runs


def export(binary, name, until):
    """The heads of a case, each with its end, as arrays."""
    import numpy as np

    text = subprocess.run([binary, "export", name, str(until)], check=True, capture_output=True, text=True).stdout
    return [{key: np.array(value, dtype=float) for key, value in head.items()} for head in json.loads(text)]


def stored(path):
    """The same from a file, so that reading it costs no memory that counts."""
    import numpy as np

    with np.load(path) as file:
        heads = [{} for _ in range(int(file["heads"]))]
        for key in file.files:
            if key != "heads":
                i, name = key.split("/")
                heads[int(i)][name] = file[key]
    return heads


def prepare(binary, name, until, path):
    import numpy as np

    heads = export(binary, name, until)
    np.savez(path, heads=len(heads), **{f"{i}/{key}": value for i, head in enumerate(heads) for key, value in head.items()})


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
    # Absolute tolerances relative to the size of the answer, as ours are.
    size = np.concatenate([np.full(split, np.abs(case["motion_end"]).max()), np.full(v0.size, np.abs(v0).max())])
    result, seconds = timed(lambda: solve_ivp(velocity, (0, until), start, method="LSODA", rtol=rtol, atol=rtol * size, t_eval=[until]))
    end = result.y[:, -1]
    error = relative([(end[:split].reshape(z0.shape), case["motion_end"]), (end[split:].reshape(v0.shape), case["reduced_head_end"])])
    return {"seconds": seconds, "evaluations": int(result.nfev), "error": error}


def reduced(case):
    import numpy as np

    root = np.sqrt(case["lambda"])[:, None]
    return root, case["reduced_features"], case["reduced_targets"]


def diffrax_run(heads, until, rtol, method, full):
    """All heads at once, with vmap, each with steps of its own."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import diffrax
    import jax.numpy as jnp

    case, gamma = heads[0], float(heads[0]["head_rate"])
    if full:
        x, y = jnp.array(case["inputs"]), jnp.array(case["targets"])

        def velocity(_, state, __):
            b, v = state
            z = x @ b.T
            r = y - z @ v
            return v @ (r.T @ x), gamma * (z.T @ r)

        starts = [((jnp.array(c["backbone"]), jnp.array(c["head"])), None) for c in heads]
    else:

        def velocity(_, state, problem):
            d, v = state
            root, z0, y = problem
            z = z0 + root * d
            r = y - z @ v
            return root * (r @ v.T), gamma * (z.T @ r)

        starts = [((jnp.zeros_like(c["reduced_features"]), jnp.array(c["reduced_head"])), reduced(c)) for c in heads]
    solver = {"tsit5": diffrax.Tsit5, "kvaerno5": diffrax.Kvaerno5}[method]()
    controller = diffrax.PIDController(rtol=rtol, atol=rtol, pcoeff=0.3, icoeff=0.3)

    def solve(start, problem):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(velocity), solver, 0.0, until, 1e-4, start, problem,
            stepsize_controller=controller, max_steps=10_000_000, saveat=diffrax.SaveAt(t1=True),
        )

    start = jax.tree.map(lambda *parts: jnp.stack(parts), *starts)
    compiled = jax.jit(jax.vmap(solve)).lower(*start).compile()
    solution, seconds = timed(lambda: jax.block_until_ready(compiled(*start)))
    error = max(error_of(c, solution.ys[0][i, -1], solution.ys[1][i, -1], full) for i, c in enumerate(heads))
    steps = int(solution.stats["num_steps"].sum())
    # Stages of a step: Tsit5 has 6 new ones. Kvaerno5 solves 6 implicit ones by Newton iterations it does not count.
    return {"seconds": seconds, "evaluations": 6 * steps, "steps": steps, "error": error}


def error_of(case, first, v, full):
    if full:
        moved = case["inputs"] @ (first - case["backbone"]).T
        return relative([(moved, case["features_moved"]), (v, case["head_end"])])
    return relative([(first, case["motion_end"]), (v, case["reduced_head_end"])])


def torchdiffeq_run(case, until, rtol, full):
    import torch
    from torchdiffeq import odeint

    gamma, count = float(case["head_rate"]), 0
    names = ["inputs", "targets"] if full else ["reduced_features", "reduced_targets"]
    left, y = (torch.from_numpy(case[name]) for name in names)
    root = torch.from_numpy(case["lambda"]).sqrt()[:, None]

    def velocity(_, state):
        nonlocal count
        count += 1
        first, v = state
        z = left @ first.T if full else left + root * first
        r = y - z @ v
        return v @ (r.T @ left) if full else root * (r @ v.T), gamma * (z.T @ r)

    first = torch.from_numpy(case["backbone"]) if full else torch.zeros_like(left)
    start = first, torch.from_numpy(case["head" if full else "reduced_head"])
    times = torch.tensor([0.0, until], dtype=torch.float64)

    def solve():
        nonlocal count
        count = 0
        return odeint(velocity, start, times, rtol=rtol, atol=rtol, method="dopri5")

    with torch.no_grad():
        (b, v), seconds = timed(solve)
    return {"seconds": seconds, "evaluations": count, "error": error_of(case, b[-1].numpy(), v[-1].numpy(), full)}


def descent(case, until, share, _full):
    """Gradient descent on the loss of (B, V) with torch.optim.SGD: the flow by Euler's method."""
    import numpy as np
    import torch

    gamma = float(case["head_rate"])
    z, v = case["reduced_features"], case["reduced_head"]
    gains = np.linalg.eigvalsh(v.T @ v)
    largest = max(np.linalg.eigvalsh(m * np.diag(case["lambda"]) + gamma * z @ z.T)[-1] for m in gains)
    steps = int(np.ceil(until * largest / share))
    x, y = torch.from_numpy(case["inputs"]), torch.from_numpy(case["targets"])
    rate = until / steps

    def solve():
        b, v = (torch.nn.Parameter(torch.from_numpy(case[name].copy())) for name in ["backbone", "head"])
        optimiser = torch.optim.SGD([{"params": [b], "lr": rate}, {"params": [v], "lr": rate * gamma}])
        for _ in range(steps):
            optimiser.zero_grad()
            (0.5 * (y - x @ b.T @ v).square().sum()).backward()
            optimiser.step()
        return b, v

    (b, v), seconds = timed(solve)
    return {"seconds": seconds, "evaluations": steps, "error": error_of(case, b.detach().numpy(), v.detach().numpy(), True)}


def one(binary, method, name, until, rtol, path):
    """Runs in a process of its own and prints its result."""
    if method == "ours":
        result = json.loads(subprocess.run([binary, "solve", name, str(until), str(rtol)], check=True, capture_output=True, text=True).stdout)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    else:
        heads = stored(path)
        library, *rest = method.split("-")
        full = rest[-1:] == ["full"]
        if library == "diffrax":
            result = diffrax_run(heads, until, rtol, rest[0], full)
        else:
            run = {
                "lsoda": lambda case: lsoda(case, until, rtol),
                "torchdiffeq": lambda case: torchdiffeq_run(case, until, rtol, full),
                "descent": lambda case: descent(case, until, rtol, full),
            }[library]
            runs = [run(case) for case in heads]
            result = {key: sum(r[key] for r in runs) for key in ["seconds", "evaluations"]}
            result["error"] = max(r["error"] for r in runs)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**result, "megabytes": peak / 1024}))


def attempt(binary, method, name, until, rtol, path):
    command = [sys.executable, __file__, "--one", binary, method, name, str(until), str(rtol), path]
    # Processor time, too.
    limit = (math.ceil(TIMEOUT), math.ceil(TIMEOUT) + 5)
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit))
    if done.returncode == -signal.SIGXCPU:
        return f"more than {TIMEOUT:.0f} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:60]
    return json.loads(done.stdout)


def right_hand_sides(result):
    """Evaluations; for ours all products of n×p×k, of which a right-hand side takes three."""
    return -(-result["products"] // 3) if "products" in result else result["evaluations"]


def compare(binary, name, path, record):
    until, chosen, notes, load = CASES[name], {}, {}, os.getloadavg()[0]
    for method in METHODS:
        for rtol in DESCENT_STEPS if method == "descent-full" else TOLERANCES:
            result = attempt(binary, method, name, until, rtol, path)
            if isinstance(result, str):
                notes[method] = result
                break
            record([name, method, rtol, result])
            # A diverged descent has no error.
            if result["error"] == result["error"]:
                chosen[method] = (rtol, [result])
                if result["error"] <= GOAL:
                    break
    for _ in range(ROUNDS - 1):
        for method, (rtol, results) in chosen.items():
            again = attempt(binary, method, name, until, rtol, path)
            if not isinstance(again, str):
                results.append(again)
                record([name, method, rtol, again])
    best = {method: min(r["seconds"] for r in results) for method, (_, results) in chosen.items()}
    for method in METHODS:
        if method not in chosen:
            print(f"| {name} | {method} | | | {notes.get(method, 'no finite answer')} | | | |", flush=True)
            continue
        rtol, results = chosen[method]
        r = results[0]
        count = f"{r['evaluations']}" + (f" ({r['products']} products = {right_hand_sides(r)})" if "products" in r else "")
        error = f"{r['error']:.1e}" + ("" if r["error"] <= GOAL or method not in notes else f", then {notes[method]}")
        print(f"| {name} | {method} | {rtol:.0e} | {error} | {best[method]:.4f} | {count} | {r['megabytes']:.0f} | {best[method] / best['ours']:.1f} |", flush=True)
    # Not on standard output, which is the table.
    print(f"{name}: load {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end", file=sys.stderr, flush=True)


def main(binary, names):
    print(f"| case | solver | tolerance | error | seconds (best of {ROUNDS}) | evaluations | MB | time / ours |")
    print("|---|---|---|---|---|---|---|---|")
    table = os.environ.get("PEERS_CSV", "target/peers.csv")
    with open(table, "w", newline="") as file, tempfile.TemporaryDirectory() as folder:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "method", "tolerance", "error", "seconds", "right_hand_sides", "megabytes"])

        def record(row):
            *row, r = row
            writer.writerow([*row, f"{r['error']:.3e}", f"{r['seconds']:.6f}", right_hand_sides(r), f"{r['megabytes']:.0f}"])
            file.flush()

        for name in names or CASES:
            path = os.path.join(folder, f"{name}.npz")
            # In a process of its own: a child's peak memory begins with that of the process that starts it.
            subprocess.run([sys.executable, __file__, "--prepare", binary, name, str(CASES[name]), path], check=True)
            compare(binary, name, path, record)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--one", binary, method, name, until, rtol, path]:
            one(binary, method, name, float(until), float(rtol), path)
        case ["--prepare", binary, name, until, path]:
            prepare(binary, name, until, path)
        case [binary, *names]:
            main(binary, names)
