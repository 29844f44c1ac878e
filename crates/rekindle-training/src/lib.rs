//! Sequence tasks, the training loop, checkpoints and run folders.
