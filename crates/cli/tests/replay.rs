//! Replays: agreement with the engine, what learns and what does not, honest numbers, stops and bad input.
#![cfg(feature = "replay")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{refuse, succeed, taskhead};
use taskhead::metric::Metric;
use taskhead::simulation::{Probe, Run, Settings};
use taskhead::sweep::Sweep;
use taskhead::sweep::config::Probes;
use taskhead::sweep::record::{Measured, Outcome, Record};
use taskhead::tasks::{normal, stream};
use taskhead_files::{read_sweep, write_parquet};
use taskhead_replay::config::{
    Backbone, Config, Data, Dynamics, Kernel, Loss, Source, Theory, Training,
};
use taskhead_replay::{Overlay, Replay, device};

fn run(config: Config) -> Vec<Record> {
    let replay = Replay::new(config, device::open("cpu").unwrap().0, None).unwrap();
    let records = replay.run(&());
    assert!(records.iter().all(|r| r.reached().is_some()), "{:?}", records[0].reason());
    records
}

/// The numbers of a cell that reached its end.
fn at(record: &Record) -> &Measured {
    record.reached().expect("it reached its end")
}

/// A metric of its training features.
fn metric(record: &Record, metric: Metric) -> f64 {
    at(record).training.get(metric).expect("it was kept")
}

/// Digits in a second.
fn small() -> Config {
    let mut config = Config::preset("digits").unwrap();
    config.times = vec![1.0, 4.0];
    config.data = Data::Digits { samples: Some(80), source_folder: None, shifted_folder: None };
    config.backbone = Backbone::Mlp { widths: vec![24, 16] };
    config.pretrain.epochs = 3.0;
    config.probing.longest = 20.0;
    config.heads.seeds = 1;
    config.probe.points = Some(3);
    config
}

/// Whether finetuning fits the training samples better than where it started, and moved the features.
fn learns(r: &Record) -> bool {
    at(r).residual < at(r).energies.frobenius && metric(r, Metric::Euclidean) > 0.0
}

fn numbers(r: &Record) -> [f64; 7] {
    let [euclidean, cosine, dot, norm] = Metric::MEANS.map(|m| metric(r, m));
    let held_out = at(r).held_out.unwrap().get(Metric::Euclidean).unwrap();
    [at(r).energies.aie, euclidean, cosine, dot, norm, held_out, at(r).residual]
}

/// Gradient descent through the tensor library lands on the engine's flow, with an error of first order
/// in the step.
#[test]
fn linear_networks_land_on_the_engine() {
    let (probe_time, time, seed) = (0.5, 2.0, 3);
    let mut config = Config::preset("linear").unwrap();
    (config.times, config.heads.seeds, config.heads.first_seed) = (vec![time], 1, seed);
    config.heads.head_rates = vec![0.5];
    config.heads.smoothings = vec![0.1];
    config.probe = Probes { times: Some(vec![probe_time]), ..Probes::default() };
    let Data::Linear(task) = &config.data else { panic!("linear data") };
    let head = normal(&mut stream(seed, 5), task.width, task.outputs, 1.0 / (task.width as f64).sqrt());
    let problem = task.draw(seed).problem().unwrap();
    let settings = Settings { head_rate: 0.5, ..Settings::default() };
    let engine = Run::new(&problem, &head, 0.1).unwrap();
    let engine = &engine.finetune(Probe::Time(probe_time), &[time], &settings).unwrap()[0];
    let held_out = engine.held_out.unwrap();
    let expected = [
        engine.energy.aie,
        engine.adaptation.euclidean,
        engine.adaptation.cosine,
        engine.adaptation.dot,
        engine.adaptation.norm,
        held_out.euclidean,
        engine.residual,
    ];
    let errors = |step: f64| {
        let mut config = config.clone();
        (config.finetune.rate, config.probing.training.rate) = (step, step);
        let records = run(config);
        assert_eq!((at(&records[0]).probe_time, at(&records[0]).time), (probe_time, time));
        let found = numbers(&records[0]);
        std::array::from_fn::<f64, 7, _>(|i| (found[i] / expected[i] - 1.0).abs())
    };
    let (coarse, fine) = (errors(1e-3), errors(5e-4));
    for (coarse, fine) in coarse.into_iter().zip(fine) {
        assert!(coarse < 1e-3, "{coarse}");
        assert!((coarse / fine - 2.0).abs() < 0.05, "{coarse} and {fine}");
    }
}

/// The theory over a linear network is the network, whatever stands for its kernel: to the step for the flow, to
/// rounding for the network's own steps.
#[test]
fn the_theory_over_a_linear_network_is_the_network() {
    let mut config = Config::preset("linear").unwrap();
    (config.times, config.heads.seeds) = (vec![1.0, 3.0], 1);
    config.heads.head_rates = vec![0.3];
    config.probe.points = Some(2);
    let replay = Replay::new(config, device::open("cpu").unwrap().0, None).unwrap();
    let network = replay.run(&());
    for (dynamics, tolerance) in [(Dynamics::Flow, 2e-3), (Dynamics::Descent, 1e-10)] {
        let theory = Theory { kernels: Kernel::ALL.to_vec(), dynamics };
        let Overlay { records, grounds } = replay.theory(&network, &theory, &|| {}).unwrap();
        assert_eq!((records.len(), grounds.len()), (3 * network.len(), network.len()));
        for (a, b) in network.iter().cycle().zip(&records) {
            assert_eq!((a.cell.point, at(a).energies), (b.cell.point, at(b).energies));
            for m in Metric::ALL {
                let (a, b) = (metric(a, m), metric(b, m));
                assert!((a / b - 1.0).abs() < tolerance, "{dynamics:?}: {a} and {b}");
            }
        }
        for (record, ground) in network.iter().zip(&grounds) {
            assert_eq!(ground.kernel_change.is_some(), record.cell.time == 3.0);
            assert!(ground.kernel_change.unwrap_or(0.0) < 1e-12);
        }
        assert!(records.iter().enumerate().all(|(i, r)| r.cell.number == i as u64));
        let problems: Vec<&str> =
            records.chunks(network.len()).map(|r| r[0].cell.problem.as_str()).collect();
        assert_eq!(
            problems,
            ["linear, mean kernel", "linear, kernel by direction", "linear, full kernel"]
        );
    }
}

