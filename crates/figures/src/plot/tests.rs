//! What every figure must do, tried on every figure: valid SVG, axis names, the same bytes again, and
//! no panic whatever the numbers are.

use super::png::parse;
use super::*;

/// Numbers that data may hold, the usual and the hostile.
fn samples() -> Vec<(&'static str, Vec<f64>)> {
    let smooth: Vec<f64> = (0..40).map(|i| f64::from(i) / 10.0 + 0.1).collect();
    vec![
        ("smooth", smooth.clone()),
        ("empty", vec![]),
        ("one point", vec![1.5]),
        ("constant", vec![2.0; 5]),
        ("zeros", vec![0.0; 4]),
        ("not numbers", vec![f64::NAN; 3]),
        ("gaps", vec![1.0, f64::NAN, 3.0, 4.0, f64::NAN, f64::INFINITY, 2.0]),
        ("negative", smooth.iter().map(|v| -v).collect()),
        ("huge", vec![1.0, 1e30, 1e300, f64::MAX]),
        ("tiny", vec![1e-300, 5e-324, 1e-12]),
        ("wide", vec![-1e149, 1e149]),
        ("close", vec![1.0, 1.0 + 1e-15, 1.0 + 2e-15]),
        ("infinite", vec![f64::NEG_INFINITY, f64::INFINITY]),
        ("ends", vec![0.0, 1e-3, 1.0, f64::INFINITY]),
    ]
}

const X: &str = "across";
const Y: &str = "upwards";

fn panel(series: Vec<Series>) -> SeriesPanel {
    SeriesPanel { title: "Title".into(), y_label: Y.into(), series }
}

/// Every figure from the same two lists of numbers.
fn figures(x: &[f64], y: &[f64]) -> Vec<Box<dyn Figure>> {
    let (x, y) = (x.to_vec(), y.to_vec());
    let peak = x.first().copied().zip(y.first().copied());
    let line = Series::line("line", x.clone(), y.clone()).with_peak(peak);
    let all = vec![
        line.clone(),
        Series::thin("thin", x.clone(), y.clone()),
        Series::points("points", x.clone(), y.clone()),
        Series::band("band", x.clone(), y.clone(), y.clone(), x.clone()),
    ];
    let pairs: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    let first = pairs.first().copied().unwrap_or_default();
    let axes = || (Axis::linear(X), Axis::linear(Y));
    let path = FeaturePath { label: "E = 1".into(), head: first, points: pairs.clone() };
    let run = Trajectory {
        label: "run".into(),
        time: x.clone(),
        residual: y.clone(),
        distance: y.clone(),
        feature_norm: y.clone(),
        head_norm: x.clone(),
        backbone: y.clone(),
        head: x.clone(),
    };
    let values = Grid::from_fn(x.clone(), y.clone(), |a, b| a * b);
    let cells = pairs.iter().zip(pairs.iter().skip(1)).enumerate();
    let cells =
        cells.map(|(i, (a, b))| PhaseCell { x: (a.0, b.0), y: (a.1, b.1), state: i % 4 }).collect();
    let tolerance = Tolerance { label: "level".into(), value: 1e-3, curve: "line".into() };
    let curve = SmoothingCurve {
        epsilon: 0.1,
        time: x.clone(),
        energy: y.clone(),
        floor: 0.2,
        ..Default::default()
    };
    let heat = HeatPanel {
        title: "Map".into(),
        value_label: "value".into(),
        grid: values,
        ridge: pairs.clone(),
        ridge_label: "ridge".into(),
    };
    let phase = PhasePanel {
        title: "Law".into(),
        x: Axis::log(X),
        y: Axis::log(Y),
        cells,
        curves: vec![line.clone()],
    };
    vec![
        Box::new(Trend { x_label: X.into(), panels: vec![panel(all.clone()); 3] }),
        Box::new(Beyond {
            name: "beyond",
            title: "Beyond",
            panels: vec![(X.into(), panel(all.clone())); 3],
        }),
        Box::new(WorkPrecision { x_label: X.into(), columns: 2, panels: vec![panel(all.clone()); 3] }),
        Box::new(Hyperbolas {
            x_label: X.into(),
            y_label: Y.into(),
            start: (first, "z₀".into()),
            paths: vec![path; 2],
            ends: (pairs.clone(), "ends".into()),
        }),
        Box::new(Trajectories {
            time: Axis::log(X),
            residual: Axis::log(Y),
            distance: axes().1,
            feature_norm: axes().1,
            head_norm: axes().1,
            spent: axes().1,
            runs: vec![run; 3],
        }),
        Box::new(Agreement {
            x_label: X.into(),
            y_label: Y.into(),
            curves: all.clone(),
            tolerances: vec![tolerance],
            floor: 1e-17,
        }),
        Box::new(HeatMap { x: axes().0, y: axes().1, panels: vec![heat] }),
        Box::new(Phase {
            states: ["holds", "undecided", "fails"].map(String::from).to_vec(),
            panels: vec![phase],
        }),
        Box::new(Risk { x_label: X.into(), y_label: Y.into(), curves: all.clone() }),
        Box::new(Smoothing {
            time_label: X.into(),
            energy_label: Y.into(),
            curves: vec![curve],
            epsilon_label: "ε".into(),
            floor_label: "floor".into(),
            floors: vec![pairs],
        }),
        Box::new(Digits {
            transfer: true,
            accuracy_x_label: X.into(),
            accuracy: panel(all.clone()),
            adaptation_x_label: X.into(),
            adaptation: panel(all),
        }),
    ]
}

