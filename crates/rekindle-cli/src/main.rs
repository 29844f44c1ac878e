//! The `rekindle` command: train, evaluate, predict, inspect.

fn main() {}