/// A network that learns slowly moves as the full kernel says, for both losses; the mean kernel is off by factors.
#[test]
fn the_full_kernel_predicts_a_network_at_a_small_rate() {
    for loss in [Loss::Squared, Loss::CrossEntropy] {
        let mut config = small();
        (config.loss, config.times, config.probe.points) = (loss, vec![40.0], Some(4));
        config.finetune = Training { rate: 5e-5, momentum: 0.9, batch: 0 };
        config.data = Data::Digits { samples: Some(40), source_folder: None, shifted_folder: None };
        let replay = Replay::new(config, device::open("cpu").unwrap().0, None).unwrap();
        let network = replay.run(&());
        let kernels = vec![Kernel::Mean, Kernel::Full];
        let theory = Theory { kernels, dynamics: Dynamics::Descent };
        let Overlay { records, grounds } = replay.theory(&network, &theory, &|| {}).unwrap();
        let (mean, full) = records.split_at(network.len());
        for ((network, mean), (full, ground)) in network.iter().zip(mean).zip(full.iter().zip(&grounds))
        {
            let factor = |theory| metric(network, Metric::Euclidean) / metric(theory, Metric::Euclidean);
            assert!((factor(full) - 1.0).abs() < 0.1, "{loss:?}: {}", factor(full));
            assert!(factor(mean) > 1.3, "{loss:?}: {}", factor(mean));
            let change = ground.kernel_change.unwrap();
            assert!(change > 0.01 && change < 0.3, "{change}");
        }
    }
}

/// The numbers come from what was learned: they change with the source task.
#[test]
fn shuffled_labels_and_a_random_backbone_change_the_numbers() {
    let end = |source| {
        let mut config = small();
        config.pretrain.source = source;
        numbers(run(config).last().unwrap())
    };
    let all = [Source::Labels, Source::Shuffled, Source::None].map(end);
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        for (a, b) in all[i].iter().zip(all[j]) {
            assert!((a / b - 1.0).abs() > 1e-3, "{a} and {b}");
        }
    }
}

#[test]
fn a_cell_depends_on_its_seed_only() {
    let text = |config: Config| format!("{:?}", run(config));
    let mut config = small();
    config.heads.seeds = 2;
    assert_eq!(text(config.clone()), text(config.clone()));
    let all = run(config.clone());
    (config.heads.seeds, config.heads.first_seed) = (1, 1);
    let second: Vec<_> = run(config).iter().map(numbers).collect();
    assert_eq!(all[6..].iter().map(numbers).collect::<Vec<_>>(), second);
    assert_ne!(numbers(&all[0]), second[0]);
}

/// A ResNet learns its source task, moves in finetuning, and a step of no size moves nothing: features are
/// measured with the statistics of all training samples, whatever the batches were.
#[test]
fn residual_networks_learn_and_stay_where_nothing_learns() {
    let mut config = small();
    config.backbone = Backbone::Resnet { channels: vec![6, 8], blocks: 1, large: false };
    config.times = vec![4.0];
    let text = |config: &Config| format!("{:?}", run(config.clone()));
    assert_eq!(text(&config), text(&config));
    let records = run(config.clone());
    for r in &records {
        assert!(learns(r) && r.cell.problem == "digits resnet-6", "{r:?}");
    }
    // A pretrained backbone is a better start than a random one for a head that probes for as long.
    let accuracy = |source| {
        let mut config = config.clone();
        config.pretrain.source = source;
        config.probe = Probes { times: Some(vec![20.0]), ..Probes::default() };
        at(&run(config)[0]).accuracy.unwrap().start
    };
    assert!(accuracy(Source::Labels) > accuracy(Source::None));
    config.finetune.rate = 1e-30;
    for r in run(config.clone()) {
        assert!(metric(&r, Metric::Euclidean) < 1e-6, "{r:?}");
    }
    // The last block may belong to the head.
    config.head[0].blocks = 1;
    config.finetune.rate = 0.01;
    let last = run(config).pop().unwrap();
    assert!(learns(&last), "{last:?}");
}

