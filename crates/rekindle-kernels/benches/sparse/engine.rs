//! The engine's own product, built once more: what a sparse one has to beat. It is private to the crate.

#[path = "../../src/cpu/isa.rs"]
pub(crate) mod isa;
#[path = "../../src/cpu/math.rs"]
#[allow(dead_code, reason = "registers have functions that no product needs")]
mod math;
#[path = "../../src/cpu/product.rs"]
#[allow(dead_code, reason = "a scan starts its products in more ways")]
pub(crate) mod product;
#[path = "../../src/cpu/vector.rs"]
#[allow(dead_code, reason = "a scan needs more of a register")]
pub(crate) mod vector;

/// Gradients are not measured here: registers know how to run a part of one that has nothing to do.
mod gradients {
    use std::marker::PhantomData;

    use pulp::{Simd, WithSimd};

    /// A part of a gradient.
    pub(crate) struct Accumulate<F>(PhantomData<F>);

    impl<F> WithSimd for Accumulate<F> {
        type Output = ();

        fn with_simd<S: Simd>(self, _simd: S) {}
    }
}
