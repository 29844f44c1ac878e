//! Constraints on weights.
