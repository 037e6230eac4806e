//! What is wrong with a setting: one error for every number that a user may choose.

/// A setting whose value is not accepted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} {value} is not valid; it must be {accepted}")]
pub struct Setting {
    /// Name of the setting.
    pub name: &'static str,
    /// The value given.
    pub value: f64,
    /// What is accepted.
    pub accepted: &'static str,
}

impl Setting {
    /// An error unless `value` fulfils what is `accepted`.
    ///
    /// # Errors
    ///
    /// The setting, if it does not.
    pub fn check(
        name: &'static str,
        value: f64,
        fulfils: impl FnOnce(f64) -> bool,
        accepted: &'static str,
    ) -> Result<(), Self> {
        if fulfils(value) { Ok(()) } else { Err(Self { name, value, accepted }) }
    }

    /// Checks a time in [0, ∞].
    pub(crate) fn check_time(name: &'static str, value: f64) -> Result<(), Self> {
        Self::check(name, value, |t| t >= 0.0, "a number of at least 0, or inf")
    }

    /// Checks that times ascend; equal neighbours are accepted.
    pub(crate) fn check_order(times: &[f64]) -> Result<(), Self> {
        match times.windows(2).find(|pair| pair[0] > pair[1]) {
            Some(pair) => Err(Self { name: "time", value: pair[1], accepted: "in ascending order" }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_value_and_range() {
        let error = Setting::check_time("the finetuning time", -1.0).unwrap_err();
        let text = "the finetuning time -1 is not valid; it must be a number of at least 0, or inf";
        assert_eq!(error.to_string(), text);
        assert!(Setting::check_time("the finetuning time", f64::NAN).is_err());
        assert!(Setting::check_time("the finetuning time", f64::INFINITY).is_ok());
        assert!(Setting::check_order(&[0.0, 1.0, 1.0, f64::INFINITY]).is_ok());
        assert_eq!(Setting::check_order(&[0.0, 2.0, 1.0]).unwrap_err().value, 1.0);
    }
}
