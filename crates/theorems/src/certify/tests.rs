use rand::{Rng, RngExt};
use serde_json::Value;

use super::jet::Jet;
use super::laws::{W, Y, widths};
use super::*;
use taskhead::flow::rank_one;
use taskhead::tasks::stream;

/// Points (y, w, s) with their values to 50 digits.
fn cases() -> Vec<Value> {
    let path = format!("{}/../../tests/reference/slopes.json", env!("CARGO_MANIFEST_DIR"));
    let value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = value["cases"].as_array().unwrap().clone();
    assert!(cases.len() >= 100);
    cases
}

/// Encloses a reference value.
fn exact(case: &Value, key: &str) -> Interval {
    let value: f64 = case[key].as_str().unwrap().parse().unwrap();
    if value == 0.0 { Interval::ZERO } else { Interval::new(value.next_down(), value.next_up()) }
}

fn point(case: &Value) -> [f64; 3] {
    ["y", "w", "s"].map(|key| case[key].as_f64().unwrap())
}

/// A box around a point, of a relative size; s ends at 1.
fn around([y, w, s]: [f64; 3], size: f64, rng: &mut impl Rng) -> Cell {
    let mut side = |x: f64, most: f64| {
        let mut end = || size * rng.random::<f64>() * x.abs().max(1e-3);
        let (below, above) = (end(), end());
        [x - below, (x + above).min(most)]
    };
    Cell::new(side(y, f64::MAX), side(w, f64::MAX), side(s, 1.0))
}

fn meet(a: Interval, b: Interval) -> bool {
    a.low() <= b.high() && b.low() <= a.high()
}

/// Enclosures of what the reference holds, from the limit quantities and the forms of the laws.
fn enclosures(cell: &Cell) -> Vec<(&'static str, Interval)> {
    let limit = Limit::over(cell);
    let [t, r, h, p, a] = limit.parts();
    let number = Interval::point;
    let w = cell.0[W];
    let dot = (number(1.0) + a * t) / r;
    let square = (dot.sqr() + (w * t / r).sqr()).at_least(0.0);
    let distance = t / r * ((a + h).sqr() + w.sqr()).sqrt();
    let cube = p * r * r.sqr();
    let slope_distance = t * limit.total(limit.distance()).value / (cube * distance);
    let slope_dot = -(limit.total(limit.dot()).value / cube);
    let slope_norm = a * limit.norm().value / (p * number(2.0) * square.sqrt());
    let p1 = p + number(1.0);
    let quadratic = ((p1 * t + a).sqr() + limit.cosine().value) / p1;
    let slope_angle = w * quadratic / (p * r.sqr() * square);
    vec![
        ("tanh", t),
        ("sech", r),
        ("tanh_half", h),
        ("p", p),
        ("dot", dot),
        ("norm", square.sqrt()),
        ("distance", distance),
        ("slope_distance", slope_distance),
        ("slope_dot", slope_dot),
        ("slope_norm", slope_norm),
        ("slope_angle", slope_angle),
    ]
}

#[test]
fn enclosures_contain_the_50_digit_values() {
    let mut rng = stream(3, 77);
    let mut sharp = 0;
    for case in cases() {
        let at = point(&case);
        let cell = |size: f64, rng: &mut _| {
            if size == 0.0 { Cell(at.map(Interval::point)) } else { around(at, size, rng) }
        };
        for size in [0.0, 1e-12, 1e-6, 1e-3, 0.1, 0.5] {
            for (key, found) in enclosures(&cell(size, &mut rng)) {
                let wanted = exact(&case, key);
                assert!(meet(found, wanted), "{} {key}: {found:?}, not {wanted:?}", case["id"]);
                let width = found.high() - found.low();
                sharp += u32::from(size == 0.0 && width <= 1e-9 * wanted.magnitude());
            }
        }
    }
    // Most points are enclosed tightly; the rest lie next to a zero of what they enclose.
    assert!(sharp > 1500, "{sharp}");
}

