//! What can go wrong with a file, with the values that show it.

use std::fmt::Write as _;
use std::io;
#[cfg(feature = "all")]
use std::path::Path;
use std::path::PathBuf;

use taskhead::problem::ProblemError;
use taskhead::sweep::{Part, Shard};

use super::names::{MAX_CLASSES, PROBLEM_ARRAYS, meant};

/// A file that cannot be read or written, and why.
#[cfg(feature = "all")]
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Puts the path in front of a fault.
#[cfg(feature = "all")]
pub(super) trait At<T> {
    /// The same result, naming the file.
    fn at(self, path: &Path) -> Result<T, FileError>;
}

#[cfg(feature = "all")]
impl<T, E: Into<Fault>> At<T> for Result<T, E> {
    fn at(self, path: &Path) -> Result<T, FileError> {
        self.map_err(|e| FileError { path: path.to_owned(), fault: e.into() })
    }
}

/// The largest rounding error that a kernel may have, relative to its size: one that is off by more is not a kernel.
pub const MAX_KERNEL_TOLERANCE: f64 = 0.1;

/// What lets a fault pass. Its text does not say so: every caller has another name for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Remedy {
    /// The replacement of what is there.
    Replacement,
    /// This rounding error of the kernel, up to [`MAX_KERNEL_TOLERANCE`]: a number of one digit.
    KernelTolerance(f64),
}

impl Fault {
    /// What would let it pass.
    pub fn remedy(&self) -> Option<Remedy> {
        let needed = match self {
            Self::OtherJournal | Self::DamagedJournal(_) | Self::OtherResult => {
                return Some(Remedy::Replacement);
            }
            Self::Problem(
                ProblemError::Asymmetric { relative, .. } | ProblemError::Indefinite { relative, .. },
            ) => *relative,
            // An eigenvalue that is lost to rounding may leave its square root there.
            Self::Problem(ProblemError::HeldOutRange { relative, .. }) => relative * relative,
            _ => return None,
        };
        let needed = Some(rounded_up(needed)).filter(|needed| *needed <= MAX_KERNEL_TOLERANCE);
        needed.map(Remedy::KernelTolerance)
    }
}