/// One folder for the source task, another one for the downstream task.
#[test]
fn source_and_downstream_task_may_be_in_two_folders() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let idx = |place: &str, side: u32, classes: usize, shift: usize| {
        std::fs::create_dir_all(here.join(place)).unwrap();
        for (part, count) in [("train", 48usize), ("t10k", 12)] {
            let number = |n: u32| n.to_be_bytes().to_vec();
            let mut images = [0x803, count as u32, side, side].map(number).concat();
            let mut labels = [0x801, count as u32].map(number).concat();
            for i in 0..count {
                let class = i % classes;
                labels.push((class + 2) as u8);
                let lit = |at: usize| at % side as usize == class + shift;
                images.extend(
                    (0..(side * side) as usize).map(|at| 200 * u8::from(lit(at)) + (i % 7) as u8),
                );
            }
            std::fs::write(here.join(place).join(format!("{part}-images-idx3-ubyte")), images).unwrap();
            std::fs::write(here.join(place).join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
        }
    };
    idx("clothes", 8, 3, 0);
    idx("digits", 8, 4, 2);
    idx("large", 9, 3, 0);
    idx("one", 8, 1, 0);
    let go = |args: &str| {
        let common = "replay fashion --samples 20 --seeds 1 --points 2 --times 1 --widths 8 -q --out";
        taskhead(here, &common.split(' ').chain(args.split(' ')).collect::<Vec<_>>())
    };
    let output = go("both --data digits --source-data clothes");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let records = |name: &str| read_sweep(here.join(name)).unwrap().records;
    assert!(
        records("both.csv")
            .iter()
            .all(|r| r.reached().is_some() && r.cell.problem == "clothes to digits mlp")
    );
    // The other way round, and within one folder, the numbers are others.
    let output = go("back --data clothes --source-data digits --classes 2,3,4 --source-classes 2,5");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(go("split --data digits --source-classes 2,3 --classes 4,5").status.success());
    let ends: Vec<f64> = ["both.csv", "back.csv", "split.csv"]
        .iter()
        .map(|name| metric(&records(name)[0], Metric::Euclidean))
        .collect();
    assert!(ends[0] != ends[1] && ends[0] != ends[2], "{ends:?}");
    std::fs::create_dir_all(here.join("cut")).unwrap();
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"] {
        std::fs::copy(here.join("clothes").join(name), here.join("cut").join(name)).unwrap();
    }
    std::fs::write(here.join("cut/t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 12, 2]).unwrap();
    for (args, expected) in [
        ("bad --data digits --source-data none", "none: there is no such folder; --source-data takes"),
        ("bad --data none --source-data digits", "none: there is no such folder; --data takes"),
        ("bad --data digits --source-data large", "large: its images have the shape [9, 9, 1]"),
        (
            "bad --data digits --source-data cut",
            "cut/t10k-labels-idx1-ubyte: the shape [12] needs 12 bytes",
        ),
        (
            "bad --data cut --source-data digits",
            "cut/t10k-labels-idx1-ubyte: the shape [12] needs 12 bytes",
        ),
        ("bad --data one --source-data digits", "one: there is but one label, 2"),
        (
            "bad --data digits --source-data clothes --source-classes 2,9",
            "clothes: no training image has the label 9; --source-classes (`data.source`) takes others of 2, 3, 4",
        ),
        ("bad --data digits --classes 2", "`data.classes` holds 2; accepted: at least two"),
        (
            "bad --data digits --classes 3,2,3",
            "`data.classes` holds 3; accepted: each class once (--classes)",
        ),
        ("bad --data digits --source-classes 0,0", "each class once (--source-classes)"),
        ("bad --data digits --side 0", "'--side <PIXELS>': it must be a whole number from 1 to 1024"),
    ] {
        let output = go(args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args}: {text}");
        assert!(text.contains(expected) && !text.contains("panicked"), "{args} says: {text}");
        assert!(!here.join("bad.csv").exists());
    }
}

/// Even points are where they should be: from the longest probing to none, evenly in energy.
#[test]
fn probing_points_are_placed_by_energy() {
    let mut config = small();
    config.probe.points = Some(5);
    let records = run(config.clone());
    let energies: Vec<f64> = records.iter().step_by(2).map(|r| at(r).energies.frobenius).collect();
    let [low, high] = [energies[0], energies[4]];
    assert_eq!((at(&records[0]).probe_time, at(&records[8]).probe_time), (20.0, 0.0));
    for (i, energy) in energies.iter().enumerate().take(4).skip(1) {
        let wanted = low + (high - low) * i as f64 / 4.0;
        // At the first step below it.
        assert!(*energy <= wanted && *energy > wanted - 0.1 * (high - low), "{energies:?}");
    }
    config.probe =
        Probes { energies: Some(vec![at(&records[4]).energies.aie, 99.0]), ..Probes::default() };
    let replay = Replay::new(config, device::open("cpu").unwrap().0, None).unwrap();
    let records = replay.run(&());
    assert!(records[0].reached().is_some());
    let Outcome::Failed(reason) = &records[2].outcome else { panic!("{:?}", records[2]) };
    assert!(reason.starts_with("an energy of 99 is not reached"), "{reason}");
}

/// Heads of two layers, layers of the backbone in the head, frozen heads and both losses.
#[test]
fn every_option_learns() {
    let base = numbers(&run(small())[1]);
    let changes: [fn(&mut Config); 6] = [
        |c| c.head[0].hidden = Some(8),
        |c| c.head[0].blocks = 1,
        |c| c.loss = Loss::Squared,
        |c| c.heads.smoothings = vec![0.2],
        |c| c.heads.head_rates = vec![0.0],
        |c| c.heads.scales = vec![0.5],
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut config = small();
        change(&mut config);
        let records = run(config);
        let last = records.last().unwrap();
        assert_ne!(numbers(&records[1]), base, "option {i}");
        // Finetuning fits the training samples better than where it started.
        assert!(learns(last), "option {i}: {last:?}");
        let norm = at(last).head_norm;
        assert_eq!(norm.end == norm.start, i == 4, "option {i}");
    }
}

/// A small set in each format that a folder may have, through the whole command.
#[test]
fn folders_of_images_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Class c is brighter in column c; as CIFAR-10's binary format and as PNG.
    let pixel = |class: usize, i: usize, x: usize| (40 * usize::from(x % 4 == class) + 7 * i % 23) as u8;
    std::fs::create_dir_all(here.join("cifar")).unwrap();
    let batches = (1..=5).map(|i| (format!("data_batch_{i}.bin"), 8));
    for (name, count) in batches.chain([("test_batch.bin".to_owned(), 8)]) {
        let mut bytes = Vec::new();
        for i in 0..count {
            bytes.push((i % 4) as u8);
            bytes.extend((0..3 * 32 * 32).map(|at| pixel(i % 4, i, at % 32)));
        }
        std::fs::write(here.join("cifar").join(name), bytes).unwrap();
    }
    // Left by a notebook: no class, and a note.
    std::fs::create_dir_all(here.join("png/train/.ipynb_checkpoints")).unwrap();
    for (part, count) in [("train", 8), ("test", 2)] {
        for class in 0..4 {
            let place = here.join("png").join(part).join(format!("class {class}"));
            std::fs::create_dir_all(&place).unwrap();
            for i in 0..count {
                let image =
                    image::GrayImage::from_fn(12, 12, |x, _| image::Luma([pixel(class, i, x as usize)]));
                image.save(place.join(format!("{i}.png"))).unwrap();
            }
        }
    }
    let config = "times = [1.0]\n[data]\nkind = \"files\"\nsource = [0, 1]\nclasses = [3, 2]\nsamples = 12\n\
        held-out = 4\nfolder = \"FOLDER\"\n[backbone]\nkind = \"cnn\"\nchannels = [4]\nwidth = 8\n[heads]\nseeds = 1\n\
        [pretrain]\nepochs = 1.0\n[probing]\nlongest = 5.0\n[probe]\npoints = 2\n";
    for name in ["cifar", "png"] {
        std::fs::write(here.join("c.toml"), config.replace("FOLDER", name)).unwrap();
        let output = taskhead(here, &["replay", "c.toml", "-q", "--out", name]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        let note = "note: png: skipped as hidden or of the system: train/.ipynb_checkpoints";
        assert_eq!(text.contains(note), name == "png", "{text}");
        let sweep = read_sweep(here.join(format!("{name}.csv"))).unwrap();
        assert_eq!(sweep.records.len(), 2);
        assert!(
            sweep
                .records
                .iter()
                .all(|r| r.reached().is_some() && r.cell.problem == format!("{name} cnn"))
        );
        assert!(here.join(name).join("transfer.svg").exists());
        // Normalised pixels give other numbers, and wait for a normalisation that fits.
        let go = |flags: &str| {
            let all = format!("replay c.toml -q --out normalised {flags}");
            taskhead(here, &all.split(' ').collect::<Vec<_>>())
        };
        for (flags, expected) in [
            ("--mean 0.5,0.4", "2 numbers for mean do not fit images of 3 channels; accepted: 1 or 3"),
            ("--std 0", "`data.std` holds 0; accepted: finite numbers above 0"),
            ("--mean inf", "`data.mean` holds inf; accepted: finite numbers"),
        ] {
            let output = go(flags);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{flags}: {text}");
            assert!(
                text.contains(expected) && text.contains(&format!("{name}: ")) == flags.contains(',')
            );
            assert!(!here.join("normalised.csv").exists());
        }
        assert!(go("--mean 0.5,0.4,0.3 --std 0.2").status.success());
        let normalised = read_sweep(here.join("normalised.csv")).unwrap();
        let moved = |sweep: &Sweep| metric(&sweep.records[0], Metric::Euclidean);
        assert_ne!(moved(&normalised), moved(&sweep));
        std::fs::remove_file(here.join("normalised.csv")).unwrap();
        std::fs::remove_file(here.join("normalised.parquet")).unwrap();
    }
}

/// The best probing point is in the text and in the JSON, chosen by validation images and reported on others.
#[test]
fn the_best_point_is_chosen_on_other_images_than_it_is_reported_on() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let flags = "replay digits --seeds 2 --points 4 --samples 30 --times 2 -q --force --out r";
    let go = |more: &[&str]| {
        let args: Vec<&str> = flags.split(' ').chain(more.iter().copied()).collect();
        let output = taskhead(here, &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = go(&[]);
    let json: serde_json::Value = serde_json::from_str(&go(&["--json"])).unwrap();
    let records = read_sweep(here.join("r.csv")).unwrap().records;
    // Means over the two seeds at each of the four points.
    let means = |of: fn(&Measured) -> f64| -> Vec<f64> {
        let of_point = |i: u64| {
            let all = records.iter().filter(|r| r.cell.point == i);
            all.map(|r| of(r.reached().unwrap())).sum::<f64>() / 2.0
        };
        (0..4).map(of_point).collect()
    };
    let validation = means(|m| m.validation_accuracy.unwrap());
    let test = means(|m| m.held_out_accuracy.unwrap().end);
    assert_ne!(validation, test);
    let best = &json["best"][0];
    let energy = best["aie"].as_f64().unwrap();
    let place = means(|m| m.energies.aie).iter().position(|aie| (aie - energy).abs() < 1e-12).unwrap();
    let most = validation.iter().copied().fold(0.0, f64::max);
    assert_eq!(best["test_accuracy"].as_f64(), Some(test[place]));
    assert_eq!((validation[place], best["validation_accuracy"].as_f64()), (most, Some(most)));
    assert_eq!(best["chosen_by"], "validation_accuracy");
    let line = format!("largest validation accuracy ({most:.4}) at energy");
    assert!(
        text.contains(&line) && text.contains(&format!("test accuracy {:.4} there", test[place])),
        "{text}"
    );
}

#[test]
fn a_killed_replay_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let args = |out: &'static str| {
        let flags =
            "replay digits --seeds 2 --points 4 --samples 200 --times 60 --threads 1 -q --json --out";
        let mut all: Vec<&str> = flags.split(' ').collect();
        all.push(out);
        all
    };
    let whole = taskhead(folder.path(), &args("whole"));
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let mut child = Command::new(env!("CARGO_BIN_EXE_taskhead"))
        .args(args("again"))
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    let partial = folder.path().join("again.partial.parquet");
    let stored = || read_sweep(&partial).map_or(0, |s| s.records.len());
    while stored() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(child.try_wait().unwrap().is_none(), "it was over before it could be killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = stored();
    assert!((2..8).contains(&left) && !folder.path().join("again.parquet").exists());
    let again = taskhead(folder.path(), &args("again"));
    let json: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((json["known"].as_u64(), json["cells"].as_u64()), (Some(left as u64), Some(8)));
    for kind in ["parquet", "csv"] {
        let read = |name: &str| std::fs::read(folder.path().join(format!("{name}.{kind}"))).unwrap();
        assert_eq!(read("whole"), read("again"), "{kind}");
    }
    assert!(!partial.exists());
}

const TABLE: &str = "replay digits --experiment table --points 3 --samples 30 --times 1,2 --widths 16,12 \
                     --pretrain-epochs 1 --longest 10 --cache backbones -q";

fn args<'a>(flags: &'a str, more: &'a str) -> Vec<&'a str> {
    flags.split_whitespace().chain(more.split_whitespace()).collect()
}

/// However it is made, the table has the same bytes: at once, in parts, after a stop, by more seeds, from its own
/// configuration.
#[test]
fn a_table_of_methods_is_the_same_however_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let go = |more: &str| succeed(here, &args(TABLE, more));
    let known = |more: &str| {
        let json: serde_json::Value = serde_json::from_str(&go(&format!("{more} --json"))).unwrap();
        (json["known"].as_u64().unwrap(), json["cells"].as_u64().unwrap())
    };
    // Four curves of three points for each seed: no combination of two changes.
    assert_eq!(known("--seeds 2 --out whole"), (0, 24));
    for part in ["1/3", "2/3", "3/3"] {
        go(&format!("--seeds 2 --out parts --shard {part}"));
    }
    assert!(!here.join("parts").exists());
    let parts = "merge parts.1-of-3.parquet parts.2-of-3.parquet parts.3-of-3.parquet --out parts";
    succeed(here, &args(parts, ""));
    assert_eq!(known("--seeds 2 --out parts"), (24, 24));
    let whole = read_sweep(here.join("whole.parquet")).unwrap();
    let left = Sweep { records: whole.records[..10].to_vec(), ..whole.clone() };
    write_parquet(here.join("stopped.partial.parquet"), &left).unwrap();
    assert_eq!(known("--seeds 2 --out stopped"), (5, 24));
    assert_eq!([known("--seeds 1 --out more"), known("--seeds 2 --out more")], [(0, 12), (12, 24)]);
    std::fs::write(here.join("own.toml"), go("--seeds 2 --print-config")).unwrap();
    let own = succeed(here, &args("replay own.toml --cache backbones --out own", ""));
    assert!(own.contains("\ntable: own/table.md and own/table.csv\n"), "{own}");
    for file in ["/table.md", "/table.csv", ".parquet", ".csv"] {
        let read = |name: &str| std::fs::read(here.join(format!("{name}{file}"))).unwrap();
        for other in ["parts", "stopped", "more", "own"] {
            assert!(read("whole") == read(other), "{other}{file}");
        }
    }
    // Ten seeds unless it is said otherwise.
    assert!(go("--print-config").contains("seeds = 10"));
}

