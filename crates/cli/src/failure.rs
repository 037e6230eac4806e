//! What ended a command before its answer, in words, and whether what was given is to blame.

use taskhead::advise::AdviseError;
use taskhead::probing::ProbingError;
use taskhead::simulation::SimulationError;
use taskhead_files::{FileError, Remedy};

/// Whether nothing that was given is wrong: a flow or a probing was stopped before it had anything to say.
pub fn stopped_early(error: &anyhow::Error) -> bool {
    let probing = |error: &ProbingError| matches!(error, ProbingError::Interrupted { .. });
    let simulation =
        |error: &SimulationError| matches!(error, SimulationError::Probing(e) if probing(e));
    error.downcast_ref().is_some_and(probing)
        || error.downcast_ref().is_some_and(simulation)
        || error.downcast_ref().is_some_and(|error| match error {
            AdviseError::Stopped { .. } => true,
            AdviseError::Probing(error) => probing(error),
            AdviseError::Simulation(error) => simulation(error),
            _ => false,
        })
}

/// An error with its causes, but for those that it names itself, and the flag that lets it pass.
pub fn with_causes(error: &anyhow::Error) -> String {
    let text = error.chain().map(ToString::to_string).fold(String::new(), |text, cause| {
        match text.is_empty() {
            true => cause,
            false if text.contains(&cause) => text,
            false => format!("{text}: {cause}"),
        }
    });
    let of_file = error.chain().find_map(|cause| cause.downcast_ref::<FileError>());
    match of_file.and_then(|error| error.fault.remedy()) {
        Some(Remedy::Replacement) => format!("{text}, or --force to replace it"),
        Some(Remedy::KernelTolerance(needed)) => {
            format!(
                "{text}; if the kernel is no more precise than that, add --kernel-tolerance {needed:e}"
            )
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let cause = std::io::Error::other("no space");
        let error = anyhow::Error::from(cause).context("s.toml: cannot be read");
        assert_eq!(with_causes(&error), "s.toml: cannot be read: no space");
        let told = anyhow::anyhow!("no space").context("pretraining failed: no space");
        assert_eq!(with_causes(&told), "pretraining failed: no space");
    }
}