/// The next number of one digit.
fn rounded_up(value: f64) -> f64 {
    let unit = value.log10().floor();
    // Through its text: 3 · 10⁻⁸ is not the number that is written 3e-8.
    format!("{}e{unit}", (value / 10f64.powf(unit)).ceil()).parse().unwrap_or(value)
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The operating system refused.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried: "open", "read", "write" …
        action: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// A folder, a pipe or a device where a file is needed.
    #[error("this is a {found}, not a file")]
    NotAFile {
        /// What it is.
        found: &'static str,
    },
    /// Other content than a moment before.
    #[error("the file has changed while it was read")]
    Changed,
    /// A file of zero bytes.
    #[error("the file is empty")]
    Empty,
    /// Content of a kind that is not read here.
    #[error("this is {}; accepted: {accepted}", describe(start))]
    Format {
        /// The first bytes of the file.
        start: Vec<u8>,
        /// The kinds that are read.
        accepted: &'static str,
    },
    /// A damaged or truncated zip archive.
    #[cfg(feature = "all")]
    #[error("the archive is damaged or cut short ({0})")]
    Zip(#[from] zip::result::ZipError),
    /// A member of an archive that is packed in a way that is not read.
    #[cfg(feature = "all")]
    #[error(
        "array `{array}` is {packed}; accepted: stored or compressed with deflate, as numpy.savez and \
         numpy.savez_compressed write it"
    )]
    Packed {
        /// Name of the array.
        array: String,
        /// In which way.
        packed: String,
    },
    /// A damaged or truncated safetensors file.
    #[cfg(feature = "all")]
    #[error("the safetensors file is damaged or cut short ({0})")]
    SafeTensors(#[from] safetensors::SafeTensorError),
    /// A zip archive or a folder without any array.
    #[error("{place} holds no .npy array; found: {}{}", list(found), torch(found))]
    NoArrays {
        /// "the archive" or "the folder".
        place: &'static str,
        /// What is in it.
        found: Vec<String>,
    },
    /// A single array whose name does not say what it is.
    #[error(
        "this is a single array `{array}`, whose name has no meaning here; save several with \
         np.savez(\"problem.npz\", features=…, labels=…), or give a folder of files named {}",
        list(accepted)
    )]
    Single {
        /// The name of the file without its extension.
        array: String,
        /// All names that have a meaning.
        accepted: &'static [&'static str],
    },
    /// One of the files that a safetensors index names.
    #[error("{}: {fault}", printable(file))]
    Shard {
        /// Its name.
        file: String,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
    /// A safetensors index that cannot be used.
    #[error("this is no index of safetensors files: {0}")]
    Index(
        /// What is wrong with it.
        String,
    ),
    /// Two members of a zip archive with one name.
    #[error("two members of the archive have the same name")]
    Repeated,
    /// An array without values.
    #[error("array `{array}` is empty (shape {shape:?})")]
    EmptyArray {
        /// The name.
        array: String,
        /// Its shape.
        shape: Vec<u64>,
    },
    /// More memory than there is.
    #[error(
        "{what} needs {} of memory, and {} are available",
        bytes_in_words(*needed),
        bytes_in_words(*available)
    )]
    Memory {
        /// What needs it.
        what: String,
        /// Bytes needed, as an estimate.
        needed: f64,
        /// Bytes available.
        available: f64,
    },
    /// Two arrays of one name.
    #[error("there are two arrays `{array}`")]
    Duplicate {
        /// The name.
        array: String,
    },
    /// The data of an array cannot be decompressed, or its checksum is wrong.
    #[error("array `{array}` is damaged ({source})")]
    Damaged {
        /// Name of the array.
        array: String,
        /// What the decoder says.
        source: io::Error,
    },
    /// The header of a .npy array is longer than NumPy itself would read.
    #[error("the header of array `{array}` claims {length} bytes; accepted: up to {limit}")]
    HeaderLength {
        /// Name of the array.
        array: String,
        /// Length that the header claims.
        length: u64,
        /// The longest that is read.
        limit: u64,
    },
    /// The header of a .npy array is not that of a plain array.
    #[error("the header of array `{array}` is not that of a plain array of numbers: {header}")]
    Header {
        /// Name of the array.
        array: String,
        /// Its beginning.
        header: String,
    },
    /// An array with fewer or more bytes than its shape needs.
    #[error(
        "array `{array}` of shape {shape:?} needs {expected} bytes, but the file holds {}{found}",
        if found > expected { "at least " } else { "" }
    )]
    Length {
        /// Name of the array.
        array: String,
        /// Shape in the header.
        shape: Vec<u64>,
        /// Bytes that the shape needs.
        expected: u64,
        /// Bytes that are there; reading stops one byte after what is needed.
        found: u64,
    },
    /// A shape whose size in bytes is beyond the memory of any computer.
    #[error("array `{array}` claims the shape {shape:?}, which is too large")]
    TooLarge {
        /// Name of the array.
        array: String,
        /// Shape in the header.
        shape: Vec<u64>,
    },
    /// Values of a type that is not read.
    #[error("array `{array}` is of type {found}{advice}; accepted: {accepted}")]
    Type {
        /// Name of the array.
        array: String,
        /// Type in the file.
        found: String,
        /// Types that are read.
        accepted: &'static str,
        /// What this type is, and what to do about it.
        advice: &'static str,
    },
    /// An array that is not a matrix.
    #[error("array `{array}` has shape {shape:?}; accepted: {accepted}")]
    Rank {
        /// Name of the array.
        array: String,
        /// Its shape.
        shape: Vec<u64>,
        /// Shapes that are read.
        accepted: &'static str,
    },
    /// The arrays found do not make up what is wanted.
    #[error("{problem}; found: {}{}{}; needed: {needed}", list(found), meanings(found), sparse(found))]
    Form {
        /// What does not fit.
        problem: FormProblem,
        /// Names of the arrays in the file.
        found: Vec<String>,
        /// What the file should hold.
        needed: &'static str,
    },
    /// Arrays that do not fit each other.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// A label that is not a class.
    #[error("`{array}` holds {value} at row {row}; accepted: whole numbers from 0 to {}, or strings", MAX_CLASSES - 1)]
    Label {
        /// `labels` or `probe_labels`.
        array: String,
        /// Position, from 0.
        row: usize,
        /// The label.
        value: String,
    },
    /// More or fewer labels than samples.
    #[error("`{array}` holds {found} labels for {samples} samples")]
    LabelCount {
        /// `labels` or `probe_labels`.
        array: &'static str,
        /// Labels found.
        found: usize,
        /// Rows of the features or inputs.
        samples: usize,
    },
    /// Too many different texts as labels.
    #[error("`{array}` makes too many classes; accepted: up to {limit} different strings")]
    TooManyNames {
        /// `labels` or `probe_labels`.
        array: String,
        /// The largest number of classes.
        limit: usize,
    },
    /// A head whose columns fit the features, and whose rows do not.
    #[error(
        "`head` is {rows}x{columns}, but a head has one row for each of the {columns} features; frameworks store the \
         weight of a linear layer the other way round: save its transpose (.T)"
    )]
    Transposed {
        /// Rows of the head.
        rows: usize,
        /// Its columns, as many as there are features.
        columns: usize,
    },
    /// Held-out labels of classes that no training sample has, for which the head has no column.
    #[error(
        "`probe_labels` holds {}, which no sample of `labels` is of, and `head` has {columns} columns for {outputs} \
         classes; accepted: held-out samples of classes that the training samples have, or a head with a column for \
         each class",
        classes_in_words(classes, *count)
    )]
    UnseenClasses {
        /// The first of them, by name or number.
        classes: Vec<String>,
        /// How many there are.
        count: usize,
        /// Columns of the head.
        columns: usize,
        /// Classes of training samples and held-out ones together.
        outputs: usize,
    },
    /// Labels and held-out labels of two kinds.
    #[error("`{}` are strings and `{}` numbers; both must be of one kind", mixed(*texts).0, mixed(*texts).1)]
    MixedLabels {
        /// Whether the labels of the training samples are texts.
        texts: bool,
    },
    /// Labels that contradict the targets of the same samples.
    #[error("`{labels}` and `{targets}` contradict each other at row {row}; remove one of them")]
    Contradiction {
        /// `labels` or `probe_labels`.
        labels: &'static str,
        /// `targets` or `probe_targets`.
        targets: &'static str,
        /// The first row where they differ, from 0.
        row: usize,
    },
    /// Held-out labels where the training targets are not classes.
    #[error(
        "`probe_labels` need `labels`, or one-hot `targets` of more than {largest} columns and numbers as labels"
    )]
    LabelsWithoutClasses {
        /// The largest held-out label.
        largest: usize,
    },
    /// An output file whose name does not say a format that can be written.
    #[error("cannot write {}; accepted: {}", extension(found), list(accepted))]
    Extension {
        /// The extension, without the dot; `None` if there is none.
        found: Option<String>,
        /// Extensions that can be written.
        accepted: &'static [&'static str],
    },
    /// The folder for an output file does not exist.
    #[error("there is no folder {}", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A file whose content is not that of its checksum.
    #[error(
        "the file is damaged or cut short, or another program has changed it: its checksum is \
         {stored:08x}, that of its content {computed:08x}"
    )]
    Checksum {
        /// The checksum in the file.
        stored: u32,
        /// The checksum of what is there.
        computed: u32,
    },
    /// A Parquet file that cannot be read.
    #[cfg(feature = "all")]
    #[error("the Parquet file cannot be read ({0})")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column of a Parquet file that is compressed in a way that is not read.
    #[error(
        "column `{column}` is compressed with {codec}; accepted: snappy or none, as by write_parquet(…, \
         compression=\"snappy\") of polars and to_parquet of pandas"
    )]
    Codec {
        /// Name of the column.
        column: &'static str,
        /// Its codec.
        codec: String,
    },
    /// A CSV file that cannot be split into rows and fields.
    #[cfg(feature = "all")]
    #[error("the CSV file is damaged ({0})")]
    Csv(#[from] csv::Error),
    /// A table that lacks something that every sweep has.
    #[error("this table is not a whole sweep: {missing} is missing")]
    NotASweep {
        /// What a sweep would have.
        missing: &'static str,
    },
    /// A table of another schema.
    #[error(
        "this table is of schema {found}, written by taskhead {version}; this program reads schemas {} and {read}: {}",
        taskhead::sweep::OLDEST_SCHEMA,
        if found > read {
            "read it with a taskhead that is as new"
        } else {
            "run the sweep again, its configuration is in the file"
        }
    )]
    Schema {
        /// Its schema; 1 is that of the first edition, which did not say it.
        found: u32,
        /// The version that has written it.
        version: String,
        /// The schema that is read.
        read: u32,
    },
    /// A table that lacks columns of a sweep or has some twice.
    #[error(
        "the columns are not those of a sweep of this version; missing: {}; repeated: {}",
        list(missing),
        list(repeated)
    )]
    Columns {
        /// Columns of a sweep that the table lacks.
        missing: Vec<&'static str>,
        /// Columns that come twice.
        repeated: Vec<String>,
    },
    /// Two rows of one cell, as when tables are put one after the other.
    #[error("the cell {cell} is there twice")]
    RepeatedCell {
        /// Number of the cell.
        cell: u64,
    },
    /// Two rows of one place, as when tables of two runs are put one after the other.
    #[error(
        "the cells {first} and {second} are both of problem {problem}, seed {seed}, point {point} and time {time}, \
         with the same head; if they are of two runs, read each from a table of its own, or tell them apart by `problem`"
    )]
    RepeatedPlace {
        /// Number of the cell that comes first.
        first: u64,
        /// Number of the other one.
        second: u64,
        /// The problem of both.
        problem: String,
        /// The seed of both.
        seed: u64,
        /// The probing point of both.
        point: u64,
        /// The finetuning time of both.
        time: f64,
    },
    /// What an interrupted run has left, but not whole.
    #[error("what an interrupted run has left here is damaged ({0}); choose another output")]
    DamagedJournal(
        /// What is wrong with it.
        Box<Fault>,
    ),
    /// An output that is an input.
    #[error("this is read as an input; choose another output")]
    Input,
    /// What an interrupted run of another sweep has left.
    #[error(
        "this is left from an interrupted run of another configuration, other input files or another version; \
         choose another output"
    )]
    OtherJournal,
    /// A tolerance for a kernel that is not there.
    #[error("a tolerance for the kernel has no effect: there is no array `kernel`")]
    NoKernel,
    /// Another run that writes the same output.
    #[error("another run writes this output; wait until it has ended, or choose another one")]
    Locked,
    /// A file that is not an older result of the same run.
    #[error(
        "this is there already, and it is not a result of the same configuration, input files and version; choose \
         another output"
    )]
    OtherResult,
    /// A file to merge that is not a part.
    #[error(
        "it is no part of a sweep or a replay; accepted: finished parts, OUT.1-of-N.parquet to OUT.N-of-N.parquet"
    )]
    NoPart,
    /// Parts of different runs.
    #[error(
        "it belongs to another run than {first}: another configuration, other input files or another version"
    )]
    OtherRun {
        /// The part that it is compared with.
        first: String,
    },
    /// Parts of different splits of the same run.
    #[error("it is one of {} parts of {} cells, and {first} one of {of}", part.shard.of(), part.cells)]
    OtherSplit {
        /// The part that it is compared with.
        first: String,
        /// How many parts that one knows of.
        of: usize,
        /// This part.
        part: Part,
    },
    /// The same part twice.
    #[error("part {} is there already, as {other}", part.shard)]
    RepeatedPart {
        /// The part.
        part: Part,
        /// Where it was first.
        other: String,
    },
    /// Parts that are not there.
    #[error("{}", missing_parts(missing, *of))]
    MissingParts {
        /// Which ones.
        missing: Vec<Shard>,
        /// How many there are.
        of: usize,
    },
    /// A part that does not have the cells that it should.
    #[error("its cell {cell} is missing or out of order: it is not a part as it was written")]
    MissingCell {
        /// The first cell that is not where it should be.
        cell: u64,
    },
    /// A column that is stored as another type than a sweep has.
    #[error("column `{column}` is stored as {found}; a sweep has {wanted}")]
    ColumnType {
        /// Name of the column.
        column: &'static str,
        /// Type in the file.
        found: String,
        /// Type in a sweep.
        wanted: String,
    },
    /// Columns of different length.
    #[error("column `{column}` holds {found} values for {rows} rows")]
    ColumnLength {
        /// Name of the column.
        column: &'static str,
        /// Values in it.
        found: usize,
        /// Rows of the table.
        rows: i64,
    },
    /// A value that cannot be read.
    #[error("row {row}, column `{column}`: \"{value}\" is not {wanted}")]
    Cell {
        /// Row, from 1, without the header.
        row: usize,
        /// Name of the column.
        column: &'static str,
        /// Its text.
        value: String,
        /// What is accepted.
        wanted: &'static str,
    },
    /// A column that tables do not have.
    #[error("there is no column `{column}`")]
    NoColumn {
        /// Its name.
        column: String,
    },
    /// A version that would not fit into its line of a CSV file.
    #[error("the version {version:?} has a line break")]
    Version {
        /// The version.
        version: String,
    },
}