/// The law's sign at a point, by the form and by the derivative to 50 digits.
#[test]
fn forms_have_the_sign_of_the_derivatives() {
    let mut beyond = 0;
    for case in cases() {
        let [y, w, s] = point(&case);
        let cell = Cell([y, w, s].map(Interval::point));
        let positive = |key: &str| exact(&case, key).low() > 0.0;
        let agree = |law: Law, holds: bool| {
            let answer = sign(&cell, |c| law.form(c));
            assert!(
                answer == if holds { Answer::Holds } else { Answer::Fails },
                "{law:?} {}",
                case["id"]
            );
        };
        agree(Law::Distance, positive("slope_distance"));
        agree(Law::Cosine, positive("slope_angle"));
        agree(Law::Dot, !positive("slope_dot"));
        if s < 0.0 {
            beyond += 1;
            agree(Law::Norm, !positive("slope_norm"));
        }
    }
    assert!(beyond > 50);
}

/// f(q) − f(p) is a slope of f times q − p, for points of a box that differ along one axis.
#[test]
fn slopes_enclose_differences() {
    let forms: [fn(&Limit) -> Jet; 4] =
        [|l| l.total(l.distance()), |l| l.total(l.dot()), |l| l.norm(), |l| l.cosine()];
    let mut rng = stream(4, 77);
    for case in cases() {
        for size in [1e-3, 0.2] {
            let cell = around(point(&case), size, &mut rng);
            let whole = Limit::over(&cell);
            let mut inside = |axis: usize| {
                let (low, high) = (cell.0[axis].low(), cell.0[axis].high());
                Interval::point((low + (high - low) * rng.random::<f64>()).clamp(low, high))
            };
            let p = Cell([Y, W, S].map(&mut inside));
            for axis in [Y, W, S] {
                let q = p.with(axis, inside(axis));
                let step = q.0[axis] - p.0[axis];
                for form in forms {
                    let difference = form(&Limit::over(&q)).value - form(&Limit::over(&p)).value;
                    assert!(meet(difference, form(&whole).slope[axis] * step), "{} {axis}", case["id"]);
                }
            }
        }
    }
}

fn small() -> Settings {
    Settings::new([1e-2, 1e2], 3.0, 300_000, 64).unwrap()
}

fn task(energy: [f64; 2], claim: fn(&Cell) -> Answer) -> Task {
    Task { theorem: "test", statement: "test", energy, face: false, claim }
}

#[test]
fn every_law_is_proved_without_an_undecided_box() {
    let report = certify(&small(), &CERTIFIED, &|_| ());
    for law in &report.laws {
        assert_eq!(law.verdict, Verdict::Proved, "{law:?}");
        assert_eq!((law.shares, law.largest_undecided), ([1.0, 0.0, 0.0], None));
    }
    assert!(!report.refuted());
    let numbers: Vec<&str> = report.laws.iter().map(|l| l.theorem).collect();
    assert_eq!(numbers, ["T8", "T9", "T10", "T11", "T12", "T13", "T13", "T13"]);
    for law in &report.beyond {
        assert_eq!(law.verdict, Verdict::Refuted);
        assert_eq!(law.shares.iter().sum::<f64>(), 1.0);
        assert!(law.shares[0] > 0.5 && law.shares[1] < 0.05 && law.shares[2] > 0.2, "{law:?}");
        assert_eq!(law.boxes.iter().sum::<u64>(), law.examined.div_ceil(2));
    }
}

/// The slope of a metric along energy in the middle of a box, by a difference of the closed form.
fn slope(metric: usize, region: Region) -> f64 {
    let middle = |[low, high]: [f64; 2]| (low + high) / 2.0;
    let (y, w, s) = (middle(region.y), middle(region.w), middle(region.s));
    let value = |e: f64| rank_one::Limit::new(y, w, y - e).adaptation().means()[metric];
    let energy = y * (1.0 - s);
    (value(energy * (1.0 + 1e-6)) - value(energy * (1.0 - 1e-6))) / (2e-6 * energy)
}

