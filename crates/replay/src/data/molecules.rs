//! The embedded molecules: 3,837 of B3DB (CC0, see `data/b3db`), with one of two labels.

use std::io::Read;

use super::ImageTasks;
use crate::config::Table;

static PACKED: &[u8] = include_bytes!("../../../../data/b3db/molecules.csv.gz");

/// The source task is whether a molecule crosses the blood–brain barrier, the downstream task whether there is more of
/// it in the brain than in the blood.
pub(super) fn tasks(samples: Option<usize>) -> ImageTasks {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(PACKED).read_to_end(&mut bytes).expect("the embedded data are intact");
    let table = Table {
        source_label: Some("crosses".into()),
        samples,
        ..Table::of("data/b3db/molecules.csv.gz", "more_in_brain")
    };
    let tasks = table.tasks_of(bytes, None).expect("the embedded molecules are a table of molecules");
    // What a network cannot tell apart counts once; that is no news.
    ImageTasks { notes: Vec::new(), ..tasks }
}

#[cfg(test)]
mod tests {
    use super::super::Images;
    use super::*;

    #[test]
    fn the_molecules_are_the_same_each_time_and_have_both_classes() {
        let (a, b) = (tasks(Some(9)), tasks(None));
        for (a, b) in [(&a.source, &b.source), (&a.downstream, &b.downstream)] {
            for (a, b) in [(&a.train, &b.train), (&a.validation, &b.validation), (&a.test, &b.test)] {
                assert_eq!((a.digest(), a.classes()), (b.digest(), 2));
                assert_eq!(a.classes_seen(), [0, 1]);
            }
        }
        let all = [&a.source.train, &a.downstream.train, &a.downstream.validation, &a.downstream.test];
        // Pinned, so that no upgrade changes the gallery unseen.
        assert_eq!(all.map(Images::count), [1953, 606, 151, 151]);
        assert_eq!(a.downstream.train.shape(), [48, 1, 31]);
    }
}