/// Why a set of arrays does not make up what is wanted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FormProblem {
    /// Arrays are missing.
    #[error("missing: {}", alternatives(.0))]
    Missing(
        /// For each, the names of which one has to be there.
        Vec<&'static [&'static str]>,
    ),
    /// Two forms at once, and no telling which one is meant.
    #[error("`{0}` and `{1}` exclude each other")]
    Mixed(&'static str, &'static str),
}

/// Names between backquotes, or "nothing".
pub(super) fn list<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    quoted.join(", ")
}

/// "part 1/3 and part 3/3 of 3 are missing"
fn missing_parts(missing: &[Shard], of: usize) -> String {
    let are = if missing.len() == 1 { "is" } else { "are" };
    let names: Vec<String> = missing.iter().map(|shard| format!("part {shard}")).collect();
    format!("{} of {of} {are} missing", names.join(" and "))
}

fn alternatives(missing: &[&[&str]]) -> String {
    let one = |names: &&[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ");
    missing.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What arrays of other names may be meant as.
fn meanings(found: &[String]) -> String {
    let free = |name: &&'static str| !found.iter().any(|other| other == name);
    let accepted = |name: &String| PROBLEM_ARRAYS.contains(&name.as_str());
    let meant = found.iter().filter(|name| !accepted(name)).filter_map(|name| {
        let meant = meant(name).filter(free)?;
        Some(format!("`{name}` to `{meant}`"))
    });
    let meant: Vec<String> = meant.collect();
    if meant.is_empty() { String::new() } else { format!(" (rename {}?)", meant.join(", ")) }
}

/// What to do with a sparse matrix of SciPy.
fn sparse(found: &[String]) -> &'static str {
    let is_there = |name: &&str| found.iter().any(|other| other == name);
    if ["data", "format", "shape"].iter().all(is_there) {
        return " (a sparse matrix of scipy.sparse.save_npz; save it densely, with \
                np.savez(\"problem.npz\", features=matrix.toarray(), labels=…))";
    }
    ""
}

/// What to do with a file of PyTorch, which is a zip archive around a pickle.
fn torch(found: &[String]) -> &'static str {
    if found.iter().any(|name| name.ends_with("data.pkl")) {
        return " (a file of torch.save is a pickle, which is not read because it can run code; save tensors with \
                safetensors.torch.save_file, or with np.savez)";
    }
    ""
}

