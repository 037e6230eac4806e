//! The columns of a table of records, all of them here: name, type, and how a record becomes a row and a row a record.

use std::ops::RangeInclusive;

use crate::error::Fault;
use taskhead::Number;
use taskhead::energy::Energy;
use taskhead::flow::{Budget, Stop};
use taskhead::metric::Metric;
use taskhead::sweep::record::{
    Asked, Cell, Change, Measured, Metrics, Outcome, RECORDED, Record, Score, ScoreKind,
};

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A whole number from 0.
    Count(u64),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
}

/// The place of a value in a row.
pub enum Slot<'a> {
    Count(&'a mut Option<u64>),
    Number(&'a mut Option<f64>),
    Text(&'a mut Option<String>),
}

/// A type that a column may have.
trait Typed: Sized {
    fn value(field: &Option<Self>) -> Option<Value<'_>>;
    fn slot(field: &mut Option<Self>) -> Slot<'_>;
}

impl Typed for u64 {
    fn value(field: &Option<Self>) -> Option<Value<'_>> {
        field.map(Value::Count)
    }
    fn slot(field: &mut Option<Self>) -> Slot<'_> {
        Slot::Count(field)
    }
}

impl Typed for f64 {
    fn value(field: &Option<Self>) -> Option<Value<'_>> {
        field.map(Value::Number)
    }
    fn slot(field: &mut Option<Self>) -> Slot<'_> {
        Slot::Number(field)
    }
}

impl Typed for String {
    fn value(field: &Option<Self>) -> Option<Value<'_>> {
        field.as_deref().map(Value::Text)
    }
    fn slot(field: &mut Option<Self>) -> Slot<'_> {
        Slot::Text(field)
    }
}

/// A column of the table.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Whether every row has a value.
    pub required: bool,
    /// The numbers that it may hold, if not all.
    pub within: Option<Within>,
    /// Whether only tables with a score have it.
    pub scored: bool,
    /// The value of a row.
    pub value: fn(&Row) -> Option<Value<'_>>,
    /// The place of the value in a row.
    pub slot: fn(&mut Row) -> Slot<'_>,
}

/// A range of numbers, and its name.
pub struct Within {
    range: RangeInclusive<f64>,
    name: &'static str,
}

/// Rounding of single precision, in which others may have computed.
const ROUNDING: f64 = 1e-6;

const FROM_ZERO: Within = Within { range: 0.0..=f64::INFINITY, name: "a number of at least 0" };
const SHARE: Within = Within { range: 0.0..=1.0 + ROUNDING, name: "a share from 0 to 1" };
const COSINE: Within =
    Within { range: -ROUNDING..=2.0 + ROUNDING, name: "a cosine distance, from 0 to 2" };

macro_rules! columns {
    (@within) => { None };
    (@within $within:ident) => { Some($within) };
    ($($field:ident: $type:ty, $required:literal $(, $within:ident)? $(=> $scored:ident)?;)*) => {
        /// A record as one value a column.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Row {
            $(pub $field: Option<$type>,)*
        }

        impl Row {
            /// The values of this row, and those of another where it has none.
            fn or(self, other: Self) -> Self {
                Self { $($field: self.$field.or(other.$field),)* }
            }
        }

        /// All columns, in order.
        pub const COLUMNS: &[Column] = &[$(Column {
            name: stringify!($field),
            required: $required,
            within: columns!(@within $($within)?),
            scored: !concat!($(stringify!($scored))?).is_empty(),
            value: |row| Typed::value(&row.$field),
            slot: |row| Typed::slot(&mut row.$field),
        }),*];
    };
}

