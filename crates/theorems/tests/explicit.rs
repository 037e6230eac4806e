//! The solver against an explicit method of another library.

use taskhead::flow::solver::{Options, solve};
use taskhead_suite::{Case, digits, forty, small};

/// Backbone and head themselves by an explicit method of order 8 of another library.
#[test]
fn an_explicit_method_on_backbone_and_head_agrees() {
    use differential_equations::prelude::*;
    use nalgebra::{DMatrix, DVector};

    struct Raw<'a>(&'a Case);

    impl Raw<'_> {
        fn unpack(&self, x: &DVector<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
            let ((h, d), k) = (self.0.backbone.shape(), self.0.targets.ncols());
            let (b, v) = x.as_slice().split_at(h * d);
            (DMatrix::from_column_slice(h, d, b), DMatrix::from_column_slice(h, k, v))
        }
    }

    impl ODE<f64, DVector<f64>> for Raw<'_> {
        fn diff(&self, _t: f64, x: &DVector<f64>, dxdt: &mut DVector<f64>) {
            let (b, v) = self.unpack(x);
            let (db, dv) = self.0.velocity(&b, &v);
            dxdt.iter_mut().zip(db.iter().chain(dv.iter())).for_each(|(to, from)| *to = *from);
        }
    }

    for case in small().into_iter().chain([forty(), digits()]) {
        let start = DVector::from_iterator(
            case.backbone.len() + case.head.len(),
            case.backbone.iter().chain(case.head.iter()).copied(),
        );
        let raw = Raw(&case);
        let method = ExplicitRungeKutta::dop853().rtol(1e-13).atol(1e-15).max_steps(1_000_000);
        let solution = IVP::ode(&raw, 0.0, case.middle, start).method(method).solve().unwrap();
        let (b, v) = raw.unpack(solution.y.last().unwrap());
        let moved = &case.inputs * (b - &case.backbone).transpose();
        case.with_flow(|flow| {
            let options = Options { rtol: 1e-13, ..Options::default() };
            let end = solve(flow, case.middle, &options).unwrap().end.state;
            let reduction = flow.reduction();
            // A small motion of a large backbone is known to the rounding of the backbone.
            let allowed = 1e-11 * moved.norm() + 1e-13 * reduction.features().norm();
            let difference = (reduction.full_displacement(&end) - &moved).norm();
            assert!(difference < allowed, "{}: features differ by {difference:e}", case.name);
            // Relative to the head at the end: near the saddle it grows a thousandfold.
            let difference = (reduction.full_head(&end) - &v).norm() / v.norm();
            assert!(difference < 1e-11, "{}: heads differ by {difference:e}", case.name);
        });
    }
}
