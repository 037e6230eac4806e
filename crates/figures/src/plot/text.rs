//! How wide a text is, what `_{…}` and `^{…}` in it mean, and how numbers are written.

/// Advance widths of DejaVu Sans in thousandths of an em, for U+0020 to U+007E.
#[rustfmt::skip]
const ADVANCE: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775,
    752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390,
    337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

/// Size of sub- and superscripts relative to the text.
const SCRIPT: f64 = 0.68;

/// A piece of text on one line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) text: String,
    /// From the start of the text.
    pub(crate) dx: f64,
    /// Below the baseline.
    pub(crate) dy: f64,
    pub(crate) size: f64,
}

fn advance(c: char) -> f64 {
    let thousandths = match c {
        ' '..='~' => ADVANCE[c as usize - 0x20],
        '\u{300}'..='\u{36f}' => 0,
        '⁻' => 528,
        '⁰'..='ₜ' | '²' | '³' | '¹' => 401,
        '·' | '\u{a0}' => 318,
        '–' | '‖' | '°' => 500,
        '−' | '×' | '±' | '≤' | '≥' | '≈' | '→' | '←' | '∞' => 838,
        '—' | '…' => 1000,
        '∈' | '⊥' => 871,
        _ => 620,
    };
    f64::from(thousandths) / 1000.0
}

fn plain_width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// Splits a text with `_{…}` and `^{…}` into runs and gives the total width.
pub(crate) fn layout(text: &str, size: f64) -> (Vec<Run>, f64) {
    let mut runs = Vec::new();
    let mut x = 0.0;
    let mut push = |piece: &str, size: f64, dy: f64| {
        // A viewer drops spaces at the start of a run: they are part of its place instead.
        let text = piece.trim_start();
        if !text.is_empty() {
            let dx = x + plain_width(&piece[..piece.len() - text.len()], size);
            runs.push(Run { text: text.to_owned(), dx, dy, size });
        }
        x += plain_width(piece, size);
    };
    let mut rest = text;
    while let Some((start, end)) = script(rest) {
        push(&rest[..start], size, 0.0);
        let shift = if rest[start..].starts_with('_') { 0.2 } else { -0.38 };
        push(&rest[start + 2..end], size * SCRIPT, shift * size);
        rest = &rest[end + 1..];
    }
    push(rest, size, 0.0);
    (runs, x)
}

/// Where the first `_{` or `^{` starts, and where its `}` is.
fn script(text: &str) -> Option<(usize, usize)> {
    let start = text.find("_{").into_iter().chain(text.find("^{")).min()?;
    text[start..].find('}').map(|end| (start, start + end))
}

/// The width of a text.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    layout(text, size).1
}

/// Breaks a text at spaces into lines of at most `limit`, if its words allow.
pub(crate) fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A number as short as its `digits` significant digits allow: 0.5, 1e−4, −20.
pub(crate) fn short(value: f64, digits: usize) -> String {
    let (mantissa, exponent) = match parts(value, digits) {
        Ok(parts) => parts,
        Err(text) => return text.to_owned(),
    };
    if (-3..5).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        trim(&format!("{value:.decimals$}")).replace('-', "−")
    } else {
        format!("{mantissa}e{exponent}").replace('-', "−")
    }
}

/// The same, always with an exponent, for axes whose ticks should look alike.
pub(crate) fn scientific(value: f64, digits: usize) -> String {
    match parts(value, digits) {
        Ok((mantissa, exponent)) => format!("{mantissa}e{exponent}").replace('-', "−"),
        Err(text) => text.to_owned(),
    }
}

/// Mantissa and exponent of a number that has them, else what stands for it.
fn parts(value: f64, digits: usize) -> Result<(String, i32), &'static str> {
    if value == 0.0 {
        return Err("0");
    }
    if !value.is_finite() {
        return Err(if value.is_nan() {
            "–"
        } else if value > 0.0 {
            "∞"
        } else {
            "−∞"
        });
    }
    let text = format!("{:.*e}", digits.max(1) - 1, value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    Ok((trim(mantissa).to_owned(), exponent.parse().unwrap_or(0)))
}

/// Without zeros at the end of its decimals.
fn trim(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// 10 to a whole power with superscript digits: 10⁻³.
pub(crate) fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let text = exponent.to_string();
    let raised = text.chars().map(|c| c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize]));
    "10".chars().chain(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.5, "0.5"),
            (1e-3, "0.001"),
            (1e-4, "1e−4"),
            (-20.0, "−20"),
            (0.0, "0"),
            (-0.0, "0"),
            (1.0 / 3.0, "0.333"),
            (12345.6, "12346"),
            (2.5e7, "2.5e7"),
            (f64::INFINITY, "∞"),
            (f64::NAN, "–"),
            (0.9999, "1"),
        ] {
            assert_eq!(short(value, 3), text);
        }
        assert_eq!(scientific(0.5, 2), "5e−1");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
    }

    #[test]
    fn scripts_are_runs() {
        let (runs, _) = layout("‖z_{T} − z₀‖^{2}", 10.0);
        let texts: Vec<&str> = runs.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(texts, ["‖z", "T", "− z₀‖", "2"]);
        assert!((runs[2].dx - runs[1].dx - width("T", 6.8) - width(" ", 10.0)).abs() < 1e-9);
        assert!(runs[1].dy > 0.0 && runs[3].dy < 0.0 && runs[1].size < 10.0);
        assert_eq!(layout("my_problem {x}", 10.0).0.len(), 1);
        assert_eq!(layout("open_{", 10.0).0.len(), 1);
        assert_eq!(layout("", 10.0), (vec![], 0.0));
    }

    #[test]
    fn lines_break_at_spaces() {
        let lines = wrap("random Gaussian problems", 10.0, 100.0);
        assert_eq!(lines, ["random Gaussian", "problems"]);
        assert_eq!(wrap("unbreakable", 10.0, 5.0), ["unbreakable"]);
    }
}
