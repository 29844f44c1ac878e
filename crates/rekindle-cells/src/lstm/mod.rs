//! Long short-term memory: Hochreiter and Schmidhuber, *Long Short-Term Memory*, 1997,
//! <https://doi.org/10.1162/neco.1997.9.8.1735>, with the forget gate of Gers et al., 2000.

mod config;
mod equations;
mod options;
mod roles;
mod state;
#[cfg(test)]
mod tests;
mod variant;

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::tensor::Tensor;
use rekindle_init::Gate;
use rekindle_kernels::{Array, Equations, Order, Parameters};
use rekindle_regularize::units::{UnitAxis, UnitRole};

pub use config::LstmConfig;
pub use equations::LstmEquations;
pub use options::{LstmActivations, LstmGates, Peepholes};
pub use state::LstmState;
pub use variant::LstmVariant;

use crate::units::common_axes;
use crate::{Cell, Extras, LearnedState, Sequences, Weights};

/// An LSTM cell.
///
/// ```text
/// i, f, g, o = split(x W_ih + b_ih + h W_hh + b_hh)
/// c′ = σ(f) ⊙ c + σ(i) ⊙ tanh(g)
/// h′ = σ(o) ⊙ tanh(c′)
/// ```
///
/// Options add to these lines ([`LstmConfig`]); in their order, with φ_g, φ_c and φ_h the
/// [activations](LstmActivations) and the arguments of φ_g and φ_c clipped if there is a clip:
///
/// ```text
/// i += p_i ⊙ c,  f += p_f ⊙ c                        diagonal peepholes
/// i += c W_ci,   f += c W_cf,  g += c W_cg           full peepholes
/// i, f, o += [i_old, f_old, o_old] W_gh              gate recurrence
/// f = 1 − φ_g(i),  φ_g(i) = 1,  φ_g(f) = 1           coupled, no input gate, no forget gate
/// c′ = clip(φ_g(f) ⊙ c + φ_g(i) ⊙ φ_c(g))            cell clip
/// o += p_o ⊙ c′,  o += c′ W_co                       diagonal peepholes, full peepholes
/// h′ = (φ_g(o) ⊙ φ_h(c′)) W_hr                       projection; φ_g(o) = 1 without output gate
/// ```
///
/// # Differences
/// Without options the equations are PyTorch's, and so is the packing; the default initialisation is not: see
/// [`LstmConfig::init`]. With projection they are PyTorch's, too, with diagonal peepholes and clip ONNX's.
///
/// # References
/// Hochreiter and Schmidhuber, 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>; Gers et al., *Learning to Forget*,
/// 2000, <https://doi.org/10.1162/089976600300015015>; Greff et al., *LSTM: A Search Space Odyssey*, 2017,
/// <https://arxiv.org/abs/1503.04069>.
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
    /// Weights and biases of the packed gates, `i f g o` without those that are missing.
    pub weights: Weights,
    /// Diagonal peepholes: `[sigmoid gates, d_hidden]`, in packing order.
    pub peepholes: Option<Param<Tensor<2>>>,
    /// Full peepholes: `[d_hidden, gates·d_hidden]`, packed as the other weights.
    pub weight_ch: Option<Param<Tensor<2>>>,
    /// Gate recurrence, from `i f o` of the step before to `i f o`: `[3·d_hidden, 3·d_hidden]`.
    pub weight_gh: Option<Param<Tensor<2>>>,
    /// The projection W_hr: `[d_hidden, d_projected]`.
    pub weight_hr: Option<Param<Tensor<2>>>,
    /// The initial state, if it is learned: of h, of the gates with gate recurrence, of c.
    pub initial: Option<LearnedState>,
    /// Norms and dropouts.
    pub extras: Extras,
    /// Which gates there are.
    #[module(skip)]
    pub gates: LstmGates,
    /// The activations.
    #[module(skip)]
    pub activations: LstmActivations,
    /// What the pre-activations of gates and candidate are held within.
    #[module(skip)]
    pub clip: Option<f64>,
    /// What the cell state is held within.
    #[module(skip)]
    pub cell_clip: Option<f64>,
}

