//! Replays of segmentation: rows are pixels, with a mean IoU; scenes without a download, folders with masks, bad input.
#![cfg(feature = "replay")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{refuse, succeed};
use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;
use taskhead::metric::Metric;
use taskhead::sweep::record::{Record, ScoreKind};
use taskhead_files::read_sweep;
use taskhead_replay::config::{Backbone, Config, Data, Head, Source};
use taskhead_replay::{Replay, device};

/// Scenes in a few seconds.
fn small() -> Config {
    let mut config = Config::preset("segmentation").unwrap();
    config.times = vec![1.0, 4.0];
    config.data = Data::Scenes { samples: Some(16) };
    config.backbone = Backbone::EncoderDecoder { channels: vec![4, 6], width: 8 };
    config.pretrain.epochs = 1.0;
    config.probing.longest = 10.0;
    config.heads.seeds = 1;
    config.probe.points = Some(2);
    config
}

fn run(config: Config) -> Vec<Record> {
    let replay = Replay::new(config, device::open("cpu").unwrap().0, None).unwrap();
    let records = replay.run(&());
    assert!(records.iter().all(|r| r.reached().is_some()), "{:?}", records[0].reason());
    records
}

/// Every option: pixels learn, features move, and records have a mean IoU beside an accuracy.
#[test]
fn pixels_learn_with_every_kind_of_head() {
    let mut config = small();
    config.heads.smoothings = vec![0.0, 0.2];
    config.head =
        vec![Head::default(), Head { hidden: Some(6), blocks: 0 }, Head { hidden: None, blocks: 1 }];
    let records = run(config);
    assert_eq!(records.len(), 3 * 2 * 2 * 2);
    for r in &records {
        let m = r.reached().unwrap();
        assert!(m.residual < m.energies.frobenius, "{}", r.cell.problem);
        assert!(m.training.get(Metric::Euclidean).unwrap() > 0.0);
        let score = m.score.unwrap();
        assert_eq!(score.kind, ScoreKind::MeanIou);
        let accuracy = m.held_out_accuracy.unwrap();
        let shares = [score.held_out.start, score.held_out.end, score.training.end, score.validation];
        assert!(shares.iter().all(|s| *s > 0.0 && *s < 1.0), "{shares:?}");
        // With most pixels in the background, an accuracy says less.
        assert!(score.held_out.end < accuracy.end && accuracy.end < 1.0);
        // Energies are means over pixels of residuals of probabilities, which are at most √2 long.
        assert!(m.energies.aie < 2f64.sqrt() && m.energies.frobenius < (16.0 * 1024.0 * 2.0f64).sqrt());
    }
    assert_eq!(records[0].cell.problem, "scenes encoder-decoder");
}

#[test]
fn shuffled_masks_and_a_random_backbone_change_the_numbers() {
    let of = |source: Source| {
        let mut config = small();
        config.pretrain.source = source;
        format!("{:?}", run(config)[0].reached().unwrap().energies)
    };
    let all = [Source::Labels, Source::Shuffled, Source::None].map(of);
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
}

const FLAGS: &str = "replay segmentation --samples 10 --pretrain-epochs 1 --points 3 --longest 5 --times 1,2 --cache b -q";

fn args<'a>(flags: &'a str, more: &'a str) -> Vec<&'a str> {
    flags.split(' ').chain(more.split(' ')).collect()
}

