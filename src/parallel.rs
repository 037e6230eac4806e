//! The one place where threads come in: independent jobs on all cores, with results that do not depend on how many.

/// Calls a function with 0 … n − 1 and gives the results in this order, on all cores with the feature `parallel`.
pub fn each<T: Send>(n: usize, one: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        (0..n).into_par_iter().map(one).collect()
    }
    #[cfg(not(feature = "parallel"))]
    (0..n).map(one).collect()
}

/// Does something to every piece of `size` entries, with its number: on all cores with the feature `parallel`
/// if there is `much` to do.
pub(crate) fn each_chunk(
    data: &mut [f64],
    size: usize,
    much: bool,
    one: impl Fn(usize, &mut [f64]) + Sync + Send,
) {
    #[cfg(feature = "parallel")]
    if much {
        use rayon::prelude::*;
        return data.par_chunks_mut(size).enumerate().for_each(|(i, chunk)| one(i, chunk));
    }
    let _ = much;
    data.chunks_mut(size).enumerate().for_each(|(i, chunk)| one(i, chunk));
}
