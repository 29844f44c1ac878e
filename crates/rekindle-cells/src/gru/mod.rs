//! The gated recurrent unit: Cho et al., *Learning Phrase Representations using RNN Encoder–Decoder for Statistical
//! Machine Translation*, 2014, <https://arxiv.org/abs/1406.1078>.

mod config;
mod equations;
mod options;
#[cfg(test)]
mod tests;
mod variant;

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::Tensor;
use rekindle_init::Gate;
use rekindle_kernels::{Equations, Order};
use rekindle_regularize::units::UnitAxis;

pub use config::GruConfig;
pub use equations::GruEquations;
pub use options::{GruActivations, Reset, Update};
pub use variant::GruVariant;

use crate::units::common_axes;
use crate::{Cell, Extras, LearnedState, Sequences, Weights};

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
/// Options change these lines ([`GruConfig`]), with φ_g and φ_n the [activations](GruActivations) in place of σ and
/// tanh, and their arguments clipped if there is a clip:
///
/// ```text
/// n  = φ_n(n_x + (r ⊙ h) W_hn + b_hn)   reset before the recurrent product
/// h′ = (1 − z) ⊙ h + z ⊙ n              update by replacing
/// ```
///
/// # Differences
/// Without options the equations are PyTorch's. The paper resets before the recurrent product, which takes a product
/// of its own after the gates: [`Reset::Before`].
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
    /// The initial hidden state, if it is learned.
    pub initial: Option<LearnedState>,
    /// Norms and dropouts.
    pub extras: Extras,
    /// Where the reset gate acts.
    #[module(skip)]
    pub reset: Reset,
    /// What the update gate is a fraction of.
    #[module(skip)]
    pub update: Update,
    /// The activations.
    #[module(skip)]
    pub activations: GruActivations,
    /// What the arguments of activations are held within.
    #[module(skip)]
    pub clip: Option<f64>,
}

impl Gru {
    /// The packed gates.
    pub const GATES: &[Gate] = &[Gate::Reset, Gate::Update, Gate::Candidate];

    /// Whether the equations are those of [`GruEquations`].
    fn is_plain(&self) -> bool {
        self.reset == Reset::After
            && self.update == Update::Keep
            && self.activations == GruActivations::default()
            && self.clip.is_none()
            && !self.extras.need_options()
    }
}

impl Cell for Gru {
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
        if !self.is_plain() || self.extras.norms.is_some() {
            return Vec::new();
        }
        let products = self.weights.products(x, hidden.clone(), Self::GATES.len());
        let [input, recurrent] =
            [0, 1].map(|part| std::array::from_fn::<_, 3, _>(|gate| products[gate][part].clone()));
        let (_, [r, z, n, _]) = GruEquations.forward(input, recurrent, [hidden.clone()], []);
        Self::GATES.iter().copied().zip([r, z, n]).collect()
    }

    fn scan(&self, input: Sequences, hidden: Tensor<2>, order: Order) -> (Tensor<3>, Tensor<2>) {
        let parameters = self.weights.parameters();
        let (output, [hidden]) = match self.is_plain() {
            true => (self.extras).scan(&GruEquations, parameters, input, [hidden], order),
            false => {
                let variant = GruVariant {
                    reset: self.reset,
                    update: self.update,
                    activations: self.activations,
                    clip: self.clip,
                };
                self.extras
                    .scan(&variant, parameters, input, [hidden], order)
            }
        };
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
        let mut content = content
            .add("d_input", &self.weights.d_input())
            .add("d_hidden", &self.weights.d_hidden())
            .add("bias", &self.weights.has_bias());
        if self.reset != Reset::default() {
            content = content.add("reset", &format!("{:?}", self.reset));
        }
        if self.update != Update::default() {
            content = content.add("update", &format!("{:?}", self.update));
        }
        content.optional()
    }
}
