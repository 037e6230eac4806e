//! Writes the small seeds of a reader into a folder, and its words as a dictionary beside it: `seeds NAME FOLDER`.

use std::path::Path;

/// Seeds up to this size are those that a fuzzer begins with.
const SMALL: usize = 16_000;

fn main() {
    let [name, folder]: [String; 2] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("usage: seeds NAME FOLDER");
    let reader =
        taskhead_readers::READERS.iter().find(|reader| reader.name == name).expect("a known reader");
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).expect("the folder can be made");
    for (i, seed) in (reader.seeds)().into_iter().filter(|seed| seed.len() <= SMALL).enumerate() {
        std::fs::write(folder.join(format!("seed-{i}")), seed).expect("space for the seed");
    }
    let word = |word: &str| {
        format!("\"{}\"\n", word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>())
    };
    let words: String = (reader.words)().into_iter().map(word).collect();
    std::fs::write(folder.with_extension("dict"), words).expect("space for the dictionary");
}