impl Lstm {
    /// The packed gates of an LSTM that has all.
    pub const GATES: &[Gate] = &[Gate::Input, Gate::Forget, Gate::Candidate, Gate::Output];

    /// The width of the cell state.
    pub fn d_cell(&self) -> usize {
        self.weights.weight_ih.dims()[1] / self.gates.packed().len()
    }

    /// Whether the equations are those of [`LstmEquations`].
    fn is_plain(&self) -> bool {
        self.gates == LstmGates::All
            && self.peepholes.is_none()
            && self.weight_ch.is_none()
            && self.weight_gh.is_none()
            && self.activations == LstmActivations::default()
            && self.clip.is_none()
            && self.cell_clip.is_none()
            && !self.extras.need_options()
    }

    fn variant<const GATES: usize, const STATES: usize, const UNITS: usize>(
        &self,
    ) -> LstmVariant<GATES, STATES, UNITS> {
        LstmVariant {
            gates: self.gates,
            peepholes: match (&self.peepholes, &self.weight_ch) {
                (Some(_), _) => Peepholes::Diagonal,
                (_, Some(_)) => Peepholes::Full,
                _ => Peepholes::None,
            },
            activations: self.activations,
            clip: self.clip,
            cell_clip: self.cell_clip,
        }
    }

    fn parameters(&self) -> Parameters {
        let mut parameters = self.weights.parameters();
        if let Some(weight_gh) = &self.weight_gh {
            parameters.weights_hh.extend(by_source(weight_gh.val()));
        }
        let weight_ch = self.weight_ch.as_ref().map(Param::val);
        parameters.weights_hh.extend(weight_ch);
        if let Some(peepholes) = &self.peepholes {
            let peepholes = peepholes.val();
            let row = |gate| peepholes.clone().narrow(0, gate, 1).squeeze_dim(0);
            parameters.units = (0..peepholes.dims()[0]).map(row).collect();
        }
        parameters.projection = self.weight_hr.as_ref().map(Param::val);
        parameters
    }

    fn scan_with<E: Equations>(
        &self,
        equations: &E,
        sequences: Sequences,
        state: LstmState,
        order: Order,
    ) -> (Tensor<3>, LstmState) {
        let found = state.into_vec();
        let expected = <E::States<()> as Array<()>>::LEN;
        assert!(
            found.len() == expected,
            "the state of this LSTM has {expected} tensors, found {}: with gate recurrence it holds the gates",
            found.len()
        );
        let state = E::States::from_fn(|index| found[index].clone());
        let (output, state) =
            (self.extras).scan(equations, self.parameters(), sequences, state, order);
        (output, LstmState::from_slice(state.as_ref()))
    }
}

/// Gate recurrence as recurrent weights of `i`, `f` and `o`, `[d_hidden, 4·d_hidden]` each: none to the candidate.
fn by_source(weight_gh: Tensor<2>) -> Vec<Tensor<2>> {
    let d_hidden = weight_gh.dims()[0] / 3;
    let of_source = |source: usize| {
        let weight = weight_gh.clone().narrow(0, source * d_hidden, d_hidden);
        let before = weight.clone().narrow(1, 0, 2 * d_hidden);
        let output = weight.narrow(1, 2 * d_hidden, d_hidden);
        Tensor::cat(vec![before, output.zeros_like(), output], 1)
    };
    (0..3).map(of_source).collect()
}

impl Cell for Lstm {
    type State = LstmState;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn units(&self) -> usize {
        self.d_cell()
    }

    fn puts_out_units(&self) -> bool {
        self.weight_hr.is_none()
    }

