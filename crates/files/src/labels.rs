//! Class labels: whole numbers of any type, or texts.

use std::collections::BTreeMap;

use nalgebra::DMatrix;

use super::arrays::{Array, Scalar, bits, integer};
use super::error::{Fault, printable};
pub use super::names::MAX_CLASSES;

const ACCEPTED: &str = "integers, whole floating-point numbers, bool or strings";

/// Labels of one array: numbers from 0, or places in a sorted list of names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Labels {
    /// The class of each sample.
    pub classes: Vec<u32>,
    /// The names of the classes, in sorted order, if labels are texts.
    pub names: Option<Vec<String>>,
}

impl Labels {
    /// Reads the labels of an array of one dimension, or of one column.
    pub fn of(array: &Array) -> Result<Self, Fault> {
        let Some(scalar) = array.scalar else { return Err(array.of_type(ACCEPTED)) };
        if !matches!(array.shape[..], [_] | [_, 1]) {
            return Err(Fault::Rank {
                array: array.name.clone(),
                shape: array.shape.clone(),
                accepted: "one dimension, or a single column (one-hot rows are `targets` or `probe_targets`)",
            });
        }
        if array.bytes.is_empty() {
            return Err(Fault::EmptyArray { array: array.name.clone(), shape: array.shape.clone() });
        }
        let values = array.bytes.chunks_exact(scalar.size()).enumerate();
        if let Scalar::Text { wide, .. } = scalar {
            return Self::of_texts(array, values, wide);
        }
        let class = |(row, bytes): (usize, &[u8])| {
            number(bytes, scalar, array.big).map_err(|value| Fault::Label {
                array: array.name.clone(),
                row,
                value,
            })
        };
        Ok(Self { classes: values.map(class).collect::<Result<_, _>>()?, names: None })
    }

    fn of_texts<'a>(
        array: &Array,
        values: impl Iterator<Item = (usize, &'a [u8])>,
        wide: bool,
    ) -> Result<Self, Fault> {
        let mut known: BTreeMap<String, u32> = BTreeMap::new();
        let mut classes = Vec::new();
        for (row, bytes) in values {
            let Some(text) = text(bytes, wide, array.big) else {
                let value = format!("bytes that are no {}", if wide { "Unicode text" } else { "UTF-8" });
                return Err(Fault::Label { array: array.name.clone(), row, value });
            };
            let next = known.len();
            let class = match known.get(&text) {
                Some(&class) => class,
                None if next == MAX_CLASSES => {
                    return Err(Fault::TooManyNames { array: array.name.clone(), limit: MAX_CLASSES });
                }
                None => *known.entry(text).or_insert(next as u32),
            };
            classes.push(class);
        }
        let mut sorted = vec![0; known.len()];
        for (place, &class) in known.values().enumerate() {
            sorted[class as usize] = place as u32;
        }
        classes.iter_mut().for_each(|class| *class = sorted[*class as usize]);
        Ok(Self { classes, names: Some(known.into_keys().collect()) })
    }

    /// How many classes there are: up to the largest number, or as many as names.
    pub fn count(&self) -> usize {
        match &self.names {
            Some(names) => names.len(),
            None => self.classes.iter().max().map_or(0, |&largest| largest as usize + 1),
        }
    }

    /// Counts the classes by the names of both.
    ///
    /// # Errors
    ///
    /// Texts here and numbers there, or too many names together.
    pub fn unite(&mut self, other: &mut Self) -> Result<(), Fault> {
        let (mine, others) = match (&self.names, &other.names) {
            (None, None) => return Ok(()),
            (Some(mine), Some(others)) => (mine, others),
            _ => return Err(Fault::MixedLabels { texts: self.names.is_some() }),
        };
        let mut all: Vec<String> = mine.iter().chain(others).cloned().collect();
        all.sort_unstable();
        all.dedup();
        if all.len() > MAX_CLASSES {
            return Err(Fault::TooManyNames { array: "probe_labels".into(), limit: MAX_CLASSES });
        }
        for labels in [self, other] {
            let names = labels.names.take().unwrap_or_default();
            let place = |name: &String| all.binary_search(name).unwrap_or_default() as u32;
            let places: Vec<u32> = names.iter().map(place).collect();
            labels.classes.iter_mut().for_each(|class| *class = places[*class as usize]);
            labels.names = Some(all.clone());
        }
        Ok(())
    }

    /// Columns, one for each class, with a one where it is the class.
    pub fn one_hot(&self, classes: usize) -> DMatrix<f64> {
        let mut targets = DMatrix::zeros(self.classes.len(), classes);
        for (row, &class) in self.classes.iter().enumerate() {
            targets[(row, class as usize)] = 1.0;
        }
        targets
    }

    /// The classes below `count` that no sample has.
    pub fn without_sample(&self, count: usize) -> Vec<usize> {
        let mut seen = vec![false; count];
        self.classes.iter().for_each(|&class| seen[class as usize] = true);
        (0..count).filter(|&class| !seen[class]).collect()
    }
}

