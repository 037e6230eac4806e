//! Ways to prepare the head, side by side: each at the probing point that validation samples choose, compared seed by
//! seed on test samples.

use std::collections::BTreeSet;

use super::means::chosen_by_others;
use super::paired::Difference;
use super::{Across, Group, Point, deviation, groups, mean};
use crate::setting::counted;
use crate::sweep::record::{Asked, Cell, Record, ScoreKind};

const NO_PROBING: &str = "no probing";
const TUNED: &str = "tuned probing";
const CONVERGED: &str = "probing to convergence";

/// Methods over the same seeds, at the last finetuning time.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// What is finetuned, in words.
    pub problem: &'a str,
    /// The score, if it is not accuracy.
    pub score: Option<ScoreKind>,
    /// How many seeds every method has.
    pub seeds: usize,
    /// No probing and tuned probing; probing to convergence; then each change by itself.
    pub methods: Vec<Method<'a>>,
    /// Methods for which some seed has no point, as cells failed.
    pub left_out: Vec<String>,
}

/// One way to prepare the head.
#[derive(Debug, Clone)]
pub struct Method<'a> {
    /// In words.
    pub name: String,
    /// For each seed the point at which finetuning starts. Where there is a choice, the other seeds' validation scores
    /// make it, so that no network is chosen for its own luck.
    pub points: Vec<Point<'a>>,
}

impl<'a> Method<'a> {
    /// One number of each seed.
    pub fn values(&self, of: impl Fn(&Point<'a>) -> f64) -> Vec<f64> {
        self.points.iter().map(of).collect()
    }

    /// Its mean over the seeds.
    pub fn mean(&self, of: impl Fn(&Point<'a>) -> f64) -> f64 {
        mean(&self.values(of))
    }

    /// Its standard deviation over the seeds; NaN of a single one.
    pub fn deviation(&self, of: impl Fn(&Point<'a>) -> f64) -> f64 {
        deviation(&self.values(of))
    }

    /// The test score less that of another method, seed by seed.
    pub fn less(&self, other: &Self) -> Difference {
        let both = self.points.iter().zip(&other.points);
        let differences = both.map(|(a, b)| a.held_out_score() - b.held_out_score());
        Difference::of(&differences.collect::<Vec<f64>>())
    }

    /// In how many seeds it starts where another method starts.
    fn same(&self, other: &Self) -> usize {
        self.points.iter().zip(&other.points).filter(|(a, b)| a.cell.number == b.cell.number).count()
    }
}

/// Compares what records hold: their first curve without probing, where validation chooses, and after the longest
/// probing; and each change of it where validation chooses. `change` is a change in words, empty for the first curve.
///
/// None if some seed lacks scores without probing.
pub fn comparison(records: &[Record], change: impl Fn(&Cell) -> String) -> Option<Comparison<'_>> {
    let seeds = records.iter().map(|r| r.cell.seed).collect::<BTreeSet<_>>().len();
    let groups = groups(records);
    let of = |name: &str| -> Vec<Across<'_>> {
        let group = groups.iter().find(|group| change(group.cell()) == name);
        group.map_or_else(Vec::new, |group| whole(group, seeds))
    };
    let base = of("");
    let at = |share| base.iter().find(|a| a.points[0].cell.probe == Asked::Share(share));
    let no_probing = at(1.0)?.points.clone();
    let (problem, score) = (&no_probing[0].cell.problem, no_probing[0].measured.score.map(|s| s.kind));
    let mut all = vec![
        (NO_PROBING.to_owned(), Some(no_probing)),
        (TUNED.to_owned(), chosen(&base)),
        (CONVERGED.to_owned(), at(0.0).map(|across| across.points.clone())),
    ];
    for record in records {
        let name = change(&record.cell);
        if !name.is_empty() && all.iter().all(|(other, _)| *other != name) {
            let points = chosen(&of(&name));
            all.push((name, points));
        }
    }
    let (mut methods, mut left_out) = (Vec::new(), Vec::new());
    for (name, points) in all {
        match points {
            Some(points) => methods.push(Method { name, points }),
            None => left_out.push(name),
        }
    }
    Some(Comparison { problem, score, seeds, methods, left_out })
}

/// The points that all seeds have with both scores, by ascending energy, each with the seeds in their order.
fn whole<'a>(group: &Group<'a>, seeds: usize) -> Vec<Across<'a>> {
    let mut all = Across::of(&group.curves());
    let scored = |p: &Point| p.validation_score().is_finite() && p.held_out_score().is_finite();
    all.retain(|across| across.points.len() == seeds && across.points.iter().all(scored));
    all.iter_mut().for_each(|across| across.points.sort_by_key(|p| p.cell.seed));
    all
}