columns! {
    cell: u64, true;
    problem: String, true;
    seed: u64, true;
    head_scale: f64, true, FROM_ZERO;
    smoothing: f64, true, SHARE;
    head_rate: f64, true, FROM_ZERO;
    point: u64, true;
    // What `asked` is: "time" τ, "energy" (AIE) or "share" of the way in Frobenius energy.
    asked_by: String, true;
    asked: f64, true, FROM_ZERO;
    time: f64, true, FROM_ZERO;
    // "failed", or the name of the stop; its numbers are in `stop`.
    status: String, true;
    stop: String, false;
    // Why the cell failed.
    error: String, false;
    method: String, false;
    probe_time: f64, false, FROM_ZERO;
    aie: f64, false, FROM_ZERO;
    frobenius: f64, false, FROM_ZERO;
    time_reached: f64, false, FROM_ZERO;
    residual: f64, false, FROM_ZERO;
    // The training loss at the end, on average over the samples.
    loss: f64, false;
    drift: f64, false;
    euclidean: f64, false, FROM_ZERO;
    cosine: f64, false, COSINE;
    dot: f64, false;
    norm: f64, false, FROM_ZERO;
    frobenius_distance: f64, false, FROM_ZERO;
    held_out_euclidean: f64, false, FROM_ZERO;
    held_out_cosine: f64, false, COSINE;
    held_out_dot: f64, false;
    held_out_norm: f64, false, FROM_ZERO;
    held_out_frobenius_distance: f64, false, FROM_ZERO;
    budget_backbone: f64, false;
    budget_head: f64, false;
    head_norm_start: f64, false, FROM_ZERO;
    head_norm: f64, false, FROM_ZERO;
    risk_start: f64, false;
    risk: f64, false;
    accuracy_start: f64, false, SHARE;
    accuracy: f64, false, SHARE;
    held_out_accuracy_start: f64, false, SHARE;
    held_out_accuracy: f64, false, SHARE;
    validation_accuracy: f64, false, SHARE;
    // What the task is scored by, where that is not accuracy. Last, as other tables are without these.
    score: String, false => scored;
    score_start: f64, false, SHARE => scored;
    score_end: f64, false, SHARE => scored;
    held_out_score_start: f64, false, SHARE => scored;
    held_out_score: f64, false, SHARE => scored;
    validation_score: f64, false, SHARE => scored;
}

/// What a column of whole numbers may hold.
pub const WHOLE: &str = "a whole number from 0";

/// A whole number from one of floating point that holds it to the last digit: 3.0.
pub fn whole_of(number: f64) -> Option<u64> {
    let exact = number.fract() == 0.0 && (0.0..=2f64.powi(53)).contains(&number);
    exact.then_some(number as u64)
}

/// The columns of a table of these records.
pub fn written(records: &[Record]) -> impl Iterator<Item = &'static Column> {
    let scored = records.iter().any(|record| record.measured().is_some_and(|m| m.score.is_some()));
    COLUMNS.iter().filter(move |column| scored || !column.scored)
}

/// The status of a cell without numbers.
const FAILED: &str = "failed";

