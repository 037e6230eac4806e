/work/main/web/target/debug/deps/walrus_macro-3f9310b97b6c4d5e.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/walrus-macro-0.26.0/src/lib.rs

/work/main/web/target/debug/deps/libwalrus_macro-3f9310b97b6c4d5e.so: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/walrus-macro-0.26.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/walrus-macro-0.26.0/src/lib.rs:
