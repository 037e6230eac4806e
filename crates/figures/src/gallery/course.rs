//! The four metrics over finetuning time, for each energy at the start.

use super::{METRICS, same_group};
use crate::plot::{Axis, Course, Series, SeriesPanel};
use taskhead::sweep::record::Record;

/// Of the first group of records that differ in seed, point and time only: the mean over the seeds at each
/// probing point, in the order of their mean energy. Needs three finite times above 0.
pub fn course(records: &[Record]) -> Option<Course> {
    let first = records.iter().find(|r| r.succeeded())?;
    let of_group = |r: &&Record| {
        let timed = r.time.is_finite() && r.time > 0.0;
        r.succeeded() && timed && r.problem == first.problem && same_group(first, r)
    };
    let mut all: Vec<&Record> = records.iter().filter(of_group).collect();
    all.sort_by(|a, b| a.point.cmp(&b.point).then(a.time.total_cmp(&b.time)));
    let points: Vec<Vec<&[&Record]>> = all
        .chunk_by(|a, b| a.point == b.point)
        .map(|point| point.chunk_by(|a, b| a.time == b.time).collect())
        .collect();
    let mean = |records: &[&Record], of: &dyn Fn(&Record) -> f64| {
        records.iter().map(|r| of(r)).sum::<f64>() / records.len() as f64
    };
    let mut curves: Vec<(f64, &Vec<&[&Record]>)> =
        points.iter().map(|point| (mean(point[0], &|r| r.aie), point)).collect();
    curves.retain(|(_, times)| times.len() >= 3);
    curves.sort_by(|a, b| a.0.total_cmp(&b.0));
    if curves.is_empty() {
        return None;
    }
    let panel = |(metric, (title, symbol)): (usize, &(&str, &str))| SeriesPanel {
        title: (*title).into(),
        y_label: (*symbol).into(),
        series: curves
            .iter()
            .map(|(energy, times)| {
                let x = times.iter().map(|records| records[0].time).collect();
                let y = times.iter().map(|records| mean(records, &|r| r.metric(metric))).collect();
                Series::line(format!("AIE {energy:.2}"), x, y)
            })
            .collect(),
    };
    let panels = METRICS.iter().enumerate().map(panel).collect();
    Some(Course { time: Axis::log("finetuning time"), panels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_means_over_seeds_in_the_order_of_energy() {
        let record = |seed: u64, point: u64, time: f64| Record {
            seed,
            point,
            time,
            aie: 3.0 - point as f64 + seed as f64,
            euclidean: time * (point + 1) as f64 + seed as f64,
            head_scale: 1.0,
            smoothing: 0.0,
            head_rate: 1.0,
            ..Record::default()
        };
        let times = [0.0, 1.0, 2.0, 4.0];
        let cells = (0..2).flat_map(|seed| (0..2).map(move |point| (seed, point)));
        let mut all: Vec<Record> =
            cells.flat_map(|(seed, point)| times.map(|t| record(seed, point, t))).collect();
        all.push(Record { smoothing: 0.5, ..record(0, 5, 1.0) });
        let course = course(&all).unwrap();
        let series = &course.panels[0].series;
        let labels: Vec<&str> = series.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["AIE 2.50", "AIE 3.50"]);
        assert_eq!((&series[0].x, &series[0].y), (&vec![1.0, 2.0, 4.0], &vec![2.5, 4.5, 8.5]));
        let two: Vec<Record> = all.into_iter().filter(|r| r.time < 3.0).collect();
        assert!(super::course(&two).is_none());
    }
}
