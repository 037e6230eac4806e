//! Which hypotheses save the trend: the tables of the note, as the index of the gallery shows them.

/// The note, which holds the tables once.
const NOTE: &str = include_str!("../../../../docs/beyond-one-sample.md");

/// The section of the note with the tables.
const START: &str = "\n## What holds, what fails\n";

/// The section of the index. Links of the note lead from its folder.
pub fn section() -> String {
    let (_, tables) = NOTE.split_once(START).expect("the note has the tables");
    let tables = tables.split("\n## ").next().unwrap_or_default();
    let tables = tables.replace("](../plots/", "](").replace("\"../plots/", "\"");
    format!(
        "\n## Which hypotheses save the trend\n\nStatements with their proofs: [beyond one \
         sample](../docs/beyond-one-sample.md).\n{}\n",
        tables.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn both_tables_and_the_picture_are_there() {
        let text = section();
        for wanted in [
            "| hypotheses |",
            "| example |",
            "**conjecture A** (C1)",
            "src=\"beyond.svg\"",
            "taskhead simulate cases/",
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains("../plots/") && !text.contains("## T27"));
    }
}