/// Every number of the table is that of the records: points by the other seed's validation accuracy, test accuracies
/// there.
#[test]
fn a_table_of_methods_says_what_the_records_hold() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = succeed(here, &args(TABLE, "--seeds 2 --out t"));
    let json: serde_json::Value =
        serde_json::from_str(&succeed(here, &args(TABLE, "--seeds 2 --out t --json"))).unwrap();
    let methods = json["table"]["methods"].as_array().unwrap();
    let records = read_sweep(here.join("t.csv")).unwrap().records;
    let at_end = |problem: &str, smoothing: f64, seed: u64, point: u64| -> &Measured {
        let of = |r: &&Record| {
            let c = &r.cell;
            (&*c.problem, c.smoothing, c.seed, c.point, c.time) == (problem, smoothing, seed, point, 2.0)
        };
        at(records.iter().find(of).unwrap())
    };
    let names = [
        ("no probing", "digits mlp", 0.0, Some(2)),
        ("tuned probing", "digits mlp", 0.0, None),
        ("probing to convergence", "digits mlp", 0.0, Some(0)),
        ("label-smoothed probing at ε = 0.1", "digits mlp", 0.1, None),
        ("two-layer head of width 64", "digits mlp, two-layer head", 0.0, None),
        ("part of the backbone", "digits mlp, 1 of its layers in the head", 0.0, None),
    ];
    assert_eq!(methods.len(), names.len());
    let markdown = std::fs::read_to_string(here.join("t/table.md")).unwrap();
    let csv = std::fs::read_to_string(here.join("t/table.csv")).unwrap();
    let mut rows = csv.lines();
    assert!(
        rows.next()
            .unwrap()
            .starts_with("problem,method,seeds,aie,aie_least,aie_most,probe_time,score,test,")
    );
    let mut without = [0.0; 2];
    for (method, (name, problem, smoothing, point)) in methods.iter().zip(names) {
        assert_eq!((&method["method"], &method["seeds"]), (&name.into(), &2.into()));
        let chosen = [0, 1].map(|seed| {
            let validation = |point| at_end(problem, smoothing, 1 - seed, point).validation_accuracy;
            let best = || (0..3).max_by(|&a, &b| validation(a).partial_cmp(&validation(b)).unwrap());
            at_end(problem, smoothing, seed, point.or_else(best).unwrap())
        });
        let test = chosen.map(|m| m.held_out_accuracy.unwrap().end);
        if name == "no probing" {
            without = test;
        }
        let less = [test[0] - without[0], test[1] - without[1]];
        let mean = |values: [f64; 2]| (values[0] + values[1]) / 2.0;
        let of = |metric| mean(chosen.map(|m| m.training.get(metric).unwrap()));
        let spread = (test[0] - test[1]).abs() / 2f64.sqrt();
        for (key, value) in [
            ("test", mean(test)),
            ("test_spread", spread),
            ("accuracy", mean(test)),
            ("aie", mean(chosen.map(|m| m.energies.aie))),
            ("probe_time", mean(chosen.map(|m| m.probe_time))),
            ("aie_least", chosen[0].energies.aie.min(chosen[1].energies.aie)),
            ("euclidean", of(Metric::Euclidean)),
            ("cosine", of(Metric::Cosine)),
            ("dot", of(Metric::Dot)),
            ("norm", of(Metric::Norm)),
        ] {
            let found = method[key].as_f64().unwrap();
            assert!((found - value).abs() < 1e-12, "{name}, {key}: {found} is not {value}");
        }
        match method["less_no_probing"].as_f64() {
            Some(found) => {
                assert!((found - mean(less)).abs() < 1e-12, "{name}: {found} is not {less:?}")
            }
            None => assert_eq!(name, "no probing"),
        }
        let cell = format!("{:.4} ± {spread:.4}", mean(test));
        for all in [&text, &markdown] {
            assert!(all.lines().any(|line| line.contains(name) && line.contains(&cell)), "{all}");
        }
        let row = rows.next().unwrap();
        assert!(row.starts_with(&format!("digits mlp,{name},2,{}", method["aie"])), "{row}");
    }
    let words = json["table"]["words"].as_array().unwrap();
    assert!(words.iter().any(|w| w.as_str().unwrap().starts_with("The paper has tuned probing ahead")));
    for words in words.iter().map(|words| words.as_str().unwrap()) {
        assert!(text.contains(words) && markdown.contains(words), "{words}");
    }
    // Another replay does not pass the table off as its own, and nobody's table is replaced.
    let other = TABLE.replace("--experiment table ", "");
    let output = taskhead(here, &args(&other, "--seeds 1 --out t --force"));
    let note = "t/table.md and what belongs to it are of an earlier run with --experiment table";
    assert!(String::from_utf8_lossy(&output.stderr).contains(note));
    std::fs::write(here.join("t/table.md"), "mine").unwrap();
    let error = refuse(here, &args(TABLE, "--seeds 1 --out t"));
    assert!(error.contains("table.md: this is there already"), "{error}");
    assert_eq!(std::fs::read_to_string(here.join("t/table.md")).unwrap(), "mine");
}