/// The parts of a replay are the whole, which is told in text, JSON, tables and figures, and goes on with more seeds.
#[test]
fn what_is_written_has_the_mean_iou() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = succeed(here, &args(FLAGS, "--seeds 2 --out whole"));
    assert!(text.contains("scenes encoder-decoder: largest validation mean IoU ("), "{text}");
    assert!(text.contains(" there (accuracy 0.") && text.contains("over 2 seeds"), "{text}");
    for part in ["1/2", "2/2"] {
        succeed(here, &args(FLAGS, &format!("--seeds 2 --out parts --shard {part}")));
    }
    succeed(here, &["merge", "parts.1-of-2.parquet", "parts.2-of-2.parquet", "--out", "parts"]);
    let more = |out: &str, seeds: &str| -> Value {
        let output = succeed(here, &args(FLAGS, &format!("--seeds {seeds} --out {out} --json")));
        serde_json::from_str(&output).unwrap()
    };
    assert_eq!((&more("more", "1")["known"], &more("more", "2")["known"]), (&0.into(), &3.into()));
    for kind in ["parquet", "csv"] {
        let read = |name: &str| std::fs::read(here.join(format!("{name}.{kind}"))).unwrap();
        assert!(read("whole") == read("parts") && read("whole") == read("more"), "{kind}");
    }
    let best = &more("whole", "2")["best"][0];
    assert_eq!(best["chosen_by"], "validation_mean_iou");
    let records = read_sweep(here.join("whole.csv")).unwrap().records;
    assert_eq!(records, read_sweep(here.join("whole.parquet")).unwrap().records);
    // The numbers of the best point are those of the table: means over its seeds.
    let mut points: BTreeMap<u64, Vec<(f64, f64, f64)>> = BTreeMap::new();
    for r in records.iter().filter(|r| r.cell.time == 2.0) {
        let m = r.reached().unwrap();
        let score = m.score.unwrap();
        let numbers = (score.validation, score.held_out.end, m.held_out_accuracy.unwrap().end);
        points.entry(r.cell.point).or_default().push(numbers);
    }
    let mean = |of: fn(&(f64, f64, f64)) -> f64, all: &[(f64, f64, f64)]| {
        all.iter().map(of).sum::<f64>() / all.len() as f64
    };
    let chosen = points.values().max_by(|a, b| mean(|n| n.0, a).total_cmp(&mean(|n| n.0, b))).unwrap();
    for (key, value) in [
        ("validation_mean_iou", mean(|n| n.0, chosen)),
        ("test_mean_iou", mean(|n| n.1, chosen)),
        ("test_accuracy", mean(|n| n.2, chosen)),
    ] {
        assert!((best[key].as_f64().unwrap() - value).abs() < 1e-12, "{key}: {best} is not {value}");
    }
    let figure = std::fs::read_to_string(here.join("whole/transfer.svg")).unwrap();
    assert!(figure.contains("Test mean IoU, best by validation marked"));
    let csv = std::fs::read_to_string(here.join("whole.csv")).unwrap();
    assert!(csv.contains("validation_accuracy,score,score_start,") && csv.contains(",mean_iou,0."));
}

/// Beside the mean IoU, by which points are chosen, the table has accuracy.
#[test]
fn a_table_of_methods_has_both_scores() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let flags = "replay segmentation --experiment table --samples 6 --source none --points 2 --longest 2 --times 1";
    let text = succeed(here, &args(flags, "--seeds 2 --out t -q"));
    let header = |line: &str| line.contains("  test mean IoU  ") && line.contains("  test accuracy  ");
    assert!(text.lines().any(header), "{text}");
    assert!(text.contains("validation mean IoU chooses"), "{text}");
    let records = read_sweep(here.join("t.csv")).unwrap().records;
    let base = "scenes encoder-decoder, random backbone";
    let of = |r: &&Record| (&*r.cell.problem, r.cell.smoothing, r.cell.point) == (base, 0.0, 1);
    let without: Vec<_> = records.iter().filter(of).collect();
    let mean = |of: fn(&Record) -> f64| without.iter().map(|r| of(r)).sum::<f64>() / 2.0;
    let iou = mean(|r| r.reached().unwrap().score.unwrap().held_out.end);
    let accuracy = mean(|r| r.reached().unwrap().held_out_accuracy.unwrap().end);
    let row = text.lines().find(|line| line.starts_with("no probing ")).unwrap();
    assert_eq!(without.len(), 2);
    assert!(
        row.contains(&format!("{iou:.4} ± ")) && row.contains(&format!("{accuracy:.4} ± ")),
        "{row}"
    );
    let csv = std::fs::read_to_string(here.join("t/table.csv")).unwrap();
    assert!(csv.lines().count() == 7 && csv.contains(",mean_iou,"), "{csv}");
}

/// Images of 8×8 with a square of a class, which is bright in its own colour; `label` says what a mask holds for it.
fn pairs(
    folder: &Path,
    [images, masks]: [&str; 2],
    count: u32,
    ending: &str,
    label: impl Fn(u32) -> u8,
) {
    for part in [images, masks] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    for i in 0..count {
        let class = i % 4 + 1;
        let inside = |x: u32, y: u32| (1 + i % 3..6).contains(&x) && (2..7 - i % 2).contains(&y);
        let image = RgbImage::from_fn(8, 8, |x, y| {
            let bright = |on: bool| if on { 220 } else { (x * 3 + y * 5 + i) as u8 };
            let on = inside(x, y);
            Rgb([bright(on && class != 2), bright(on && class > 1), bright(on && class % 2 == 0)])
        });
        let mask = GrayImage::from_fn(8, 8, |x, y| Luma([if inside(x, y) { label(class) } else { 0 }]));
        image.save(folder.join(images).join(format!("i{i:02}.{ending}"))).unwrap();
        mask.save(folder.join(masks).join(format!("i{i:02}.png"))).unwrap();
    }
}

const FILES: &str = "replay segmentation --samples 4 --pretrain-epochs 2 --points 2 --seeds 1 --longest 5 --times 2 --json -q --data";

