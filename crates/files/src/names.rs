//! The names that arrays may have, and what people call them instead.

/// The largest number of classes that labels may make.
pub const MAX_CLASSES: usize = 10_000;

/// The names that an array of a problem may have.
pub const PROBLEM_ARRAYS: &[&str] = &[
    "features",
    "labels",
    "targets",
    "head",
    "kernel",
    "inputs",
    "backbone",
    "probe_features",
    "probe_labels",
    "probe_targets",
    "probe_kernel",
    "probe_inputs",
];

/// What training frameworks and their users write, in lower case.
const OTHER: &[(&str, &[&str])] = &[
    (
        "features",
        &[
            "x",
            "z",
            "feats",
            "feat",
            "embeddings",
            "embedding",
            "embeds",
            "activations",
            "representations",
        ],
    ),
    ("labels", &["y", "classes", "class", "ys", "gt"]),
    ("kernel", &["k", "ntk", "gram", "ker"]),
    ("head", &["v", "w", "weight", "head.weight", "fc.weight", "classifier.weight"]),
    ("backbone", &["b"]),
];

/// Words that mark the part that is trained on, and the part that is held out.
const TRAINING: &[&str] = &["train", "training", "tr"];
const HELD_OUT: &[&str] = &["test", "val", "valid", "validation", "eval", "heldout", "probe"];

/// Differences that a misspelt name may have.
const TYPOS: usize = 2;

/// The accepted name that an array of another name may be meant to have.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let mut words: Vec<&str> = lower.split('_').collect();
    let mut marked = |marks: &[&str]| {
        let before = words.len();
        if before > 1 {
            words.retain(|word| !marks.contains(word));
        }
        words.len() < before
    };
    let _ = marked(TRAINING);
    let held_out = marked(HELD_OUT);
    let base = words.join("_");
    let known =
        |(accepted, others): &(&'static str, &[&str])| others.contains(&&*base).then_some(*accepted);
    let plain = OTHER.iter().find_map(known).or_else(|| {
        let distance = |accepted: &&&'static str| strsim::damerau_levenshtein(&base, accepted);
        let near = PROBLEM_ARRAYS.iter().min_by_key(distance)?;
        (distance(&near) <= TYPOS && base.len() > TYPOS + 1).then_some(*near)
    })?;
    if !held_out {
        return Some(plain);
    }
    PROBLEM_ARRAYS.iter().copied().find(|accepted| accepted.strip_prefix("probe_") == Some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (name, accepted) in [
            ("X", "features"),
            ("y", "labels"),
            ("haed", "head"),
            ("Label", "labels"),
            ("target", "targets"),
            ("train_features", "features"),
            ("X_train", "features"),
            ("y_test", "probe_labels"),
            ("val_labels", "probe_labels"),
            ("features_test", "probe_features"),
            ("probe_lables", "probe_labels"),
            ("fc.weight", "head"),
        ] {
            assert_eq!(meant(name), Some(accepted), "{name}");
        }
        for name in ["ids", "paths", "epoch", "logits", "", "_", "train", "läß"] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