#[test]
fn what_makes_no_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, expected) in [
        (
            "linear",
            "`one-at-a-time` holds true; accepted: false for linear data, which have no validation",
        ),
        ("digits --probe-times 0,1", "`probe` holds `times`; accepted: `points` for a table"),
        ("digits --energies 0.5", "`probe` holds `energies`; accepted: `points` for"),
        ("digits --points 1", "it must be a whole number from 2"),
        (
            "digits --head-hidden 8",
            "--head-hidden and this --experiment, which varies the same, exclude",
        ),
        ("digits --head-blocks 1", "--head-blocks and this --experiment"),
        ("digits --smoothings 0.2", "--smoothings and this --experiment"),
        ("digits --theory", "the theory needs a linear head"),
        ("digits --widths 8", "`head.blocks` holds 1; accepted: fewer than the layers"),
    ] {
        let error = refuse(folder.path(), &args("replay --experiment table", flags));
        assert!(error.contains(expected), "{flags} says: {error}");
    }
}

/// A finished replay is not computed again, and more seeds go on from it; another one is neither used nor replaced.
#[test]
fn a_finished_replay_is_reused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let flags = "replay digits --points 3 --samples 40 --times 1,2 --widths 8 --pretrain-epochs 1 --json -q --out";
    let go = |out: &str, more: &str| {
        let all = format!("{flags} {out} {more}");
        let output = taskhead(here, &all.split(' ').collect::<Vec<_>>());
        let json = serde_json::from_slice::<serde_json::Value>(&output.stdout).ok();
        (json.map(|j| (j["known"].as_u64().unwrap(), j["cells"].as_u64().unwrap())), output)
    };
    assert_eq!(go("r", "--seeds 1").0, Some((0, 3)));
    assert_eq!(go("r", "--seeds 1").0, Some((3, 3)));
    assert_eq!(go("r", "--seeds 3").0, Some((3, 9)));
    assert_eq!(go("whole", "--seeds 3").0, Some((0, 9)));
    let read = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert_eq!(read("r.csv"), read("whole.csv"));
    assert_eq!(read("r.parquet"), read("whole.parquet"));
    for other in
        ["--seeds 1", "--seeds 3 --rate 0.02", "--seeds 5 --first-seed 1", "--seeds 5 --label-noise 0.2"]
    {
        let (_, output) = go("r", other);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("this is there already"), "{other}: {text}");
    }
    assert_eq!(read("r.csv"), read("whole.csv"));
    assert_eq!(go("r", "--seeds 3 --force").0, Some((0, 9)));
}

