//! Paired differences over seeds, with the interval that holds their mean.

use std::fmt;

/// The mean of paired differences with half of its 95 % interval, from their spread by Student's t.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Mean over the seeds.
    pub mean: f64,
    /// Half the width of its 95 % interval; NaN where the seeds do not give one: one seed, or differences that are
    /// all the same. Accuracies are shares of a number of samples, which a few seeds may share by chance.
    pub half_width: f64,
}

/// Seeds of which all have the same sign in one run of 20 at most, if either sign is as likely.
const CHANCE: usize = 6;

impl Difference {
    /// That of one difference for each seed.
    pub fn of(differences: &[f64]) -> Self {
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        let same = differences.iter().all(|d| *d == differences[0]);
        let half_width = if same && differences.len() < CHANCE {
            f64::NAN
        } else {
            student(n - 1.0) * (squares / (n - 1.0) / n).sqrt()
        };
        Self { mean, half_width }
    }

    /// What it says.
    pub fn word(&self) -> &'static str {
        match (self.is_seen(), self.mean > 0.0) {
            (false, _) => "no difference seen",
            (true, true) => "better",
            (true, false) => "worse",
        }
    }

    /// Whether the interval lies on one side of 0.
    pub fn is_seen(&self) -> bool {
        self.mean.abs() > self.half_width
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2}", 100.0 * self.mean)?;
        if self.half_width.is_nan() {
            f.write_str(" %, no interval")
        } else {
            write!(f, " ± {:.2} %", 100.0 * self.half_width)
        }
    }
}

/// The 97.5 % quantile of Student's t with this many degrees of freedom: exact for 1 and 2, else by the expansion in
/// 1/df (Abramowitz and Stegun 26.7.5), which is within 0.2 %.
fn student(df: f64) -> f64 {
    if df < 1.0 {
        return f64::NAN;
    }
    if df == 1.0 {
        return (0.475 * std::f64::consts::PI).tan();
    }
    if df == 2.0 {
        return 0.95 * (2.0 / (1.0 - 0.95f64.powi(2))).sqrt();
    }
    let z = 1.959_963_984_540_054_f64;
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5) - 1920.0 * z.powi(3) - 945.0 * z)
            / 92160.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / df) + z
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a printed table.
    #[test]
    fn quantiles_are_those_of_student() {
        for (df, expected) in
            [(1.0, 12.706), (2.0, 4.303), (3.0, 3.182), (4.0, 2.776), (9.0, 2.262), (30.0, 2.042)]
        {
            assert!((student(df) / expected - 1.0).abs() < 2e-3, "{df}: {}", student(df));
        }
        assert!(student(0.0).is_nan());
    }

    #[test]
    fn an_interval_is_that_of_the_mean() {
        // Mean 2, standard deviation 1.
        let d = Difference::of(&[1.0, 2.0, 3.0]);
        assert!((d.mean - 2.0).abs() < 1e-15 && (d.half_width - 4.3027 / 3f64.sqrt()).abs() < 1e-3);
        assert!(!d.is_seen() && Difference::of(&[2.0, 2.1, 1.9]).is_seen());
        assert!(!Difference::of(&[1.0]).is_seen() && Difference::of(&[1.0]).half_width.is_nan());
        assert_eq!(Difference::of(&[0.01, 0.02]).to_string(), "+1.50 ± 6.35 %");
    }

    /// Two seeds that agree to the last image prove nothing.
    #[test]
    fn equal_differences_of_few_seeds_show_nothing() {
        let d = Difference::of(&[0.01; 5]);
        assert!(!d.is_seen() && d.word() == "no difference seen");
        assert_eq!(d.to_string(), "+1.00 %, no interval");
        assert!(Difference::of(&[0.01; 6]).is_seen() && !Difference::of(&[0.0; 6]).is_seen());
    }
}
