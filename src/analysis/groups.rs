//! Which records belong together. Figures and laws take their curves from here, so that none of them mixes problems,
//! kinds of head, scales, smoothings or head rates.

use std::collections::{BTreeMap, HashMap};

use super::statistics::mean;
use crate::metric::Metric;
use crate::setting::Number;
use crate::sweep::record::{Cell, Measured, RECORDED, Record};

/// A cell whose finetuning reached what was asked for, with its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point<'a> {
    /// What was asked for.
    pub cell: &'a Cell,
    /// The numbers.
    pub measured: &'a Measured,
}

impl Point<'_> {
    /// A metric of the training features; NaN, which no figure draws, if there is none.
    pub fn metric(&self, metric: Metric) -> f64 {
        self.measured.training.get(metric).unwrap_or(f64::NAN)
    }

    /// The same of the held-out features.
    pub fn held_out_metric(&self, metric: Metric) -> f64 {
        self.measured.held_out.and_then(|held| held.get(metric)).unwrap_or(f64::NAN)
    }

    /// Frobenius energy at the start of finetuning.
    pub fn frobenius(&self) -> f64 {
        self.measured.energies.frobenius
    }

    /// Average initial energy.
    pub fn aie(&self) -> f64 {
        self.measured.energies.aie
    }

    /// The held-out accuracy; NaN if there is none.
    pub fn held_out_accuracy(&self) -> f64 {
        self.measured.held_out_accuracy.map_or(f64::NAN, |accuracy| accuracy.end)
    }

    /// The held-out score, which is the accuracy where there is no other; NaN if there is none.
    pub fn held_out_score(&self) -> f64 {
        self.measured.score.map_or_else(|| self.held_out_accuracy(), |score| score.held_out.end)
    }

    /// The score by which a point is chosen; NaN if there is none.
    pub fn validation_score(&self) -> f64 {
        let score = self.measured.score.map(|score| score.validation);
        score.or(self.measured.validation_accuracy).unwrap_or(f64::NAN)
    }
}

/// The cells that reached what was asked for: none that failed, none that stopped early.
pub fn reached(records: &[Record]) -> Vec<Point<'_>> {
    records.iter().filter_map(|r| Some(Point { cell: &r.cell, measured: r.reached()? })).collect()
}

/// Whether the loss of a sweep is ½‖R‖², summed over the samples: their number, which records do not tell, is then a
/// whole one and the same at every point. Of records without a loss it is taken to be.
pub fn is_squared(records: &[Record]) -> bool {
    let all = reached(records);
    // What has fallen to rounding says nothing.
    let visible = 1e-6 * all.iter().map(|p| p.measured.residual).fold(0.0, f64::max);
    let mut first = None;
    all.iter().filter(|p| p.measured.residual > visible).all(|p| {
        let Some(loss) = p.measured.loss.filter(|loss| *loss > 0.0) else { return true };
        let samples = p.measured.residual * p.measured.residual / 2.0 / loss;
        (samples / *first.get_or_insert(samples.round()) - 1.0).abs() < 1e-6
    })
}

/// One curve against energy: its points differ in the probing point only.
#[derive(Debug, Clone)]
pub struct Curve<'a> {
    /// By ascending Frobenius energy; at least one.
    pub points: Vec<Point<'a>>,
}

impl<'a> Curve<'a> {
    /// The first of its cells.
    pub fn cell(&self) -> &'a Cell {
        self.points[0].cell
    }

    /// The Frobenius energies over the largest.
    pub fn shares(&self) -> Vec<f64> {
        let most = self.points.iter().map(Point::frobenius).fold(0.0, f64::max);
        self.points.iter().map(|p| p.frobenius() / most).collect()
    }

    /// Whether its energies differ, so that it can rise or fall.
    pub fn has_range(&self) -> bool {
        self.points.iter().any(|point| point.frobenius() != self.points[0].frobenius())
    }

    /// One number of each point.
    pub fn values(&self, of: impl Fn(&Point<'a>) -> f64) -> Vec<f64> {
        self.points.iter().map(of).collect()
    }
}

