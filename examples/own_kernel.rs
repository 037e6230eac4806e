//! A backbone that is not linear: any positive semidefinite kernel may take the place of XXᵀ.
//!
//! `cargo run --release -p taskhead --example own_kernel`

use taskhead::nalgebra::DMatrix;
use taskhead::tasks::{normal, stream};
use taskhead::{Energy, Problem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let inputs = normal(&mut stream(1, 1), 10, 3, 1.0);
    let kernel =
        DMatrix::from_fn(10, 10, |a, b| (-(inputs.row(a) - inputs.row(b)).norm_squared() / 2.0).exp());
    let features = normal(&mut stream(1, 2), 10, 20, 0.2);
    let targets = DMatrix::from_fn(10, 1, |n, _| inputs.row(n).sum().sin());
    let problem = Problem::new(features, kernel, targets)?;
    let head = problem.head(normal(&mut stream(1, 3), 20, 1, 0.2))?;
    let most = head.path().energy(0.0)?.frobenius;
    for share in [0.25, 0.5, 1.0] {
        let tuned = head.probe(Energy::frobenius(share * most))?.finetune().to_limit()?;
        println!("{share:.2} of the energy: {:?}", tuned.adaptation);
    }
    Ok(())
}
