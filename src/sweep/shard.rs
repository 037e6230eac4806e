//! A part of a sweep or a replay, for one of several machines.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::str::FromStr;

/// Part I of N of what a run computes together: the curves of a sweep, the probing points of a replay.
///
/// The parts follow each other, and their sizes differ by one at most. The default is the whole, 1/1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// Part `number`, from 1, of `of`.
    ///
    /// # Errors
    ///
    /// A number that is not from 1 to `of`.
    pub fn new(number: usize, of: usize) -> Result<Self, NoShard> {
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(NoShard) }
    }

    /// The last of a given number of parts.
    pub fn last(of: NonZeroUsize) -> Self {
        Self { number: of.get(), of: of.get() }
    }

    /// All of a given number of parts.
    pub fn all(of: usize) -> impl Iterator<Item = Self> {
        (1..=of).map(move |number| Self { number, of })
    }

    /// Its number, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many parts there are.
    pub fn of(&self) -> usize {
        self.of
    }

    /// Whether it is everything.
    pub fn is_whole(&self) -> bool {
        self.of == 1
    }

    /// Which of a given number of things, counted from 0, belong to it: at least one.
    ///
    /// # Errors
    ///
    /// Fewer things than parts.
    pub fn of_things(&self, things: usize, what: &'static str) -> Result<Range<usize>, TooManyParts> {
        if self.of <= things {
            Ok(self.range(things))
        } else {
            Err(TooManyParts { shard: *self, things, what })
        }
    }

    fn range(&self, things: usize) -> Range<usize> {
        let until = |part: usize| (part as u128 * things as u128 / self.of as u128) as usize;
        until(self.number - 1)..until(self.number)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// A part of a run whose cells are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Part I of N.
    pub shard: Shard,
    /// Number of cells of the whole.
    pub cells: usize,
}

/// The error for more parts than there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of {} is not valid: only {things} {what} can be told apart; accepted: at most as many parts", shard.of())]
pub struct TooManyParts {
    /// The part.
    pub shard: Shard,
    /// What there is to do.
    pub things: usize,
    /// What it is.
    pub what: &'static str,
}

/// The error for a text that does not name a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("accepted: I/N, part I (from 1) of N, as 2/8")]
pub struct NoShard;

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if digits { text.parse().map_err(|_| NoShard) } else { Err(NoShard) }
        };
        let (part, of) = text.split_once('/').ok_or(NoShard)?;
        Self::new(number(part)?, number(of)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole() {
        for (things, of) in [(0, 1), (1, 1), (7, 3), (8, 4), (3, 5), (1000, 7), (usize::MAX, 3)] {
            let ranges: Vec<_> = Shard::all(of).map(|shard| shard.range(things)).collect();
            assert_eq!((ranges[0].start, ranges[of - 1].end), (0, things));
            assert!(ranges.windows(2).all(|two| two[0].end == two[1].start));
            let sizes = ranges.iter().map(Range::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
        assert!(Shard::default().is_whole());
    }

    #[test]
    fn parts_are_read_as_they_are_written() {
        for shard in Shard::all(12) {
            assert_eq!(shard.to_string().parse(), Ok(shard));
        }
        for bad in [
            "",
            "1",
            "0/3",
            "4/3",
            "1/0",
            "-1/3",
            "+1/3",
            "1/3/4",
            "1 / 3",
            "1/",
            "99999999999999999999/3",
        ] {
            assert_eq!(bad.parse::<Shard>(), Err(NoShard), "{bad}");
        }
    }
}
