//! Every reader of bytes from users as one function, which tests call with mutations of valid bytes and a fuzzer with
//! whatever it finds.
//!
//! Each of them says whether the bytes were accepted. None may panic, and none may take more memory than ten times what
//! it is given and [`BASE`], which is counted and asserted here; what is packed counts as what it unpacks to.

mod arrays;
#[cfg(feature = "images")]
mod images;
mod mutate;
pub mod numpy;
mod reader;
mod scratch;
mod settings;
mod tables;

pub use mutate::mutate;
pub use reader::{BASE, Reader};

/// All of them.
pub const READERS: &[&Reader] = &[
    &arrays::PROBLEM,
    &arrays::NPY,
    &arrays::SAFETENSORS,
    &tables::SWEEP,
    &tables::CSV,
    &tables::PARQUET,
    &settings::CONFIG,
    #[cfg(feature = "images")]
    &settings::REPLAY,
    #[cfg(feature = "images")]
    &images::IDX,
    #[cfg(feature = "images")]
    &images::CIFAR,
    #[cfg(feature = "images")]
    &images::ARCHIVE,
];

/// Reads with the reader of this name.
///
/// # Panics
///
/// An unknown name, and whatever the reader should not do.
pub fn read(name: &str, bytes: &[u8]) -> bool {
    let reader = READERS.iter().find(|reader| reader.name == name).expect("a known reader");
    (reader.read)(bytes)
}