/// Each seed has a backbone of its own, unless all are to have one.
#[test]
fn seeds_have_backbones_of_their_own() {
    let features = |seed: Option<u64>| {
        let mut config = small();
        (config.heads.seeds, config.pretrain.seed) = (2, seed);
        config.probe = Probes { times: Some(vec![0.0]), ..Probes::default() };
        config.finetune.rate = 1e-30;
        // Nothing moves: the mean norm of the features is that of the backbone on the images of the seed.
        config.data = Data::Digits { samples: None, source_folder: None, shifted_folder: None };
        let norms: Vec<f64> = run(config).chunks(2).map(|r| metric(&r[0], Metric::Norm)).collect();
        norms
    };
    let (own, shared) = (features(None), features(Some(0)));
    assert_ne!(own[0], own[1]);
    assert_eq!([shared[0], shared[1]], [own[0], own[0]]);
    assert_eq!(features(Some(1)), [own[1], own[1]]);
}

/// Another source, resized, for pretraining and for the test images: training and validation stay as they are.
#[test]
fn a_shifted_test_set_changes_what_is_reported_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let number = |n: u32| n.to_be_bytes().to_vec();
    for (part, count) in [("train", 40u32), ("t10k", 30)] {
        let mut images = [0x803, count, 12, 12].map(number).concat();
        let mut labels = [0x801, count].map(number).concat();
        for i in 0..count {
            labels.push((i % 10) as u8);
            images.extend((0..144).map(|at| if at % 12 == i % 10 { 255 } else { (i % 7) as u8 }));
        }
        std::fs::write(here.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(here.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
    let with = |source: Option<&Path>, shifted: Option<&Path>, label_noise: f64| {
        let folder = |path: Option<&Path>| path.map(Path::to_owned);
        let (source_folder, shifted_folder) = (folder(source), folder(shifted));
        let data = Data::Digits { samples: Some(80), source_folder, shifted_folder };
        run(Config { data, label_noise, ..small() })
    };
    let own = with(None, None, 0.0);
    let shifted = with(None, Some(here), 0.0);
    for (a, b) in own.iter().zip(&shifted) {
        assert_eq!(
            (at(a).training, at(a).validation_accuracy),
            (at(b).training, at(b).validation_accuracy)
        );
        assert_ne!(at(a).held_out_accuracy, at(b).held_out_accuracy);
        assert!(b.cell.problem.contains("tested on "), "{}", b.cell.problem);
    }
    let noisy = with(None, None, 0.3);
    assert!(noisy[0].cell.problem.ends_with("30 % label noise"));
    // A head learns wrong labels worse, and validation images have right ones.
    assert!(at(&noisy[1]).accuracy.unwrap().end < at(&own[1]).accuracy.unwrap().end);
    assert_ne!(at(&noisy[1]).energies, at(&own[1]).energies);
    // All ten digits after another source.
    let other = with(Some(here), None, 0.0);
    assert!(other[0].cell.problem.contains(" to digits mlp"), "{}", other[0].cell.problem);
    assert_ne!(numbers(&other[1]), numbers(&own[1]));
    let go = |args: &str| {
        let output = taskhead(here, &args.split(' ').collect::<Vec<_>>());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (args, expected) in [
        (
            "replay digits --shifted-data nowhere",
            "nowhere: there is no such folder; --shifted-data takes another",
        ),
        (
            "replay digits --source-data nowhere",
            "nowhere: there is no such folder; --source-data takes another",
        ),
        ("replay digits --label-noise 1.5", "`label-noise` holds 1.5; accepted: a share from 0 to 1"),
        ("replay linear --label-noise 0.5", "`label-noise` holds 0.5"),
        ("replay linear --shifted-data .", "--shifted-data does not belong to this setting"),
        ("replay digits --held-out 5", "--held-out does not belong to this setting"),
        ("replay linear --backbone-seed 1", "--backbone-seed has no effect"),
    ] {
        let (code, text) = go(args);
        assert!(code == Some(2) && text.contains(expected), "{args} says: {text}");
    }
}

/// 331 of 450 cells were those of the old weights.
#[test]
fn a_replay_never_goes_on_with_other_weights_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let flags = "replay digits --seeds 1 --points 3 --samples 40 --times 1 --json -q --out";
    let go = |out: &str, more: &[&str]| {
        let mut args: Vec<&str> = flags.split(' ').collect();
        args.push(out);
        args.extend(more);
        taskhead(here, &args)
    };
    for (cache, source) in [("one", "labels"), ("two", "shuffled")] {
        assert!(go(cache, &["--cache", cache, "--source", source]).status.success());
        let file = std::fs::read_dir(here.join(cache)).unwrap();
        let file =
            file.map(|f| f.unwrap().path()).find(|f| f.extension().is_some_and(|e| e == "safetensors"));
        std::fs::copy(file.unwrap(), here.join(format!("{cache}.safetensors"))).unwrap();
    }
    let put = |name: &str| std::fs::copy(here.join(name), here.join("w.safetensors")).unwrap();
    put("one.safetensors");
    let with = ["--weights", "w.safetensors"];
    assert!(go("whole", &with).status.success());
    let whole = read_sweep(here.join("whole.parquet")).unwrap();
    let leave = |name: &str| {
        let part = Sweep { records: whole.records[..1].to_vec(), ..whole.clone() };
        write_parquet(here.join(format!("{name}.partial.parquet")), &part).unwrap();
    };
    leave("again");
    put("two.safetensors");
    let output = go("again", &with);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("other input files") && output.stdout.is_empty(), "{text}");
    // The same weights in another place are the same.
    let output = go("again", &["--weights", "one.safetensors"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json["known"].as_u64(), json["cells"].as_u64()), (Some(1), Some(3)));
    assert_eq!(read_sweep(here.join("again.parquet")).unwrap().records, whole.records);
    // What is finished is not replaced by another one without a word.
    put("two.safetensors");
    let text = String::from_utf8(go("whole", &with).stderr).unwrap();
    assert!(text.contains("whole.parquet: this is there already"), "{text}");
    assert!(go("whole", &["--weights", "w.safetensors", "--force"]).status.success());
    assert_ne!(read_sweep(here.join("whole.parquet")).unwrap().records, whole.records);
}

#[test]
fn a_pretrained_backbone_is_kept_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "replay digits --seeds 1 --points 2 --samples 40 --times 1 --json -q --out";
    let go = |out: &str, more: &[&str]| {
        let mut args: Vec<&str> = flags.split(' ').collect();
        args.push(out);
        args.extend(more);
        let output = taskhead(folder.path(), &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["backbone"].as_str().map(str::to_owned)
    };
    assert_eq!(go("a", &[]), None);
    let file = go("b", &[]).expect("read from the cache");
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("a.csv"), read("b.csv"));
    // As weights of the user's it gives the same numbers; the configuration says where they come from.
    assert_eq!(go("c", &["--weights", &file]), Some(file.clone()));
    let records = |name: &str| format!("{:?}", read_sweep(folder.path().join(name)).unwrap().records);
    assert_eq!(records("a.csv"), records("c.csv"));
    assert_eq!(go("d", &["--source", "shuffled"]), None);
    assert_ne!(records("a.csv"), records("d.csv"));
}

