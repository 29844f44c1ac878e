//! Pruning of weights and hidden units.
