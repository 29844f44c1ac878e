//! The engine against plain loops, on every instruction set.

mod cells;
mod determinism;
mod engine;
mod loops;
mod math;
mod precise;
mod problem;
mod relay;
mod sparse;
mod within;
