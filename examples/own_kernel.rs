//! A backbone that is not linear: any positive semidefinite kernel may take the place of XXᵀ.
//!
//! `cargo run --release -p taskhead --example own_kernel`

use nalgebra::DMatrix;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings};
use taskhead::tasks::{normal, stream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let inputs = normal(&mut stream(1, 1), 10, 3, 1.0);
    let kernel =
        DMatrix::from_fn(10, 10, |a, b| (-(inputs.row(a) - inputs.row(b)).norm_squared() / 2.0).exp());
    let features = normal(&mut stream(1, 2), 10, 20, 0.2);
    let targets = DMatrix::from_fn(10, 1, |n, _| inputs.row(n).sum().sin());
    let problem = Problem::new(features, kernel, targets)?;
    let run = Run::new(&problem, &normal(&mut stream(1, 3), 20, 1, 0.2), 0.0)?;
    let most = run.path().energy(0.0)?.frobenius;
    for share in [0.25, 0.5, 1.0] {
        let probe = Probe::Frobenius(share * most);
        let result = &run.finetune(probe, &[f64::INFINITY], &Settings::default())?[0];
        println!("{share:.2} of the energy: {:?}", result.adaptation);
    }
    Ok(())
}
