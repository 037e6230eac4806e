//! What a reader has to say about a file that it could read.

use std::fmt;

use super::error::list;

/// Something that a user should know about an input that was read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// Arrays without a meaning here, which were left alone.
    Unused {
        /// Their names.
        arrays: Vec<String>,
    },
    /// An array that was left alone, and the name that it may have been meant to have.
    Like {
        /// Its name.
        array: String,
        /// The name that has a meaning.
        name: &'static str,
    },
    /// Members of an archive that are not arrays.
    Skipped {
        /// Their names.
        members: Vec<String>,
    },
    /// An array was given alone, and arrays beside it in its folder were read with it.
    Neighbours {
        /// Their names.
        arrays: Vec<String>,
    },
    /// Labels are texts: the names of the classes, in sorted order.
    Classes {
        /// The names.
        names: Vec<String>,
    },
    /// Classes that no training sample has: their columns of targets are zero.
    NoSample {
        /// Their numbers or names.
        classes: Vec<String>,
        /// The number of all classes.
        of: usize,
    },
    /// Every training sample has the same class.
    OneClass,
    /// Both labels and targets are there; the targets are used.
    TargetsNotLabels {
        /// `labels` or `probe_labels`.
        labels: &'static str,
        /// `targets` or `probe_targets`.
        targets: &'static str,
    },
    /// Targets of one column that hold whole numbers, as labels would.
    WholeTargets,
    /// There is no kernel: the backbone is one more linear layer on the features.
    NoKernel,
    /// There is no head: it is drawn.
    NoHead,
}

/// The first names of many.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let text = list(&names[..names.len().min(SHOWN)]);
    match names.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unused { arrays } => write!(f, "left alone, as they have no meaning here: {}", some(arrays)),
            Self::Like { array, name } => write!(f, "`{array}` is left alone; if it is meant as `{name}`, rename it"),
            Self::Skipped { members } => write!(f, "skipped, as they are no .npy arrays: {}", some(members)),
            Self::Neighbours { arrays } => write!(f, "read with the arrays beside it: {}", some(arrays)),
            Self::Classes { names } => {
                let numbered = |(i, name): (usize, &String)| format!("{i} = {name}");
                let shown: Vec<String> = names.iter().enumerate().map(numbered).take(100).collect();
                let more = if names.len() > shown.len() { ", …" } else { "" };
                write!(f, "classes, in sorted order: {}{more}", shown.join(", "))
            }
            Self::NoSample { classes, of } => {
                let (count, names) = (classes.len(), some(classes));
                let have = if count == 1 { "has" } else { "have" };
                write!(f, "{count} of {of} classes {have} no training sample, and targets of zero: {names}")
            }
            Self::OneClass => f.write_str("all training samples have the same class"),
            Self::TargetsNotLabels { labels, targets } => {
                write!(f, "both `{targets}` and `{labels}` are there: `{targets}` are used")
            }
            Self::WholeTargets => f.write_str(
                "`targets` are whole numbers in one column and taken as numbers to regress on; classes are `labels`",
            ),
            Self::NoKernel => f.write_str(
                "no `kernel`: the backbone is one more linear layer on the features, which starts as the identity",
            ),
            Self::NoHead => {
                f.write_str("no `head`: it is drawn by the seed, normal with deviation 1/√h")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let arrays: Vec<String> = (0..20).map(|i| format!("a{i}")).collect();
        let text = Note::Unused { arrays }.to_string();
        assert!(text.ends_with("`a11` and 8 more"), "{text}");
    }
}
