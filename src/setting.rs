//! What is wrong with a setting: one error for every number that a user may choose. How messages write numbers.

use std::fmt;

/// A number as one writes it by hand: 0.25, 3, inf, and in powers of ten what would take many zeros.
///
/// ```
/// use taskhead::Number;
///
/// assert_eq!(Number(0.25).to_string(), "0.25");
/// assert_eq!(Number(1e40).to_string(), "1e40");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        let plain = value == 0.0 || !value.is_finite() || (1e-5..1e16).contains(&value.abs());
        if plain { write!(f, "{value}") } else { write!(f, "{value:e}") }
    }
}

/// A count with its noun: "1 step", "2 steps".
///
/// ```
/// assert_eq!([0, 1, 2].map(|n| taskhead::counted(n, "step")), ["0 steps", "1 step", "2 steps"]);
/// ```
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// A setting whose value is not accepted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} {} is not valid; it must be {accepted}", Number(*value))]
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
    fn numbers_are_short() {
        let texts = [0.0, -0.5, 1e-5, 1e15, f64::INFINITY, 9e-6, -1e16, 5e-324, f64::MAX]
            .map(|value| Number(value).to_string());
        let max = "1.7976931348623157e308";
        assert_eq!(
            texts,
            ["0", "-0.5", "0.00001", "1000000000000000", "inf", "9e-6", "-1e16", "5e-324", max]
        );
    }

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
