//! The engine against plain loops, on every instruction set.
