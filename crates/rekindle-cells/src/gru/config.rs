//! The configuration of a GRU.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor, s};
use rekindle_init::{GateBias, RecurrentScheme};

use super::{Gru, GruActivations, Reset, Update};
use crate::{
    CellConfig, CellConfigError, CellDropout, Extras, InitialState, LearnedState, NoisyParts,
    Normalization, Weights,
};

/// Configuration of a [`Gru`].
#[derive(Config, Debug)]
pub struct GruConfig {
    /// Width of the input, at least 1.
    pub d_input: usize,
    /// Width of the hidden state, at least 1.
    pub d_hidden: usize,
    /// Whether the affine maps have biases. Default: true, as in PyTorch.
    #[config(default = true)]
    pub bias: bool,
    /// What weights and biases are drawn from. Default: [`RecurrentScheme::default`]. Chrono biases are negated with
    /// [`Update::Replace`], whose gate forgets where the other one keeps.
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
    /// Where the reset gate acts. Default: after the recurrent product, as in PyTorch.
    #[config(default = "Reset::After")]
    pub reset: Reset,
    /// What the update gate is a fraction of. Default: the old state, as in PyTorch.
    #[config(default = "Update::Keep")]
    pub update: Update,
    /// The activations. Default: sigmoid gates and a tanh candidate.
    #[config(default = "GruActivations::default()")]
    pub activations: GruActivations,
    /// The arguments of all activations are held within `[−clip, clip]`, as by ONNX's `clip`. The gradient is 0 where
    /// they are. Above 0. Default: no clip.
    pub clip: Option<f64>,
    /// What the cell starts from when no state is given. Default: zeros.
    #[config(default = "InitialState::Zeros")]
    pub initial_state: InitialState,
    /// How the cell normalises. Default: not at all. Recurrent products are not normalised with [`Reset::Before`], which
    /// takes them in two parts: of all norms, it has [`Normalization::SequenceBatch`] alone.
    #[config(default = "Normalization::None")]
    pub normalization: Normalization,
    /// What noise the cell adds in training. Default: none.
    #[config(default = "CellDropout::default()")]
    pub dropout: CellDropout,
}

impl CellConfig for GruConfig {
    type Cell = Gru;

    fn init(&self, device: &Device) -> Gru {
        if let Err(error) = self.validate() {
            panic!("cannot make a GRU: {error}");
        }
        let widths = [self.d_input, self.d_hidden];
        let mut weights = Weights::init(&self.init, widths.into(), Gru::GATES, self.bias, device);
        let is_chrono = matches!(self.init.gate_bias, GateBias::Chrono { .. });
        if is_chrono && self.update == Update::Replace {
            weights.bias_ih = weights.bias_ih.map(|bias| self.with_update_negated(bias));
        }
        Gru {
            weights,
            initial: LearnedState::init(self.initial_state, &[self.d_hidden], device),
            extras: Extras::init(
                self.normalization,
                self.dropout,
                3 * self.d_hidden,
                None,
                device,
            ),
            reset: self.reset,
            update: self.update,
            activations: self.activations,
            clip: self.clip,
        }
    }

    fn with_input(&self, d_input: usize) -> Self {
        Self {
            d_input,
            ..self.clone()
        }
    }

    fn with_units(&self, d_hidden: usize) -> Self {
        Self {
            d_hidden,
            ..self.clone()
        }
    }

    fn d_input(&self) -> usize {
        self.d_input
    }

    fn d_output(&self) -> usize {
        self.d_hidden
    }

    fn validate(&self) -> Result<(), CellConfigError> {
        CellConfigError::check_widths([self.d_input, self.d_hidden])?;
        CellConfigError::check_clip("clip", self.clip)?;
        self.activations.gate.validate()?;
        self.activations.candidate.validate()?;
        self.normalization.validate()?;
        self.dropout.validate(NoisyParts {
            candidate: true,
            cell: false,
        })?;
        if self.normalization.is_within_steps() && self.reset == Reset::Before {
            return Err(CellConfigError::Options {
                option: "a norm of the recurrent product",
                other: "reset before it",
                reason: "the product is taken in two parts; set reset to after, or take a sequence-wise norm",
            });
        }
        Ok(self.init.validate_for(Gru::GATES)?)
    }
}

impl GruConfig {
    /// The GRU with reset before the recurrent product and `h′ = (1 − z) ⊙ h + z ⊙ n`, as surveys usually print it.
    ///
    /// ```text
    /// r  = σ(x W_xr + h W_hr + b_r)
    /// z  = σ(x W_xz + h W_hz + b_z)
    /// n  = tanh(x W_xn + (r ⊙ h) W_hn + b_n)
    /// h′ = (1 − z) ⊙ h + z ⊙ n
    /// ```
    ///
    /// Some write further terms `c W_c·` with a cell state c. A GRU has none: c is then the hidden state of the step
    /// before, and `W_c·` adds to `W_h·`.
    pub fn article(d_input: usize, d_hidden: usize) -> Self {
        Self::new(d_input, d_hidden)
            .with_reset(Reset::Before)
            .with_update(Update::Replace)
    }

    /// The same bias with the update gate's block negated.
    fn with_update_negated(&self, bias: Param<Tensor<1>>) -> Param<Tensor<1>> {
        let update = s![self.d_hidden..2 * self.d_hidden];
        bias.map(|bias| {
            let negated = bias.clone().slice(update).neg();
            bias.slice_assign(update, negated)
        })
    }
}
