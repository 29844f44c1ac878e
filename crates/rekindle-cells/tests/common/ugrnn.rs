//! The cell of the book's page on new cells, <../../../docs/src/new-cell.md>: a cell that is not shipped, in one file.

use std::fmt::Debug;

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rekindle_cells::{
    Cell, CellConfig, CellConfigError, Equations, Gate, Lane, Order, RecurrentScheme, Sequences,
    StepGradients, Weights, scan_cell,
};

/// Configuration of a [`Ugrnn`].
#[derive(Config, Debug)]
pub struct UgrnnConfig {
    /// Width of the input, at least 1.
    pub d_input: usize,
    /// Width of the hidden state, at least 1.
    pub d_hidden: usize,
    /// What weights and biases are drawn from.
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
}

impl CellConfig for UgrnnConfig {
    type Cell = Ugrnn;

    fn init(&self, device: &Device) -> Ugrnn {
        if let Err(error) = self.validate() {
            panic!("cannot make an update gate RNN: {error}");
        }
        let widths = [self.d_input, self.d_hidden].into();
        Ugrnn {
            weights: Weights::init(&self.init, widths, Ugrnn::GATES, true, device),
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
        for (name, width) in [("d_input", self.d_input), ("d_hidden", self.d_hidden)] {
            if width == 0 {
                return Err(CellConfigError::Width { name });
            }
        }
        Ok(self.init.validate_for(Ugrnn::GATES)?)
    }
}

/// The equations of a [`Ugrnn`].
#[derive(Clone, Debug)]
pub struct UgrnnEquations;

impl Equations for UgrnnEquations {
    type Gates<T: Clone + Debug> = [T; 2];
    type States<T: Clone + Debug> = [T; 1];
    type Saved<T: Clone + Debug> = [T; 2];
    type Units<T: Clone + Debug> = [T; 0];

    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_z, x_n]: [V; 2],
        [h_z, h_n]: [V; 2],
        [h]: [V; 1],
        []: [V; 0],
    ) -> ([V; 1], [V; 2]) {
        let z = (x_z + h_z).sigmoid();
        let n = (x_n + h_n).tanh();
        let h = z.clone() * h + z.clone().one_minus() * n.clone();
        ([h], [z, n])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [z, n]: [V; 2],
        [h]: [V; 1],
        _new: [V; 1],
        []: [V; 0],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let d_z = grad.clone() * (h - n.clone()) * z.clone() * z.clone().one_minus();
        let d_n = grad.clone() * z.clone().one_minus() * (n.clone() * n).one_minus();
        let gates = [d_z, d_n];
        StepGradients::new(gates.clone(), gates, [grad * z], [])
    }
}

/// An update gate RNN.
#[derive(Module, Debug)]
pub struct Ugrnn {
    /// Weights and biases, packed `z n`.
    pub weights: Weights,
}

impl Ugrnn {
    /// The packed gates. Roles let an initialisation scheme recognise them in any cell.
    pub const GATES: &[Gate] = &[Gate::Update, Gate::Candidate];
}

impl Cell for Ugrnn {
    type State = Tensor<2>;

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn zero_state(&self, batch: usize) -> Tensor<2> {
        self.weights.zeros(batch, self.d_hidden())
    }

    fn scan(&self, input: Sequences, hidden: Tensor<2>, order: Order) -> (Tensor<3>, Tensor<2>) {
        let parameters = self.weights.parameters();
        let (output, [hidden]) = scan_cell(&UgrnnEquations, parameters, input, [hidden], order);
        (output, hidden)
    }
}
