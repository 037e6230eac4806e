//! Classes of images, as people name them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A class by its label, or by the name of its folder or in the list of names beside the images. A number that is a
/// name, too, is meant as the name: the folder `10` comes before the folder `2`, and has a smaller label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Class {
    /// A number.
    Number(u16),
    /// A name.
    Name(String),
}

impl Class {
    /// Its label among classes with names (none, if only labels are known).
    pub fn label(&self, names: &[String]) -> Option<u16> {
        let text = self.to_string();
        let named = names.iter().position(|name| *name == text);
        match (named, self) {
            (Some(place), _) => u16::try_from(place).ok(),
            (None, Self::Number(label)) => Some(*label),
            (None, Self::Name(_)) => None,
        }
    }
}

impl From<u16> for Class {
    fn from(label: u16) -> Self {
        Self::Number(label)
    }
}

impl FromStr for Class {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // "007" is the name of an agent and not the label 7.
        let number = text.parse().ok().filter(|label: &u16| label.to_string() == text);
        Ok(number.map_or_else(|| Self::Name(text.to_owned()), Self::Number))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(label) => label.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        text.parse().unwrap()
    }

    #[test]
    fn names_come_before_numbers() {
        let folders = ["1", "10", "2", "cat"].map(str::to_owned);
        let label = |text: &str| class(text).label(&folders);
        assert_eq!(["cat", "2", "10", "3"].map(label), [Some(3), Some(2), Some(1), Some(3)]);
        assert_eq!(["dog", "-1", "70000", "01", ""].map(label), [None; 5]);
        assert_eq!((class("2").label(&[]), class("cat").label(&[])), (Some(2), None));
    }

    #[test]
    fn a_configuration_holds_numbers_and_names() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Of {
            classes: Vec<Class>,
        }
        let of = Of { classes: vec![class("5"), class("cat"), class("007")] };
        let text = toml::to_string(&of).unwrap();
        assert_eq!(text, "classes = [5, \"cat\", \"007\"]\n");
        assert_eq!(toml::from_str::<Of>(&text).unwrap(), of);
    }
}
