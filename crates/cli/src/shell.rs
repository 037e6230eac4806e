//! Words of command lines that are printed or written for a shell.

use std::ffi::OsStr;

/// A word as a shell reads it.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let text = word.as_ref().to_string_lossy().into_owned();
    shlex::try_quote(&text).map(Into::into).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("a/b.cell-3.npz"), "a/b.cell-3.npz");
        for word in ["it's here.npz", "$HOME", "a b", "", "*", "\"`\\"] {
            assert_eq!(shlex::split(&quoted(word)), Some(vec![word.to_owned()]));
            assert_ne!(quoted(word), word);
        }
    }
}
