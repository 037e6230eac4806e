//! The grid of a sweep or a replay: curves, each with its probing points, each with its finetuning times.

use super::config::{Heads, Points};
use super::record::{Asked, Cell};

/// One curve against energy: everything but the probing point and the finetuning time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// Its number, from 0.
    pub number: usize,
    /// Seed of the problem and of the initial head.
    pub seed: u64,
    /// Which of several kinds of head, from 0.
    pub variant: usize,
    /// Scale of the initial head.
    pub scale: f64,
    /// Label smoothing in head probing.
    pub smoothing: f64,
    /// γ
    pub head_rate: f64,
}

impl Curve {
    /// In how many settings, but for the seed, it differs from another one.
    fn changes(&self, other: &Self) -> usize {
        let differs = [
            self.variant != other.variant,
            self.scale != other.scale,
            self.smoothing != other.smoothing,
            self.head_rate != other.head_rate,
        ];
        differs.into_iter().filter(|differs| *differs).count()
    }
}

/// All cells, in order: seeds, kinds of head, scales, smoothings, head rates, probing points, times.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    curves: Vec<Curve>,
    points: Points,
    times: Vec<f64>,
}

impl Grid {
    /// The grid of validated settings with a given number of kinds of head.
    pub fn new(heads: &Heads, variants: usize, points: Points, times: &[f64]) -> Self {
        let mut curves = Vec::new();
        for seed in heads.first_seed..heads.first_seed.saturating_add(heads.seeds) {
            for variant in 0..variants {
                for &scale in &heads.scales {
                    for &smoothing in &heads.smoothings {
                        for &head_rate in &heads.head_rates {
                            let number = curves.len();
                            curves.push(Curve { number, seed, variant, scale, smoothing, head_rate });
                        }
                    }
                }
            }
        }
        Self { curves, points, times: times.to_vec() }
    }

    /// Only the curves that differ from the first of their seed in one setting at most, with numbers of their own.
    pub fn one_at_a_time(mut self) -> Self {
        if let Some(&first) = self.curves.first() {
            self.curves.retain(|curve| curve.changes(&first) <= 1);
        }
        (0..).zip(&mut self.curves).for_each(|(number, curve)| curve.number = number);
        self
    }

    /// The curves.
    pub fn curves(&self) -> &[Curve] {
        &self.curves
    }

    /// The probing points of each curve.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The finetuning times of each probing point.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number of cells of each curve.
    pub fn cells_of_a_curve(&self) -> usize {
        self.points.count() * self.times.len()
    }

    /// Number of all cells.
    pub fn cells(&self) -> usize {
        self.curves.len() * self.cells_of_a_curve()
    }

    /// The cells of one probing point of a curve, one for each time.
    pub fn cells_of_a_point(&self, curve: &Curve, point: usize, problem: &str) -> Vec<Cell> {
        let first = curve.number * self.cells_of_a_curve() + point * self.times.len();
        let cell = |(i, &time): (usize, &f64)| Cell {
            number: (first + i) as u64,
            problem: problem.to_owned(),
            seed: curve.seed,
            head_scale: curve.scale,
            smoothing: curve.smoothing,
            head_rate: curve.head_rate,
            point: point as u64,
            probe: self.points.asked(point),
            time,
        };
        self.times.iter().enumerate().map(cell).collect()
    }

    /// The curve, the number of the probing point and the number of the time of a cell.
    pub fn place(&self, cell: u64) -> Option<(&Curve, usize, usize)> {
        let cell = usize::try_from(cell).ok()?;
        let (of_curve, times) = (self.cells_of_a_curve(), self.times.len());
        let curve = self.curves.get(cell / of_curve)?;
        Some((curve, cell % of_curve / times, cell % times))
    }
}

impl Points {
    /// Point i of a curve.
    pub fn asked(&self, i: usize) -> Asked {
        match self {
            Self::Times(times) => Asked::Time(times[i]),
            Self::Energies(energies) => Asked::Energy(energies[i]),
            Self::Even(1) => Asked::Share(0.0),
            Self::Even(n) => Asked::Share(i as f64 / (n - 1) as f64),
            Self::Above(n) => Asked::Share((i + 1) as f64 / *n as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_place() {
        let heads = Heads { seeds: 2, first_seed: 5, scales: vec![1.0, 2.0], ..Heads::default() };
        let grid = Grid::new(&heads, 3, Points::Even(4), &[1.0, 2.0, 3.0]);
        assert_eq!((grid.curves().len(), grid.cells()), (12, 144));
        let mut number = 0;
        for curve in grid.curves() {
            for point in 0..4 {
                for (time, cell) in grid.cells_of_a_point(curve, point, "p").iter().enumerate() {
                    assert_eq!(cell.number, number);
                    assert_eq!(grid.place(number), Some((curve, point, time)));
                    assert_eq!((cell.seed, cell.head_scale), (curve.seed, curve.scale));
                    assert_eq!(cell.probe, Asked::Share(point as f64 / 3.0));
                    number += 1;
                }
            }
        }
        assert_eq!(grid.place(number), None);
        assert_eq!((grid.curves()[11].seed, grid.curves()[11].variant), (6, 2));
    }

    #[test]
    fn options_are_tried_one_at_a_time() {
        let heads = Heads {
            seeds: 2,
            scales: vec![1.0, 2.0],
            smoothings: vec![0.5, 0.0, 0.1],
            ..Heads::default()
        };
        let grid = Grid::new(&heads, 3, Points::Even(4), &[1.0]).one_at_a_time();
        let of = |c: &Curve| (c.seed, c.variant, c.scale, c.smoothing);
        let of_seed = |seed: u64| {
            [
                (seed, 0, 1.0, 0.5),
                (seed, 0, 1.0, 0.0),
                (seed, 0, 1.0, 0.1),
                (seed, 0, 2.0, 0.5),
                (seed, 1, 1.0, 0.5),
                (seed, 2, 1.0, 0.5),
            ]
        };
        let all: Vec<_> = grid.curves().iter().map(of).collect();
        assert_eq!(all, [of_seed(0), of_seed(1)].concat());
        assert_eq!(grid.cells(), 48);
        let last = grid.place(47).unwrap();
        assert_eq!((of(last.0), last.0.number, last.1), ((1, 2, 1.0, 0.5), 11, 3));
    }
}