#[test]
fn folders_with_masks_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    pairs(&here.join("plain"), ["images", "masks"], 24, "png", |class| class as u8);
    std::fs::copy(here.join("plain/masks/i00.png"), here.join("plain/masks/odd.png")).unwrap();
    let go = |data: &str, more: &str| -> Value {
        let output = succeed(here, &args(FILES, &format!("{data} {more}")));
        serde_json::from_str(&output).unwrap()
    };
    let numbers =
        |out: &str| format!("{:?}", read_sweep(here.join(out).with_extension("csv")).unwrap().records);
    let json = go("plain", "--out plain-r");
    assert_eq!(json["best"][0]["group"], "plain encoder-decoder");
    // Half of the classes by default.
    go("plain", "--source-classes 1,2 --classes 3,4 --out named");
    assert_eq!(numbers("plain-r"), numbers("named"));
    go("plain", "--classes 3,4 --source-classes 1,2,3 --out other");
    assert_ne!(numbers("plain-r"), numbers("other"));
    go("plain", "--side 16 --out larger");
    assert_ne!(numbers("plain-r"), numbers("larger"));
    // With labels to ignore the rest is trained and measured.
    pairs(&here.join("edges"), ["images", "masks"], 24, "png", |class| class as u8);
    for i in 0..24 {
        let path = here.join(format!("edges/masks/i{i:02}.png"));
        let mut mask = image::open(&path).unwrap().into_luma8();
        (0..8).for_each(|x| mask.put_pixel(x, 3, Luma([9])));
        mask.save(path).unwrap();
    }
    go("edges", "--ignore 9 --out edges-r");
    assert_ne!(numbers("plain-r"), numbers("edges-r"));
    // One class besides the background, for both tasks.
    pairs(&here.join("binary"), ["images", "masks"], 24, "png", |_| 255);
    let output = common::taskhead(here, &args(FILES, "binary --out binary-r"));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && text.contains("both tasks have the same classes"), "{text}");
    // Pascal VOC's layout, whose classes have names, and whose label 255 is ignored.
    let voc = here.join("voc");
    pairs(&voc, ["JPEGImages", "SegmentationClass"], 24, "jpg", |class| {
        [0, 8, 12, 15, 255][class as usize]
    });
    std::fs::create_dir_all(voc.join("ImageSets/Segmentation")).unwrap();
    let list = |range: std::ops::Range<u32>| range.map(|i| format!("i{i:02}\n")).collect::<String>();
    std::fs::write(voc.join("ImageSets/Segmentation/train.txt"), list(0..16)).unwrap();
    std::fs::write(voc.join("ImageSets/Segmentation/val.txt"), list(16..24)).unwrap();
    go("voc", "--source-classes cat --classes dog,person --out voc-r");
    go("voc", "--source-classes 8 --classes 12,15 --out voc-n");
    assert_eq!(numbers("voc-r"), numbers("voc-n"));
    go("voc", "--source-data plain --out between");
    // Identity is content: the same files elsewhere are the same replay, a changed mask is another one.
    std::fs::rename(here.join("plain"), here.join("moved")).unwrap();
    assert_eq!(go("moved", "--out named --source-classes 1,2 --classes 3,4 --force")["known"], 0);
    assert_eq!(go("moved", "--out named --source-classes 1,2 --classes 3,4")["known"], 2);
    let path = here.join("moved/masks/i02.png");
    let mut mask = image::open(&path).unwrap().into_luma8();
    mask.put_pixel(0, 0, Luma([3]));
    mask.save(path).unwrap();
    let text =
        common::refuse(here, &args(FILES, "moved --out named --source-classes 1,2 --classes 3,4"));
    assert!(text.contains("this is there already"), "{text}");
}

