//! The one place where threads come in.

/// The results of numbers 0 to n − 1 in their order, on all cores with the feature `parallel`.
pub(crate) fn each<T: Send>(n: usize, one: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        (0..n).into_par_iter().map(one).collect()
    }
    #[cfg(not(feature = "parallel"))]
    (0..n).map(one).collect()
}
