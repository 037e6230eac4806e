/work/main/web/target/debug/deps/bindgen-4bd4d6a8d0d2b50b.d: bindgen/src/main.rs Cargo.toml

/work/main/web/target/debug/deps/libbindgen-4bd4d6a8d0d2b50b.rmeta: bindgen/src/main.rs Cargo.toml

bindgen/src/main.rs:
Cargo.toml:

# env-dep:CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
# env-dep:CLIPPY_CONF_DIR
