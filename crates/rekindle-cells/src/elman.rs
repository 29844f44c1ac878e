//! The simple recurrent network: Elman, *Finding Structure in Time*, 1990,
//! <https://doi.org/10.1207/s15516709cog1402_1>.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme};
use rekindle_kernels::{Equations, Lane, Order, StepGradients};
use serde::{Deserialize, Serialize};

use crate::{Cell, CellConfig, CellConfigError, Sequences, Weights};

/// The activation of an [`Elman`] cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElmanActivation {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// `max(x, 0)`. Its states can grow without bound: start from [`RecurrentScheme::irnn`] (Le et al., 2015) and clip
    /// gradients.
    Relu,
}

/// Configuration of an [`Elman`] cell.
#[derive(Config, Debug)]
pub struct ElmanConfig {
    /// Width of the input, at least 1.
    pub d_input: usize,
    /// Width of the hidden state, at least 1.
    pub d_hidden: usize,
    /// The activation. Default: tanh, as in PyTorch.
    #[config(default = "ElmanActivation::Tanh")]
    pub activation: ElmanActivation,
    /// Whether the affine maps have biases. Default: true, as in PyTorch.
    #[config(default = true)]
    pub bias: bool,
    /// What weights and biases are drawn from. Default: [`RecurrentScheme::default`].
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
}

impl CellConfig for ElmanConfig {
    type Cell = Elman;

    fn init(&self, device: &Device) -> Elman {
        if let Err(error) = self.validate() {
            panic!("cannot make an Elman cell: {error}");
        }
        let widths = [self.d_input, self.d_hidden];
        Elman {
            weights: Weights::init(&self.init, widths, Elman::GATES, self.bias, device),
            activation: self.activation,
        }
    }

    fn with_input(&self, d_input: usize) -> Self {
        Self {
            d_input,
            ..self.clone()
        }
    }

    fn d_hidden(&self) -> usize {
        self.d_hidden
    }

    fn validate(&self) -> Result<(), CellConfigError> {
        CellConfigError::check_widths([self.d_input, self.d_hidden])?;
        Ok(self.init.validate_for(Elman::GATES)?)
    }
}

/// The equations of an [`Elman`] cell.
#[derive(Clone, Debug)]
pub struct ElmanEquations {
    /// The activation φ.
    pub activation: ElmanActivation,
}

impl Equations<1, 1, 0> for ElmanEquations {
    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(&self, [x]: [V; 1], [h]: [V; 1], _old: [V; 1]) -> ([V; 1], [V; 0]) {
        let h = match self.activation {
            ElmanActivation::Tanh => (x + h).tanh(),
            ElmanActivation::Relu => (x + h).relu(),
        };
        ([h], [])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        _saved: [V; 0],
        _old: [V; 1],
        [h]: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<V, 1, 1> {
        let state = grad.zero();
        let d = match self.activation {
            ElmanActivation::Tanh => grad * (h.clone() * h).one_minus(),
            ElmanActivation::Relu => grad.where_positive(h),
        };
        StepGradients {
            input: [d.clone()],
            hidden: [d],
            state: [state],
        }
    }
}

/// An Elman cell, PyTorch's `RNN`.
///
/// ```text
/// h′ = φ(x W_ih + b_ih + h W_hh + b_hh)   with φ = tanh or relu
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
/// use rekindle_cells::{CellConfig, ElmanActivation, ElmanConfig, Recurrent, RecurrentScheme};
///
/// let device = Device::default();
/// let irnn = ElmanConfig::new(3, 8)
///     .with_activation(ElmanActivation::Relu)
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
    /// The activation.
    #[module(skip)]
    pub activation: ElmanActivation,
}

impl Elman {
    /// The one packed gate.
    pub const GATES: &[Gate] = &[Gate::Candidate];

    fn equations(&self) -> ElmanEquations {
        ElmanEquations {
            activation: self.activation,
        }
    }
}

impl Cell for Elman {
    type State = Tensor<2>;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn step(&self, x: Tensor<2>, hidden: Tensor<2>) -> Tensor<2> {
        let [hidden] = self.weights.step(&self.equations(), x, [hidden]);
        hidden
    }

    fn scan(&self, input: Sequences, hidden: Tensor<2>, order: Order) -> (Tensor<3>, Tensor<2>) {
        let (output, [hidden]) = self.weights.scan(&self.equations(), input, [hidden], order);
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
        let tanh = ElmanEquations {
            activation: ElmanActivation::Tanh,
        };
        let ([h], []) = tanh.forward([0.5], [0.4], [9.0_f64]);
        assert!((h - 0.716_297_870_199_024_5).abs() < 1e-12, "{h}");

        let relu = ElmanEquations {
            activation: ElmanActivation::Relu,
        };
        assert_eq!(relu.forward([0.5], [0.25], [9.0]), ([0.75], []));
        assert_eq!(relu.forward([0.5], [-0.75], [9.0]), ([0.0], []));
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
