//! Norms and masks within the steps of a comparison.

use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{Array, Equations};
use rekindle_kernels::{Keep, Masks, Within};
use rekindle_testkit::random;

use crate::setting::Setting;

/// Which masks have numbers of their own for each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Steps {
    One,
    All,
}

/// What states keep of their old values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kept {
    /// All states a fraction.
    Fractions,
    /// All states what a mask says.
    Masks,
    /// The hidden state alone.
    Hidden,
    /// All but the hidden state.
    Others,
}

/// What happens within the steps of a comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inside {
    /// Whether the hidden state is masked on its way into the product.
    pub hidden: bool,
    /// The mask of the candidate.
    pub candidate: Option<Steps>,
    pub keep: Option<Kept>,
}

impl Inside {
    /// Whether the fused scan of these equations knows all of it.
    pub fn suits<E: Equations>(&self, equations: &E, is_projected: bool) -> bool {
        let states = <E::States<()> as Array<()>>::LEN;
        let keep = match self.keep {
            None => true,
            Some(Kept::Others) => states > 1,
            Some(_) => !is_projected,
        };
        keep && (!self.hidden || equations.reads() == 1) && (self.candidate.is_none() || E::FACTOR)
    }

    /// Whether sums of eighths are no longer exact.
    pub fn rounds(&self) -> bool {
        self.keep == Some(Kept::Fractions)
    }

    /// The tensors.
    pub fn within<E: Equations>(&self, setting: &Setting, options: (&Device, DType)) -> Within {
        let [batch, seq, _, d_hidden] = setting.shape;
        let d_output = setting.d_projected.unwrap_or(d_hidden);
        let states = <E::States<()> as Array<()>>::LEN;
        let keep = |state: usize, kept| {
            let width = if state == 0 { d_output } else { d_hidden };
            match (kept, state) {
                (Kept::Fractions, _) => Keep::Fraction(0.25 * (1 + state % 3) as f64),
                (Kept::Hidden, 1..) | (Kept::Others, 0) => Keep::Nothing,
                _ => Keep::Mask(zeros_and_ones(
                    [batch, seq, width],
                    210 + state as u64,
                    options,
                )),
            }
        };
        let keep: Vec<Keep> = match self.keep {
            Some(kept) => (0..states).map(|state| keep(state, kept)).collect(),
            None => Vec::new(),
        };
        let candidate = self.candidate.map(|steps| {
            let steps = if steps == Steps::One { 1 } else { seq };
            zeros_and_ones([batch, steps, d_hidden], 201, options) * 1.5
        });
        Within {
            masks: Masks {
                hidden: (self.hidden).then(|| zeros_and_ones([batch, d_output], 200, options) * 2),
                candidate,
                keep,
            },
            ..Within::default()
        }
    }
}

/// Zeros and ones, about as many of both.
fn zeros_and_ones<const D: usize>(
    shape: [usize; D],
    seed: u64,
    options: (&Device, DType),
) -> Tensor<D> {
    let positive = random(shape, seed, options).detach().greater_elem(0.0);
    positive.float().cast(options.1)
}