/// A class from a number, or the number as text if it is not one.
fn number(bytes: &[u8], scalar: Scalar, big: bool) -> Result<u32, String> {
    let float = |value: f64| {
        let whole = value >= 0.0 && value.fract() == 0.0 && value < MAX_CLASSES as f64;
        if whole { Ok(value as u32) } else { Err(value.to_string()) }
    };
    match scalar {
        Scalar::Bool => Ok(u32::from(bytes[0] != 0)),
        Scalar::F16 => float(half::f16::from_bits(bits(bytes, big) as u16).to_f64()),
        Scalar::Bf16 => float(half::bf16::from_bits(bits(bytes, big) as u16).to_f64()),
        Scalar::F32 => float(f64::from(f32::from_bits(bits(bytes, big) as u32))),
        Scalar::F64 => float(f64::from_bits(bits(bytes, big))),
        Scalar::Integer { signed, .. } => {
            let value = integer(bytes, big, signed);
            let class = u32::try_from(value).ok().filter(|&class| (class as usize) < MAX_CLASSES);
            class.ok_or_else(|| value.to_string())
        }
        Scalar::Text { .. } => Err(printable(&String::from_utf8_lossy(bytes))),
    }
}

/// A text without the zeros that fill it up.
fn text(bytes: &[u8], wide: bool, big: bool) -> Option<String> {
    if wide {
        let points = bytes.chunks_exact(4).map(|b| bits(b, big) as u32);
        let all = points.map(char::from_u32).collect::<Option<String>>()?;
        return Some(all.trim_end_matches('\0').to_owned());
    }
    Some(std::str::from_utf8(bytes).ok()?.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scalar: Scalar, bytes: Vec<u8>) -> Result<Labels, String> {
        let array = Array {
            name: "labels".into(),
            shape: vec![(bytes.len() / scalar.size()) as u64],
            fortran: false,
            scalar: Some(scalar),
            big: false,
            type_name: "t".into(),
            bytes: bytes.into(),
        };
        Labels::of(&array).map_err(|fault| fault.to_string())
    }

    fn wide(texts: &[&str]) -> Labels {
        let characters = 5;
        let bytes = texts.iter().flat_map(|text| {
            let points = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(characters);
            points.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        });
        labels(Scalar::Text { characters, wide: true }, bytes.collect()).unwrap()
    }

    #[test]
    fn texts_are_classes_in_sorted_order() {
        let found = wide(&["dog", "cat", "dog", "Ähre", ""]);
        assert_eq!(found.classes, [2, 1, 2, 3, 0]);
        assert_eq!(found.names.unwrap(), ["", "cat", "dog", "Ähre"]);
        let bytes = labels(Scalar::Text { characters: 2, wide: false }, b"b\0a\0b\0".to_vec()).unwrap();
        assert_eq!((bytes.classes, bytes.names.unwrap()), (vec![1, 0, 1], vec!["a".into(), "b".into()]));
        let none = labels(Scalar::Text { characters: 1, wide: false }, vec![b'a', 0xff]).unwrap_err();
        assert!(none.starts_with("`labels` holds bytes that are no UTF-8 at row 1"), "{none}");
    }

    #[test]
    fn numbers_of_every_type_are_classes() {
        let floats =
            |values: &[f64]| labels(Scalar::F64, values.iter().flat_map(|v| v.to_le_bytes()).collect());
        assert_eq!(floats(&[2.0, 0.0]).unwrap().classes, [2, 0]);
        assert_eq!(labels(Scalar::Bool, vec![1, 0]).unwrap().classes, [1, 0]);
        let accepted = "accepted: whole numbers from 0 to 9999, or strings";
        for (value, text) in [(0.5, "0.5"), (f64::NAN, "NaN"), (-1.0, "-1"), (1e4, "10000")] {
            assert_eq!(
                floats(&[0.0, value]).unwrap_err(),
                format!("`labels` holds {text} at row 1; {accepted}")
            );
        }
        let long = Scalar::Integer { bytes: 8, signed: true };
        assert!(
            labels(long, i64::MIN.to_le_bytes().to_vec()).unwrap_err().contains("-9223372036854775808")
        );
        assert_eq!(labels(long, 9999_i64.to_le_bytes().to_vec()).unwrap().count(), 10_000);
    }

    #[test]
    fn two_sets_of_names_become_one() {
        let (mut train, mut probe) = (wide(&["dog", "cat"]), wide(&["ant", "dog", "cow"]));
        train.unite(&mut probe).unwrap();
        assert_eq!((train.classes.clone(), &probe.classes[..]), (vec![3, 1], &[0, 3, 2][..]));
        assert_eq!(train.names.as_ref().unwrap(), &["ant", "cat", "cow", "dog"]);
        assert_eq!(train.without_sample(train.count()), [0, 2]);
        let mut numbers = labels(Scalar::Bool, vec![1]).unwrap();
        assert!(train.unite(&mut numbers).unwrap_err().to_string().contains("`labels` are strings"));
    }
}
