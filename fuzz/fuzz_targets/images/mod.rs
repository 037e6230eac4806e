//! Two tasks on the images of a folder.

use std::path::Path;

use taskhead_replay::config::Files;

/// All classes are the source, and downstream, too.
pub fn of(folder: &Path) -> Files {
    Files {
        folder: folder.to_owned(),
        source_folder: None,
        source: vec![],
        classes: vec![],
        source_samples: None,
        samples: None,
        held_out: None,
        side: None,
        mean: vec![],
        std: vec![],
    }
}