/// For each seed the point that the others choose.
fn chosen<'a>(all: &[Across<'a>]) -> Option<Vec<Point<'a>>> {
    let choices = chosen_by_others(all).into_iter().enumerate();
    let points: Vec<Point> = choices.map(|(seed, point)| all[point].points[seed]).collect();
    (!points.is_empty()).then_some(points)
}

/// The name of a method, and a difference of its test score or from it.
type Named<'m> = (&'m str, Difference);

impl Comparison<'_> {
    /// What was seen, in sentences, also of what the paper says: that tuned probing is ahead of none and of probing to
    /// convergence.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.left_out.is_empty() {
            words.push(format!("Left out, as cells of some seed failed: {}.", self.left_out.join(", ")));
        }
        if self.seeds < 2 {
            words.push("One seed says nothing about differences.".into());
            return words;
        }
        let [none, tuned, others @ ..] = &self.methods[..] else { return words };
        let (converged, changes): (Vec<&Method>, Vec<&Method>) =
            others.iter().partition(|method| method.name == CONVERGED);
        let ends: Vec<&Method> = [none].into_iter().chain(converged).collect();
        let less = |method: &Method, other| method.less(other);
        let over_none: Vec<Named> =
            self.methods[1..].iter().map(|m| (&*m.name, less(m, none))).collect();
        let over_ends: Vec<Named> = ends.iter().map(|end| (&*end.name, less(tuned, end))).collect();
        let over_tuned: Vec<Named> = changes.iter().map(|m| (&*m.name, less(m, tuned))).collect();

        words.push(against(NO_PROBING, &over_none));
        let same = ends.iter().map(|end| (&end.name, tuned.same(end))).filter(|(_, same)| *same > 0);
        let same: Vec<String> = same.map(|(name, same)| format!("{name} in {same}")).collect();
        if !same.is_empty() {
            let seeds = counted(self.seeds, "seed");
            words.push(format!("For {TUNED} validation chose {} of {seeds}.", same.join(" and ")));
        }
        if ends.len() > 1 {
            words.push(paper(&over_ends));
        }
        if !over_tuned.is_empty() {
            words.push(against(TUNED, &over_tuned));
        }
        // Tuned probing less none stands in two sentences.
        let all: Vec<&Named> = over_none.iter().chain(&over_ends[1..]).chain(&over_tuned).collect();
        if all.iter().any(|(_, difference)| difference.is_seen()) {
            words.push(format!(
                "These are {} intervals of 95 % each: without any true difference, up to {} % of such tables would \
                 show one.",
                all.len(),
                (5 * all.len()).min(100)
            ));
        }
        words
    }
}

