//! Steps of the flow of a head on fixed features under a convex loss.
//!
//! With Z = U diag(s) Wᵀ, σ = s/s₁ and V = V_init + WY/s₁ the flow is dY/dθ = G(Y), G = diag(σ) UᵀR(F₀ + U diag(σ) Y),
//! θ = s₁²τ: the steepest descent of a convex function of r·k numbers, whose errors never grow. It is followed by Radau
//! IIA collocation, with the changes D_i of Y at the stages as unknowns,
//!
//! $$D_i = h \sum_j a_{ij}\, G(Y + D_j),$$
//!
//! by Newton's method with a frozen curvature ([`super::curvature`]), accelerated. An iteration takes two products of
//! N×r×k for each stage. A block of stages has, for each output, s columns of r numbers.

use std::sync::{Arc, OnceLock};

use nalgebra::{DMatrix, DVector};

use super::curvature::Curvature;
use super::modes::Convex;
use crate::flow::solver::acceleration::Acceleration;
use crate::flow::solver::collocation::Collocation;
use crate::flow::solver::stages::combine;
use crate::flow::solver::{STAGES, Work};
use crate::product::{Factor, Multiplier, axpy, centre, norm, scale_rows};

/// Relative tolerance of Y along the path.
pub(super) const RTOL: f64 = 1e-11;

/// Iterations of a step before it is tried again with half its size.
const LIMIT: usize = 60;

/// Iterations of a step above which another way is worth considering.
const MANY: usize = 12;

/// The method.
pub(super) fn method() -> &'static Collocation {
    static METHOD: OnceLock<Collocation> = OnceLock::new();
    METHOD.get_or_init(|| Collocation::radau(STAGES))
}

/// The flow: the loss, and σ.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadFlow<'a> {
    pub convex: Convex<'a>,
    pub scale: &'a DVector<f64>,
}

/// What is kept from step to step.
#[derive(Debug, Clone)]
pub(super) struct Control {
    /// The next step to try.
    step: f64,
    /// The last step, with its stages.
    last: Option<(f64, Vec<f64>)>,
    last_error: f64,
    /// The frozen curvature, the steps accepted with it, the iterations of the first of them, and how many more the
    /// others took together.
    curvature: Option<Arc<Curvature>>,
    age: usize,
    fresh: usize,
    extra: usize,
    /// Whether it has to be whole.
    whole: bool,
    multiplier: Multiplier,
    work: Work,
}

impl Control {
    pub fn new(step: f64, whole: bool) -> Self {
        Self {
            step,
            last: None,
            last_error: 1.0,
            curvature: None,
            age: 0,
            fresh: 0,
            extra: 0,
            whole,
            multiplier: Multiplier::default(),
            work: Work::default(),
        }
    }

    /// Work so far, in products of a size.
    pub fn work(&self, unit: usize) -> Work {
        Work { products: self.multiplier.count().div_ceil(unit.max(1) as u64) as usize, ..self.work }
    }
}

/// How far the rounding of residuals moves a head within a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Response {
    /// As far as random errors do in directions that the mean curvature holds.
    Usual,
    /// As far as a constant error does in one that nothing holds: of classes that some features separate and others do
    /// not, the former pull ever more weakly on the head while the residual of the others, and its rounding, stays.
    Flat,
}

/// A step that was taken: its size, and the changes at its stages.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub size: f64,
    pub changes: Vec<f64>,
    /// The frozen curvature with which it was solved, which a few steps share.
    pub curvature: Arc<Curvature>,
}