/// "the class `d`", "the classes `d`, `e` and 7 more"
fn classes_in_words(classes: &[String], count: usize) -> String {
    let more = match count.saturating_sub(classes.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the class{} {}{more}", if count == 1 { "" } else { "es" }, list(classes))
}

fn mixed(texts: bool) -> (&'static str, &'static str) {
    if texts { ("labels", "probe_labels") } else { ("probe_labels", "labels") }
}

/// Bytes in a unit that fits.
fn bytes_in_words(bytes: f64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    format!("{value:.1} {}", units[unit])
}

/// What a type is that is not read, by its name in the file.
pub(super) fn advice(type_name: &str) -> &'static str {
    let code = type_name.trim_start_matches(['<', '>', '|', '=']);
    match code.chars().next() {
        Some('O') => {
            " (Python objects, stored as a pickle, which is not read because it can run code; save labels with \
             .astype(str) or .astype(int), and numbers with .astype(float))"
        }
        Some('[') => " (a structured array; save each field as an array of its own)",
        Some('f') if matches!(&code[1..], "16" | "12" | "10") => {
            " (a long double, float128 of NumPy; save it with .astype(\"float64\"))"
        }
        Some('c' | 'C') => " (complex numbers; save their real and imaginary parts or absolute values)",
        Some('V') => {
            " (raw bytes; bfloat16 is saved by NumPy in this way: use .astype(np.float32) first)"
        }
        Some('M' | 'm') => " (dates or times)",
        Some('U' | 'S' | 'a') => " (strings; classes belong into `labels` or `probe_labels`)",
        _ => "",
    }
}