#[test]
fn false_laws_are_refuted_at_a_point_where_they_fail() {
    let no_progress = |_| ();
    let refuted = |task: &Task| {
        let found = certificate(task, &small(), &no_progress);
        assert_eq!(found.verdict, Verdict::Refuted);
        found.counterexample.unwrap()
    };
    // The distance law for every target up to E = 2y.
    assert!(slope(0, refuted(&task([1.0, 2.0], distance))) < 0.0);
    // The dot product falls for every energy up to y, and for every energy up to 3y.
    assert!(slope(2, refuted(&task([0.0, 1.0], dot))) > 0.0);
    assert!(slope(2, refuted(&task([1.0, 3.0], dot))) > 0.0);
    // The norm increases with |a|.
    let wrong = |cell: &Cell| sign(cell, |c| -Limit::over(c).norm());
    assert!(slope(3, refuted(&task([0.0, 1.0], wrong))) > 0.0);
    // The cosine distance falls.
    let wrong = |cell: &Cell| opposite(cosine(cell));
    assert!(slope(1, refuted(&task([0.0, 1.0], wrong))) > 0.0);
    // Two roots.
    let wrong = |cell: &Cell| opposite(one_root(cell));
    assert_eq!(certificate(&task([0.0, 1.0], wrong), &small(), &no_progress).verdict, Verdict::Refuted);
}

/// What is true but not shown by the argument must not come out proved.
#[test]
fn a_wrong_argument_proves_nothing() {
    let peak_by_the_wrong_slope = |cell: &Cell| crosses_once(cell, |slope| slope.low() > 0.0);
    let found = certificate(&task([0.0, 1.0], peak_by_the_wrong_slope), &small(), &|_| ());
    assert_eq!((found.verdict, found.boxes[2]), (Verdict::Undecided, 0));
    let largest = found.largest_undecided.unwrap();
    assert!(largest.y[1] > largest.y[0] && found.shares[1] > 0.0);
    // Without a peak inside: beyond y the dot product does not rise at s = 1 − E/y = 0.
    let found = certificate(&task([1.0, 2.0], one_peak), &small(), &|_| ());
    assert_ne!(found.verdict, Verdict::Proved);
}

#[cfg(feature = "parallel")]
#[test]
fn results_do_not_depend_on_threads() {
    let settings = Settings::new([1e-1, 1e1], 2.0, 20_000, 32).unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| certify(&settings, &CERTIFIED, &|_| ()))
    };
    assert!(with(1) == with(5));
}

#[test]
fn progress_rises_to_one() {
    let seen = std::sync::Mutex::new(vec![0.0]);
    certify(&Settings::new([0.5, 2.0], 2.0, 1_000, 4).unwrap(), &CERTIFIED, &|share| {
        seen.lock().unwrap().push(share)
    });
    let seen = seen.into_inner().unwrap();
    assert!(seen.windows(2).all(|p| p[0] <= p[1] + 1e-12) && (seen[seen.len() - 1] - 1.0).abs() < 1e-12);
}