/// How methods differ from one of them.
fn against(base: &str, methods: &[Named]) -> String {
    let part = |word: &str| {
        let of_word = methods.iter().filter(|(_, difference)| difference.word() == word);
        let names: Vec<String> =
            of_word.map(|(name, difference)| format!("{name} ({difference})")).collect();
        (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
    };
    let parts = ["better", "worse", "no difference seen"].into_iter().filter_map(part);
    format!("Against {base}, {}.", parts.collect::<Vec<_>>().join("; "))
}

/// Whether tuned probing is ahead of both its ends, as the paper has it.
fn paper(over_ends: &[Named]) -> String {
    let seen = |(_, difference): &&Named| difference.is_seen();
    let worse = over_ends.iter().filter(seen).any(|(_, difference)| difference.mean < 0.0);
    let verdict = match over_ends.iter().filter(seen).count() {
        _ if worse => "contradicted",
        0 => "not seen",
        count if count == over_ends.len() => "seen",
        _ => "seen in part",
    };
    let part = |(name, difference): &Named| {
        let than = match (difference.is_seen(), difference.mean > 0.0) {
            (false, _) => "not told from",
            (true, true) => "better than",
            (true, false) => "worse than",
        };
        format!("{than} {name} ({difference})")
    };
    let parts: Vec<String> = over_ends.iter().map(part).collect();
    format!(
        "The paper has tuned probing ahead of none and of convergence: {verdict} here, where it is {}.",
        parts.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::sweep::record::tests::reached;
    use crate::sweep::record::{Change, Outcome, Score};

    /// Three probing points from the longest probing to none, with validation and test scores.
    fn curve(seed: u64, smoothing: f64, validation: [f64; 3], test: [f64; 3]) -> Vec<Record> {
        let record = |point: usize| {
            let energy = 1.0 + point as f64 + seed as f64 / 8.0;
            let mut record = reached(seed, point as u64, energy, [energy; 4]);
            (record.cell.smoothing, record.cell.probe) = (smoothing, Asked::Share(point as f64 / 2.0));
            record.cell.number += if smoothing == 0.0 { 0 } else { 10 };
            if let Outcome::Reached(_, measured) = &mut record.outcome {
                measured.validation_accuracy = Some(validation[point]);
                measured.held_out_accuracy = Some(Change { start: 0.0, end: test[point] });
            }
            record
        };
        (0..3).map(record).collect()
    }

    /// Three seeds without smoothing and with it.
    fn records() -> Vec<Record> {
        let validation = [[0.5, 0.9, 0.6], [0.5, 0.6, 0.9], [0.5, 0.6, 0.8]];
        let test = [[0.40, 0.99, 0.70], [0.42, 0.75, 0.71], [0.41, 0.99, 0.72]];
        let smoothed = [[0.80, 0.0, 0.0], [0.82, 0.0, 0.0], [0.84, 0.0, 0.0]];
        let of_seed = |seed: usize| {
            let plain = curve(seed as u64, 0.0, validation[seed], test[seed]);
            let smooth = curve(seed as u64, 0.1, [0.9, 0.8, 0.1], smoothed[seed]);
            [plain, smooth].concat()
        };
        (0..3).flat_map(of_seed).collect()
    }

    fn change(cell: &Cell) -> String {
        match (cell.smoothing, &*cell.problem) {
            (0.0, "test") => String::new(),
            (0.0, other) => other.to_owned(),
            _ => "smoothed".to_owned(),
        }
    }

    /// The other seeds choose each seed's point by validation; what is reported is its test score.
    #[test]
    fn points_are_chosen_on_validation_and_reported_on_test() {
        let records = records();
        let all = comparison(&records, change).unwrap();
        let names: Vec<&str> = all.methods.iter().map(|method| &*method.name).collect();
        assert_eq!(names, [NO_PROBING, TUNED, CONVERGED, "smoothed"]);
        assert_eq!((all.problem, all.seeds, all.score, all.left_out.len()), ("test", 3, None, 0));
        let points: Vec<Vec<u64>> =
            all.methods.iter().map(|m| m.points.iter().map(|p| p.cell.point).collect()).collect();
        // Seed 2 sees two equal means, of which that of less probing counts.
        assert_eq!(points, [[2, 2, 2], [2, 1, 2], [0, 0, 0], [0, 0, 0]]);
        let [none, tuned, converged, smoothed] = &all.methods[..] else { panic!("{names:?}") };
        assert_eq!(tuned.values(|p| p.held_out_score()), [0.70, 0.75, 0.72]);
        assert!((none.mean(|p| p.held_out_score()) - 0.71).abs() < 1e-12);
        assert!((none.deviation(|p| p.held_out_score()) - 0.01).abs() < 1e-12);
        assert_eq!(tuned.values(|p| p.metric(Metric::Norm)), [3.0, 2.125, 3.25]);
        // Differences 0, 0.04, 0: t is 4.303 and the standard error 0.04/3.
        let less = tuned.less(none);
        assert!((less.mean - 0.04 / 3.0).abs() < 1e-12, "{less}");
        assert!((less.half_width - 4.3027 * 0.04 / 3.0).abs() < 1e-5 && !less.is_seen(), "{less}");
        assert!(smoothed.less(none).is_seen() && (smoothed.less(none).mean - 0.11).abs() < 1e-12);
        assert!((converged.less(none).mean + 0.30).abs() < 1e-12);
    }

    #[test]
    fn words_say_what_was_seen() {
        let records = records();
        let words = comparison(&records, change).unwrap().words();
        assert_eq!(
            words,
            [
                "Against no probing, better: smoothed (+11.00 ± 2.48 %); worse: probing to convergence (-30.00 ± 2.48 \
                 %); no difference seen: tuned probing (+1.33 ± 5.74 %).",
                "For tuned probing validation chose no probing in 2 of 3 seeds.",
                "The paper has tuned probing ahead of none and of convergence: seen in part here, where it is not told \
                 from no probing (+1.33 ± 5.74 %) and better than probing to convergence (+31.33 ± 3.79 %).",
                "Against tuned probing, better: smoothed (+9.67 ± 6.25 %).",
                "These are 5 intervals of 95 % each: without any true difference, up to 25 % of such tables would show \
                 one.",
            ]
        );
        let paper = |none: f64, converged: f64| {
            let difference = |mean| Difference { mean, half_width: 0.1 };
            paper(&[(NO_PROBING, difference(none)), (CONVERGED, difference(converged))])
        };
        for (none, converged, verdict) in [
            (0.2, 0.2, "seen here"),
            (0.0, 0.2, "seen in part"),
            (0.0, 0.0, "not seen"),
            (0.2, -0.2, "contradicted"),
        ] {
            let words = paper(none, converged);
            assert!(words.contains(&format!(": {verdict}")), "{words}");
        }
    }

    /// A seed has to have a point for every method, so that differences are of the same seeds.
    #[test]
    fn methods_that_lack_a_seed_are_left_out() {
        let without = |lost: &dyn Fn(&Cell) -> bool| -> Vec<Record> {
            let fail = |r: Record| if lost(&r.cell) { Record::failed(r.cell, "no") } else { r };
            records().into_iter().map(fail).collect()
        };
        // Without the point that they chose, two seeds choose another one.
        let lost = without(&|c| c.seed == 0 && c.smoothing > 0.0 && c.point == 0);
        let all = comparison(&lost, change).unwrap();
        assert!(all.methods[3].points.iter().all(|p| p.cell.point == 1));
        let lost = without(&|c| c.seed == 1 && (c.smoothing > 0.0 || c.point == 0));
        let all = comparison(&lost, change).unwrap();
        assert_eq!((all.methods.len(), all.left_out.len()), (2, 2));
        let words = all.words();
        let left_out = "Left out, as cells of some seed failed: probing to convergence, smoothed.";
        assert_eq!(words[0], left_out);
        assert!(words.iter().all(|words| !words.contains("paper")), "{words:?}");
        // Nothing is compared with no probing where that is missing, or where the first curve is.
        assert!(
            comparison(&without(&|c| c.seed == 2 && c.point == 2 && c.smoothing == 0.0), change)
                .is_none()
        );
        assert!(comparison(&without(&|c| c.smoothing == 0.0), change).is_none());
        assert!(comparison(&[], change).is_none());
        let one: Vec<Record> = records().into_iter().filter(|r| r.cell.seed == 1).collect();
        let all = comparison(&one, change).unwrap();
        assert_eq!(all.methods[1].points[0].cell.point, 2);
        assert_eq!(all.words(), ["One seed says nothing about differences."]);
    }

    /// Where a task has a score of its own, that chooses and is compared.
    #[test]
    fn the_score_of_the_task_counts() {
        let mut records = records();
        for record in &mut records {
            let point = record.cell.point as usize;
            let Outcome::Reached(_, measured) = &mut record.outcome else { unreachable!() };
            let change = |end| Change { start: 0.0, end };
            let (validation, held_out) = ([0.1, 0.3, 0.2][point], change([0.5, 0.65, 0.4][point]));
            let training = held_out;
            measured.score = Some(Score { kind: ScoreKind::Auc, training, held_out, validation });
        }
        let all = comparison(&records, change).unwrap();
        assert_eq!(all.score, Some(ScoreKind::Auc));
        assert_eq!(all.methods[1].values(|p| p.held_out_score()), [0.65; 3]);
        assert!((all.methods[1].less(&all.methods[0]).mean - 0.25).abs() < 1e-12);
    }
}
