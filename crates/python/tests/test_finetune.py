"""Heads, probing and finetuning: the numbers of the command to the last digit."""

import math
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import taskhead as th


def number(value):
    return math.inf if value == "inf" else value


def check(run, json):
    """A run has the numbers of the command's JSON."""
    assert (run.method, run.status, run.reason) == (json["method"], json["status"], json["reason"])
    assert (run.tau, run.time) == (number(json["probe_time"]), number(json["time"]))
    assert (run.energy, run.frobenius) == (json["energy"]["aie"], json["energy"]["frobenius"])
    assert (run.residual, run.loss, run.drift) == (json["residual"], json["loss"], json["conservation_drift"])
    assert run.error_estimate == json["error_estimate"] and run.steps == json["work"]["steps"]
    assert run.step == json["step"] and (run.step is not None) == (run.method == "descent")
    for adaptation, name in ((run.adaptation, "adaptation"), (run.probe_adaptation, "probe_adaptation")):
        assert (adaptation is None) == (json[name] is None)
        if adaptation is not None:
            assert len(json[name]) == 5
            assert {metric: getattr(adaptation, metric) for metric in json[name]} == json[name]
    for pair, name in ((run.accuracy, "accuracy"), (run.probe_accuracy, "probe_accuracy"), (run.risk, "risk")):
        assert pair == (json[name] and (json[name]["start"], json[name]["end"])), name
    assert run.budget == (json["budget"] and (json["budget"]["backbone"], json["budget"]["head"]))


@pytest.mark.parametrize(
    ("probe", "options", "flags"),
    [
        ({"energy": 0.9}, {}, ["--energy", 0.9]),
        ({"tau": 0.25}, {"time": 2.0, "head_rate": 0.5}, ["--probe", 0.25, "--time", 2, "--head-rate", 0.5]),
        ({"tau": math.inf}, {"rtol": 1e-6}, ["--probe", "inf", "--rtol", 1e-6]),
        ({"tau": 0}, {"head_rate": 0.0}, ["--head-rate", 0]),
        ({"tau": 0}, {"method": "descent", "time": 0.5}, ["--method", "descent", "--time", 0.5]),
        ({"tau": 0}, {"until_loss": 0.3}, ["--until-loss", 0.3]),
    ],
)
@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
def test_the_numbers_are_those_of_the_command(arrays, command, tmp_path, probe, options, flags, loss):
    if loss == "cross-entropy" and (options.get("method") == "descent" or probe.get("tau") == math.inf):
        pytest.skip("not defined")
    if loss == "cross-entropy":
        probe = {"tau": 0.5} if "energy" in probe else probe
        flags = ["--probe", 0.5] if "--energy" in flags else flags
        if not ({"time", "until_loss"} & set(options)):
            options, flags = options | {"time": 1.0}, [*flags, "--time", 1]
    path = tmp_path / "p.npz"
    np.savez(path, **arrays)
    out = tmp_path / "out.npz"
    json = command.json("simulate", path, *flags, "--loss", loss, "--out", out)
    run = th.Problem(**arrays).head(loss=loss).probe(**probe).finetune(**options)
    check(run, json)
    stored = np.load(out)
    np.testing.assert_array_equal(run.features, stored["features"])
    np.testing.assert_array_equal(run.head, stored["head"])
    np.testing.assert_array_equal(run.probe_features, stored["probe_features"])
    check(th.Problem.read(path).head(loss=loss).probe(**probe).finetune(**options), json)


def test_a_head_is_given_or_drawn_as_in_a_sweep(arrays, command, tmp_path):
    head = arrays.pop("head")
    problem = th.Problem(**arrays)
    np.testing.assert_array_equal(problem.head(head, scale=2.0).weights, 2 * head)
    path = tmp_path / "p.npz"
    np.savez(path, **arrays)
    check(problem.head(seed=5).finetune(), command.json("simulate", path, "--seed", 5))
    column = th.Problem(features=np.eye(3), targets=[1.0, 2.0, 3.0]).head([0.1, 0.2, 0.3])
    np.testing.assert_array_equal(column.weights, [[0.1], [0.2], [0.3]])
    with pytest.raises(ValueError, match="`head` is 3x6, but .* save its transpose"):
        problem.head(head.T)