/// Three changed bytes gave other numbers under the same identity without a word.
#[test]
fn a_kept_backbone_that_has_changed_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "replay digits --seeds 2 --points 2 --samples 40 --times 1 -q --out";
    let go = |out: &str| {
        let args: Vec<&str> = flags.split(' ').chain([out]).collect();
        let output = taskhead(folder.path(), &args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        text
    };
    assert!(!go("a").contains("pretrained again"));
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let cache = std::fs::read_dir(folder.path().join("backbones")).unwrap();
    let files: Vec<_> = cache.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    let whole: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    for (out, change) in [
        (
            "b",
            (|bytes| {
                let at = bytes.len() - 6;
                bytes[at] ^= 0x40;
            }) as fn(&mut Vec<u8>),
        ),
        ("c", |bytes| bytes.truncate(9)),
    ] {
        for (file, bytes) in files.iter().zip(&whole) {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            std::fs::write(file, bytes).unwrap();
        }
        let text = go(out);
        for (file, bytes) in files.iter().zip(&whole) {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(
                text.lines().any(|line| line.contains(name) && line.contains("pretrained again")),
                "{text}"
            );
            assert!(std::fs::read(file).unwrap() == *bytes, "{out}: {name}");
        }
        assert_eq!(read("a.csv"), read(&format!("{out}.csv")));
        assert!(!go(&format!("{out}2")).contains("pretrained again"));
    }
}

