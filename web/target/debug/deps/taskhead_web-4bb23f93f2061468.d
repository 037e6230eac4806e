/work/main/web/target/debug/deps/taskhead_web-4bb23f93f2061468.d: engine/src/lib.rs engine/src/forces.rs engine/src/phase.rs engine/src/probing.rs engine/src/runs.rs engine/src/scene.rs engine/src/../../../plots/phase-certified.csv Cargo.toml

/work/main/web/target/debug/deps/libtaskhead_web-4bb23f93f2061468.rmeta: engine/src/lib.rs engine/src/forces.rs engine/src/phase.rs engine/src/probing.rs engine/src/runs.rs engine/src/scene.rs engine/src/../../../plots/phase-certified.csv Cargo.toml

engine/src/lib.rs:
engine/src/forces.rs:
engine/src/phase.rs:
engine/src/probing.rs:
engine/src/runs.rs:
engine/src/scene.rs:
engine/src/../../../plots/phase-certified.csv:
Cargo.toml:

# env-dep:CARGO_PKG_VERSION=0.1.0
# env-dep:CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
# env-dep:CLIPPY_CONF_DIR