def test_arrays_after_finetuning_fit_each_other(arrays):
    run = th.Problem(**arrays).head().probe(energy=0.9).finetune(time=3.0)
    assert run.features.shape == (12, 6) and run.head.shape == (6, 3)
    assert run.features is run.features and run.features.flags.f_contiguous
    # What is handed out again must not have been written to.
    for array in (run.features, run.head):
        with pytest.raises(ValueError, match="read-only"):
            array -= array.mean()
    np.testing.assert_allclose(run.predictions, run.features @ run.head, atol=1e-12)
    np.testing.assert_allclose(run.probe_predictions, run.probe_features @ run.head, atol=1e-12)
    moved = np.linalg.norm(run.features - arrays["features"], axis=1).mean()
    assert run.adaptation.euclidean == pytest.approx(moved, rel=1e-12)
    euclidean, cosine, dot, norm = run.adaptation
    assert (euclidean, cosine, dot, norm) == tuple(run.adaptation)
    assert "held-out accuracy" in run._repr_html_() and "<table>" in run._repr_html_()
    assert "flow" in repr(run) and "12 samples" in repr(th.Problem(**arrays))


def test_probing(arrays):
    head = th.Problem(**arrays).head()
    probed = head.probe(energy=0.9)
    assert probed.energy == pytest.approx(0.9, abs=1e-12) and probed.taus[0] == probed.tau
    assert head.energy(probed.tau) == probed.energy
    assert head.probe(frobenius=probed.frobenius).tau == pytest.approx(probed.tau, rel=1e-9)
    assert probed.weights.shape == (6, 3)
    smoothed = th.Problem(**arrays).head(smoothing=0.2).probe(tau=1.0)
    assert smoothed.energy != head.probe(tau=1.0).energy
    with pytest.raises(ValueError, match="the AIE energy 77 is not reached by probing; reachable here"):
        head.probe(energy=77.0)
    for wrong in ({}, {"energy": 0.5, "tau": 1.0}):
        with pytest.raises(ValueError, match=f"`probe` has {len(wrong)} of"):
            head.probe(**wrong)


def test_dense_output_is_one_run(arrays):
    probed = th.Problem(**arrays).head().probe(energy=0.9)
    times = [0.1, 1.0, 10.0, math.inf]
    runs = probed.finetune_at(times)
    assert [run.time for run in runs[:3]] == times[:3] and runs[3].status in ("converged", "exact")
    alone = probed.finetune(time=1.0)
    assert runs[1].adaptation.euclidean == pytest.approx(alone.adaptation.euclidean, rel=1e-6)
    assert [r.time for r in probed.finetune_at(np.array(times[:2]))] == times[:2]
    with pytest.raises(ValueError, match="ascending"):
        probed.finetune_at([2.0, 1.0])
    with pytest.raises(ValueError, match="`times` is empty"):
        probed.finetune_at([])


@pytest.mark.parametrize("options", [{}, {"time": 2.0}, {"until_loss": 0.3}, {"method": "descent", "time": 0.5}])
def test_a_run_shows_its_course(arrays, options):
    run = th.Problem(**arrays).head().finetune(**options)
    figure = run.plot()
    assert figure.name == "trajectories" and figure.svg.startswith("<svg ") and figure.svg != run.plot(dark=True).svg
    assert ("share of the loss spent" in figure.svg) == (run.budget is not None)
    with pytest.raises(ValueError, match="a finetuning of time 0 has no course"):
        th.Problem(**arrays).head().finetune(time=0.0).plot()


def test_closed_forms_and_what_they_miss(arrays):
    rank_one = th.Problem(features=[[1.0, 0.0]], targets=[[1.5]]).head([0.0, 0.7]).probe(energy=0.9)
    assert rank_one.finetune().method == "rank-one"
    assert rank_one.finetune(method="closed-form").adaptation == rank_one.finetune().adaptation
    with pytest.raises(ValueError, match="no closed form fits this problem:"):
        th.Problem(**arrays).head().finetune(method="closed-form")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": -1.0}, "-1 is not valid; it must be a number of at least 0, or inf"),
        ({"head_rate": -1.0}, "-1 is not valid"),
        ({"rtol": 0.5}, "0.5 is not valid"),
        ({"max_steps": 0}, "`max_steps` is 0; accepted: a whole number above 0"),
        ({"max_time": -2.0}, "`max_time` is -2; accepted"),
        ({"method": "magic"}, "`method`: unknown variant `magic`, expected one of `auto`, `closed-form`"),
        ({"until_loss": 0.1, "until_accuracy": 0.5}, "more than one is set; accepted: one of them"),
        ({"until_loss": 0.1, "method": "descent"}, "the method descent stops at a time only"),
        ({"until_accuracy": 1.5}, "1.5"),
    ],
)
def test_options_that_are_not_accepted(arrays, options, words):
    with pytest.raises(ValueError) as error:
        th.Problem(**arrays).head().finetune(**options)
    assert words in str(error.value)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_are_whole_numbers(arrays, seed):
    with pytest.raises(ValueError, match=f"`seed` is {seed}; accepted: whole numbers from 0, below 2"):
        th.Problem(**arrays).head(seed=seed)


def test_a_loss_is_chosen_by_name(arrays):
    with pytest.raises(ValueError, match="`loss`: unknown variant `hinge`, expected `squared` or `cross-entropy`"):
        th.Problem(**arrays).head(loss="hinge")


def test_a_flow_that_stops_early_warns(arrays, command, tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, **arrays)
    said = command.run("simulate", path, "--max-steps", 3, code=1).stderr.splitlines()[-1]
    with pytest.warns(RuntimeWarning) as caught:
        run = th.Problem(**arrays).head().finetune(max_steps=3)
    assert f"warning: {caught[0].message}".replace("; max_steps", "; --max-steps") == said
    assert run.status == "step-limit" and run.reason.startswith("3 steps taken") and run.steps == 3
    assert "stopped early" in run._repr_html_()
    assert caught[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="max_time lets it go further"):
        assert th.Problem(**arrays).head().finetune(max_time=0.0).status == "interrupted"


LONG = {
    "a step of a large problem": "th.Problem(features=r.normal(size=(1200, 900)), targets=r.normal(size=(1200, 10)))"
    ".head().finetune()",
    "probing under cross-entropy": "th.Problem(features=r.normal(size=(4000, 500)), labels=r.integers(0, 10, size=4000))"
    ".head(loss='cross-entropy').probe(energy=0.05)",
    "descent on a small problem": "th.Problem(features=r.normal(size=(30, 20)), targets=r.normal(size=(30, 4)))"
    ".head().finetune(method='descent', time=1e7, max_steps=10**12)",
    "a sweep": "th.sweep(samples=60, width=80, inputs=90, seeds=1000)",
    "the catalogue": "th.verify(instances=10**7)",
    "certificates": "th.certify(boxes=10**9, range=(1e-9, 1e9))",
}


@pytest.mark.parametrize("work", LONG.values(), ids=LONG.keys())
def test_ctrl_c_ends_long_work(work):
    # A process in the background is born with this signal ignored.
    script = (
        "import signal, numpy as np, taskhead as th\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "r = np.random.default_rng(0)\n"
        "print('go', flush=True)\n"
        f"{work}\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "go\n"
    time.sleep(1.5)
    assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    # Left alone, each of these goes on for minutes.
    _, errors = process.communicate(timeout=30)
    assert errors.splitlines()[-1] == "KeyboardInterrupt", errors
    assert process.returncode == -signal.SIGINT


def test_others_run_meanwhile():
    """A long call leaves the interpreter to other threads."""
    import threading

    rng = np.random.default_rng(0)
    head = th.Problem(features=rng.normal(size=(300, 250)), targets=rng.normal(size=(300, 6))).head()
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(stop)

    thread = threading.Thread(target=tick)
    thread.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        head.finetune(max_steps=40)
    stop.set()
    thread.join()
    # A call that keeps the interpreter leaves a tick or two, before and after.
    assert len(ticks) > 5


def test_memory_of_many_calls_is_flat(arrays):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    rng = np.random.default_rng(0)
    features, targets, head = rng.normal(size=(1, 4000)), rng.normal(size=(1, 1)), rng.normal(size=(4000, 1)) / 100

    def call():
        run = th.Problem(features=features, targets=targets).head(head).probe(tau=1e-5).finetune(time=1e-3)
        return run.features.sum() + run.head.sum() + run.predictions.sum()

    for _ in range(300):
        call()
    before = resident()
    for _ in range(1000):
        call()
    # One leaked array of features a call would be 32 MB.
    assert resident() - before < 4e6