#[test]
fn bad_input_gives_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("bad.toml"), "[data]\nkind = \"letters\"\n").unwrap();
    std::fs::write(here.join("field.toml"), "[data]\nkind = \"digits\"\n[finetune]\nrat = 1\n").unwrap();
    std::fs::write(here.join("none.safetensors"), "nothing").unwrap();
    let small = ["--widths", "4", "--source", "none", "--seeds", "1", "--points", "2", "--times", "1"];
    let mut make = vec!["replay", "digits", "-q", "--out", "w"];
    make.extend([
        "--seeds",
        "1",
        "--points",
        "2",
        "--times",
        "1",
        "--samples",
        "40",
        "--cache",
        "cache",
    ]);
    assert!(taskhead(here, &make).status.success());
    let weights = std::fs::read_dir(here.join("cache")).unwrap().next().unwrap().unwrap().path();
    let weights = weights.to_str().unwrap().to_owned();
    let bytes = std::fs::read(&weights).unwrap();
    std::fs::write(here.join("short.safetensors"), &bytes[..bytes.len() - 8]).unwrap();
    for (args, expected) in [
        (
            &["letters"][..],
            "letters is no setting; accepted: linear, digits, digits-cnn, fashion, images, segmentation",
        ),
        (&["bad.toml"], "letters"),
        (&["field.toml"], "rat"),
        (&["digits", "--device", "tpu"], "device tpu cannot be used: there is no such device"),
        (&["digits", "--device", "cuda:7"], "cuda:7 cannot be used"),
        (&["digits", "--samples", "599"], "data.samples = 599 is not valid; accepted: 1 to 598"),
        (&["digits", "--rate", "-1"], "`finetune.rate` holds -1"),
        (&["digits", "--times", "inf"], "finite number"),
        (&["digits", "--times", "2,1"], "ascending"),
        (&["digits", "--head-blocks", "2"], "`head.blocks` holds 2"),
        (&["digits", "--widths", "0"], "whole number from 1"),
        (&["linear", "--widths", "8"], "belong together"),
        (&["linear", "--rate", "0.3"], "one over a whole number"),
        (&["fashion", "--data", "nowhere"], "nowhere: there is no such folder"),
        (&["fashion", "--data", "cache"], "cache: there are no images that can be read"),
        (&["digits", "--data", "cache"], "--data does not belong to this setting"),
        (&["digits", "--side", "8"], "--side does not belong to this setting"),
        (&["linear", "--classes", "1,2"], "--classes does not belong to this setting"),
        (&["digits", "--head-hidden", "4", "--theory"], "the theory needs a linear head"),
        (
            &["digits", "--widths", "5000,5000", "--samples", "598", "--source", "none", "--theory"],
            "the tangent kernel needs at least",
        ),
        (&["digits", "--theory", "16"], "possible values: mean, directions, full"),
        (&["digits", "--theory-dynamics", "descent"], "--theory"),
        (
            &["digits", "--momentum", "1"],
            "`momentum` holds 1; accepted: at least 0 and below 1 (--momentum)",
        ),
        (&["digits", "--longest", "-1"], "`probing.longest` holds -1; accepted: a number from 0 to 1e6"),
        (&["digits", "--source", "none", "--pretrain-epochs", "1"], "--pretrain-epochs has no effect"),
        (&["linear", "--batch", "4"], "`batch` holds 4; accepted: 0"),
        (&["digits", "--mean", "0.5"], "--mean does not belong to this setting"),
        (&["fashion", "--std", "one"], "invalid value 'one'"),
        (&["digits", "--widths", "1000000,1000000"], "finetuning needs at least"),
        (&["digits", "--widths", "18446744073709551615,2"], "GiB of memory"),
        (&["digits", "--head-hidden", "9000000000000"], "finetuning needs at least"),
        (&["linear", "--samples", "900000000000"], "the linear network needs at least"),
        (&["digits", "--points", "900000000000"], "at most 10000000 are accepted"),
        (&["digits", "--backbone", "vgg"], "possible values"),
        (&["digits", "--out", "nowhere/r"], "nowhere"),
        (&["digits", "--threads", "0"], "whole number from 1 to 4095"),
        (&["digits", "--weights", "missing.safetensors"], "missing.safetensors: cannot read"),
        (&["digits", "--weights", "none.safetensors"], "not a whole safetensors file"),
        (&["digits", "--weights", "short.safetensors"], "not a whole safetensors file"),
        (
            &["digits", "--widths", "64,32", "--weights", &weights],
            "`backbone.0.weight` has shape [64, 128]",
        ),
        (&["digits", "--widths", "128", "--weights", &weights], "`backbone.1.bias` has no place"),
    ] {
        let mut all = vec!["replay"];
        all.extend(args);
        let output = taskhead(here, &all);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(expected) && !text.contains("panicked"), "{args:?} says: {text}");
        assert!(output.stdout.is_empty() && !here.join("replay.csv").exists());
    }
    // A rate at which training diverges fails the cells, with the reason.
    let mut args =
        vec!["replay", "digits", "--rate", "1e3", "--loss", "squared", "--json", "-q", "--out", "d"];
    args.extend(small);
    *args.last_mut().unwrap() = "20";
    let output = taskhead(here, &args);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("cells failed; the first one: finetuning diverged"), "{text}");
    assert!(output.stdout.is_empty() && !here.join("d.csv").exists());
    // Some cells may fail: cells are counted, not their records.
    let mut args = vec![
        "replay",
        "digits",
        "--energies",
        "0.8,99",
        "--json",
        "-q",
        "--out",
        "e",
        "--samples",
        "40",
    ];
    args.extend(["--seeds", "1", "--times", "1,2", "--source", "none", "--widths", "8"]);
    let output = taskhead(here, &args);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json["failed"].as_u64(), json["cells"].as_u64()), (Some(1), Some(2)));
    assert_eq!(output.status.code(), Some(1));
}