impl From<&Record> for Row {
    fn from(record: &Record) -> Self {
        let Cell { number, problem, seed, head_scale, smoothing, head_rate, point, probe, time } =
            &record.cell;
        let (asked_by, asked) = match *probe {
            Asked::Time(time) => ("time", time),
            Asked::Energy(energy) => ("energy", energy),
            Asked::Share(share) => ("share", share),
        };
        let (status, stop, error) = match &record.outcome {
            Outcome::Failed(reason) => (FAILED, None, Some(reason.clone())),
            Outcome::Stopped(stop, _) | Outcome::Reached(stop, _) => (stop.name(), text_of(stop), None),
        };
        let measured = record.measured();
        let number_of = |of: fn(&Measured) -> f64| measured.map(of);
        let maybe = |of: fn(&Measured) -> Option<f64>| measured.and_then(of);
        let pair = |of: fn(&Measured) -> Option<f64>| maybe(of).filter(|v| !v.is_nan());
        let near = |metric| measured.and_then(|m| m.training.get(metric));
        let far = |metric| measured.and_then(|m| m.held_out?.get(metric));
        Self {
            cell: Some(*number),
            problem: Some(problem.clone()),
            seed: Some(*seed),
            head_scale: Some(*head_scale),
            smoothing: Some(*smoothing),
            head_rate: Some(*head_rate),
            point: Some(*point),
            asked_by: Some(asked_by.into()),
            asked: Some(asked),
            time: Some(*time),
            status: Some(status.into()),
            stop,
            error,
            method: measured.map(|m| m.method.clone()),
            probe_time: number_of(|m| m.probe_time),
            aie: number_of(|m| m.energies.aie),
            frobenius: number_of(|m| m.energies.frobenius),
            time_reached: number_of(|m| m.time),
            residual: number_of(|m| m.residual),
            loss: maybe(|m| m.loss),
            drift: maybe(|m| m.drift),
            euclidean: near(Metric::Euclidean),
            cosine: near(Metric::Cosine),
            dot: near(Metric::Dot),
            norm: near(Metric::Norm),
            frobenius_distance: near(Metric::Frobenius),
            held_out_euclidean: far(Metric::Euclidean),
            held_out_cosine: far(Metric::Cosine),
            held_out_dot: far(Metric::Dot),
            held_out_norm: far(Metric::Norm),
            held_out_frobenius_distance: far(Metric::Frobenius),
            budget_backbone: maybe(|m| Some(m.budget?.backbone)),
            budget_head: maybe(|m| Some(m.budget?.head)),
            head_norm_start: number_of(|m| m.head_norm.start),
            head_norm: number_of(|m| m.head_norm.end),
            risk_start: pair(|m| Some(m.risk?.start)),
            risk: pair(|m| Some(m.risk?.end)),
            accuracy_start: pair(|m| Some(m.accuracy?.start)),
            accuracy: pair(|m| Some(m.accuracy?.end)),
            held_out_accuracy_start: pair(|m| Some(m.held_out_accuracy?.start)),
            held_out_accuracy: pair(|m| Some(m.held_out_accuracy?.end)),
            validation_accuracy: maybe(|m| m.validation_accuracy),
            score: measured.and_then(|m| Some(m.score?.kind.name().to_owned())),
            score_start: maybe(|m| Some(m.score?.training.start)),
            score_end: maybe(|m| Some(m.score?.training.end)),
            held_out_score_start: maybe(|m| Some(m.score?.held_out.start)),
            held_out_score: maybe(|m| Some(m.score?.held_out.end)),
            validation_score: maybe(|m| Some(m.score?.validation)),
        }
    }
}

impl Row {
    /// Checks that all numbers can be; those that are not known may be NaN.
    fn check_ranges(&self, row: usize) -> Result<(), Fault> {
        for column in COLUMNS {
            if let (Some(within), Some(Value::Number(number))) = (&column.within, (column.value)(self))
                && !number.is_nan()
                && !within.range.contains(&number)
            {
                let (value, wanted) = (Number(number).to_string(), within.name);
                return Err(Fault::Cell { row: row + 1, column: column.name, value, wanted });
            }
        }
        Ok(())
    }

