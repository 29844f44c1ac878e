//! Norms and masks within the steps of a comparison.

use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{Array, Equations};
use rekindle_kernels::{Keep, Masks, Norm, NormKind, Norms, Within};
use rekindle_testkit::random;

use crate::setting::{Draw, Setting};

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
    /// The norms of the input product, of the recurrent product and of the last state.
    pub norms: [Option<Kind>; 3],
}

/// A norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Layer,
    Rms,
    /// A layer norm of all columns but some.
    Part,
    /// Over the rows of the batch.
    Batch,
    /// By numbers for two steps.
    Given,
}

/// Where the norms stand.
const INPUT: usize = 0;
const HIDDEN: usize = 1;
const SHOWN: usize = 2;

impl Inside {
    /// Whether the fused scan of these equations knows all of it.
    pub fn suits<E: Equations>(&self, equations: &E, is_projected: bool) -> bool {
        let states = <E::States<()> as Array<()>>::LEN;
        let keep = match self.keep {
            None => true,
            Some(Kept::Others) => states > 1,
            Some(_) => !is_projected,
        };
        let masks =
            (!self.hidden || equations.reads() == 1) && (self.candidate.is_none() || E::FACTOR);
        let [_, hidden, shown] = self.norms.map(|norm| norm.is_some());
        keep && masks && (!hidden || !equations.has_middle()) && (!shown || E::SHOWS)
    }

    /// Whether sums of eighths are no longer exact.
    pub fn rounds(&self) -> bool {
        self.keep == Some(Kept::Fractions) || self.norms != [None; 3]
    }

    /// The norms, whose gains and shift are drawn.
    pub fn norms<E: Equations>(&self, setting: &Setting, draw: &mut Draw<'_>) -> Norms {
        let [.., d_hidden] = setting.shape;
        let packed = <E::Gates<()> as Array<()>>::LEN * d_hidden;
        let [input, hidden, shown] =
            [(INPUT, packed), (HIDDEN, packed), (SHOWN, d_hidden)].map(|(index, columns)| {
                let of = self.norms[index]?;
                let all = Tensor::ones([columns], (draw.options.0, draw.options.1));
                let some = zeros_and_ones([columns], 220 + index as u64, draw.options);
                let kind = match of {
                    Kind::Layer => NormKind::Layer { active: all },
                    Kind::Rms => NormKind::Rms { active: all },
                    Kind::Batch => NormKind::Batch,
                    Kind::Given => {
                        let [mean, variance] = [230, 240].map(|seed| {
                            random([2, columns], seed + index as u64, draw.options).detach()
                        });
                        NormKind::Given {
                            mean,
                            variance: variance.abs(),
                        }
                    }
                    // The first column counts in any case.
                    Kind::Part => NormKind::Layer {
                        active: some.slice_assign(0..1, all.slice(0..1)),
                    },
                };
                Some(Norm {
                    kind,
                    gain: draw.leaf([columns], 1.0, |gain| gain),
                    shift: (index == SHOWN && of != Kind::Rms)
                        .then(|| draw.leaf([columns], 0.5, |shift| shift)),
                    epsilon: 0.5,
                })
            });
        Norms {
            input,
            hidden,
            shown,
        }
    }

    /// The masks.
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
