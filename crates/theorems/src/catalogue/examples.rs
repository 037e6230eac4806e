//! The smallest problems on which the trend fails beyond one sample: those of `docs/beyond-one-sample.md`, by its
//! numbers. Checks must notice them, and the figure `beyond` draws them.

use nalgebra::{DMatrix, dmatrix};

use super::instance::Instance;
use taskhead::adaptation::Adaptation;
use taskhead::simulation::{Probe, Run, Settings, SimulationError};

/// What is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// The probing time τ.
    ProbingTime,
    /// The head rate γ.
    HeadRate,
}

/// What fails to fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rises {
    /// The Frobenius distance itself.
    Frobenius,
    /// The mean distance of the rows, where the Frobenius distance falls.
    MeanDistance,
    /// The mean cosine distance of the rows, where the Frobenius distance falls.
    MeanCosine,
}

/// A counter-example: along a probing time or a head rate something rises that falls wherever the trend is a law.
#[derive(Debug, Clone)]
pub struct Example {
    /// Which hypothesis it lacks, or what rises.
    pub title: &'static str,
    /// The problem.
    pub instance: Instance,
    /// What is varied.
    pub along: Along,
    /// What rises from the first of `at` to the second.
    pub rises: Rises,
    /// Two probing times or head rates.
    pub at: [f64; 2],
    /// The Frobenius distances there, to 12 digits at least and without the engine's code; not for those whose mean
    /// rises.
    pub stated: Option<[f64; 2]>,
}

impl Example {
    /// How far the features move at a probing time or head rate.
    ///
    /// # Errors
    ///
    /// A flow without an answer.
    pub fn adaptation(&self, at: f64) -> Result<Adaptation, SimulationError> {
        let Instance { head, probe_time, head_rate, .. } = &self.instance;
        let (tau, rate) = match self.along {
            Along::ProbingTime => (at, *head_rate),
            Along::HeadRate => (*probe_time, at),
        };
        let problem = self.instance.problem().expect("the examples are valid");
        let settings = Settings { head_rate: rate, rtol: 1e-11, ..Settings::default() };
        let run = Run::new(&problem, head, 0.0)?;
        Ok(run.finetune(Probe::Time(tau), &[f64::INFINITY], &settings)?.remove(0).adaptation)
    }

    /// The problem, its values of what is varied and its distances, in pairs.
    pub(super) fn distances(self) -> Option<(Instance, [(f64, f64); 2])> {
        let ([a, b], [first, second]) = (self.at, self.stated?);
        Some((self.instance, [(a, first), (b, second)]))
    }
}

/// All of them, in the order of the note.
pub fn examples() -> [Example; 8] {
    let by_time = |title, instance, at, stated| {
        let (along, rises) = (Along::ProbingTime, Rises::Frobenius);
        Example { title, instance, along, rises, at, stated: Some(stated) }
    };
    let by_rate = |title, instance, at, stated| Example {
        along: Along::HeadRate,
        ..by_time(title, instance, at, stated)
    };
    let of_mean = |title, rises, features: DMatrix<f64>, targets, at| {
        let instance = whitened(features, targets);
        Example { title, instance, along: Along::ProbingTime, rises, at, stated: None }
    };
    [
        by_time(
            "K ≠ I",
            skewed_kernel(),
            [0.0, 0.25],
            [0.260_312_399_103_705_4, 0.271_959_954_640_435_65],
        ),
        by_time(
            "Z₀V_{init} ≠ 0",
            seen_head(),
            [0.0, 0.2],
            [1.594_953_830_998_002_4, 1.669_220_403_248_928_6],
        ),
        by_time(
            "A part that Z₀ does not see",
            orthogonal_part(),
            [0.0, 0.002],
            [3.603_976_160_402_323_3, 3.604_707_279_466_569_6],
        ),
        by_time(
            "Z₀ of deficient row rank",
            deficient(),
            [1.0, 10.0],
            [1.605_397_253_255_270_3, 1.609_665_056_151_89],
        ),
        by_rate(
            "K ≠ I, head rate",
            Instance {
                probe_time: 0.5,
                ..Instance::new(
                    dmatrix![1.0, 0.0; 0.0, 4.0],
                    dmatrix![5.0, -9.0; -9.0, 18.0],
                    dmatrix![-2.0; 9.0],
                    dmatrix![0.0; 0.0],
                )
            },
            [1.0, 1.5],
            [0.707_056_603_199_034_8, 0.745_590_652_345_525_2],
        ),
        by_rate(
            "Z₀V_{init} ≠ 0, head rate",
            Instance {
                head: dmatrix![-2.0; 0.0],
                ..whitened(dmatrix![1.0, 0.0; 0.0, 3.0], dmatrix![2.0; -1.0])
            },
            [1.0, 4.0],
            [1.990_511_374_534_717_3, 3.320_543_338_280_54],
        ),
        of_mean(
            "The mean of the row distances",
            Rises::MeanDistance,
            dmatrix![1.0, 0.0; 3.0, -2.0],
            dmatrix![2.0; 4.0],
            [0.05, 0.1],
        ),
        of_mean(
            "The mean cosine distance",
            Rises::MeanCosine,
            dmatrix![0.0, 1.0; 3.0, 3.0],
            dmatrix![6.0; 2.0],
            [0.1, 0.15],
        ),
    ]
}

/// K = I and a zero head.
pub(super) fn whitened(features: DMatrix<f64>, targets: DMatrix<f64>) -> Instance {
    let (n, head) = (features.nrows(), DMatrix::zeros(features.ncols(), targets.ncols()));
    Instance::new(features, DMatrix::identity(n, n), targets, head)
}

pub(super) fn skewed_kernel() -> Instance {
    let kernel = dmatrix![1.0, 1.0; 1.0, 2.0];
    Instance { kernel, ..whitened(dmatrix![1.0, 0.0; 0.0, 2.0], dmatrix![1.0; -2.0]) }
}

pub(super) fn seen_head() -> Instance {
    let head = dmatrix![-2.0; 2.0];
    Instance { head, ..whitened(dmatrix![1.0, 0.0; 0.0, 3.0], dmatrix![2.0; 4.0]) }
}

fn orthogonal_part() -> Instance {
    let features = dmatrix![1.0, 0.0, 0.0; 0.0, 6.0, 0.0];
    Instance { head: dmatrix![0.0; 0.0; 1.0], ..whitened(features, dmatrix![16.0; 16.0]) }
}

fn deficient() -> Instance {
    whitened(dmatrix![1.0, 0.0; 0.0, 2.0; 0.0, 0.0], dmatrix![0.0, 1.0; 1.0, 1.0; 1.0, 1.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to rise rises, and where it is a mean, the Frobenius distance falls.
    #[test]
    fn what_rises_rises() {
        for example in examples() {
            let [first, second] = example.at.map(|at| example.adaptation(at).unwrap());
            let grows = |of: fn(&Adaptation) -> f64| of(&second) / of(&first) - 1.0;
            let distance = grows(|a| a.frobenius_distance);
            let (rise, falls) = match example.rises {
                Rises::Frobenius => (distance, true),
                Rises::MeanDistance => (grows(|a| a.euclidean), distance < -1e-4),
                Rises::MeanCosine => (grows(|a| a.cosine), distance < -1e-4),
            };
            assert!(rise > 1e-4 && falls, "{}: {rise}, {distance}", example.title);
            for (stated, a) in example.stated.into_iter().flatten().zip([first, second]) {
                assert!((a.frobenius_distance / stated - 1.0).abs() < 1e-9, "{}", example.title);
            }
        }
    }
}
