//! Long short-term memory: Hochreiter and Schmidhuber, *Long Short-Term Memory*, 1997,
//! <https://doi.org/10.1162/neco.1997.9.8.1735>, with the forget gate of Gers et al., 2000.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{DType, Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme};
use rekindle_kernels::{Equations, Lane, Order, StepGradients};

use crate::{Cell, CellConfig, CellConfigError, Sequences, State, Weights};

/// Configuration of an [`Lstm`].
#[derive(Config, Debug)]
pub struct LstmConfig {
    /// Width of the input, at least 1.
    pub d_input: usize,
    /// Width of the hidden state, at least 1.
    pub d_hidden: usize,
    /// Whether the affine maps have biases. Default: true, as in PyTorch.
    #[config(default = true)]
    pub bias: bool,
    /// What weights and biases are drawn from. Default: [`RecurrentScheme::default`], with a forget bias of 1.
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
}

impl CellConfig for LstmConfig {
    type Cell = Lstm;

    fn init(&self, device: &Device) -> Lstm {
        if let Err(error) = self.validate() {
            panic!("cannot make an LSTM: {error}");
        }
        let widths = [self.d_input, self.d_hidden];
        Lstm {
            weights: Weights::init(&self.init, widths, Lstm::GATES, self.bias, device),
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
        Ok(self.init.validate_for(Lstm::GATES)?)
    }
}

/// The equations of an [`Lstm`].
#[derive(Clone, Debug)]
pub struct LstmEquations;

impl Equations<4, 2, 4> for LstmEquations {
    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_i, x_f, x_g, x_o]: [V; 4],
        [h_i, h_f, h_g, h_o]: [V; 4],
        [_h, c]: [V; 2],
    ) -> ([V; 2], [V; 4]) {
        let i = (x_i + h_i).sigmoid();
        let f = (x_f + h_f).sigmoid();
        let g = (x_g + h_g).tanh();
        let o = (x_o + h_o).sigmoid();
        let c = f.clone() * c + i.clone() * g.clone();
        let h = o.clone() * c.clone().tanh();
        ([h, c], [i, f, g, o])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [i, f, g, o]: [V; 4],
        [_h, c]: [V; 2],
        [_h_new, c_new]: [V; 2],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<V, 4, 2> {
        let t = c_new.tanh();
        let d_h = grad_h.zero();
        let d_o = grad_h.clone() * t.clone() * o.clone() * o.clone().one_minus();
        let d_c = grad_c + grad_h * o * (t.clone() * t).one_minus();
        let d_i = d_c.clone() * g.clone() * i.clone() * i.clone().one_minus();
        let d_f = d_c.clone() * c * f.clone() * f.clone().one_minus();
        let d_g = d_c.clone() * i * (g.clone() * g).one_minus();
        let gates = [d_i, d_f, d_g, d_o];
        StepGradients {
            input: gates.clone(),
            hidden: gates,
            state: [d_h, d_c * f],
        }
    }
}

/// What an [`Lstm`] carries from step to step: `[batch, d_hidden]` each.
#[derive(Clone, Debug)]
pub struct LstmState {
    /// The cell state c.
    pub cell: Tensor<2>,
    /// The hidden state h.
    pub hidden: Tensor<2>,
}

impl LstmState {
    /// A state from its parts.
    pub fn new(cell: Tensor<2>, hidden: Tensor<2>) -> Self {
        Self { cell, hidden }
    }
}

impl State for LstmState {
    fn zeros(shape: [usize; 2], options: (&Device, DType)) -> Self {
        Self::new(Tensor::zeros(shape, options), Tensor::zeros(shape, options))
    }

    fn hidden(&self) -> Tensor<2> {
        self.hidden.clone()
    }

    fn map(self, mut function: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        Self::new(function(self.cell), function(self.hidden))
    }
}

/// An LSTM cell.
///
/// ```text
/// i, f, g, o = split(x W_ih + b_ih + h W_hh + b_hh)
/// c′ = σ(f) ⊙ c + σ(i) ⊙ tanh(g)
/// h′ = σ(o) ⊙ tanh(c′)
/// ```
///
/// # Differences
/// The equations are PyTorch's, and so is the packing; the default initialisation is not: see [`LstmConfig::init`].
///
/// # References
/// Hochreiter and Schmidhuber, 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>; Gers et al., *Learning to Forget*,
/// 2000, <https://doi.org/10.1162/089976600300015015>.
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use rekindle_cells::{Cell, CellConfig, LstmConfig, Recurrent};
///
/// let device = Device::default();
/// let lstm = LstmConfig::new(3, 8).init(&device);
///
/// let input = Tensor::random([2, 5, 3], Distribution::Default, &device);
/// let (output, state) = lstm.forward(input, None);
/// assert_eq!(output.dims(), [2, 5, 8]);
/// let state = lstm.step(Tensor::zeros([2, 3], &device), state);
/// assert_eq!(state.cell.dims(), [2, 8]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Lstm {
    /// Weights and biases, packed `i f g o`.
    pub weights: Weights,
}

impl Lstm {
    /// The packed gates.
    pub const GATES: &[Gate] = &[Gate::Input, Gate::Forget, Gate::Candidate, Gate::Output];
}

impl Cell for Lstm {
    type State = LstmState;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn step(&self, x: Tensor<2>, LstmState { cell, hidden }: LstmState) -> LstmState {
        let [hidden, cell] = self.weights.step(&LstmEquations, x, [hidden, cell]);
        LstmState::new(cell, hidden)
    }

    fn scan(
        &self,
        input: Sequences,
        LstmState { cell, hidden }: LstmState,
        order: Order,
    ) -> (Tensor<3>, LstmState) {
        let (output, [hidden, cell]) =
            self.weights
                .scan(&LstmEquations, input, [hidden, cell], order);
        (output, LstmState::new(cell, hidden))
    }
}

impl ModuleDisplay for Lstm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("d_input", &self.weights.d_input())
            .add("d_hidden", &self.weights.d_hidden())
            .add("bias", &self.weights.has_bias())
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// i = σ(0.75), f = σ(−0.5), g = tanh(1.4), o = σ(0.2), c′ = 0.7 f + i g, h′ = o tanh(c′), by hand.
    #[test]
    fn one_step_by_hand() {
        let (state, saved) = LstmEquations.forward(
            [0.5, -1.0, 0.8, 0.3],
            [0.25, 0.5, 0.6, -0.1],
            [9.0, 0.7_f64],
        );
        let found = saved.into_iter().chain(state);
        let expected = [
            0.679_178_699_175_393,
            0.377_540_668_798_145_4,
            0.885_351_648_202_262_5,
            0.549_833_997_312_478,
            0.384_403_691_547_873_57,
            0.865_590_448_897_504_6,
        ];
        for (found, expected) in found.zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found}, expected {expected}"
            );
        }
    }

    #[test]
    fn open_forget_and_closed_input_gate_keep_the_cell() {
        let ([_, c], _) = LstmEquations.forward([-800.0, 800.0, 5.0, 0.0], [0.0; 4], [0.0, 0.7]);
        assert_eq!(c, 0.7);
    }

    #[test]
    fn display() {
        let lstm = LstmConfig::new(3, 8)
            .with_bias(false)
            .init(&Default::default());
        assert_eq!(
            format!("{lstm}"),
            "Lstm {d_input: 3, d_hidden: 8, bias: false, params: 352}"
        );
    }

    #[test]
    #[should_panic(expected = "cannot make an LSTM: d_input is 0, expected a width of at least 1")]
    fn no_width_of_zero() {
        LstmConfig::new(0, 3).init(&Default::default());
    }
}
