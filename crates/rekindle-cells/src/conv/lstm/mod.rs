//! The convolutional LSTM: Shi et al., *Convolutional LSTM Network: A Machine Learning Approach for Precipitation
//! Nowcasting*, 2015, <https://arxiv.org/abs/1506.04214>.

mod config;

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::tensor::Tensor;
use rekindle_kernels::{Array, Equations, Order};

pub use config::ConvLstmConfig;

use super::convolution::everywhere;
use super::scan::ConvScan;
use super::{ConvCell, ConvLstmState, ConvWeights, Frame, Frames};
use crate::{LearnedState, LstmActivations, LstmGates, LstmVariant, Peepholes};

/// A convolutional LSTM over frames of rank `D`: see [`ConvLstm1d`](super::ConvLstm1d), [`ConvLstm2d`](super::ConvLstm2d)
/// and [`ConvLstm3d`](super::ConvLstm3d).
///
/// With `*` for a convolution over space and summed channels:
///
/// ```text
/// i, f, g, o = split(x * W_ih + b_ih + h * W_hh + b_hh)
/// c′ = σ(f) ⊙ c + σ(i) ⊙ tanh(g)
/// h′ = σ(o) ⊙ tanh(c′)
/// ```
///
/// All options of [`Lstm`](crate::Lstm) but the projection go with it and change the same lines, their products being
/// convolutions. Shi's peepholes are [`Peepholes::Diagonal`], with a weight for each channel and place:
///
/// ```text
/// i += p_i ⊙ c,  f += p_f ⊙ c,  o += p_o ⊙ c′
/// ```
///
/// # Shapes
/// - sequence: `[batch, seq, d_input, …space]`
/// - output: `[batch, seq, d_hidden, …space of the state]`
/// - state: `[batch, d_hidden, …space of the state]`
///
/// The input's convolution gives the state its size; that of the state keeps it.
///
/// # Differences
/// As all frameworks do, it takes cross-correlations. Keras's `ConvLSTM1D` to `ConvLSTM3D` have neither peepholes nor a
/// second bias, and no padding by default. An initializer sees a gate's kernel as a matrix `[channels·taps, d_hidden]`; for
/// Keras `fan_out` is `4·d_hidden·taps`.
///
/// # References
/// Shi et al., 2015, <https://arxiv.org/abs/1506.04214>.
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use rekindle_cells::conv::{ConvCell, ConvCellConfig, ConvConfig, ConvLstm2dConfig, ConvRecurrent};
/// use rekindle_cells::{LstmConfig, Peepholes};
///
/// let device = Device::default();
/// let cell = LstmConfig::new(3, 8).with_peepholes(Peepholes::Diagonal);
/// let convolution = ConvConfig::new(5.into()).with_space(Some([12, 16].into()));
/// let lstm = ConvLstm2dConfig::new(cell, convolution).init(&device);
///
/// // Four frames of 12 × 16 pixels in three colours.
/// let video = Tensor::<5>::random([2, 4, 3, 12, 16], Distribution::Default, &device);
/// let (output, state) = lstm.forward(video, None);
/// assert_eq!(output.dims(), [2, 4, 8, 12, 16]);
///
/// let state = lstm.step(Tensor::zeros([2, 3, 12, 16], &device), state);
/// assert_eq!(state.cell.dims(), [2, 8, 12, 16]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvLstm<const D: usize> {
    /// Kernels and biases of the packed gates, `i f g o` without those that are missing.
    pub weights: ConvWeights<D>,
    /// Diagonal peepholes: `[sigmoid gates, d_hidden, …space of the state]`, in packing order.
    pub peepholes: Option<Param<Tensor<D>>>,
    /// Full peepholes: `[gates·d_hidden, d_hidden, …state kernel]`, packed as the other weights.
    pub weight_ch: Option<Param<Tensor<D>>>,
    /// Gate recurrence, from `i f o` of the step before to `i f o`: `[3·d_hidden, 3·d_hidden, …state kernel]`.
    pub weight_gh: Option<Param<Tensor<D>>>,
    /// The initial state, if it is learned, the same at each place: of h, of the gates with gate recurrence, of c.
    pub initial: Option<LearnedState>,
    /// Which gates there are.
    #[module(skip)]
    pub gates: LstmGates,
    /// The activations.
    #[module(skip)]
    pub activations: LstmActivations,
    /// What the arguments of activations are held within.
    #[module(skip)]
    pub clip: Option<f64>,
    /// What the cell state is held within.
    #[module(skip)]
    pub cell_clip: Option<f64>,
}

impl<const D: usize> ConvLstm<D> {
    /// How the gates see the cell state.
    fn peephole_kind(&self) -> Peepholes {
        match (&self.peepholes, &self.weight_ch) {
            (Some(_), _) => Peepholes::Diagonal,
            (_, Some(_)) => Peepholes::Full,
            _ => Peepholes::None,
        }
    }

