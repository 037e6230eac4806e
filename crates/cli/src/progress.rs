//! The progress of one long flow, for a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use taskhead::flow::solver::{Progress, Watch};

/// A line that says where a flow is and for how long it has run; hidden unless standard error is a terminal.
pub struct Line {
    /// The line.
    pub bar: ProgressBar,
    limit: Watch,
}

impl Line {
    /// A line that starts now; its flows may run for this many seconds.
    pub fn new(quiet: bool, seconds: Option<f64>) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
        let bar = bar.with_style(style.expect("a valid template"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, limit: Watch::for_seconds(seconds) }
    }

    /// Says what is being done.
    pub fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Whether these seconds have passed.
    pub fn is_over(&self) -> bool {
        !self.limit.goes_on(|| Progress { steps: 0, time: 0.0, residual: 0.0 })
    }

    /// A watch that shows every step, and ends the flow when these seconds have passed.
    pub fn watch(&self) -> Watch {
        let bar = self.bar.clone();
        let show = Watch::new(move |progress| {
            bar.set_message(text(progress));
            true
        });
        show.and(self.limit.clone())
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
        let here = || Progress { steps: 7, time: 12.5, residual: 0.25 };
        for (seconds, goes_on) in [(None, true), (Some(1e3), true), (Some(0.0), false)] {
            let line = Line::new(true, seconds);
            assert_eq!(line.watch().goes_on(here), goes_on);
            assert_eq!(line.bar.message(), "step 7: time 1.250e1, residual 2.500e-1");
        }
    }
}
