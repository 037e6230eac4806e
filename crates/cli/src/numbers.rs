//! The values of flags that are numbers: what is accepted is said wherever they are not.

use std::ops::{Bound, RangeBounds};

/// Parses a time in [0, ∞].
pub fn time(text: &str) -> Result<f64, String> {
    number(text, |t| t >= 0.0, "a number of at least 0, or inf")
}

/// Parses a finite number of at least 0.
pub fn amount(text: &str) -> Result<f64, String> {
    number(text, |v| v >= 0.0 && v.is_finite(), "a finite number of at least 0")
}

/// Parses any number; whoever uses it says which ones it takes.
pub fn real(text: &str) -> Result<f64, String> {
    number(text, |_| true, "a number")
}

/// Parses a number that is `good`.
pub fn number(text: &str, good: impl Fn(f64) -> bool, accepted: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if good(value) => Ok(value),
        _ => Err(format!("it must be {accepted}")),
    }
}

/// The parser of whole numbers of a range, of an unsigned type. A range without an end goes as far as the type.
pub fn whole<T: TryFrom<u64>>(
    range: impl RangeBounds<u64> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let value = text.parse().ok().filter(|value| range.contains(value));
        value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
            let least = match range.start_bound() {
                Bound::Included(&least) => least,
                Bound::Excluded(&below) => below + 1,
                Bound::Unbounded => 0,
            };
            let most = match range.end_bound() {
                Bound::Included(&most) => Some(most),
                Bound::Excluded(&above) => Some(above - 1),
                // Only those who go beyond it need to know where the type ends.
                Bound::Unbounded if text.len() > 1 && text.bytes().all(|b| b.is_ascii_digit()) => {
                    Some(u64::MAX >> (64 - 8 * size_of::<T>()))
                }
                Bound::Unbounded => None,
            };
            let to = most.map_or(String::new(), |most| format!(" to {most}"));
            format!("it must be a whole number from {least}{to}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_amounts() {
        assert_eq!(time("inf"), Ok(f64::INFINITY));
        assert_eq!(time("2.5"), Ok(2.5));
        for bad in ["-1", "nan", "x", ""] {
            assert!(time(bad).is_err() && amount(bad).is_err(), "{bad}");
        }
        assert!(amount("inf").is_err());
        assert_eq!(real("x"), Err("it must be a number".into()));
    }

    #[test]
    fn whole_numbers_have_their_range() {
        let error = |text: &str| whole::<u64>(1..)(text).unwrap_err();
        assert_eq!(whole::<u64>(0..)("18446744073709551615"), Ok(u64::MAX));
        for bad in ["-1", "1e3", "2.0", "", "x", "0"] {
            assert_eq!(error(bad), "it must be a whole number from 1", "{bad}");
        }
        let beyond = "it must be a whole number from 1 to 18446744073709551615";
        assert_eq!(error("99999999999999999999"), beyond);
        let port = whole::<u16>(0..);
        assert_eq!(port("65535"), Ok(65535));
        assert_eq!(port("65536").unwrap_err(), "it must be a whole number from 0 to 65535");
        let few = whole::<usize>(2..=9);
        assert_eq!((few("2"), few("9")), (Ok(2), Ok(9)));
        for bad in ["1", "10", "-3", "1e1"] {
            assert_eq!(few(bad).unwrap_err(), "it must be a whole number from 2 to 9", "{bad}");
        }
    }
}
