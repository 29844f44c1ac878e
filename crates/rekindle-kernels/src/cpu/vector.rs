//! Registers of numbers: what the engine's inner loops are written in.

use std::ops::{Add, Div, Mul, Sub};

use pulp::{Simd, bytemuck};

pub(crate) use super::element::Element;
use super::math;
use crate::{Curve, Lane};

/// A register: several numbers side by side, on which a cell's equations act through [`Lane`].
pub(crate) trait Vector: Lane + Copy {
    /// The proof that the machine has the instructions.
    type Simd: Simd;
    /// What the register holds.
    type Element: Element;
    /// How many of them.
    const LANES: usize;

    /// The same number in every lane.
    fn splat(simd: Self::Simd, value: Self::Element) -> Self;

    /// The same number in every lane, as many as `self` has.
    fn like(self, value: Self::Element) -> Self;

    /// Reads all lanes.
    ///
    /// # Safety
    /// `from` is readable for [`LANES`](Self::LANES) elements.
    unsafe fn load(simd: Self::Simd, from: *const Self::Element) -> Self;

    /// Reads the first `count` lanes; the others are 0.
    ///
    /// # Safety
    /// `from` is readable for `count` elements.
    unsafe fn load_first(simd: Self::Simd, from: *const Self::Element, count: usize) -> Self;

    /// Writes all lanes.
    ///
    /// # Safety
    /// `to` is writable for [`LANES`](Self::LANES) elements.
    unsafe fn store(self, to: *mut Self::Element);

    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// `to` is writable for `count` elements.
    unsafe fn store_first(self, to: *mut Self::Element, count: usize);

    /// `self · factor + term`, rounded once where the machine can.
    fn mul_add(self, factor: Self, term: Self) -> Self;

    /// The nearest value in `[low, high]`; NaN stays NaN.
    fn hold(self, low: Self::Element, high: Self::Element) -> Self;

    /// 2 to the power of `self`, an integer in the range of normal exponents or next to it: one below gives 0, one above
    /// infinity.
    fn exp2_of_integer(self) -> Self;
}

