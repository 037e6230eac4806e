/work/main/web/target/debug/deps/taskhead_web-27a2916314c3f0ba.d: engine/src/lib.rs engine/src/forces.rs engine/src/phase.rs engine/src/probing.rs engine/src/runs.rs engine/src/scene.rs Cargo.toml

/work/main/web/target/debug/deps/libtaskhead_web-27a2916314c3f0ba.rmeta: engine/src/lib.rs engine/src/forces.rs engine/src/phase.rs engine/src/probing.rs engine/src/runs.rs engine/src/scene.rs Cargo.toml

engine/src/lib.rs:
engine/src/forces.rs:
engine/src/phase.rs:
engine/src/probing.rs:
engine/src/runs.rs:
engine/src/scene.rs:
Cargo.toml:

# env-dep:CARGO_PKG_VERSION=0.1.0
# env-dep:CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
# env-dep:CLIPPY_CONF_DIR
