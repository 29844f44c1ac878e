//! The simple recurrent network: Elman, *Finding Structure in Time*, 1990,
//! <https://doi.org/10.1207/s15516709cog1402_1>.

use std::fmt::Debug;

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme};
use rekindle_kernels::{Equations, Lane, Order, StepGradients};
use rekindle_regularize::units::UnitAxis;

use crate::activation::{Activation, Clipped};
use crate::units::common_axes;
use crate::{
    Cell, CellConfig, CellConfigError, CellDropout, Extras, InitialState, LearnedState, NoisyParts,
    Normalization, Sequences, Weights,
};

/// Configuration of an [`Elman`] cell.
#[derive(Config, Debug)]
pub struct ElmanConfig {
    /// Width of the input, at least 1.
    pub d_input: usize,
    /// Width of the hidden state, at least 1.
    pub d_hidden: usize,
    /// The activation. Default: tanh, as in PyTorch. With ReLU states can grow without bound: start from
    /// [`RecurrentScheme::irnn`] (Le et al., 2015) and clip gradients.
    #[config(default = "Activation::Tanh")]
    pub activation: Activation,
    /// Whether the affine maps have biases. Default: true, as in PyTorch.
    #[config(default = true)]
    pub bias: bool,
    /// What weights and biases are drawn from. Default: [`RecurrentScheme::default`].
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
    /// The argument of the activation is held within `[−clip, clip]`, as by ONNX's `clip`. The gradient is 0 where it
    /// is. Above 0. Default: no clip.
    pub clip: Option<f64>,
    /// What the cell starts from when no state is given. Default: zeros.
    #[config(default = "InitialState::Zeros")]
    pub initial_state: InitialState,
    /// How the cell normalises. Default: not at all.
    #[config(default = "Normalization::None")]
    pub normalization: Normalization,
    /// What noise the cell adds in training. Default: none.
    #[config(default = "CellDropout::default()")]
    pub dropout: CellDropout,
}

impl CellConfig for ElmanConfig {
    type Cell = Elman;

    fn init(&self, device: &Device) -> Elman {
        if let Err(error) = self.validate() {
            panic!("cannot make an Elman cell: {error}");
        }
        let widths = [self.d_input, self.d_hidden];
        Elman {
            weights: Weights::init(&self.init, widths.into(), Elman::GATES, self.bias, device),
            initial: LearnedState::init(self.initial_state, &[self.d_hidden], device),
            extras: Extras::init(
                self.normalization,
                self.dropout,
                self.d_hidden,
                None,
                device,
            ),
            activation: self.activation,
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
        self.activation.validate()?;
        self.normalization.validate()?;
        self.dropout.validate(NoisyParts {
            candidate: false,
            cell: false,
        })?;
        Ok(self.init.validate_for(Elman::GATES)?)
    }
}

/// The equations of an [`Elman`] cell.
#[derive(Clone, Debug)]
pub struct ElmanEquations {
    /// The activation φ.
    pub activation: Activation,
    /// What its argument is held within.
    pub clip: Option<f64>,
}

impl ElmanEquations {
    fn activation(&self) -> Clipped {
        Clipped {
            activation: self.activation,
            clip: self.clip,
        }
    }
}

impl Equations for ElmanEquations {
    type Gates<T: Clone + Debug> = [T; 1];
    type States<T: Clone + Debug> = [T; 1];
    /// The pre-activation.
    type Saved<T: Clone + Debug> = [T; 1];
    type Units<T: Clone + Debug> = [T; 0];

    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x]: [V; 1],
        [h]: [V; 1],
        _old: [V; 1],
        []: [V; 0],
    ) -> ([V; 1], [V; 1]) {
        let a = x + h;
        ([self.activation().value(a.clone())], [a])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [a]: [V; 1],
        _old: [V; 1],
        [h]: [V; 1],
        []: [V; 0],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let state = grad.zero();
        let d = grad * self.activation().slope(a, h);
        StepGradients::new([d.clone()], [d], [state], [])
    }
}

