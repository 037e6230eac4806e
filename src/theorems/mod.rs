//! The theorems, checked.

pub mod certify;
