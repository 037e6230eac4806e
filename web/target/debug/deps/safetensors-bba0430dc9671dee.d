/work/main/web/target/debug/deps/safetensors-bba0430dc9671dee.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/slice.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/tensor.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/../README.md

/work/main/web/target/debug/deps/libsafetensors-bba0430dc9671dee.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/slice.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/tensor.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/../README.md

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/slice.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/tensor.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/safetensors-0.8.0/src/../README.md:
