/work/main/web/target/debug/deps/taskhead-e34bec4d7f7e431f.d: /work/main/src/lib.rs /work/main/src/adaptation.rs /work/main/src/digits.rs /work/main/src/energy.rs /work/main/src/files/mod.rs /work/main/src/files/arrays.rs /work/main/src/files/error.rs /work/main/src/files/features.rs /work/main/src/files/problem.rs /work/main/src/flow/mod.rs /work/main/src/flow/balanced.rs /work/main/src/flow/decoupled.rs /work/main/src/flow/descent.rs /work/main/src/flow/frozen.rs /work/main/src/flow/lazy.rs /work/main/src/flow/rank_one.rs /work/main/src/flow/solver/mod.rs /work/main/src/flow/solver/acceleration.rs /work/main/src/flow/solver/collocation.rs /work/main/src/flow/solver/conservation.rs /work/main/src/flow/solver/field.rs /work/main/src/flow/solver/tangent.rs /work/main/src/gallery/mod.rs /work/main/src/linalg.rs /work/main/src/parallel.rs /work/main/src/probing.rs /work/main/src/problem.rs /work/main/src/reduction.rs /work/main/src/simulation.rs /work/main/src/sweep/mod.rs /work/main/src/sweep/config.rs /work/main/src/sweep/record.rs /work/main/src/tasks.rs /work/main/src/theorems/mod.rs /work/main/src/theorems/certify/mod.rs /work/main/src/theorems/certify/boundary.rs /work/main/src/theorems/certify/interval.rs /work/main/src/theorems/certify/jet.rs /work/main/src/theorems/certify/laws.rs /work/main/src/theorems/certify/phase.rs /work/main/src/theorems/certify/subdivision.rs /work/main/src/trend.rs /work/main/src/../data/digits/digits.bin.gz

/work/main/web/target/debug/deps/libtaskhead-e34bec4d7f7e431f.rmeta: /work/main/src/lib.rs /work/main/src/adaptation.rs /work/main/src/digits.rs /work/main/src/energy.rs /work/main/src/files/mod.rs /work/main/src/files/arrays.rs /work/main/src/files/error.rs /work/main/src/files/features.rs /work/main/src/files/problem.rs /work/main/src/flow/mod.rs /work/main/src/flow/balanced.rs /work/main/src/flow/decoupled.rs /work/main/src/flow/descent.rs /work/main/src/flow/frozen.rs /work/main/src/flow/lazy.rs /work/main/src/flow/rank_one.rs /work/main/src/flow/solver/mod.rs /work/main/src/flow/solver/acceleration.rs /work/main/src/flow/solver/collocation.rs /work/main/src/flow/solver/conservation.rs /work/main/src/flow/solver/field.rs /work/main/src/flow/solver/tangent.rs /work/main/src/gallery/mod.rs /work/main/src/linalg.rs /work/main/src/parallel.rs /work/main/src/probing.rs /work/main/src/problem.rs /work/main/src/reduction.rs /work/main/src/simulation.rs /work/main/src/sweep/mod.rs /work/main/src/sweep/config.rs /work/main/src/sweep/record.rs /work/main/src/tasks.rs /work/main/src/theorems/mod.rs /work/main/src/theorems/certify/mod.rs /work/main/src/theorems/certify/boundary.rs /work/main/src/theorems/certify/interval.rs /work/main/src/theorems/certify/jet.rs /work/main/src/theorems/certify/laws.rs /work/main/src/theorems/certify/phase.rs /work/main/src/theorems/certify/subdivision.rs /work/main/src/trend.rs /work/main/src/../data/digits/digits.bin.gz

/work/main/src/lib.rs:
/work/main/src/adaptation.rs:
/work/main/src/digits.rs:
/work/main/src/energy.rs:
/work/main/src/files/mod.rs:
/work/main/src/files/arrays.rs:
/work/main/src/files/error.rs:
/work/main/src/files/features.rs:
/work/main/src/files/problem.rs:
/work/main/src/flow/mod.rs:
/work/main/src/flow/balanced.rs:
/work/main/src/flow/decoupled.rs:
/work/main/src/flow/descent.rs:
/work/main/src/flow/frozen.rs:
/work/main/src/flow/lazy.rs:
/work/main/src/flow/rank_one.rs:
/work/main/src/flow/solver/mod.rs:
/work/main/src/flow/solver/acceleration.rs:
/work/main/src/flow/solver/collocation.rs:
/work/main/src/flow/solver/conservation.rs:
/work/main/src/flow/solver/field.rs:
/work/main/src/flow/solver/tangent.rs:
/work/main/src/gallery/mod.rs:
/work/main/src/linalg.rs:
/work/main/src/parallel.rs:
/work/main/src/probing.rs:
/work/main/src/problem.rs:
/work/main/src/reduction.rs:
/work/main/src/simulation.rs:
/work/main/src/sweep/mod.rs:
/work/main/src/sweep/config.rs:
/work/main/src/sweep/record.rs:
/work/main/src/tasks.rs:
/work/main/src/theorems/mod.rs:
/work/main/src/theorems/certify/mod.rs:
/work/main/src/theorems/certify/boundary.rs:
/work/main/src/theorems/certify/interval.rs:
/work/main/src/theorems/certify/jet.rs:
/work/main/src/theorems/certify/laws.rs:
/work/main/src/theorems/certify/phase.rs:
/work/main/src/theorems/certify/subdivision.rs:
/work/main/src/trend.rs:
/work/main/src/../data/digits/digits.bin.gz:

# env-dep:CARGO_PKG_VERSION=0.1.0