/// One clear error with the file and the value, before anything is written.
#[test]
fn bad_masks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let plain = |name: &str| {
        let data = here.join(name);
        pairs(&data, ["images", "masks"], 12, "png", |class| class as u8);
        data
    };
    let cut = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    plain("good");
    std::fs::remove_file(plain("missing").join("masks/i03.png")).unwrap();
    cut(&plain("cut").join("masks/i04.png"));
    cut(&plain("torn").join("images/i04.png"));
    GrayImage::new(9, 8).save(plain("wide").join("masks/i05.png")).unwrap();
    RgbImage::new(8, 8).save(plain("colours").join("masks/i06.png")).unwrap();
    RgbImage::new(12, 8).save(plain("sizes").join("images/i07.png")).unwrap();
    std::fs::copy(here.join("good/images/i00.png"), plain("twice").join("images/i00.bmp")).unwrap();
    let mut late = GrayImage::new(8, 8);
    late.put_pixel(2, 1, Luma([77]));
    late.save(plain("late").join("masks/i02.png")).unwrap();
    pairs(&here.join("few"), ["images", "masks"], 5, "png", |class| class as u8);
    pairs(&here.join("empty"), ["images", "masks"], 12, "png", |_| 0);
    std::fs::create_dir_all(here.join("nothing")).unwrap();
    let voc = here.join("voc");
    pairs(&voc, ["JPEGImages", "SegmentationClass"], 12, "jpg", |class| {
        [0, 8, 12, 15, 16][class as usize]
    });
    let lists = voc.join("ImageSets/Segmentation");
    std::fs::create_dir_all(&lists).unwrap();
    let refused = |flags: &str, expected: &[&str]| {
        let text =
            refuse(here, &args("replay segmentation --seeds 1 --points 2 --times 2 --data", flags));
        assert!(expected.iter().all(|part| text.contains(part)), "{flags} says: {text}");
    };
    refused("nowhere", &["nowhere: there is no such folder; --data takes another"]);
    refused("nothing", &["nothing: there are no images with masks; accepted: images/ and masks/"]);
    refused("missing", &["i03.png: this image has no mask: there is no missing/masks/i03.png"]);
    refused("cut", &["masks/i04.png: this mask cannot be read"]);
    refused("torn", &["images/i04.png: this image cannot be read"]);
    refused("wide", &["masks/i05.png: this mask has 9×8 pixels, its image i05.png 8×8"]);
    refused("colours", &["masks/i06.png: this mask cannot be read: it has colours"]);
    refused("sizes", &["images/i07.png: this image has 12×8 pixels, the first one 8×8", "--side N"]);
    refused("twice", &["images/i00.png: i00.bmp has the same name"]);
    refused("late", &["masks/i02.png: this mask has the label 77, which no training mask has"]);
    refused("few", &["few: there are 5 images with masks", "accepted: at least 6"]);
    refused("empty", &["empty: the masks have 0; accepted: at least two labels"]);
    refused("good --classes 3,9", &["good: no training mask has a pixel of class 9", "0, 1, 2, 3, 4"]);
    refused("good --classes 3,3", &["each class once"]);
    refused("good --classes 0", &["leaves one label, 0"]);
    refused("good --classes cat", &["no training mask has a pixel of class cat"]);
    refused("good --ignore 0 --classes 0,1", &["no training mask has a pixel of class 0"]);
    refused("good --ignore x", &["invalid value 'x'"]);
    refused("good --samples 99", &["data.samples = 99 is not valid"]);
    refused("good --side 10", &["images of 10×10 pixels have features of 12×12", "multiples of 4"]);
    refused(
        "good --shifted-data good",
        &["`data.shifted-folder`", "nothing for segmentation (--shifted-data)"],
    );
    refused("good --backbone cnn", &["belong together", "(--backbone)"]);
    refused("good --head-blocks 2", &["which leaves features of 4×4 pixels for masks of 8×8"]);
    refused("good --theory", &["segmentation has one for each pixel"]);
    refused("good --label-noise 0.1", &["`label-noise` holds 0.1", "--label-noise"]);
    refused("voc", &["train.txt: this list cannot be read"]);
    std::fs::write(lists.join("train.txt"), "i00\ni01\n\nnone\n").unwrap();
    refused("voc", &["train.txt: line 4 names none, but there is no voc/JPEGImages/none.jpg"]);
    std::fs::write(lists.join("train.txt"), "i00\ni01\ni02\ni03\ni04\n").unwrap();
    std::fs::write(lists.join("val.txt"), "i05\n").unwrap();
    refused("voc", &["val.txt: this list has 1 images; accepted: at least two"]);
    std::fs::write(lists.join("val.txt"), "i05\ni06\n").unwrap();
    refused(
        "voc --classes dog,sofa",
        &["no training mask has a pixel of class sofa", "16 (pottedplant)"],
    );
    refused("voc --classes cat", &["no held-out mask has a pixel of class 8 (cat)"]);
    let mut mask = GrayImage::new(8, 8);
    mask.put_pixel(3, 2, Luma([21]));
    mask.save(voc.join("SegmentationClass/i04.png")).unwrap();
    refused("voc", &["i04.png: this mask has the label 21 at column 3, row 2; accepted: 0 to 20"]);
    let text = refuse(here, &args("replay segmentation --ignore 3", "--seeds 1"));
    assert!(
        text.contains("--ignore does not belong to this setting") && text.contains("with --data"),
        "{text}"
    );
    let text = refuse(here, &args("replay digits --backbone encoder-decoder", "--seeds 1"));
    assert!(text.contains("belong together") && text.contains("(--backbone)"), "{text}");
    let text = refuse(here, &args("replay fashion --data good --ignore", "3"));
    assert!(text.contains("`data.ignore` holds 3") && text.contains("(--ignore)"), "{text}");
}