    /// The record of a row, which is that of this number (from 0) in the table.
    pub fn record(self, row: usize) -> Result<Record, Fault> {
        let wrong = |column, value: String, wanted| Fault::Cell { row: row + 1, column, value, wanted };
        let missing = |column, wanted| wrong(column, String::new(), wanted);
        let number = |value: Option<f64>, column| value.ok_or_else(|| missing(column, "a number"));
        let count = |value: Option<u64>, column| value.ok_or_else(|| missing(column, "a whole number"));
        let known = |value: Option<f64>| value.filter(|v| !v.is_nan());
        // What finetuning came to is enough; a start that nobody measured is no number.
        let pair =
            |start, end| Some(Change { start: known(start).unwrap_or(f64::NAN), end: known(end)? });
        self.check_ranges(row)?;

        let asked = number(self.asked, "asked")?;
        let probe = match self.asked_by.as_deref().unwrap_or_default() {
            "time" => Asked::Time(asked),
            "energy" => Asked::Energy(asked),
            "share" => Asked::Share(asked),
            other => return Err(wrong("asked_by", other.into(), "`time`, `energy` or `share`")),
        };
        let cell = Cell {
            number: count(self.cell, "cell")?,
            problem: self.problem.unwrap_or_default(),
            seed: count(self.seed, "seed")?,
            head_scale: number(self.head_scale, "head_scale")?,
            smoothing: number(self.smoothing, "smoothing")?,
            head_rate: number(self.head_rate, "head_rate")?,
            point: count(self.point, "point")?,
            probe,
            time: number(self.time, "time")?,
        };
        let status = self.status.unwrap_or_default();
        if status == FAILED {
            return Ok(Record::failed(cell, self.error.unwrap_or_default()));
        }
        let stop = stop_of(&status, self.stop.as_deref().unwrap_or_default());
        let stop = stop
            .ok_or_else(|| wrong("status", status, "`failed`, or a stop with its numbers in `stop`"))?;
        let near = [self.euclidean, self.cosine, self.dot, self.norm, self.frobenius_distance];
        let far = [
            self.held_out_euclidean,
            self.held_out_cosine,
            self.held_out_dot,
            self.held_out_norm,
            self.held_out_frobenius_distance,
        ];
        let held_out = Metrics::from(far.map(known));
        let score = match self.score.as_deref() {
            None => None,
            Some(name) => {
                let kind = ScoreKind::ALL.into_iter().find(|kind| kind.name() == name);
                let change = |start: Option<f64>, end: Option<f64>, column| {
                    Ok::<_, Fault>(Change { start: number(start, column)?, end: number(end, column)? })
                };
                Some(Score {
                    kind: kind.ok_or_else(|| wrong("score", name.into(), "the name of a score"))?,
                    training: change(self.score_start, self.score_end, "score_end")?,
                    held_out: change(self.held_out_score_start, self.held_out_score, "held_out_score")?,
                    validation: number(self.validation_score, "validation_score")?,
                })
            }
        };
        let measured = Measured {
            method: self.method.unwrap_or_default(),
            probe_time: number(self.probe_time, "probe_time")?,
            energies: Energy {
                aie: number(self.aie, "aie")?,
                frobenius: number(self.frobenius, "frobenius")?,
            },
            time: number(self.time_reached, "time_reached")?,
            residual: number(self.residual, "residual")?,
            loss: known(self.loss),
            drift: known(self.drift),
            training: near.map(known).into(),
            held_out: (held_out != Metrics::default()).then_some(held_out),
            budget: known(self.budget_backbone)
                .zip(known(self.budget_head))
                .map(|(backbone, head)| Budget { backbone, head }),
            head_norm: Change {
                start: number(self.head_norm_start, "head_norm_start")?,
                end: number(self.head_norm, "head_norm")?,
            },
            risk: pair(self.risk_start, self.risk),
            accuracy: pair(self.accuracy_start, self.accuracy),
            held_out_accuracy: pair(self.held_out_accuracy_start, self.held_out_accuracy),
            validation_accuracy: known(self.validation_accuracy),
            score,
        };
        Ok(Record { cell, outcome: Outcome::of(stop, measured) })
    }
}

/// The numbers of a stop as text: `steps=3 time=0.5`.
fn text_of(stop: &Stop) -> Option<String> {
    let values: Vec<String> =
        stop.values().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    (!values.is_empty()).then(|| values.join(" "))
}

fn stop_of(name: &str, text: &str) -> Option<Stop> {
    let values: Vec<(&str, f64)> = text
        .split_ascii_whitespace()
        .filter_map(|part| part.split_once('='))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect();
    Stop::from_values(name, |wanted| values.iter().find(|v| v.0 == wanted).map(|v| v.1))
}