#[test]
fn every_figure_survives_any_numbers() {
    for (x_name, x) in samples() {
        for (y_name, y) in samples() {
            for figure in figures(&x, &y) {
                let svg = figure.svg(Theme::Light);
                let case = || format!("{} with x {x_name}, y {y_name}", figure.name());
                assert!(parse(&svg).is_ok(), "{}", case());
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", case());
                for name in [X, Y] {
                    assert!(svg.contains(&format!("\n{name}\n")), "{}: no {name}", case());
                }
                assert!(svg.len() < 600_000, "{}: {} bytes", case(), svg.len());
            }
        }
    }
}

#[test]
fn figures_without_anything() {
    let figures: [Box<dyn Figure>; 10] = [
        Box::new(Trend::default()),
        Box::new(WorkPrecision::default()),
        Box::new(Hyperbolas::default()),
        Box::new(Trajectories::default()),
        Box::new(Agreement::default()),
        Box::new(HeatMap::default()),
        Box::new(Phase::default()),
        Box::new(Risk::default()),
        Box::new(Smoothing::default()),
        Box::new(Digits::default()),
    ];
    for figure in figures {
        for theme in Theme::ALL {
            assert!(parse(&figure.svg(theme)).is_ok(), "{}", figure.name());
        }
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let (_, data) = &samples()[0];
    for (one, other) in figures(data, data).into_iter().zip(figures(data, data)) {
        for theme in Theme::ALL {
            assert!(one.svg(theme) == other.svg(theme), "{}", one.name());
        }
        assert!(one.svg(Theme::Light) != one.svg(Theme::Dark));
        let png = one.png(Theme::Light, 1.0).expect("a valid figure");
        assert!(png == other.png(Theme::Light, 1.0).expect("a valid figure"));
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    }
}

/// Grids whose values are fewer than their axes promise, and cells whose state has no name.
#[test]
fn incomplete_grids() {
    let axis = vec![1.0, 2.0, 3.0];
    let grid = Grid { x: axis.clone(), y: axis, values: vec![0.5; 4] };
    let heat = HeatPanel { grid, ..HeatPanel::default() };
    let map = HeatMap { panels: vec![heat], ..HeatMap::default() };
    assert!(parse(&map.svg(Theme::Light)).is_ok());
    let cell = PhaseCell { x: (1.0, 2.0), y: (1.0, 3.0), state: 7 };
    let law = PhasePanel { cells: vec![cell, PhaseCell::default()], ..PhasePanel::default() };
    let phase = Phase { states: vec!["holds".into()], panels: vec![law] };
    assert!(parse(&phase.svg(Theme::Dark)).is_ok());
}

/// Labels and numbers that a caller may pass are text, not markup.
#[test]
fn texts_are_data() {
    let series = Series::line("<b> & \"c\" _{", vec![0.0, 1.0], vec![0.0, 1.0]);
    let svg = Trend { x_label: "a < b".into(), panels: vec![panel(vec![series])] }.svg(Theme::Light);
    assert!(parse(&svg).is_ok());
    assert!(svg.contains("&lt;b&gt; &amp;") && svg.contains("a &lt; b"));
}

/// No two texts of a figure lie on one another, as the renderer lays them out.
#[test]
fn texts_do_not_overlap() {
    let x: Vec<f64> = (0..50).map(|i| 0.1 + f64::from(i) / 10.0).collect();
    let curve = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(x)).collect::<Vec<f64>>();
    // Curves that end close together, peaks that lie close together.
    let series: Vec<Series> = (0..5)
        .map(|i| {
            let shift = f64::from(i) * 0.01;
            let y = curve(&|x| 1.0 + shift - (x - 2.5 - shift).powi(2) / 9.0);
            Series::line(format!("curve {i}"), x.clone(), y).with_peak(Some((2.5 + shift, 1.0 + shift)))
        })
        .collect();
    let figures: [Box<dyn Figure>; 3] = [
        Box::new(Trend { x_label: X.into(), panels: vec![panel(series.clone()); 4] }),
        Box::new(Risk { x_label: X.into(), y_label: Y.into(), curves: series.clone() }),
        Box::new(Digits {
            transfer: true,
            accuracy: panel(series.clone()),
            adaptation: panel(series),
            ..Digits::default()
        }),
    ];
    for figure in figures {
        let tree = parse(&figure.svg(Theme::Light)).expect("valid");
        let boxes = text_boxes(tree.root());
        assert!(boxes.len() > 10);
        let (w, h) = (tree.size().width(), tree.size().height());
        for (i, (a, text)) in boxes.iter().enumerate() {
            let inside = a.left() >= 0.0 && a.top() >= 0.0 && a.right() <= w && a.bottom() <= h;
            assert!(inside, "{}: {text:?} leaves the page", figure.name());
            for (b, other) in &boxes[..i] {
                let apart = a.right() <= b.left()
                    || b.right() <= a.left()
                    || a.bottom() <= b.top()
                    || b.bottom() <= a.top();
                assert!(apart, "{}: {text:?} and {other:?} overlap", figure.name());
            }
        }
    }
}

/// The texts below a node, with their boxes in pixels.
fn text_boxes(group: &resvg::usvg::Group) -> Vec<(resvg::tiny_skia::Rect, String)> {
    let mut boxes = Vec::new();
    for node in group.children() {
        match node {
            resvg::usvg::Node::Group(inner) => boxes.extend(text_boxes(inner)),
            resvg::usvg::Node::Text(text) => {
                let words = text.chunks().iter().map(|c| c.text().trim().to_owned()).collect();
                boxes.push((text.abs_bounding_box(), words));
            }
            _ => {}
        }
    }
    boxes
}