fn extension(found: &Option<String>) -> String {
    found.as_ref().map_or("a file without extension".to_owned(), |e| format!("a .{e} file"))
}

/// Text from a file, safe to print: control characters escaped, cut to 80 characters.
pub(super) fn printable(text: &str) -> String {
    let mut short = String::new();
    for c in text.chars().take(80) {
        if c.is_control() { short.extend(c.escape_default()) } else { short.push(c) }
    }
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

/// Says in words what a file is that begins like this.
fn describe(start: &[u8]) -> String {
    const MAGIC: [(&[u8], &str); 8] = [
        (b"\x93NUMPY", "a single .npy array (np.savez makes a file of several)"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1", "a Parquet file"),
        (b"\x89HDF", "an HDF5 file"),
        (b"\x89PNG", "a PNG image"),
        (b"\x1f\x8b", "a gzip file"),
        (b"MATLAB", "a file of MATLAB"),
        (b"# taskhead ", "a sweep as CSV"),
    ];
    // Protocols 2 to 5.
    if let [0x80, 2..=5, ..] = start {
        return "a Python pickle, which is not read because it can run code".to_owned();
    }
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*name).to_owned();
    }
    let start = &start[..start.len().min(16)];
    let text = String::from_utf8_lossy(start);
    let plain = |c: char| !c.is_control() || c.is_ascii_whitespace();
    if text.chars().all(|c| plain(c) && c != char::REPLACEMENT_CHARACTER) {
        return format!("text that begins with {text:?}");
    }
    start.iter().fold("a file that begins with the bytes".to_owned(), |mut all, byte| {
        let _ = write!(all, " {byte:02x}");
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_rounded_up() {
        assert_eq!(rounded_up(2.9e-8), 3e-8);
        assert_eq!(rounded_up(3e-8), 3e-8);
        assert_eq!(rounded_up(9.1e-8), 1e-7);
    }

    #[test]
    fn the_path_comes_first_and_values_follow() {
        let failed: Result<(), Fault> = Err(Fault::Duplicate { array: "head".into() });
        let error = failed.at(Path::new("a/b.npz")).unwrap_err();
        assert_eq!(error.to_string(), "a/b.npz: there are two arrays `head`");
        let length = |found| Fault::Length { array: "x".into(), shape: vec![2, 3], expected: 48, found };
        assert!(length(40).to_string().ends_with("needs 48 bytes, but the file holds 40"));
        assert!(length(49).to_string().ends_with("the file holds at least 49"));
    }

    #[test]
    fn a_sparse_matrix_is_called_so() {
        let form = |found: &[&str]| {
            let found = found.iter().map(|&name| name.to_owned()).collect();
            let problem = FormProblem::Missing(vec![&["features"]]);
            Fault::Form { problem, found, needed: "x" }.to_string()
        };
        for names in [
            &["data", "format", "indices", "indptr", "shape"][..],
            &["col", "data", "format", "row", "shape"],
        ] {
            assert!(form(names).contains("a sparse matrix of scipy.sparse.save_npz"), "{}", form(names));
            assert!(form(names).contains("features=matrix.toarray()"), "{}", form(names));
        }
        assert!(!form(&["data", "shape"]).contains("sparse"));
    }

    #[test]
    fn missing_arrays_come_with_those_that_may_be_meant() {
        let fault = |missing: Vec<&'static [&'static str]>, found: &[&str]| Fault::Form {
            problem: FormProblem::Missing(missing),
            found: found.iter().map(|name| name.to_string()).collect(),
            needed: "x",
        };
        let text = fault(vec![&["features"], &["labels", "targets"]], &["X", "ids", "y"]).to_string();
        assert_eq!(
            text,
            "missing: `features`, `labels` or `targets`; found: `X`, `ids`, `y` \
             (rename `X` to `features`, `y` to `labels`?); needed: x"
        );
        let text = fault(vec![&["head"]], &["features", "X"]).to_string();
        assert_eq!(text, "missing: `head`; found: `features`, `X`; needed: x");
    }

    #[test]
    fn memory_is_told_in_a_unit_that_fits() {
        let text = Fault::Memory { what: "it".into(), needed: 3e10, available: 1536.0 }.to_string();
        assert_eq!(text, "it needs 27.9 GiB of memory, and 1.5 KiB are available");
    }

    #[test]
    fn content_is_described() {
        assert_eq!(describe(b"1.0, 2.0\n3"), r#"text that begins with "1.0, 2.0\n3""#);
        assert_eq!(describe(&[0, 255]), "a file that begins with the bytes 00 ff");
        assert!(describe(b"\x80\x04\x95K").starts_with("a Python pickle"));
        assert!(describe(b"\x93NUMPY\x01\x00").contains("np.savez"));
        assert_eq!(printable("a'\x1b[2J"), "a'\\u{1b}[2J");
        assert_eq!(printable(&"x".repeat(100)).chars().count(), 81);
    }
}
