//! Penalties on weights and activations.