#[test]
fn maps_tile_their_range_and_agree_with_the_exact_boundaries() {
    let mut rng = stream(5, 77);
    for map in maps(&small(), &|_| ()) {
        assert_eq!(map.shares.iter().sum::<f64>(), 1.0);
        let mut area = [0.0; 3];
        for cell in &map.cells {
            let ln = |[low, high]: [f64; 2]| (high / low).ln() / 1e4f64.ln();
            let across = if map.target.is_some() { (cell.s[1] - cell.s[0]) / 2.0 } else { ln(cell.y) };
            area[cell.state as usize] += across * ln(cell.w);
            let mut draw = |[low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
            for _ in 0..20 {
                let (y, w, s) = (draw(cell.y), draw(cell.w), draw(cell.s));
                check(&map, cell.state, (y, w, s));
            }
        }
        for (area, share) in area.iter().zip(map.shares) {
            assert!((area - share).abs() < 1e-9, "{:?} {area} {share}", map.law);
        }
        match map.law {
            Law::Cosine | Law::Norm => assert_eq!(map.shares, [1.0, 0.0, 0.0]),
            _ => assert!(
                map.shares[1] < 0.08 && map.shares[0] > 0.3 && map.shares[2] > 0.1,
                "{:?} {:?} {:?}",
                map.law,
                map.target,
                map.shares
            ),
        }
    }
}

fn check(map: &Map, state: State, (y, w, s): (f64, f64, f64)) {
    // The slope at the point, where it is larger than the error of the difference.
    let point = Region { y: [y; 2], w: [w; 2], s: [s; 2] };
    let (metric, sign) = [(0, 1.0), (1, 1.0), (2, -1.0), (3, -1.0)][map.law as usize];
    let slope = sign * slope(metric, point);
    let known = slope.abs() > 1e-6 && s < -1e-5;
    match (state, map.target) {
        (State::Holds, _) => assert!(!known || slope > 0.0, "{:?} {y} {w} {s} {slope}", map.law),
        (State::Fails, Some(_)) => assert!(!known || slope < 0.0, "{:?} {y} {w} {s} {slope}", map.law),
        _ => {}
    }
    // The exact boundary at E = 2y: all of it for the dot product, and for the distance if y > 1.3.
    let exact = match map.law {
        Law::Dot => boundary::dot_up_to_twice(y, w),
        Law::Distance => boundary::distance_at_twice(y, w),
        _ => return,
    };
    if map.target.is_none() && state != State::Undecided {
        let all = map.law == Law::Dot || y > 1.3;
        assert!(state != State::Holds || exact > 0.0, "{:?} {y} {w}", map.law);
        assert!(!all || state != State::Fails || exact < 0.0, "{:?} {y} {w}", map.law);
    }
}

#[test]
fn the_table_has_a_row_for_each_cell() {
    let maps = maps(&Settings::new([1e-2, 1e2], 2.0, 1, 8).unwrap(), &|_| ());
    let text = csv(&maps);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 1 + maps.iter().map(|m| m.cells.len()).sum::<usize>());
    assert!(rows.iter().all(|r| r.split(',').count() == 9));
    assert!(text.contains("\ndistance,,0.01,") && text.contains("\ndot,3,3,3,"));
    assert!(text.contains(",undecided") && text.contains(",fails") && text.contains(",holds"));
}

#[test]
fn settings_that_cannot_be_are_refused_with_their_value() {
    let message = |settings: Result<Settings, Setting>| settings.unwrap_err().to_string();
    let found = message(Settings::new([0.0, 1.0], 2.0, 1, 2));
    assert_eq!(found, "the lower end of y and w 0 is not valid; it must be at least 1e-9 and below 1e9");
    for bad in [
        Settings::new([f64::NAN, 1.0], 2.0, 1, 2),
        Settings::new([1.0, 1.0], 2.0, 1, 2),
        Settings::new([1.0, f64::INFINITY], 2.0, 1, 2),
        Settings::new([1.0, 2.0], 1.0, 1, 2),
        Settings::new([1.0, 2.0], f64::NAN, 1, 2),
        Settings::new([1.0, 2.0], 2.0, 0, 2),
        Settings::new([1.0, 2.0], 2.0, 1, 3),
        Settings::new([1.0, 2.0], 2.0, 1, 0),
    ] {
        assert!(message(bad).contains("it must be"));
    }
    let extreme = Settings::new([1e-9, 1e9], 1e6, 2_000, 2).unwrap();
    let report = certify(&extreme, &CERTIFIED, &|_| ());
    assert!(report.laws.iter().all(|l| l.verdict != Verdict::Refuted), "{:?}", report.laws);
    assert!(widths(&Cell::new([1.0, 1.0], [1.0, 1.0], [0.0, 0.0])) == [0.0; 3]);
}
