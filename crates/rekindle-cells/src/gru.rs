//! The gated recurrent unit: Cho et al., *Learning Phrase Representations using RNN Encoder–Decoder for Statistical
//! Machine Translation*, 2014, <https://arxiv.org/abs/1406.1078>.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme};
use rekindle_kernels::{Equations, Lane, Order, StepGradients};

use crate::{Cell, CellConfig, CellConfigError, Sequences, Weights};

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
    /// What weights and biases are drawn from. Default: [`RecurrentScheme::default`].
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
}

impl CellConfig for GruConfig {
    type Cell = Gru;

    fn init(&self, device: &Device) -> Gru {
        if let Err(error) = self.validate() {
            panic!("cannot make a GRU: {error}");
        }
        let widths = [self.d_input, self.d_hidden];
        Gru {
            weights: Weights::init(&self.init, widths, Gru::GATES, self.bias, device),
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
        Ok(self.init.validate_for(Gru::GATES)?)
    }
}

/// The equations of a [`Gru`].
#[derive(Clone, Debug)]
pub struct GruEquations;

impl Equations<3, 1, 4> for GruEquations {
    const APART: usize = 1;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_r, x_z, x_n]: [V; 3],
        [h_r, h_z, h_n]: [V; 3],
        [h]: [V; 1],
    ) -> ([V; 1], [V; 4]) {
        let r = (x_r + h_r).sigmoid();
        let z = (x_z + h_z).sigmoid();
        let n = (x_n + r.clone() * h_n.clone()).tanh();
        let h = z.clone().one_minus() * n.clone() + z.clone() * h;
        ([h], [r, z, n, h_n])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [r, z, n, h_n]: [V; 4],
        [h]: [V; 1],
        _new: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<V, 3, 1> {
        let d_z = grad.clone() * (h - n.clone()) * z.clone() * z.clone().one_minus();
        let d_n = grad.clone() * z.clone().one_minus() * (n.clone() * n).one_minus();
        let d_r = d_n.clone() * h_n * r.clone() * r.clone().one_minus();
        StepGradients {
            input: [d_r.clone(), d_z.clone(), d_n.clone()],
            hidden: [d_r, d_z, d_n * r],
            state: [grad * z],
        }
    }
}

/// A GRU cell.
///
/// ```text
/// r, z, n_x = split(x W_ih + b_ih)
/// r, z, n_h = split(h W_hh + b_hh)   (added to r and z above)
/// r  = σ(r)
/// z  = σ(z)
/// n  = tanh(n_x + r ⊙ n_h)
/// h′ = (1 − z) ⊙ n + z ⊙ h
/// ```
///
/// # Differences
/// The equations are PyTorch's. The paper multiplies by the reset gate before the recurrent product, `W_hn (r ⊙ h)`,
/// which needs a second product in each step.
///
/// # References
/// Cho et al., 2014, <https://arxiv.org/abs/1406.1078>; Chung et al., 2014, <https://arxiv.org/abs/1412.3555>.
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use rekindle_cells::{Cell, CellConfig, GruConfig, Recurrent};
///
/// let device = Device::default();
/// let gru = GruConfig::new(3, 8).init(&device);
///
/// // A whole sequence, and a single step that continues it.
/// let (output, hidden) = gru.forward(Tensor::random([2, 5, 3], Distribution::Default, &device), None);
/// assert_eq!(output.dims(), [2, 5, 8]);
/// let hidden = gru.step(Tensor::zeros([2, 3], &device), hidden);
/// assert_eq!(hidden.dims(), [2, 8]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Gru {
    /// Weights and biases, packed `r z n`.
    pub weights: Weights,
}

impl Gru {
    /// The packed gates.
    pub const GATES: &[Gate] = &[Gate::Reset, Gate::Update, Gate::Candidate];
}

impl Cell for Gru {
    type State = Tensor<2>;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn step(&self, x: Tensor<2>, hidden: Tensor<2>) -> Tensor<2> {
        let [hidden] = self.weights.step(&GruEquations, x, [hidden]);
        hidden
    }

    fn scan(&self, input: Sequences, hidden: Tensor<2>, order: Order) -> (Tensor<3>, Tensor<2>) {
        let (output, [hidden]) = self.weights.scan(&GruEquations, input, [hidden], order);
        (output, hidden)
    }
}

impl ModuleDisplay for Gru {
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

    /// r = σ(0.5 + 0.25), z = σ(−1 + 0.5), n = tanh(0.8 + r · 0.6), h′ = (1 − z) n + 0.4 z, by hand.
    #[test]
    fn one_step_by_hand() {
        let ([h], saved) = GruEquations.forward([0.5, -1.0, 0.8], [0.25, 0.5, 0.6], [0.4_f64]);
        let expected_saved = [
            0.679_178_699_175_393,
            0.377_540_668_798_145_4,
            0.835_930_174_850_489_3,
            0.6,
        ];
        for (found, expected) in saved.into_iter().zip(expected_saved) {
            assert!(
                (found - expected).abs() < 1e-9,
                "{found}, expected {expected}"
            );
        }
        assert!((h - 0.671_348_805_088_143_1).abs() < 1e-9, "{h}");
    }

    #[test]
    fn update_gate_at_one_keeps_the_state() {
        let ([h], _) = GruEquations.forward([0.0, 800.0, 5.0], [0.0; 3], [0.4_f64]);
        assert_eq!(h, 0.4);
    }

    #[test]
    fn display() {
        let gru = GruConfig::new(3, 8).init(&Default::default());
        assert_eq!(
            format!("{gru}"),
            "Gru {d_input: 3, d_hidden: 8, bias: true, params: 312}"
        );
    }

    #[test]
    #[should_panic(expected = "cannot make a GRU: d_hidden is 0, expected a width of at least 1")]
    fn no_width_of_zero() {
        GruConfig::new(3, 0).init(&Default::default());
    }
}
