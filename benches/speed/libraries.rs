//! faer against nalgebra where the solver can take either: `cargo bench --bench libraries`. One thread.

use divan::{Bencher, black_box};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par, Side};
use nalgebra::{DMatrix, SymmetricEigen};

/// Rows, inner size and columns of products: those of stages of `wide`, of 64 samples, of one output of 500 digits,
/// and of large problems.
const PRODUCTS: [[usize; 3]; 5] =
    [[6, 8, 10], [32, 36, 20], [64, 64, 25], [500, 500, 5], [1000, 1010, 50]];

/// Sizes of symmetric eigenproblems.
const EIGENPROBLEMS: [usize; 8] = [6, 12, 20, 32, 40, 64, 128, 250];

fn main() {
    divan::main();
}

fn entry(i: usize, j: usize) -> f64 {
    (1.0 + 12.9898 * i as f64 + 78.233 * j as f64).sin()
}

#[divan::bench(args = PRODUCTS)]
fn product_faer(bencher: Bencher, [rows, inner, columns]: [usize; 3]) {
    let (a, b) = (Mat::from_fn(rows, inner, entry), Mat::from_fn(inner, columns, entry));
    let mut out = Mat::zeros(rows, columns);
    bencher
        .bench_local(|| matmul(&mut out, Accum::Replace, black_box(&a), black_box(&b), 1.0, Par::Seq));
}

#[divan::bench(args = PRODUCTS)]
fn product_nalgebra(bencher: Bencher, [rows, inner, columns]: [usize; 3]) {
    let (a, b) = (DMatrix::from_fn(rows, inner, entry), DMatrix::from_fn(inner, columns, entry));
    let mut out = DMatrix::zeros(rows, columns);
    bencher.bench_local(|| out.gemm(1.0, black_box(&a), black_box(&b), 0.0));
}

#[divan::bench(args = EIGENPROBLEMS, sample_count = 20)]
fn eigen_faer(bencher: Bencher, n: usize) {
    faer::set_global_parallelism(Par::Seq);
    let a = Mat::from_fn(n, n, |i, j| entry(i, j) + entry(j, i));
    bencher.bench_local(|| black_box(&a).self_adjoint_eigen(Side::Lower));
}

#[divan::bench(args = EIGENPROBLEMS, sample_count = 20)]
fn eigen_nalgebra(bencher: Bencher, n: usize) {
    let a = DMatrix::from_fn(n, n, |i, j| entry(i, j) + entry(j, i));
    bencher.bench_local(|| SymmetricEigen::try_new(black_box(&a).clone(), f64::EPSILON, 10_000));
}
