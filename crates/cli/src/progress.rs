//! The progress of one long flow, for a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use taskhead::flow::solver::{Progress, Watch};

/// A line that says where a flow is and for how long it has run; hidden where nobody looks.
pub struct Line {
    /// The line.
    pub bar: ProgressBar,
    begun: Instant,
}

impl Line {
    /// A line that runs from now on.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
        let bar = bar.with_style(style.expect("a valid template"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, begun: Instant::now() }
    }

    /// Says what is being done.
    pub fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// A watch that shows every step, and ends the flow when the line has run for so many seconds.
    pub fn watch(&self, seconds: Option<f64>) -> Watch {
        let (bar, begun) = (self.bar.clone(), self.begun);
        Watch::new(move |progress| {
            bar.set_message(text(progress));
            seconds.is_none_or(|limit| begun.elapsed().as_secs_f64() < limit)
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn text(progress: &Progress) -> String {
    let Progress { steps, time, residual } = progress;
    format!("step {steps}: time {time:.3e}, residual {residual:.3e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_ended_by_its_time() {
        let line = Line::new(true);
        let here = || Progress { steps: 7, time: 12.5, residual: 0.25 };
        assert!(line.watch(None).goes_on(here) && line.watch(Some(1e3)).goes_on(here));
        assert!(!line.watch(Some(0.0)).goes_on(here));
        assert_eq!(line.bar.message(), "step 7: time 1.250e1, residual 2.500e-1");
    }
}