    fn variant<const GATES: usize, const STATES: usize, const UNITS: usize>(
        &self,
    ) -> LstmVariant<GATES, STATES, UNITS> {
        LstmVariant {
            gates: self.gates,
            peepholes: self.peephole_kind(),
            activations: self.activations,
            clip: self.clip,
            cell_clip: self.cell_clip,
        }
    }

    fn scan_with<E: Equations>(
        &self,
        equations: &E,
        frames: Frames<D>,
        state: ConvLstmState<D>,
        order: Order,
    ) -> (Frames<D>, ConvLstmState<D>)
    where
        Tensor<D>: Frame,
    {
        let found = state.into_vec();
        let expected = <E::States<()> as Array<()>>::LEN;
        assert!(
            found.len() == expected,
            "the state of this LSTM has {expected} tensors, found {}: with gate recurrence it holds the gates",
            found.len()
        );
        let mut further = Vec::new();
        if let Some(weight_gh) = &self.weight_gh {
            further.extend(by_source(weight_gh.val()));
        }
        further.extend(self.weight_ch.as_ref().map(Param::val));
        let units = match &self.peepholes {
            Some(peepholes) => rows(peepholes.val()),
            None => Vec::new(),
        };
        let scan = ConvScan {
            equations,
            weights: &self.weights,
            further,
            units,
        };
        let state = E::States::from_fn(|index| found[index].clone());
        let (output, state) = scan.run(frames, state, order);
        (output, ConvLstmState::from_slice(state.as_ref()))
    }
}

/// `[rows, …]` to as many tensors `[1, …]`.
fn rows<const D: usize>(values: Tensor<D>) -> Vec<Tensor<D>> {
    let count = values.dims()[0];
    (0..count)
        .map(|row| values.clone().narrow(0, row, 1))
        .collect()
}

/// Gate recurrence as recurrent kernels of `i`, `f` and `o`, `[4·d_hidden, d_hidden, …kernel]` each: none to the
/// candidate.
fn by_source<const D: usize>(weight_gh: Tensor<D>) -> Vec<Tensor<D>> {
    let d_hidden = weight_gh.dims()[1] / 3;
    let of_source = |source: usize| {
        let weight = weight_gh.clone().narrow(1, source * d_hidden, d_hidden);
        let before = weight.clone().narrow(0, 0, 2 * d_hidden);
        let output = weight.narrow(0, 2 * d_hidden, d_hidden);
        Tensor::cat(vec![before, output.zeros_like(), output], 0)
    };
    (0..3).map(of_source).collect()
}

impl<const D: usize> ConvCell<D> for ConvLstm<D>
where
    Tensor<D>: Frame,
{
    type State = ConvLstmState<D>;

    fn weights(&self) -> &ConvWeights<D> {
        &self.weights
    }

    fn zero_state(&self, batch: usize, space: &[usize]) -> ConvLstmState<D> {
        let zeros = self.weights.zeros(batch, space);
        ConvLstmState {
            cell: zeros.clone(),
            hidden: zeros.clone(),
            gates: self
                .weight_gh
                .as_ref()
                .map(|_| [(); 3].map(|()| zeros.clone())),
        }
    }

    fn initial_state(&self, batch: usize, space: &[usize]) -> ConvLstmState<D> {
        let Some(initial) = &self.initial else {
            return self.zero_state(batch, space);
        };
        let space = self.weights.state_space(space);
        let states: Vec<_> = (0..initial.states.len())
            .map(|index| everywhere(initial.rows(index, batch), &space))
            .collect();
        ConvLstmState::from_slice(&states)
    }

    fn scan(
        &self,
        frames: Frames<D>,
        state: ConvLstmState<D>,
        order: Order,
    ) -> (Frames<D>, ConvLstmState<D>) {
        match (self.gates, &self.weight_gh) {
            (LstmGates::All, None) => {
                self.scan_with(&self.variant::<4, 2, 4>(), frames, state, order)
            }
            (LstmGates::All, Some(_)) => {
                self.scan_with(&self.variant::<4, 5, 4>(), frames, state, order)
            }
            _ => self.scan_with(&self.variant::<3, 2, 3>(), frames, state, order),
        }
    }
}

impl<const D: usize> ModuleDisplay for ConvLstm<D> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let mut content = self.weights.display(content);
        if self.gates != LstmGates::All {
            content = content.add("gates", &format!("{:?}", self.gates));
        }
        if self.peephole_kind() != Peepholes::None {
            content = content.add("peepholes", &format!("{:?}", self.peephole_kind()));
        }
        if self.weight_gh.is_some() {
            content = content.add("gate_recurrence", &true);
        }
        content.optional()
    }
}
