//! The metrics over finetuning time, for each energy at the start.

use super::{Metric, Point, groups, mean};
use crate::plot::{Axis, Course, Series, SeriesPanel};
use taskhead::sweep::record::Record;

/// Of the first group of records that differ in seed, point and time only: the mean over the seeds at each
/// probing point, in the order of their mean energy. Needs three finite times above 0. If there are other groups,
/// labels say which one is drawn.
pub fn course(records: &[Record], metrics: &[Metric]) -> Option<Course> {
    let groups = groups(records);
    let group = groups.first()?;
    let timed = |p: &Point| p.cell.time.is_finite() && p.cell.time > 0.0;
    let mut all: Vec<Point> = group.points.iter().copied().filter(timed).collect();
    all.sort_by(|a, b| a.cell.point.cmp(&b.cell.point).then(a.cell.time.total_cmp(&b.cell.time)));
    let points: Vec<Vec<&[Point]>> = all
        .chunk_by(|a, b| a.cell.point == b.cell.point)
        .map(|point| point.chunk_by(|a, b| a.cell.time == b.cell.time).collect())
        .collect();
    let mean_of =
        |points: &[Point], of: &dyn Fn(&Point) -> f64| mean(&points.iter().map(of).collect::<Vec<_>>());
    let mut curves: Vec<(f64, &Vec<&[Point]>)> =
        points.iter().map(|point| (mean_of(point[0], &|p| p.aie()), point)).collect();
    curves.retain(|(_, times)| times.len() >= 3);
    curves.sort_by(|a, b| a.0.total_cmp(&b.0));
    if curves.is_empty() {
        return None;
    }
    let name = if groups.len() > 1 { format!("{}, ", group.label) } else { String::new() };
    let panel = |metric: Metric| SeriesPanel {
        title: metric.title().into(),
        y_label: metric.symbol().into(),
        series: curves
            .iter()
            .map(|(energy, times)| {
                let x = times.iter().map(|points| points[0].cell.time).collect();
                let y = times.iter().map(|points| mean_of(points, &|p| p.metric(metric))).collect();
                Series::line(format!("{name}AIE {energy:.2}"), x, y)
            })
            .collect(),
    };
    let panels = metrics.iter().copied().map(panel).collect();
    Some(Course { time: Axis::log("finetuning time"), panels })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{record, smoothed};
    use super::*;

    #[test]
    fn curves_are_means_over_seeds_in_the_order_of_energy() {
        let at = |seed: u64, point: u64, time: f64| {
            let energy = 3.0 - point as f64 + seed as f64;
            let moved = time * (point + 1) as f64 + seed as f64;
            let mut record = record(seed, point, energy, [moved, 0.0, 0.0, 0.0]);
            record.cell.time = time;
            record
        };
        let times = [0.0, 1.0, 2.0, 4.0];
        let cells = (0..2).flat_map(|seed| (0..2).map(move |point| (seed, point)));
        let all: Vec<Record> =
            cells.flat_map(|(seed, point)| times.map(|t| at(seed, point, t))).collect();
        let labels = |all: &[Record]| -> Vec<String> {
            course(all, &Metric::MEANS).unwrap().panels[0]
                .series
                .iter()
                .map(|s| s.label.clone())
                .collect()
        };
        assert_eq!(labels(&all), ["AIE 2.50", "AIE 3.50"]);
        let series = &course(&all, &Metric::MEANS).unwrap().panels[0].series;
        assert_eq!((&series[0].x, &series[0].y), (&vec![1.0, 2.0, 4.0], &vec![2.5, 4.5, 8.5]));
        // Another group does not come in, and then labels say which one it is.
        let more = [&all[..], &[smoothed(at(0, 0, 1.0))]].concat();
        assert_eq!(labels(&more), ["ε = 0, AIE 2.50", "ε = 0, AIE 3.50"]);
        let two: Vec<Record> = all.into_iter().filter(|r| r.cell.time < 3.0).collect();
        assert!(course(&two, &Metric::MEANS).is_none());
    }
}
