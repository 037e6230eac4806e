//! The theorems: stated and checked one by one in the [`catalogue`], those of the rank-one model
//! certified for every real point of a box in [`certify`].

#[cfg(feature = "catalogue")]
pub mod catalogue;
pub mod certify;
