//! How a caller follows a running flow, and ends it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// A running flow between two steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps taken.
    pub steps: usize,
    /// Time reached.
    pub time: f64,
    /// ‖R‖_F there (the constant part of the targets left out).
    pub residual: f64,
}

type Ask = dyn Fn(&Progress) -> bool + Send + Sync;

/// Asked after every step whether to go on; "no" ends the flow with
/// [`Stop::Interrupted`](crate::flow::Stop::Interrupted) and what was reached. The default always goes on.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Ask>>);

impl Watch {
    /// Asks a function.
    pub fn new(goes_on: impl Fn(&Progress) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(goes_on)))
    }

    /// Goes on for this many seconds from now on, or without a number for ever. A number needs a clock, which
    /// WebAssembly without a host does not have.
    pub fn for_seconds(seconds: impl Into<Option<f64>>) -> Self {
        let Some(seconds) = seconds.into() else { return Self::default() };
        let begun = Instant::now();
        Self::new(move |_| begun.elapsed().as_secs_f64() < seconds)
    }

    /// Goes on while both do. The other is not asked once the first has said no.
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(first), Some(second)) => Self::new(move |here| first(here) && second(here)),
            (first, second) => Self(first.or(second)),
        }
    }

    /// Whether to go on from here.
    pub fn goes_on(&self, here: impl FnOnce() -> Progress) -> bool {
        self.0.as_ref().is_none_or(|ask| ask(&here()))
    }

    /// The same for a flow in other units, by what brings its progress back into those of the caller.
    pub(super) fn through(&self, back: impl Fn(Progress) -> Progress + Send + Sync + 'static) -> Self {
        Self(self.0.clone().map(|ask| -> Arc<Ask> { Arc::new(move |progress| ask(&back(*progress))) }))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(…)" } else { "Watch" })
    }
}

/// Equal if they ask the same function, or both none.
impl PartialEq for Watch {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_to_go_on() {
        let here = || Progress { steps: 3, time: 1.0, residual: 0.5 };
        let (always, yes, no) = (Watch::default(), Watch::new(|_| true), Watch::new(|_| false));
        let all = [&always, &yes, &no];
        for (a, b) in all.into_iter().flat_map(|a| all.map(|b| (a, b))) {
            let both = a.clone().and(b.clone());
            assert_eq!(both.goes_on(here), a.goes_on(here) && b.goes_on(here));
        }
        assert_eq!(always.clone().and(always.clone()), always, "nothing is asked for nothing");
        assert!(!Watch::for_seconds(0.0).goes_on(here) && Watch::for_seconds(1e9).goes_on(here));
        assert_eq!(Watch::for_seconds(None), always);
    }
}