/// An Elman cell, PyTorch's `RNN`.
///
/// ```text
/// h′ = φ(x W_ih + b_ih + h W_hh + b_hh)   with φ the activation
/// ```
///
/// # References
/// Elman, 1990, <https://doi.org/10.1207/s15516709cog1402_1>; with ReLU and the identity as first recurrent weights: Le
/// et al., *A Simple Way to Initialize Recurrent Networks of Rectified Linear Units*, 2015,
/// <https://arxiv.org/abs/1504.00941>.
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_cells::{CellConfig, Activation, ElmanConfig, Recurrent, RecurrentScheme};
///
/// let device = Device::default();
/// let irnn = ElmanConfig::new(3, 8)
///     .with_activation(Activation::Relu)
///     .with_init(RecurrentScheme::irnn())
///     .init(&device);
/// let (output, _) = irnn.forward(Tensor::<3>::ones([2, 5, 3], &device), None);
/// assert_eq!(output.dims(), [2, 5, 8]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Elman {
    /// Weights and biases.
    pub weights: Weights,
    /// The initial hidden state, if it is learned.
    pub initial: Option<LearnedState>,
    /// Norms and dropouts.
    pub extras: Extras,
    /// The activation.
    #[module(skip)]
    pub activation: Activation,
    /// What its argument is held within.
    #[module(skip)]
    pub clip: Option<f64>,
}

impl Elman {
    /// The one packed gate.
    pub const GATES: &[Gate] = &[Gate::Candidate];

    fn equations(&self) -> ElmanEquations {
        ElmanEquations {
            activation: self.activation,
            clip: self.clip,
        }
    }
}

impl Cell for Elman {
    type State = Tensor<2>;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn unit_axes(&self) -> Vec<UnitAxis> {
        let Self {
            weights,
            extras,
            initial,
            ..
        } = self;
        common_axes(weights, extras, initial.as_ref(), self.units(), false)
    }

    fn extras_mut(&mut self) -> Option<&mut Extras> {
        Some(&mut self.extras)
    }

    fn zero_state(&self, batch: usize) -> Tensor<2> {
        self.weights.zeros(batch, self.d_hidden())
    }

    fn initial_state(&self, batch: usize) -> Tensor<2> {
        match &self.initial {
            Some(learned) => learned.rows(0, batch),
            None => self.zero_state(batch),
        }
    }

    fn gates(&self, x: Tensor<2>, hidden: &Tensor<2>) -> Vec<(Gate, Tensor<2>)> {
        match self.activation {
            Activation::Tanh => vec![(Gate::Candidate, self.step(x, hidden.clone()))],
            _ => Vec::new(),
        }
    }

    fn scan(&self, input: Sequences, hidden: Tensor<2>, order: Order) -> (Tensor<3>, Tensor<2>) {
        let parameters = self.weights.parameters();
        let equations = self.equations();
        let (output, [hidden]) = (self.extras).scan(&equations, parameters, input, [hidden], order);
        (output, hidden)
    }
}

impl ModuleDisplay for Elman {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("d_input", &self.weights.d_input())
            .add("d_hidden", &self.weights.d_hidden())
            .add_debug_attribute("activation", &self.activation)
            .add("bias", &self.weights.has_bias())
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_by_hand() {
        let with = |activation| ElmanEquations {
            activation,
            clip: None,
        };
        let ([h], _) = with(Activation::Tanh).forward([0.5], [0.4], [9.0_f64], []);
        assert!((h - 0.716_297_870_199_024_5).abs() < 1e-12, "{h}");

        let relu = with(Activation::Relu);
        assert_eq!(relu.forward([0.5], [0.25], [9.0], []).0, [0.75]);
        assert_eq!(relu.forward([0.5], [-0.75], [9.0], []).0, [0.0]);
    }

    #[test]
    fn display() {
        let elman = ElmanConfig::new(3, 8).init(&Default::default());
        assert_eq!(
            format!("{elman}"),
            "Elman {d_input: 3, d_hidden: 8, activation: Tanh, bias: true, params: 104}"
        );
    }
}