    fn unit_axes(&self) -> Vec<UnitAxis> {
        let units = self.units();
        let gates = self.gates.packed().len();
        let makes = |path: &str, axis: usize, blocks: usize| {
            UnitAxis::new(path, axis, UnitRole::Makes).blocks(blocks, units)
        };
        let reads = |path: &str, blocks: usize| {
            UnitAxis::new(path, 0, UnitRole::Reads).blocks(blocks, units)
        };
        let is_projected = self.weight_hr.is_some();
        let initial = self.initial.as_ref();
        let mut axes = common_axes(&self.weights, &self.extras, initial, units, is_projected);
        if self.peepholes.is_some() {
            axes.push(makes("peepholes", 1, 1));
        }
        if self.weight_ch.is_some() {
            axes.extend([makes("weight_ch", 1, gates), reads("weight_ch", 1)]);
        }
        if self.weight_gh.is_some() {
            axes.extend([makes("weight_gh", 1, 3), reads("weight_gh", 3)]);
        }
        if self.weight_hr.is_some() {
            axes.push(reads("weight_hr", 1));
        }
        axes
    }

    fn extras_mut(&mut self) -> Option<&mut Extras> {
        Some(&mut self.extras)
    }

    fn zero_state(&self, batch: usize) -> LstmState {
        let zeros = |width| self.weights.zeros(batch, width);
        let gates = || std::array::from_fn(|_| zeros(self.d_cell()));
        LstmState {
            cell: zeros(self.d_cell()),
            hidden: zeros(self.weights.d_hidden()),
            gates: self.weight_gh.as_ref().map(|_| gates()),
        }
    }

    fn initial_state(&self, batch: usize) -> LstmState {
        let Some(learned) = &self.initial else {
            return self.zero_state(batch);
        };
        let states: Vec<_> = (0..learned.states.len())
            .map(|index| learned.rows(index, batch))
            .collect();
        LstmState::from_slice(&states)
    }

    fn gates(&self, x: Tensor<2>, state: &LstmState) -> Vec<(Gate, Tensor<2>)> {
        if !self.is_plain() || self.extras.norms.is_some() {
            return Vec::new();
        }
        let products = self
            .weights
            .products(x, state.hidden.clone(), Self::GATES.len());
        let [input, hidden] =
            [0, 1].map(|part| std::array::from_fn::<_, 4, _>(|gate| products[gate][part].clone()));
        let states = [state.hidden.clone(), state.cell.clone()];
        let (_, values) = LstmEquations.forward(input, hidden, states, []);
        Self::GATES.iter().copied().zip(values).collect()
    }

    fn scan(&self, input: Sequences, state: LstmState, order: Order) -> (Tensor<3>, LstmState) {
        match (self.gates, &self.weight_gh) {
            _ if self.is_plain() => self.scan_with(&LstmEquations, input, state, order),
            (LstmGates::All, None) => {
                self.scan_with(&self.variant::<4, 2, 4>(), input, state, order)
            }
            (LstmGates::All, Some(_)) => {
                self.scan_with(&self.variant::<4, 5, 4>(), input, state, order)
            }
            _ => self.scan_with(&self.variant::<3, 2, 3>(), input, state, order),
        }
    }
}

impl ModuleDisplay for Lstm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let mut content = content
            .add("d_input", &self.weights.d_input())
            .add("d_hidden", &self.d_cell())
            .add("bias", &self.weights.has_bias());
        if self.weight_hr.is_some() {
            content = content.add("d_projected", &self.weights.d_hidden());
        }
        let variant = self.variant::<4, 2, 4>();
        if self.gates != LstmGates::All {
            content = content.add("gates", &format!("{:?}", self.gates));
        }
        if variant.peepholes != Peepholes::None {
            content = content.add("peepholes", &format!("{:?}", variant.peepholes));
        }
        if self.weight_gh.is_some() {
            content = content.add("gate_recurrence", &true);
        }
        content.optional()
    }
}
