//! What is wrong with an argument, as a text for the page.

/// An error as a text.
pub fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Refuses a number out of its range.
pub fn within(name: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!(
        "{name} = {value} is not valid; it must be between {} and {}",
        range.start(),
        range.end()
    ))
}