/// What all cells of a group share. Zeros of either sign are one number.
type Key<'a> = (&'a str, [u64; 3]);

fn key(cell: &Cell) -> Key<'_> {
    let bits = |v: f64| (v + 0.0).to_bits();
    (&cell.problem, [bits(cell.head_scale), bits(cell.smoothing), bits(cell.head_rate)])
}

/// Sorts things by a key, keys in the order in which they are first seen.
fn sorted<T, K: std::hash::Hash + Eq>(
    all: impl IntoIterator<Item = T>,
    of: impl Fn(&T) -> K,
) -> Vec<Vec<T>> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<T>> = Vec::new();
    for one in all {
        let place = *places.entry(of(&one)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(one);
    }
    groups
}

fn curves_of<'a>(points: impl IntoIterator<Item = Point<'a>>) -> Vec<Curve<'a>> {
    let curve = |mut points: Vec<Point<'a>>| {
        points.sort_by(|a, b| a.frobenius().total_cmp(&b.frobenius()));
        Curve { points }
    };
    sorted(points, |p| (key(p.cell), p.cell.seed)).into_iter().map(curve).collect()
}

/// When finetuning ends: at the last time that was asked for, of a sweep the same for all cells of a group. Whoever
/// records a training of their own ends each when it is done.
struct Ends<'a> {
    groups: HashMap<Key<'a>, f64>,
    recorded: HashMap<(Key<'a>, u64, u64), f64>,
}

impl<'a> Ends<'a> {
    fn of(records: &'a [Record]) -> Self {
        let (mut groups, mut recorded) = (HashMap::new(), HashMap::new());
        for record in records {
            let cell = &record.cell;
            let later = |last: &mut f64| *last = last.max(cell.time);
            later(groups.entry(key(cell)).or_insert(cell.time));
            if is_recorded(record.reached()) {
                later(recorded.entry((key(cell), cell.seed, cell.point)).or_insert(cell.time));
            }
        }
        Self { groups, recorded }
    }

    fn has(&self, point: &Point) -> bool {
        let cell = point.cell;
        let last = match is_recorded(Some(point.measured)) {
            true => self.recorded.get(&(key(cell), cell.seed, cell.point)),
            false => self.groups.get(&key(cell)),
        };
        last == Some(&cell.time)
    }
}

fn is_recorded(measured: Option<&Measured>) -> bool {
    measured.is_some_and(|measured| measured.method == RECORDED)
}

/// The curves of records at the end of finetuning.
pub fn curves(records: &[Record]) -> Vec<Curve<'_>> {
    let ends = Ends::of(records);
    curves_of(reached(records).into_iter().filter(|p| ends.has(p)))
}

/// Cells that differ in seed, probing point and finetuning time only.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// What distinguishes it from the other groups; the problem if there is no other.
    pub label: String,
    /// The same but for the label smoothing: empty if the groups differ in nothing else.
    pub beside_smoothing: String,
    /// Its cells that have the numbers of what was asked for; at least one.
    pub points: Vec<Point<'a>>,
    /// Those at the end of finetuning.
    ends: Vec<Point<'a>>,
}

/// The groups of records, in their order. Those of which no cell has the numbers of what was asked for are left out.
pub fn groups(records: &[Record]) -> Vec<Group<'_>> {
    let ends = Ends::of(records);
    let all = sorted(reached(records), |p| key(p.cell));
    let firsts: Vec<&Cell> = all.iter().map(|points| points[0].cell).collect();
    let differs = |of: fn(&Cell) -> f64| firsts.iter().any(|c| of(c) != of(firsts[0]));
    type Part = fn(&Cell) -> String;
    let parts: [(bool, Part); 4] = [
        (firsts.len() == 1 || firsts.iter().any(|c| c.problem != firsts[0].problem), |c| {
            c.problem.clone()
        }),
        (differs(|c| c.head_scale), |c| format!("scale {}", Number(c.head_scale))),
        (differs(|c| c.smoothing), |c| format!("ε = {}", Number(c.smoothing))),
        (differs(|c| c.head_rate), |c| format!("γ = {}", Number(c.head_rate))),
    ];
    let label = |cell: &Cell| {
        let used = parts.iter().filter(|(used, _)| *used).map(|(_, part)| part(cell));
        used.collect::<Vec<_>>().join(", ")
    };
    let beside_smoothing = |cell: &Cell| {
        let problem = firsts.iter().any(|c| c.problem != firsts[0].problem);
        let used = [problem, parts[1].0, false, parts[3].0];
        let used = used.iter().zip(&parts).filter(|(used, _)| **used).map(|(_, part)| part.1(cell));
        used.collect::<Vec<_>>().join(", ")
    };
    let labels: Vec<[String; 2]> =
        firsts.iter().map(|cell| [label(cell), beside_smoothing(cell)]).collect();
    let both = labels.into_iter().zip(all);
    both.map(|([label, beside_smoothing], points)| {
        let ends = points.iter().copied().filter(|p| ends.has(p)).collect();
        Group { label, beside_smoothing, points, ends }
    })
    .collect()
}