/// Columns of times, which may be infinite.
const TIMES: [&str; 4] = ["asked", "time", "probe_time", "time_reached"];

/// A value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A whole number from 0.
    Count(u64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// A record from values by the names of their columns, of whoever trains by other means. `aie`, the four means,
/// `seed` and `point` are enough: what else a table must have is that of a finetuning to its end with nothing varied,
/// `frobenius` is `aie`, and a number that is not known is NaN.
///
/// # Errors
///
/// A value of another type, one that is missing, or a column that does not exist ([`Fault::Cell`], with the number of
/// the row from 0).
pub fn record_of<'a>(
    row: usize,
    values: impl IntoIterator<Item = (&'a str, Field)>,
) -> Result<Record, Fault> {
    let mut given = Row::default();
    for (name, field) in values {
        let Some(column) = COLUMNS.iter().find(|column| column.name == name) else {
            return Err(Fault::NoColumn { column: name.to_owned() });
        };
        let wrong =
            |value: String, wanted| Fault::Cell { row: row + 1, column: column.name, value, wanted };
        match ((column.slot)(&mut given), field) {
            (Slot::Count(place), Field::Count(count)) => *place = Some(count),
            (Slot::Number(place), Field::Number(number)) => *place = Some(number),
            (Slot::Number(place), Field::Count(count)) => *place = Some(count as f64),
            (Slot::Text(place), Field::Text(text)) => *place = Some(text),
            (Slot::Count(place), Field::Number(number)) => {
                *place = Some(whole_of(number).ok_or_else(|| wrong(number.to_string(), WHOLE))?);
            }
            (Slot::Count(_), field) => return Err(wrong(field.to_string(), WHOLE)),
            (Slot::Number(_), field) => return Err(wrong(field.to_string(), "a number")),
            (Slot::Text(_), field) => return Err(wrong(field.to_string(), "a text")),
        }
    }
    // Before others take their values from them.
    given.check_ranges(row)?;
    let Row { aie, time, euclidean, cosine, dot, norm, .. } = given;
    let needed =
        [("aie", aie), ("euclidean", euclidean), ("cosine", cosine), ("dot", dot), ("norm", norm)];
    // Only a time may be without end, as a training that diverged has failed; and no loss is below 0.
    let wanted = |column: &Column, number: f64| match column.name {
        name if number.is_infinite() && !TIMES.contains(&name) => Some("a finite number"),
        "loss" | "risk_start" | "risk" if number < -ROUNDING => Some("a number of at least 0"),
        _ => None,
    };
    let mut odd = COLUMNS.iter().filter_map(|column| match (column.value)(&given) {
        Some(Value::Number(number)) => Some((column.name, number, wanted(column, number)?)),
        _ => None,
    });
    if let Some((column, number, wanted)) = odd.next() {
        let value = Number(number).to_string();
        return Err(Fault::Cell { row: row + 1, column, value, wanted });
    }
    // Of a training that has failed there is the start only.
    let needed = if given.status.as_deref() == Some("failed") { &needed[..1] } else { &needed[..] };
    if let Some(&(column, _)) = needed.iter().find(|(_, value)| value.is_none()) {
        return Err(Fault::Cell { row: row + 1, column, value: String::new(), wanted: "a number" });
    }
    let usual = Row {
        cell: Some(row as u64),
        problem: Some("recorded".into()),
        head_scale: Some(1.0),
        smoothing: Some(0.0),
        head_rate: Some(1.0),
        asked_by: Some("energy".into()),
        asked: aie,
        time: Some(f64::INFINITY),
        status: Some("time".into()),
        method: Some(RECORDED.into()),
        probe_time: Some(f64::NAN),
        frobenius: aie,
        time_reached: time.or(Some(f64::INFINITY)),
        residual: Some(f64::NAN),
        head_norm_start: Some(f64::NAN),
        head_norm: Some(f64::NAN),
        ..Row::default()
    };
    given.or(usual).record(row)
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers from 0.
    Count,
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

/// The columns of a table of these records in order: their names, what their values are, and whether every row has one.
pub fn columns(records: &[Record]) -> impl Iterator<Item = (&'static str, Kind, bool)> {
    written(records).map(|column| {
        let kind = match (column.slot)(&mut Row::default()) {
            Slot::Count(_) => Kind::Count,
            Slot::Number(_) => Kind::Number,
            Slot::Text(_) => Kind::Text,
        };
        (column.name, kind, column.required)
    })
}

/// The values of a record in the order of tables, each with the name of its column; `None` for what the record does not
/// have.
pub fn fields(record: &Record) -> Vec<(&'static str, Option<Field>)> {
    let row = Row::from(record);
    let field = |value: Value| match value {
        Value::Count(count) => Field::Count(count),
        Value::Number(number) => Field::Number(number),
        Value::Text(text) => Field::Text(text.to_owned()),
    };
    COLUMNS.iter().map(|column| (column.name, (column.value)(&row).map(field))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_values_are_enough_for_a_record() {
        let number = |name, value| (name, Field::Number(value));
        let least = [
            ("seed", Field::Count(3)),
            ("point", Field::Count(1)),
            number("aie", 0.5),
            number("euclidean", 1.0),
            number("cosine", 0.1),
            // A whole number is a number.
            ("dot", Field::Count(2)),
            number("norm", 1.5),
        ];
        let with = |more: &[(&'static str, Field)]| {
            record_of(4, least.iter().chain(more).cloned()).map_err(|fault| fault.to_string())
        };
        let record = with(&[]).unwrap();
        let measured = record.reached().unwrap();
        assert_eq!((record.cell.number, record.cell.seed, record.cell.point), (4, 3, 1));
        assert_eq!(
            (measured.energies, measured.time),
            (Energy { aie: 0.5, frobenius: 0.5 }, f64::INFINITY)
        );
        assert_eq!(Metric::MEANS.map(|m| measured.training.get(m)), [1.0, 0.1, 2.0, 1.5].map(Some));
        assert!(measured.training.get(Metric::Frobenius).is_none());
        assert!(measured.residual.is_nan() && measured.risk.is_none());

        let more = [("time", 2.0), ("frobenius", 3.0), ("frobenius_distance", 4.0)];
        let record = with(&more.map(|(name, value)| number(name, value))).unwrap();
        let measured = record.reached().unwrap();
        assert_eq!(measured.training.get(Metric::Frobenius), Some(4.0));
        assert_eq!((record.cell.time, measured.time, measured.energies.frobenius), (2.0, 2.0, 3.0));

        assert_eq!(with(&[number("epoch", 1.0)]).unwrap_err(), "there is no column `epoch`");
        let text = with(&[number("seed", 0.5)]).unwrap_err();
        assert_eq!(text, "row 5, column `seed`: \"0.5\" is not a whole number from 0");
        assert_eq!(with(&[number("seed", 4.0)]).unwrap().cell.seed, 4);
        let text = with(&[number("aie", -0.5)]).unwrap_err();
        assert_eq!(text, "row 5, column `aie`: \"-0.5\" is not a number of at least 0");
        let text = with(&[number("norm", f64::INFINITY)]).unwrap_err();
        assert_eq!(text, "row 5, column `norm`: \"inf\" is not a finite number");
        assert!(with(&[number("time", f64::INFINITY)]).is_ok());
        let failed = [("status", "failed"), ("error", "it diverged")];
        let failed = failed.map(|(name, text)| (name, Field::Text(text.into())));
        let record = record_of(0, least[..3].iter().chain(&failed).cloned()).unwrap();
        assert_eq!(record.outcome, Outcome::Failed("it diverged".into()));
        let text = record_of(0, least[..4].to_vec()).unwrap_err().to_string();
        assert_eq!(text, "row 1, column `cosine`: \"\" is not a number");
    }
}
