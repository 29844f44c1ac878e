//! The types of numbers that the engine computes in.

use std::ops::{Add, Mul};

use pulp::Simd;

use super::gradients::Accumulate;
use super::isa::Isa;
use super::norm::{Denormalize, DenormalizeColumns, Normalize, NormalizeColumns};
use super::product::Product;
use super::vector::{F32s, F64s, Vector};
use super::watch::SquaredNorm;

/// A floating-point type that the engine computes in: `f32` or `f64`.
pub(crate) trait Element:
    Copy
    + Default
    + PartialEq
    + std::fmt::Debug
    + Add<Output = Self>
    + Mul<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// A register of these numbers.
    type Vector<S: Simd>: Vector<Simd = S, Element = Self>;

    /// 1.
    const ONE: Self;
    /// log₂ e.
    const LOG2_E: Self;
    /// Minus the leading bits of ln 2, few enough that small multiples are exact.
    const MINUS_LN_2_HIGH: Self;
    /// Minus the rest of ln 2.
    const MINUS_LN_2_LOW: Self;
    /// `1/n!` for n from the degree of the polynomial for `exp` down to 2.
    const INVERSE_FACTORIALS: &'static [Self];
    /// Adding and subtracting it rounds to an integer.
    const ROUNDER: Self;
    /// What the arguments of the exponential in the sigmoid are held between. The upper end overflows to infinity.
    const SIGMOID_RANGE: [Self; 2];
    /// What the arguments of other exponentials are held between. The lower end gives 0, the upper one no infinity, but
    /// its square is infinite.
    const EXP_RANGE: [Self; 2];
    /// What `2 x` in the hyperbolic tangent of `x` is held between: tanh is 1 beyond.
    const TANH_RANGE: [Self; 2];
    /// 2.
    const TWO: Self;

    /// The nearest number.
    fn from_f64(value: f64) -> Self;

    /// The same number.
    fn to_f64(self) -> f64;

    /// Runs a product. Not generic, so that it is compiled once and not again for each cell.
    fn multiply(isa: Isa, product: Product<'_, Self>);

    /// Runs a part of a weight's gradient. Not generic, for the same reason.
    fn accumulate(isa: Isa, part: Accumulate<Self>);

    /// The squared norm of a gradient.
    fn squared_norm(isa: Isa, norm: SquaredNorm<Self>) -> Self;

    /// Runs a norm of some rows.
    fn normalize(isa: Isa, rows: Normalize<'_, Self>);

    /// Runs the derivative of a norm of some rows.
    fn denormalize(isa: Isa, rows: Denormalize<'_, Self>);

    /// Runs a norm of the columns of a step.
    fn normalize_columns(isa: Isa, columns: NormalizeColumns<'_, Self>);

    /// Runs the derivative of a norm of the columns of a step.
    fn denormalize_columns(isa: Isa, columns: DenormalizeColumns<'_, Self>);
}

/// `1/n!` from n = 13 down to 2.
const INVERSE_FACTORIALS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
];

/// What the engine does apart from cells, compiled for one type of numbers.
macro_rules! run_parts {
    () => {
        fn multiply(isa: Isa, product: Product<'_, Self>) {
            isa.run(product);
        }

        fn accumulate(isa: Isa, part: Accumulate<Self>) {
            isa.run(part);
        }

        fn squared_norm(isa: Isa, norm: SquaredNorm<Self>) -> Self {
            isa.run(norm)
        }

        fn normalize(isa: Isa, rows: Normalize<'_, Self>) {
            isa.run(rows);
        }

        fn denormalize(isa: Isa, rows: Denormalize<'_, Self>) {
            isa.run(rows);
        }

        fn normalize_columns(isa: Isa, columns: NormalizeColumns<'_, Self>) {
            isa.run(columns);
        }

        fn denormalize_columns(isa: Isa, columns: DenormalizeColumns<'_, Self>) {
            isa.run(columns);
        }
    };
}

impl Element for f32 {
    type Vector<S: Simd> = F32s<S>;

    const ONE: Self = 1.0;
    const LOG2_E: Self = std::f32::consts::LOG2_E;
    const MINUS_LN_2_HIGH: Self = -0.693_359_4;
    const MINUS_LN_2_LOW: Self = 2.121_944_4e-4;
    /// Degree 7: the next term is below 6·10⁻⁹ where `|r| ≤ ln 2 / 2`.
    const INVERSE_FACTORIALS: &'static [Self] = &[
        INVERSE_FACTORIALS[6] as f32,
        INVERSE_FACTORIALS[7] as f32,
        INVERSE_FACTORIALS[8] as f32,
        INVERSE_FACTORIALS[9] as f32,
        INVERSE_FACTORIALS[10] as f32,
        INVERSE_FACTORIALS[11] as f32,
    ];
    const ROUNDER: Self = 12_582_912.0;
    const SIGMOID_RANGE: [Self; 2] = [-87.0, 89.0];
    const EXP_RANGE: [Self; 2] = [-88.0, 88.0];
    const TANH_RANGE: [Self; 2] = [-20.0, 20.0];
    const TWO: Self = 2.0;

    fn from_f64(value: f64) -> Self {
        value as Self
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    run_parts!();
}

impl Element for f64 {
    type Vector<S: Simd> = F64s<S>;

    const ONE: Self = 1.0;
    const LOG2_E: Self = std::f64::consts::LOG2_E;
    const MINUS_LN_2_HIGH: Self = -6.931_471_803_691_238e-1;
    const MINUS_LN_2_LOW: Self = -1.908_214_929_270_587_7e-10;
    /// Degree 13: the next term is below 5·10⁻¹⁸ where `|r| ≤ ln 2 / 2`.
    const INVERSE_FACTORIALS: &'static [Self] = &INVERSE_FACTORIALS;
    const ROUNDER: Self = 6_755_399_441_055_744.0;
    const SIGMOID_RANGE: [Self; 2] = [-708.0, 710.0];
    const EXP_RANGE: [Self; 2] = [-709.0, 709.0];
    const TANH_RANGE: [Self; 2] = [-42.0, 42.0];
    const TWO: Self = 2.0;

    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    run_parts!();
}
