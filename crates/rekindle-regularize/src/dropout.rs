//! Masks of dropouts.
