/work/main/web/target/debug/deps/nalgebra_macros-9229706e862c7239.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/matrix_vector_impl.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/stack_impl.rs

/work/main/web/target/debug/deps/libnalgebra_macros-9229706e862c7239.so: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/matrix_vector_impl.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/stack_impl.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/matrix_vector_impl.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nalgebra-macros-0.3.0/src/stack_impl.rs:
