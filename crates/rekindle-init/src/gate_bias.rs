//! Biases that open the gates which keep the state.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::{
    Gate, InitError,
    error::Place,
    noise,
    recipe::{no_fields, one},
};

/// What the gates that keep the state get as bias, on top of the scheme's own biases.
///
/// A recurrent layer has two biases that are added, so the values are those of the sum: `bias_ih`
/// gets the value, `bias_hh` gets zero. A layer without biases has nothing to set.
///
/// In a recipe it is a table such as `{ kind = "forget", value = 1.0 }`.
///
/// # Examples
///
/// ```
/// use rekindle_init::GateBias;
///
/// assert_eq!(GateBias::default(), GateBias::Forget { value: 1.0 });
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum GateBias {
    /// Nothing: every gate has the scheme's own biases.
    #[serde(deserialize_with = "no_fields")]
    None,
    /// The forget gate gets `value`; a cell without one is left alone. The default, with 1.
    ///
    /// With a bias of 1 the cell keeps most of its state from the first step on, and gradients
    /// reach back. Gers et al., *Learning to Forget*, 2000,
    /// <https://doi.org/10.1162/089976600300015015>; Jozefowicz et al., *An Empirical Exploration
    /// of Recurrent Network Architectures*, 2015,
    /// <https://proceedings.mlr.press/v37/jozefowicz15.html>.
    Forget {
        /// The sum of both biases. Any finite number. Default: 1, as in both papers.
        #[serde(default = "one")]
        value: f64,
    },
    /// Chrono initialisation: the units get time scales spread from 2 to `t_max` steps.
    ///
    /// ```text
    /// b_f ~ log U[1, t_max − 1]
    /// b_i = −b_f
    /// b_z ~ log U[1, t_max − 1]
    /// ```
    ///
    /// A unit whose forget gate stays at `σ(log t)` forgets over `t + 1` steps. The update gate `z`
    /// of a GRU keeps the state (`h′ = (1 − z) ⊙ n + z ⊙ h`), so it is treated like a forget gate;
    /// its counterpart `1 − z` needs no bias of its own. The other gates keep the scheme's biases,
    /// which the paper sets to zero. A cell with neither gate is an error.
    ///
    /// Tallec and Ollivier, *Can Recurrent Neural Networks Warp Time?*, 2018,
    /// <https://arxiv.org/abs/1804.11188>.
    Chrono {
        /// The longest dependency expected, in steps, at least 3. A good value is the length of
        /// the sequences.
        t_max: usize,
    },
}

impl burn::config::Config for GateBias {}

impl Default for GateBias {
    fn default() -> Self {
        Self::Forget { value: 1.0 }
    }
}

impl GateBias {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`InitError::Value`] if `value` is not finite or `t_max` is below 3.
    pub fn validate(&self) -> Result<(), InitError> {
        let place = |kind| Place {
            path: "gate_bias",
            kind,
        };
        match *self {
            Self::None => Ok(()),
            Self::Forget { value } => place("forget").finite("value", value),
            Self::Chrono { t_max } => {
                place("chrono").check("t_max", t_max as f64, t_max >= 3, "at least 3 steps")
            }
        }
    }

    /// Whether chrono initialisation sets this gate.
    pub(crate) fn is_chrono_for(&self, gate: Gate) -> bool {
        matches!(self, Self::Chrono { .. })
            && matches!(gate, Gate::Input | Gate::Forget | Gate::Update)
    }

    /// The sum of both biases for each gate, `None` where the scheme's own biases stay.
    ///
    /// Chrono draws `d_hidden` uniform numbers for each forget or update gate, in the order of
    /// `gates`; nothing else is drawn.
    pub(crate) fn sums(
        &self,
        gates: &[Gate],
        d_hidden: usize,
        device: &Device,
    ) -> Vec<Option<Vec<f64>>> {
        let mut sums: Vec<Option<Vec<f64>>> = vec![None; gates.len()];
        let find = |role: Gate| gates.iter().position(|&gate| gate == role);
        match *self {
            Self::None => {}
            Self::Forget { value } => {
                if let Some(forget) = find(Gate::Forget) {
                    sums[forget] = Some(vec![value; d_hidden]);
                }
            }
            Self::Chrono { t_max } => {
                let width = t_max as f64 - 2.0;
                for (gate, sum) in gates.iter().zip(&mut sums) {
                    if matches!(gate, Gate::Forget | Gate::Update) {
                        let unit = noise::uniform(d_hidden, device);
                        *sum = Some(unit.into_iter().map(|u| (1.0 + width * u).ln()).collect());
                    }
                }
                if let (Some(input), Some(forget)) = (find(Gate::Input), find(Gate::Forget)) {
                    let kept = sums[forget].iter().flatten();
                    sums[input] = Some(kept.map(|bias| -bias).collect());
                }
            }
        }
        sums
    }
}
