//! Problems that checks look at, in the form that `taskhead simulate` replays.

use nalgebra::DMatrix;

use super::draw::{Draw, unit};
use taskhead::flow::FlowError;
use taskhead::loss::Loss;
use taskhead::problem::{Problem, ProblemError};
use taskhead::reduction::Reduction;
use taskhead::simulation::Until;

/// A problem with its head and how it is finetuned.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Z₀, N×h.
    pub features: DMatrix<f64>,
    /// K, N×N.
    pub kernel: DMatrix<f64>,
    /// Y, N×k.
    pub targets: DMatrix<f64>,
    /// V before probing, h×k.
    pub head: DMatrix<f64>,
    /// Probing time in [0, ∞].
    pub probe_time: f64,
    /// Label smoothing of the probing.
    pub smoothing: f64,
    /// γ
    pub head_rate: f64,
    /// Finetuning time in [0, ∞].
    pub time: f64,
    /// The loss of probing and finetuning.
    pub loss: Loss,
    /// Where finetuning stops before its time.
    pub until: Until,
}

impl Instance {
    /// An instance that is not probed and finetuned to the end with γ = 1, under the squared loss.
    pub fn new(
        features: DMatrix<f64>,
        kernel: DMatrix<f64>,
        targets: DMatrix<f64>,
        head: DMatrix<f64>,
    ) -> Self {
        Self {
            features,
            kernel,
            targets,
            head,
            probe_time: 0.0,
            smoothing: 0.0,
            head_rate: 1.0,
            time: f64::INFINITY,
            loss: Loss::Squared,
            until: Until::Time,
        }
    }

    /// The normalised rank-one model: z₀ = (1, 0), head (a, w), target y.
    pub fn rank_one(y: f64, w: f64, a: f64) -> Self {
        let matrix = |values: &[f64]| DMatrix::from_row_slice(1, values.len(), values);
        Self::new(matrix(&[1.0, 0.0]), matrix(&[1.0]), matrix(&[y]), matrix(&[a, w]).transpose())
    }

    /// A random problem of moderate size: N ≤ 6, h ≤ 9, k ≤ 4, features, targets and kernel of size 1,
    /// a kernel that may be singular.
    pub fn random(draw: &mut Draw) -> Self {
        Linear::random(draw).instance()
    }

    /// The same with another finetuning time.
    pub fn until(self, time: f64) -> Self {
        Self { time, ..self }
    }

    /// The same with another head rate.
    pub fn with_head_rate(self, head_rate: f64) -> Self {
        Self { head_rate, ..self }
    }

    /// The problem.
    pub fn problem(&self) -> Result<Problem, ProblemError> {
        Problem::new(self.features.clone(), self.kernel.clone(), self.targets.clone())
    }

    /// Its arrays by the names that they have in files.
    pub fn arrays(&self) -> [(&'static str, &DMatrix<f64>); 4] {
        let Self { features, kernel, targets, head, .. } = self;
        [("features", features), ("kernel", kernel), ("targets", targets), ("head", head)]
    }

    /// The problem in reduced coordinates.
    pub fn reduction(&self) -> Result<Reduction, FlowError> {
        Ok(Reduction::new(&self.problem()?, &self.head)?)
    }

    /// The flags with which `taskhead simulate` replays it.
    pub fn flags(&self) -> String {
        let mut flags = String::new();
        if self.loss != Loss::Squared {
            flags += &format!(" --loss {}", self.loss.name());
        }
        for (name, value, default) in [
            ("probe", self.probe_time, 0.0),
            ("smoothing", self.smoothing, 0.0),
            ("head-rate", self.head_rate, 1.0),
            ("time", self.time, f64::INFINITY),
        ] {
            // Smoothing is refused without probing.
            if value != default || name == "probe" && self.smoothing != 0.0 {
                flags += &format!(" --{name} {value}");
            }
        }
        match self.until {
            Until::Time => {}
            Until::Loss(level) => flags += &format!(" --until-loss {level}"),
            Until::Accuracy(level) => flags += &format!(" --until-accuracy {level}"),
            Until::Residual(_) => unreachable!("no check stops at a residual"),
        }
        flags
    }
}

/// A two-layer linear model, before it is a problem.
#[derive(Debug, Clone)]
pub struct Linear {
    /// X, N×d.
    pub inputs: DMatrix<f64>,
    /// B₀, h×d.
    pub backbone: DMatrix<f64>,
    /// Y, N×k.
    pub targets: DMatrix<f64>,
    /// V₀, h×k.
    pub head: DMatrix<f64>,
    /// γ
    pub head_rate: f64,
    /// Finetuning time.
    pub time: f64,
}

impl Linear {
    /// A random model; d < N, and with it a singular kernel, occurs.
    pub fn random(draw: &mut Draw) -> Self {
        let (n, h, k) = (draw.integer(1, 6), draw.integer(1, 9), draw.integer(1, 4));
        let d = draw.integer(1, n + 4);
        Self::of_shape(draw, [n, d, h, k])
    }

    /// A random model with N, d, h, k.
    pub fn of_shape(draw: &mut Draw, [n, d, h, k]: [usize; 4]) -> Self {
        Self {
            inputs: draw.normal(n, d, unit(d)),
            backbone: draw.normal(h, d, unit(h)),
            targets: draw.normal(n, k, 1.0),
            head: {
                let scale = draw.log_uniform(0.1, 1.5);
                draw.normal(h, k, scale * unit(h))
            },
            head_rate: draw.log_uniform(0.1, 10.0),
            time: draw.log_uniform(0.1, 3.0),
        }
    }

    /// The problem that it is.
    pub fn instance(&self) -> Instance {
        let features = &self.inputs * self.backbone.transpose();
        let kernel = &self.inputs * self.inputs.transpose();
        Instance {
            head_rate: self.head_rate,
            time: self.time,
            ..Instance::new(features, kernel, self.targets.clone(), self.head.clone())
        }
    }
}