impl<'a> Group<'a> {
    /// The first of its cells.
    pub fn cell(&self) -> &'a Cell {
        self.points[0].cell
    }

    /// Its curves, one per seed, at the end of finetuning.
    pub fn curves(&self) -> Vec<Curve<'a>> {
        curves_of(self.ends.iter().copied())
    }
}

/// One probing point of several curves.
#[derive(Debug, Clone)]
pub struct Across<'a> {
    /// The mean of the shares of the largest energy, each of its own curve.
    pub share: f64,
    /// One point for each curve that has it.
    pub points: Vec<Point<'a>>,
}

impl<'a> Across<'a> {
    /// Curves point by point, by ascending energy: seeds are compared at the same probing point, and a point that
    /// some of them lack is that of the others.
    pub fn of(curves: &[Curve<'a>]) -> Vec<Self> {
        let mut all: BTreeMap<u64, Vec<(f64, Point)>> = BTreeMap::new();
        for curve in curves {
            for (share, point) in curve.shares().into_iter().zip(&curve.points) {
                all.entry(point.cell.point).or_default().push((share, *point));
            }
        }
        let mut across: Vec<Self> = all
            .into_values()
            .map(|points| Self {
                share: mean(&points.iter().map(|p| p.0).collect::<Vec<_>>()),
                points: points.into_iter().map(|p| p.1).collect(),
            })
            .collect();
        across.sort_by(|a, b| a.share.total_cmp(&b.share));
        across
    }

    /// Those points that all curves have.
    pub fn whole(curves: &[Curve<'a>]) -> Vec<Self> {
        let mut all = Self::of(curves);
        all.retain(|across| across.points.len() == curves.len());
        all
    }

    /// The same, so that no mean and no quantile jumps where a curve ends or has a gap; all points, if fewer than two
    /// are shared.
    pub fn shared(curves: &[Curve<'a>]) -> Vec<Self> {
        let whole = Self::whole(curves);
        if whole.len() < 2 { Self::of(curves) } else { whole }
    }

    /// One number of each curve.
    pub fn values(&self, of: impl Fn(&Point<'a>) -> f64) -> Vec<f64> {
        self.points.iter().map(of).collect()
    }

    /// The mean of one number over the curves.
    pub fn mean(&self, of: impl Fn(&Point<'a>) -> f64) -> f64 {
        mean(&self.values(of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Stop;
    use crate::sweep::record::tests::reached as record;
    use crate::sweep::record::{Outcome, Record};

    #[test]
    fn curves_are_sorted_by_energy_and_skip_what_failed_or_stopped() {
        let good =
            [record(0, 1, 2.0, [0.0; 4]), record(0, 0, 1.0, [0.0; 4]), record(1, 0, 4.0, [0.0; 4])];
        let failed = Record::failed(record(0, 2, 3.0, [0.0; 4]).cell, "no");
        let stopped = record(0, 3, 5.0, [0.0; 4]);
        let measured = stopped.measured().unwrap().clone();
        let stop = Stop::StepLimit { steps: 1, time: 0.5 };
        let stopped = Record { outcome: Outcome::of(stop, measured), ..stopped };
        let records = [&good[..], &[failed, stopped]].concat();
        let all = curves(&records);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].values(|p| p.frobenius()), [1.0, 2.0]);
        assert_eq!(all[0].shares(), [0.5, 1.0]);
    }

    #[test]
    fn groups_say_what_they_differ_in_and_differ_in_the_problem_too() {
        let with = |change: &dyn Fn(&mut Cell)| {
            let mut record = record(0, 0, 1.0, [0.0; 4]);
            change(&mut record.cell);
            record
        };
        let labels = |records: &[Record]| -> Vec<String> {
            groups(records).into_iter().map(|group| group.label).collect()
        };
        let plain = with(&|_| ());
        assert_eq!(labels(&[plain.clone(), with(&|c| c.seed = 3), with(&|c| c.time = 0.5)]), ["test"]);
        let other = with(&|c| c.problem = "other".into());
        assert_eq!(labels(&[plain.clone(), other]), ["test", "other"]);
        let smooth = with(&|c| c.smoothing = 0.2);
        let both = with(&|c| (c.smoothing, c.head_rate) = (0.2, 0.5));
        assert_eq!(
            labels(&[plain.clone(), smooth.clone(), both.clone()]),
            ["ε = 0, γ = 1", "ε = 0.2, γ = 1", "ε = 0.2, γ = 0.5"]
        );
        let beside = |records: &[Record]| -> Vec<String> {
            groups(records).into_iter().map(|group| group.beside_smoothing).collect()
        };
        assert_eq!(beside(&[plain.clone(), smooth.clone(), both]), ["γ = 1", "γ = 1", "γ = 0.5"]);
        assert_eq!(beside(&[plain, smooth]), ["", ""]);
    }

    /// A sweep is looked at where it was to end; trainings that others have recorded end at a time of their own, and so
    /// do groups that stand side by side.
    #[test]
    fn finetuning_ends_at_the_last_time_of_its_group_or_of_its_own() {
        let at = |point: u64, time: f64, method: &str, problem: &str| {
            let mut record = record(0, point, point as f64 + 1.0, [time; 4]);
            (record.cell.time, record.cell.problem) = (time, problem.into());
            if let Outcome::Reached(_, measured) = &mut record.outcome {
                measured.method = method.into();
            }
            record
        };
        let of = |method: &str| {
            let times = [(0, 1.0), (0, 2.0), (1, 1.0)];
            times.map(|(point, time)| at(point, time, method, method))
        };
        let seen = |records: &[Record]| -> Vec<Vec<f64>> {
            let of_groups: Vec<Curve> = groups(records).iter().flat_map(|g| g.curves()).collect();
            let all = curves(records);
            assert_eq!(of_groups.len(), all.len());
            all.iter().map(|c| c.values(|p| p.metric(Metric::Euclidean))).collect()
        };
        // The second point of a sweep has not come to its end.
        assert_eq!(seen(&of("flow")), [vec![2.0]]);
        assert_eq!(seen(&of(RECORDED)), [vec![2.0, 1.0]]);
        let longer = at(0, 9.0, "flow", "longer");
        let all = [&of("flow")[..], &of(RECORDED), &[longer]].concat();
        assert_eq!(seen(&all), [vec![2.0], vec![2.0, 1.0], vec![9.0]]);
    }

    /// A curve without its first point does not shift the others.
    #[test]
    fn curves_are_compared_at_the_same_probing_point() {
        let of = |seed: u64, point: u64| record(seed, point, (point + 1) as f64, [seed as f64; 4]);
        let records = [of(0, 0), of(0, 1), of(0, 2), of(1, 1), of(1, 2)];
        let across = Across::of(&curves(&records));
        assert_eq!(across.iter().map(|a| a.points.len()).collect::<Vec<_>>(), [1, 2, 2]);
        assert_eq!(
            across.iter().map(|a| a.mean(|p| p.frobenius())).collect::<Vec<_>>(),
            [1.0, 2.0, 3.0]
        );
        assert_eq!(across[1].values(|p| p.metric(Metric::Dot)), [0.0, 1.0]);
    }
}
