/work/main/web/target/debug/deps/leb128-7f0cbd41874c544b.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/leb128-0.2.7/src/lib.rs

/work/main/web/target/debug/deps/libleb128-7f0cbd41874c544b.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/leb128-0.2.7/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/leb128-0.2.7/src/lib.rs:
