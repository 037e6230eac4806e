//! `taskhead simulate`: one head of a problem file, probed, finetuned and measured.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use nalgebra::DMatrix;
use serde_json::{Value, json};

use super::goal::Goal;
use super::input;
use super::json::{adaptation, number};
use super::progress::Line;
use super::say;
use crate::choices::choice;
use taskhead::flow::solver::{DEFAULT_RTOL, Options};
use taskhead::flow::{LOST, Stop};
use taskhead::loss::Loss;
use taskhead::probing::Measure;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation, Until};
use taskhead::sweep::plan::Digest;
use taskhead::tasks::{Scores, Task};
use taskhead::{Number, counted};
use taskhead_files::{
    RESULT_EXTENSIONS, check_apart, check_output, check_replaceable, digest, write_result_of,
};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(
    after_help = "PROBLEM holds `features` N×h with `labels` (N integers or strings) or `targets` N×k. If wanted: \
    `head` h×k; `kernel` N×N, else the backbone is one more linear layer on the features. `inputs` N×d with \
    `backbone` h×d may take the place of `features` and `kernel`. Held out, if wanted: `probe_features` P×h (with a \
    kernel also `probe_kernel` P×N) or `probe_inputs` P×d, with `probe_labels` or `probe_targets`.\n\nExamples:\n  \
    taskhead simulate problem.npz --probe 3 --json\n  \
    taskhead simulate problem.npz --energy 0.5 --head-rate 0.1 --out result.npz"
)]
pub struct Args {
    /// The problem: .npz, .safetensors, or a folder of .npy.
    problem: PathBuf,
    /// Seed of the initial head where PROBLEM has none: the head of a sweep with this seed.
    #[arg(long, value_name = "SEED", value_parser = super::whole::<u64>(0..))]
    seed: Option<u64>,
    /// Probe the head for this time before finetuning.
    #[arg(long, value_name = "TAU", value_parser = super::time, group = "probing")]
    probe: Option<f64>,
    /// Probe the head until this average initial energy is left.
    #[arg(long, value_name = "E", value_parser = super::amount, group = "probing")]
    energy: Option<f64>,
    /// Label smoothing while probing, from 0 to 1: towards 1/k under cross-entropy, towards the mean of all entries of the
    /// targets under the squared loss.
    #[arg(long, value_name = "EPSILON", value_parser = super::amount, requires = "probing")]
    smoothing: Option<f64>,
    /// The loss that probing and finetuning lower. Cross-entropy takes `labels`, or `targets` whose rows sum to 1.
    #[arg(long, value_parser = choice::<Loss>(), default_value = "squared")]
    loss: Loss,
    /// Finetuning time.
    #[arg(long, value_name = "T", default_value = "inf", value_parser = super::time)]
    time: f64,
    #[command(flatten)]
    goal: Goal,
    /// Learning rate of the head over that of the backbone.
    #[arg(long, value_name = "GAMMA", default_value_t = 1.0, value_parser = super::amount)]
    head_rate: f64,
    /// How the flow is solved.
    #[arg(long, value_parser = choice::<Method>(), default_value = "auto")]
    method: Method,
    /// Relative tolerance of the solver [default: 1e-9].
    #[arg(long, value_name = "RTOL", value_parser = super::real)]
    rtol: Option<f64>,
    /// Stop after this many steps of the solver (gradient descent: a thousand times as many), with what was reached.
    /// [default: 20000]
    #[arg(long, value_name = "COUNT", value_parser = super::whole::<usize>(1..))]
    max_steps: Option<usize>,
    /// Stop after this many seconds, at the end of a step, with what was reached.
    #[arg(long, value_name = "SECONDS", value_parser = super::amount)]
    max_time: Option<f64>,
    #[command(flatten)]
    reading: input::Reading,
    /// Write the arrays `features`, `head` and `probe_features` to this .npz or .safetensors.
    #[arg(long, value_name = "RESULT")]
    out: Option<PathBuf>,
    /// Replace RESULT if it is there, whatever it is. Without this only a result of the same run is replaced.
    #[arg(long, requires = "out")]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    if let Some(out) = &args.out {
        check_output(out, RESULT_EXTENSIONS)?;
        check_apart([out], &[&args.problem])?;
    }
    let without_steps = matches!(args.method, Method::ClosedForm);
    let without_tolerance = matches!(args.method, Method::ClosedForm | Method::Descent);
    let idle = [
        ("--max-steps", args.max_steps.is_some() && without_steps),
        ("--max-time", args.max_time.is_some() && without_steps),
        ("--rtol", args.rtol.is_some() && without_tolerance),
    ];
    if let Some((flag, _)) = idle.into_iter().find(|(_, idle)| *idle) {
        bail!("{flag} has no effect with this --method, which does not use the solver");
    }
    let line = Line::new(quiet, args.max_time);
    line.say(&format!("reading {}", args.problem.display()));
    let (file, output) = match &args.out {
        None => (args.reading.problem(&args.problem, 1, "a run on")?, None),
        Some(out) => {
            let (file, content) = args.reading.problem_with_digest(&args.problem, 1, "a run on")?;
            check_apart([out], &file.files)?;
            let identity = digest(identity(args, content));
            if !args.force {
                check_replaceable(out, identity)?;
            }
            (file, Some((out, identity)))
        }
    };
    if file.head.is_some() && args.seed.is_some() {
        bail!("--seed has no effect: {} has a head of its own", args.problem.display());
    }
    let notes = line.bar.suspend(|| input::print(&file.notes, quiet));
    line.say("probing");
    let class_names = file.class_names;
    let task = Task::of_problem(file.problem, file.head, file.held_out_targets);
    let head = task.initial_head(args.seed.unwrap_or(0), 1.0);
    let run = Run::with_loss(&task.problem, &head, args.smoothing.unwrap_or(0.0), args.loss)?;
    // Of several times with the wanted energy it is the first.
    let probe_times = match args.energy {
        Some(energy) => run.path().times_for(Measure::Aie, energy)?,
        None => vec![args.probe.unwrap_or(0.0)],
    };
    let (probe, others) = (Probe::Time(probe_times[0]), &probe_times[1..]);
    let settings = Settings {
        head_rate: args.head_rate,
        method: args.method,
        rtol: args.rtol.unwrap_or(DEFAULT_RTOL),
        max_steps: args.max_steps.unwrap_or(Options::default().max_steps),
        watch: line.watch(),
        until: args.goal.until().unwrap_or(Until::Time),
    };
    line.say("finetuning");
    let result = run.finetune(probe, &[args.time], &settings)?.remove(0);
    line.bar.finish_and_clear();
    if let Some((out, identity)) = output {
        let (features, head) = (run.features(&result), run.head(&result));
        let held_out = run.held_out_features(&result);
        let mut arrays: Vec<(&str, &DMatrix<f64>)> = vec![("features", &features), ("head", &head)];
        arrays.extend(held_out.as_ref().map(|held| ("probe_features", held)));
        write_result_of(out, &arrays, identity)?;
    }
    let scores = [&result.states.0, &result.states.1].map(|state| {
        let reduction = run.reduction();
        task.scores(
            args.loss,
            &reduction.predictions(state),
            reduction.held_out_predictions(state).as_ref(),
        )
    });
    if args.json {
        let mut json = to_json(&result, others, &scores);
        json["classes"] = json!(class_names);
        json["notes"] = json!(notes);
        say::line(json)?;
    } else {
        say::print(to_text(&result, others, &scores, args.loss))?;
    }
    match result.stop.reason() {
        None => Ok(ExitCode::SUCCESS),
        Some(reason) => {
            if !quiet {
                let more = more(&result.stop, settings.max_steps);
                say::warning(format_args!("the flow did not reach its end: {reason}{more}"));
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Everything that the arrays of a result depend on, but for the machine.
fn identity(args: &Args, content: Digest) -> String {
    let Args { seed, probe, energy, smoothing, loss, time, .. } = args;
    let Goal { until_loss, until_accuracy } = &args.goal;
    let Args { head_rate, method, rtol, max_steps, max_time, reading, .. } = args;
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "simulate, taskhead {version}\n{content}\n{seed:?} {probe:?} {energy:?} {smoothing:?} {loss:?} {time:?} \
         {until_loss:?} {until_accuracy:?} {head_rate:?} {method:?} {rtol:?} {max_steps:?} {max_time:?} {reading:?}"
    )
}

/// The flag that lets a flow go further.
fn more(stop: &Stop, max_steps: usize) -> &'static str {
    match stop {
        // It also ends where no later time can be told apart.
        Stop::StepLimit { steps, .. } if *steps >= max_steps => "; --max-steps lets it go further",
        Stop::Interrupted { .. } => "; --max-time lets it go further",
        _ => "",
    }
}

fn to_json(s: &Simulation, others: &[f64], scores: &[Scores; 2]) -> Value {
    let pair = |value: fn(&Scores) -> Option<f64>| {
        let [start, end] = scores.each_ref().map(value);
        start.zip(end).map(|(start, end)| json!({"start": number(start), "end": number(end)}))
    };
    json!({
        "method": s.method.name(),
        "probe_time": number(s.probe_time),
        "other_probe_times": others.iter().copied().map(number).collect::<Vec<_>>(),
        "energy": {
            "aie": number(s.energy.aie),
            "frobenius": number(s.energy.frobenius),
            "rounding": number(s.energy_rounding),
        },
        "time": number(s.time),
        "status": s.stop.name(),
        "reason": s.stop.reason(),
        "residual": number(s.residual),
        "residual_rounding": s.residual_rounding.map(number),
        "loss": number(s.loss),
        "conservation_drift": s.conservation_drift.map(number),
        "adaptation": adaptation(&s.adaptation),
        "probe_adaptation": s.held_out.as_ref().map(adaptation),
        "error_estimate": s.error_estimate.map(number),
        "step": s.method.step().map(number),
        "work": {
            "steps": s.work.steps,
            "rejected": s.work.rejected,
            "evaluations": s.work.evaluations,
            "products": s.work.products,
            "decompositions": s.work.decompositions,
        },
        "accuracy": pair(|s| s.accuracy),
        "probe_accuracy": pair(|s| s.held_out_accuracy),
        "risk": pair(|s| s.risk),
        "budget": s.budget.map(|b| json!({"backbone": number(b.backbone), "head": number(b.head)})),
    })
}

/// What is said of a residual that rounding takes digits from, and of a loss, which is `of` that residual.
fn blurred(residual: f64, rounding: Option<f64>, of: &str) -> String {
    match rounding {
        Some(open) if residual <= open => {
            format!("; below the rounding of such predictions, {of}{open:.1e}")
        }
        Some(open) => format!("; known to {of}{open:.1e} only, the rounding of such predictions"),
        None => String::new(),
    }
}

/// Share of an energy from which on its rounding takes digits that are printed.
const SHOWN: f64 = 1e-9;

fn to_text(s: &Simulation, others: &[f64], scores: &[Scores; 2], loss: Loss) -> String {
    let mut probing = Number(s.probe_time).to_string();
    if !others.is_empty() {
        let times: Vec<String> = others.iter().map(|&time| Number(time).to_string()).collect();
        probing += &format!(
            " (the first of {}; the path has this energy again at {})",
            others.len() + 1,
            times.join(", ")
        );
    }
    let mut energy =
        format!("{} (AIE), {} (Frobenius)", digits(s.energy.aie), digits(s.energy.frobenius));
    if s.energy.frobenius <= s.energy_rounding && s.energy_rounding > 0.0 {
        energy +=
            &format!("; not determined by the data: below their rounding, {:.1e}", s.energy_rounding);
    } else if s.energy_rounding > SHOWN * s.energy.frobenius {
        energy += &format!("; known to {:.1e} only, the rounding of features", s.energy_rounding);
    }
    let steps = s.method.step().map_or_else(String::new, |step| {
        let steps = match s.work.steps {
            0 if s.time > 0.0 => "less than one step".into(),
            steps => counted(steps, "step"),
        };
        format!(", {steps} of size {step:.6e}")
    });
    let mut rows = vec![
        ("method", format!("{} ({}){steps}", s.method, s.stop.name())),
        ("probing time", probing),
        ("energy", energy),
        ("finetuning time", Number(s.time).to_string()),
        ("residual", format!("{:.6e}{}", s.residual, blurred(s.residual, s.residual_rounding, ""))),
        (
            "training loss",
            format!("{:.6e}{}", s.loss, blurred(s.residual, s.residual_rounding, "a residual of ")),
        ),
        (
            "conservation drift",
            s.conservation_drift.map_or("does not apply".into(), |drift| format!("{drift:.1e}")),
        ),
    ];
    if let Some(b) = s.budget {
        rows.push((
            "loss spent",
            format!("{} (backbone), {} (head), of all samples", digits(b.backbone), digits(b.head)),
        ));
    }
    rows.push(("head norm", format!("{} -> {}", digits(s.head_norm.0), digits(s.head_norm.1))));
    let sets = [("adaptation", Some(s.adaptation)), ("held-out adaptation", s.held_out)];
    for (name, a) in sets.iter().filter_map(|(name, a)| a.map(|a| (name, a))) {
        let [euclidean, cosine, dot, norm, frobenius] = a.values().map(digits);
        let none = || "none (a feature is zero, or gone to rounding)".into();
        let cosine = if a.cosine.is_nan() { none() } else { cosine };
        let text = format!(
            "distance {euclidean}, cosine distance {cosine}, dot product {dot}, norm {norm}, Frobenius distance \
             {frobenius}"
        );
        rows.push((name, text));
    }
    if let Some(error) = s.error_estimate.filter(|&error| error > LOST && s.stop.is_success()) {
        let words =
            format!("{error:.1e} of the motion, which is rounding: nothing else moves from here");
        rows.push(("error estimate", words));
    }
    type Value = fn(&Scores) -> Option<f64>;
    // The training loss is half of such a mean, as ½‖·‖² has it.
    let of_risk = match loss {
        Loss::Squared => " (mean of ‖y − f‖²; the training loss is of ½‖y − f‖²)",
        _ => "",
    };
    let values: [(_, Value, _); 3] = [
        ("accuracy", |s| s.accuracy, ""),
        ("held-out accuracy", |s| s.held_out_accuracy, ""),
        ("held-out risk", |s| s.risk, of_risk),
    ];
    for (name, value, unit) in values {
        if let [Some(start), Some(end)] = scores.each_ref().map(value) {
            rows.push((name, format!("{start:.6} -> {end:.6}{unit}")));
        }
    }
    rows.iter().map(|(name, value)| format!("{name:<20} {value}\n")).collect()
}

/// A number with nine digits after the point, or in powers of ten where these would hide it.
fn digits(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-3..1e9).contains(&value.abs());
    if plain { format!("{value:.9}") } else { format!("{value:.9e}") }
}

#[cfg(test)]
mod tests {
    use super::{blurred, digits};

    /// A residual of 0 was "known to 3.6e-15 of the residual".
    #[test]
    fn a_residual_below_rounding_is_called_so() {
        assert_eq!(blurred(0.0, Some(3.6e-15), ""), "; below the rounding of such predictions, 3.6e-15");
        assert_eq!(
            blurred(1e-14, Some(3.6e-15), "a residual of "),
            "; known to a residual of 3.6e-15 only, the rounding of such predictions"
        );
        assert_eq!(blurred(1e-14, None, ""), "");
    }

    #[test]
    fn small_numbers_are_not_printed_as_zero() {
        assert_eq!(digits(0.25), "0.250000000");
        assert_eq!(digits(-1e-3), "-0.001000000");
        assert_eq!(digits(6.293276048e-14), "6.293276048e-14");
        assert_eq!(digits(-2.5e12), "-2.500000000e12");
        assert_eq!(digits(0.0), "0.000000000");
        assert_eq!(digits(f64::NAN), "NaN");
    }
}