/// Defines a register type over one of pulp's and implements [`Vector`] and [`Lane`] for it.
macro_rules! vector {
    ($name:ident, $element:ident, $register:ident, $exponent_offset:expr, $exponent_shift:expr, {
        $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $mul_add:ident,
        $greater:ident, $select:ident, $partial_load:ident, $partial_store:ident
    }) => {
        /// A register of numbers.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name<S: Simd> {
            simd: S,
            value: S::$register,
        }

        impl<S: Simd> $name<S> {
            #[inline(always)]
            fn with(self, value: S::$register) -> Self {
                Self { value, ..self }
            }
        }

        impl<S: Simd> Add for $name<S> {
            type Output = Self;

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.with(self.simd.$add(self.value, other.value))
            }
        }

        impl<S: Simd> Sub for $name<S> {
            type Output = Self;

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.with(self.simd.$sub(self.value, other.value))
            }
        }

        impl<S: Simd> Mul for $name<S> {
            type Output = Self;

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.with(self.simd.$mul(self.value, other.value))
            }
        }

        impl<S: Simd> Div for $name<S> {
            type Output = Self;

            #[inline(always)]
            fn div(self, other: Self) -> Self {
                self.with(self.simd.$div(self.value, other.value))
            }
        }

        impl<S: Simd> Lane for $name<S> {
            #[inline(always)]
            fn sigmoid(self) -> Self {
                math::sigmoid(self)
            }

            #[inline(always)]
            fn tanh(self) -> Self {
                math::tanh(self)
            }

            #[inline(always)]
            fn relu(self) -> Self {
                self.where_positive(self)
            }

            #[inline(always)]
            fn one_minus(self) -> Self {
                self.like(1.0) - self
            }

            #[inline(always)]
            fn constant(&self, value: f64) -> Self {
                self.like(value as $element)
            }

            #[inline(always)]
            fn zero(&self) -> Self {
                self.like(0.0)
            }

            #[inline(always)]
            fn where_positive(self, condition: Self) -> Self {
                let zero = self.simd.$splat(0.0);
                let positive = self.simd.$greater(condition.value, zero);
                self.with(self.simd.$select(positive, self.value, zero))
            }

            #[inline(always)]
            fn clamp(self, low: f64, high: f64) -> Self {
                self.hold(low as $element, high as $element)
            }

            #[inline(always)]
            fn curve(self, curve: Curve) -> Self {
                math::curve(self, curve)
            }

            #[inline(always)]
            fn exp_minus_1(self) -> Self {
                math::exp_minus_1(self)
            }

            #[inline(always)]
            fn log_1_plus_exp(self) -> Self {
                math::log_1_plus_exp(self)
            }
        }

        impl<S: Simd> Vector for $name<S> {
            type Simd = S;
            type Element = $element;
            const LANES: usize = size_of::<S::$register>() / size_of::<$element>();

            #[inline(always)]
            fn splat(simd: S, value: $element) -> Self {
                Self {
                    simd,
                    value: simd.$splat(value),
                }
            }

            #[inline(always)]
            fn like(self, value: $element) -> Self {
                Self::splat(self.simd, value)
            }

            #[inline(always)]
            unsafe fn load(simd: S, from: *const $element) -> Self {
                // SAFETY: the caller answers for `LANES` elements, which are what the register holds.
                let value = unsafe { from.cast::<S::$register>().read_unaligned() };
                Self { simd, value }
            }

            #[inline(always)]
            unsafe fn load_first(simd: S, from: *const $element, count: usize) -> Self {
                // SAFETY: the caller answers for `count` elements.
                let slice = unsafe { std::slice::from_raw_parts(from, count) };
                Self {
                    simd,
                    value: simd.$partial_load(slice),
                }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $element) {
                // SAFETY: the caller answers for `LANES` elements, which are what the register holds.
                unsafe { to.cast::<S::$register>().write_unaligned(self.value) }
            }

            #[inline(always)]
            unsafe fn store_first(self, to: *mut $element, count: usize) {
                // SAFETY: the caller answers for `count` elements.
                let slice = unsafe { std::slice::from_raw_parts_mut(to, count) };
                self.simd.$partial_store(slice, self.value);
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                self.with(self.simd.$mul_add(self.value, factor.value, term.value))
            }

            #[inline(always)]
            fn hold(self, low: $element, high: $element) -> Self {
                let [low, high] = [low, high].map(|bound| self.simd.$splat(bound));
                // NaN is neither above nor below. The minimum and the maximum of some machines would lose it.
                let above = self.simd.$greater(self.value, high);
                let value = self.simd.$select(above, high, self.value);
                let below = self.simd.$greater(low, value);
                self.with(self.simd.$select(below, low, value))
            }

            #[inline(always)]
            fn exp2_of_integer(self) -> Self {
                // The sum holds the biased exponent in its lowest bits (of the upper half, for `f64`).
                let sum = self + self.like($exponent_offset);
                let bits: S::u32s = bytemuck::cast(sum.value);
                let shift = self.simd.splat_u32s($exponent_shift);
                let shifted = self.simd.wrapping_dyn_shl_u32s(bits, shift);
                self.with(bytemuck::cast(shifted))
            }
        }
    };
}

vector!(F32s, f32, f32s, 12_582_912.0 + 127.0, 23, {
    splat_f32s, add_f32s, sub_f32s, mul_f32s, div_f32s, mul_add_e_f32s,
    greater_than_f32s, select_f32s, partial_load_f32s, partial_store_f32s
});
vector!(F64s, f64, f64s, 1_572_864.0 + 1_023.0, 20, {
    splat_f64s, add_f64s, sub_f64s, mul_f64s, div_f64s, mul_add_e_f64s,
    greater_than_f64s, select_f64s, partial_load_f64s, partial_store_f64s
});
