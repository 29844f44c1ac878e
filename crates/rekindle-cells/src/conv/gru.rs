//! The convolutional GRU: Ballas et al., *Delving Deeper into Convolutional Networks for Learning Video Representations*,
//! 2016, <https://arxiv.org/abs/1511.06432>.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rekindle_kernels::Order;
use serde::{Deserialize, Serialize};

use super::config::{Convolutions, check_extras};
use super::convolution::everywhere;
use super::scan::ConvScan;
use super::{
    ConvCell, ConvCellConfig, ConvConfig, ConvConfigError, ConvWeights, Frame, Frames, PerAxis,
};
use crate::{CellConfig, Gru, GruActivations, GruConfig, GruVariant, LearnedState, Reset, Update};

/// Configuration of a [`ConvGru`] over frames of rank `D`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConvGruConfig<const D: usize> {
    /// The cell: channels of input and state (`d_input`, `d_hidden`), initialisation, and all options.
    pub cell: GruConfig,
    /// The convolutions in place of its products.
    pub convolution: ConvConfig,
}

impl<const D: usize> Config for ConvGruConfig<D> {}

impl<const D: usize> ConvGruConfig<D> {
    /// A cell and its convolutions.
    pub fn new(cell: GruConfig, convolution: ConvConfig) -> Self {
        Self { cell, convolution }
    }
}

impl<const D: usize> ConvGruConfig<D>
where
    Tensor<D>: Frame,
{
    /// Checks the configuration and returns its convolutions.
    fn resolve(&self) -> Result<Convolutions, ConvConfigError> {
        self.cell.validate()?;
        check_extras(self.cell.normalization, self.cell.dropout)?;
        let widths = [self.cell.d_input, self.cell.d_hidden];
        self.convolution.resolve(Tensor::<D>::AXES, widths)
    }

    /// The convolutions of a right configuration.
    fn convolutions(&self) -> Convolutions {
        match self.resolve() {
            Ok(convolutions) => convolutions,
            Err(error) => panic!("cannot make a convolutional GRU: {error}"),
        }
    }
}

impl<const D: usize> ConvCellConfig<D> for ConvGruConfig<D>
where
    Tensor<D>: Frame,
{
    type Cell = ConvGru<D>;

    fn init(&self, device: &Device) -> ConvGru<D> {
        let convolutions = self.convolutions();
        // What has no kernel is that of a cell over vectors: biases, learned states, options.
        let Gru {
            weights,
            initial,
            extras: _,
            reset,
            update,
            activations,
            clip,
        } = self.cell.init(device);
        let widths = [self.cell.d_input, self.cell.d_hidden];
        let init = &self.cell.init;
        ConvGru {
            weights: ConvWeights::init(init, widths, Gru::GATES, weights, convolutions, device),
            initial,
            reset,
            update,
            activations,
            clip,
        }
    }

    fn above(&self, channels: usize) -> Self {
        Self {
            cell: self.cell.with_input(channels),
            convolution: ConvConfig {
                space: self.convolutions().state_space.map(PerAxis::Each),
                ..self.convolution.clone()
            },
        }
    }

    fn d_hidden(&self) -> usize {
        self.cell.d_hidden
    }

    fn validate(&self) -> Result<(), ConvConfigError> {
        self.resolve().map(|_| ())
    }
}

/// A convolutional GRU over frames of rank `D`: see [`ConvGru1d`](super::ConvGru1d), [`ConvGru2d`](super::ConvGru2d) and
/// [`ConvGru3d`](super::ConvGru3d).
///
/// With `*` for a convolution over space and summed channels:
///
/// ```text
/// r, z, n_x = split(x * W_ih + b_ih)
/// r, z, n_h = split(h * W_hh + b_hh)   (added to r and z above)
/// r  = σ(r)
/// z  = σ(z)
/// n  = tanh(n_x + r ⊙ n_h)
/// h′ = (1 − z) ⊙ n + z ⊙ h
/// ```
///
/// All options of [`Gru`] go with it and change the same lines: `n = tanh(n_x + (r ⊙ h) * W_hn + b_hn)` with
/// [`Reset::Before`].
///
/// # Shapes
/// - sequence: `[batch, seq, d_input, …space]`
/// - output: `[batch, seq, d_hidden, …space of the state]`
/// - state: `[batch, d_hidden, …space of the state]`
///
/// The input's convolution gives the state its size; that of the state keeps it.
///
/// # Differences
/// By default the equations are those of [`Gru`], which PyTorch has, too. The paper resets before the product and updates by
/// replacing: [`GruConfig::article`].
///
/// # References
/// Ballas et al., 2016, <https://arxiv.org/abs/1511.06432>.
///
/// # Examples
/// The paper's cell over signals of 40 samples; a stride of 2 halves them.
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use rekindle_cells::GruConfig;
/// use rekindle_cells::conv::{ConvCellConfig, ConvConfig, ConvGru1dConfig, ConvRecurrent, Frames};
///
/// let device = Device::default();
/// let convolution = ConvConfig::new(3.into()).with_stride(2.into());
/// let gru = ConvGru1dConfig::new(GruConfig::article(1, 8), convolution).init(&device);
///
/// let signals = Tensor::<4>::random([2, 5, 1, 40], Distribution::Default, &device);
/// let (output, hidden) = gru.forward(Frames::padded(signals, vec![5, 3]), None);
/// assert_eq!(output.dims(), [2, 5, 8, 20]);
/// assert_eq!(hidden.dims(), [2, 8, 20]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvGru<const D: usize> {
    /// Kernels and biases, packed `r z n`.
    pub weights: ConvWeights<D>,
    /// The initial hidden state, if it is learned, the same at each place.
    pub initial: Option<LearnedState>,
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

impl<const D: usize> ConvCell<D> for ConvGru<D>
where
    Tensor<D>: Frame,
{
    type State = Tensor<D>;

    fn weights(&self) -> &ConvWeights<D> {
        &self.weights
    }

    fn zero_state(&self, batch: usize, space: &[usize]) -> Tensor<D> {
        self.weights.zeros(batch, space)
    }

    fn initial_state(&self, batch: usize, space: &[usize]) -> Tensor<D> {
        match &self.initial {
            Some(initial) => everywhere(initial.rows(0, batch), &self.weights.state_space(space)),
            None => self.zero_state(batch, space),
        }
    }

    fn scan(&self, frames: Frames<D>, hidden: Tensor<D>, order: Order) -> (Frames<D>, Tensor<D>) {
        let scan = ConvScan {
            equations: &GruVariant {
                reset: self.reset,
                update: self.update,
                activations: self.activations,
                clip: self.clip,
            },
            weights: &self.weights,
            further: Vec::new(),
            units: Vec::new(),
        };
        let (output, [hidden]) = scan.run(frames, [hidden], order);
        (output, hidden)
    }
}

impl<const D: usize> ModuleDisplay for ConvGru<D> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let mut content = self.weights.display(content);
        if self.reset != Reset::default() {
            content = content.add("reset", &format!("{:?}", self.reset));
        }
        if self.update != Update::default() {
            content = content.add("update", &format!("{:?}", self.update));
        }
        content.optional()
    }
}