impl HeadFlow<'_> {
    /// r and k.
    fn shape(&self) -> (usize, usize) {
        (self.scale.len(), self.convex.targets.ncols())
    }

    /// F at Y.
    pub fn predictions(&self, y: &DMatrix<f64>) -> DMatrix<f64> {
        let mut scaled = y.clone();
        scale_rows(scaled.as_mut_slice(), self.scale);
        self.convex.predictions(&scaled)
    }

    /// G of a residual R.
    pub fn pull(&self, residual: &DMatrix<f64>) -> DMatrix<f64> {
        let mut pull = self.convex.on_modes(residual);
        scale_rows(pull.as_mut_slice(), self.scale);
        pull
    }

    /// Solves the stage equations of a step from a Y of norm `size` with predictions F, beginning with a guess. Returns
    /// the iterations, or nothing if they do not converge.
    pub fn solve(
        &self,
        count: &Multiplier,
        (f, size): (&DMatrix<f64>, f64),
        step: f64,
        curvature: &Curvature,
        response: Response,
        changes: &mut [f64],
    ) -> Option<usize> {
        let ((r, k), m, n) = (self.shape(), method(), f.nrows());
        let s = m.stages();
        if r * k == 0 {
            return Some(0);
        }
        // Iterations do not change the mean over the outputs, of which extrapolation multiplies the rounding.
        centre(changes, k);
        let mut samples = vec![0.0; n * k * s];
        let [mut scaled, mut pulls, mut correction, mut modes, mut parts] =
            [(); 5].map(|()| vec![0.0; changes.len()]);
        let mut acceleration = Acceleration::default();
        let noise = self.noise(f, step, curvature, response);
        let (mut first, mut last) = (f64::NAN, f64::INFINITY);
        for iteration in 1..=LIMIT {
            scaled.copy_from_slice(changes);
            scale_rows(&mut scaled, self.scale);
            for (column, out) in samples.chunks_exact_mut(n).enumerate() {
                out.copy_from_slice(f.column(column / s).as_slice());
            }
            count.multiply(&mut samples, true, 1.0, self.convex.u, Factor::new(&scaled, r));
            self.convex.loss.residual_of_block(self.convex.targets, &mut samples, s);
            let u = Factor::from(self.convex.u).t();
            count.multiply(&mut pulls, false, 1.0, u, Factor::new(&samples, n));
            scale_rows(&mut pulls, self.scale);
            for (out, pulls) in correction.chunks_exact_mut(r * s).zip(pulls.chunks_exact(r * s)) {
                combine(out, pulls, r, |l, i| step * m.a[(i, l)]);
            }
            count.add(pulls.len() * s);
            axpy(&mut correction, -1.0, changes);
            curvature.divide(count, m, step, &mut correction, [&mut modes, &mut parts]);
            acceleration.advance(changes, &correction, &correction);
            let change = norm(&correction) / (s as f64).sqrt();
            if !change.is_finite() {
                return None;
            }
            let goal = 0.02 * RTOL * (size + norm(changes) / (s as f64).sqrt()) + noise;
            let change = change / goal;
            let converged = if iteration == 1 {
                first = change;
                // The rate is not known yet: only a negligible change ends the iteration.
                change <= 1e-3
            } else {
                let rate = (change / last).max(0.1);
                if rate < 1.0 { change * rate / (1.0 - rate) <= 1.0 } else { change <= 1.0 }
            };
            if converged {
                return Some(iteration);
            }
            let mean = (change / first).powf(1.0 / (iteration.max(2) - 1) as f64);
            let left = (LIMIT - iteration) as i32;
            if change > 10.0 * first
                || (iteration > 3 && change * mean.min(change / last).powi(left) > 1.0)
            {
                return None;
            }
            last = change;
        }
        None
    }

    /// What the rounding of residuals where predictions are F moves within a step.
    fn noise(&self, f: &DMatrix<f64>, step: f64, curvature: &Curvature, response: Response) -> f64 {
        let residual = self.convex.loss.residual(self.convex.targets, f).norm();
        let rounded = residual + curvature.mean * f.norm();
        let response = match response {
            Response::Usual => step.min((step / curvature.mean.max(f64::MIN_POSITIVE)).sqrt()),
            Response::Flat => step,
        };
        4.0 * f64::EPSILON * rounded * response
    }

    /// The error of a step by the embedded formula, filtered by (1 + hγ₀H)⁻¹, in units of what it may be.
    fn error(
        &self,
        count: &Multiplier,
        (pull, f, size): (&DMatrix<f64>, &DMatrix<f64>, f64),
        step: f64,
        curvature: &Curvature,
        changes: &[f64],
    ) -> f64 {
        let ((r, k), m) = (self.shape(), method());
        let (s, real) = (m.stages(), m.eigenvalues[0].re * step);
        let mut wrong = pull * real;
        for (c, j) in (0..k).flat_map(|c| (0..s).map(move |j| (c, j))) {
            axpy(wrong.column_mut(c).as_mut_slice(), m.error[j], &changes[(c * s + j) * r..][..r]);
        }
        curvature.apply(count, &mut wrong, |d| 1.0 / (1.0 + real * d));
        // The error of the method is smaller than that of the formula, the more so the larger the tolerance.
        let tolerance = 60.0 * RTOL.powf(0.85);
        let allowed = tolerance * (size + self.last_of(changes).norm())
            + self.noise(f, step, curvature, Response::Usual);
        if wrong.amax() == 0.0 { 0.0 } else { wrong.norm() / allowed }
    }

    /// What a step moves.
    pub fn last_of(&self, changes: &[f64]) -> DMatrix<f64> {
        let ((r, k), s) = (self.shape(), method().stages());
        DMatrix::from_fn(r, k, |a, c| changes[(c * s + s - 1) * r + a])
    }

    /// The collocation polynomial of a step at a part of it, or beyond it.
    pub fn polynomial(&self, changes: &[f64], part: f64) -> DMatrix<f64> {
        let ((r, k), m) = (self.shape(), method());
        let s = m.stages();
        let weights: Vec<f64> = (0..s).map(|j| m.lagrange(j, part)).collect();
        let value =
            |a: usize, c: usize| (0..s).map(|j| weights[j] * changes[(c * s + j) * r + a]).sum::<f64>();
        DMatrix::from_fn(r, k, value)
    }

    /// The changes at the stages of a step from one part of another to a later one, by its polynomial.
    pub fn between(&self, changes: &[f64], from: f64, to: f64) -> Vec<f64> {
        let (r, m) = (self.scale.len(), method());
        let s = m.stages();
        let mut out = vec![0.0; changes.len()];
        for (out, changes) in
            out.chunks_exact_mut((r * s).max(1)).zip(changes.chunks_exact((r * s).max(1)))
        {
            combine(out, changes, r, |j, i| {
                m.lagrange(j, from + (to - from) * m.nodes[i]) - m.lagrange(j, from)
            });
        }
        out
    }

    /// The first guess of the changes: what the pulls at the stages of the last step, extrapolated, or the pull here
    /// would give.
    fn guess(&self, pull: &DMatrix<f64>, control: &Control, step: f64) -> Vec<f64> {
        let ((r, k), m) = (self.shape(), method());
        let (s, size) = (m.stages(), (r * m.stages()).max(1));
        let mut pulls = vec![0.0; r * k * s];
        match &control.last {
            Some((last, changes)) if step <= 10.0 * last => {
                let ratio = step / last;
                let mut before = vec![0.0; r * s];
                for (to, from) in pulls.chunks_exact_mut(size).zip(changes.chunks_exact(size)) {
                    combine(&mut before, from, r, |l, i| m.inverse_transposed[(l, i)] / last);
                    combine(to, &before, r, |j, i| m.lagrange_of_stages(j, 1.0 + ratio * m.nodes[i]));
                }
            }
            _ => {
                for (column, out) in pulls.chunks_exact_mut(r.max(1)).enumerate() {
                    out.copy_from_slice(pull.column(column / s).as_slice());
                }
            }
        }
        let mut out = vec![0.0; pulls.len()];
        for (to, from) in out.chunks_exact_mut(size).zip(pulls.chunks_exact(size)) {
            combine(to, from, r, |l, i| step * m.a[(i, l)]);
        }
        out
    }

    /// Takes one step that is accurate enough from θ and Y with predictions F and pull G.
    pub fn advance(
        &self,
        control: &mut Control,
        theta: f64,
        (y, f, pull): (&DMatrix<f64>, &DMatrix<f64>, &DMatrix<f64>),
    ) -> Result<Step, String> {
        let (order, size) = (method().stages() as f64 + 1.0, y.norm());
        let mut refused = false;
        loop {
            let step = control.step;
            if theta + step <= theta || !step.is_finite() {
                return Err(format!("a step of {step:e} from {theta:e}, in units of the fastest decay"));
            }
            if control.curvature.is_none() {
                let new = Curvature::new(&self.convex, self.scale, f, control.whole);
                control.curvature = Some(Arc::new(new.map_err(|error| error.to_string())?));
                control.age = 0;
                control.extra = 0;
                control.work.decompositions += 1;
            }
            let curvature = control.curvature.clone().expect("just made");
            let mut changes = self.guess(pull, control, step);
            let count = &control.multiplier;
            let iterations =
                self.solve(count, (f, size), step, &curvature, Response::Usual, &mut changes);
            control.work.evaluations += iterations.unwrap_or(LIMIT) * method().stages();
            let Some(iterations) = iterations else {
                control.work.rejected += 1;
                if control.age > 0 {
                    control.curvature = None;
                } else {
                    refused = true;
                    control.step = step / 2.0;
                }
                continue;
            };
            let error = self.error(count, (pull, f, size), step, &curvature, &changes);
            if error.is_nan() || error >= 1.0 {
                control.work.rejected += 1;
                refused = true;
                let factor = 0.9 * error.powf(-1.0 / order);
                control.step = step * if factor.is_finite() { factor.clamp(0.1, 0.9) } else { 0.5 };
                continue;
            }
            let grown = grow(control, step, error.max(1e-10), order);
            control.step = if refused { grown.min(step) } else { grown };
            control.last_error = error.max(1e-4);
            control.age += 1;
            control.work.steps += 1;
            if control.age == 1 {
                control.fresh = iterations;
            }
            control.extra += iterations.saturating_sub(control.fresh);
            control.last = Some((step, changes.clone()));
            let taken = Step { size: step, changes, curvature };
            self.renew(control, f.nrows(), iterations);
            return Ok(taken);
        }
    }

    /// Gives the curvature up where the iterations that an older one took more are worth a new one, and takes it whole
    /// where that is possible and one by output is not enough.
    fn renew(&self, control: &mut Control, samples: usize, iterations: usize) {
        let (r, k) = self.shape();
        let block = if control.whole { r * k } else { r };
        let iteration = method().stages() * r * k * 2 * (samples + block);
        if control.extra * iteration > Curvature::cost(samples, r, k, control.whole) {
            control.curvature = None;
        }
        if !control.whole && control.fresh.min(iterations) > MANY && Curvature::can_be_whole(r, k) {
            control.whole = true;
            control.curvature = None;
        }
    }
}

/// The size of the step after one that was accepted (Gustafsson's predictive controller).
fn grow(control: &Control, step: f64, error: f64, order: f64) -> f64 {
    let mut factor = 0.9 * error.powf(-1.0 / order);
    if let Some((last, _)) = control.last {
        factor = factor.min(factor * (step / last) * (control.last_error / error).powf(1.0 / order));
    }
    step * factor.clamp(0.2, 8.0)
}
