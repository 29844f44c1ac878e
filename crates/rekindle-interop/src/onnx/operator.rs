//! A node as a network.

use burn::module::Module;
use burn::nn::DropoutConfig;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rekindle_cells::{
    Cell, Direction, Layer, Layout, Sequences, Stack, StackConfig, StackState, State,
};

use super::cell::sealed::OperatorState;
use super::{Attributes, OnnxCell, OperatorError, Tensors};

/// An `RNN`, `GRU` or `LSTM` node of ONNX, as a network of one layer: `Operator<Elman>`, `Operator<Gru>`,
/// `Operator<Lstm>`.
///
/// It is a Burn module, so that it can be trained, saved, and moved.
///
/// # Differences
/// None from the specification, <https://onnx.ai/onnx/operators/onnx__LSTM.html>, where that is unambiguous. What it leaves
/// open is as in ONNX Runtime:
/// - A row of length 0 ends with states of zero, where cells of their own keep the initial state.
/// - `reverse` reads each row from its own last valid step.
/// - `clip` acts on the arguments of gates and candidates, not on the cell state of an `LSTM` on its way out.
/// - `ThresholdedRelu` at α is 0.
///
/// Not as in ONNX Runtime: `ThresholdedRelu` has a default α of 1, that of ONNX's operator, instead of 0. `Affine` and
/// `ScaledTanh` without α or β are refused; there they are 0 everywhere. `layout` 1 works; there it is refused. A `clip` of
/// an `RNN` has to be above 0, too.
///
/// # Examples
/// A `GRU` node with `W` of 3 gates, 4 hidden units and 2 inputs:
/// ```
/// use burn::tensor::{Tensor, TensorData};
/// use rekindle_cells::Gru;
/// use rekindle_interop::onnx::{Attributes, Inputs, Operator, Tensors};
///
/// let device = Default::default();
/// let tensors = Tensors {
///     w: TensorData::new(vec![0.1_f32; 24], [1, 12, 2]),
///     r: TensorData::new(vec![0.2_f32; 48], [1, 12, 4]),
///     b: None,
///     p: None,
/// };
/// let gru = Operator::<Gru>::new(&Attributes::default(), tensors, &device).unwrap();
///
/// let x = Tensor::<3>::ones([5, 3, 2], &device); // [seq, batch, d_input]
/// let outputs = gru.run(Inputs::new(x).with_lengths(vec![5, 2, 0]));
/// assert_eq!(outputs.y.dims(), [5, 1, 3, 4]); // [seq, directions, batch, d_hidden]
/// assert_eq!(outputs.y_h.dims(), [1, 3, 4]); // [directions, batch, d_hidden]
/// ```
#[derive(Module, Debug)]
pub struct Operator<C: Cell> {
    /// The network: one layer.
    pub stack: Stack<C>,
    /// Time first (`layout` 0) or batch first (`layout` 1).
    #[module(skip)]
    pub layout: Layout,
}

/// The inputs of a node besides its weights. They hold the same type as the weights.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `X`: `[seq, batch, d_input]`, or `[batch, seq, d_input]` with `layout` 1.
    pub x: Tensor<3>,
    /// `sequence_lens`: one a row. `None`: all steps.
    pub sequence_lens: Option<Vec<usize>>,
    /// `initial_h`: `[directions, batch, d_hidden]`, or `[batch, directions, d_hidden]` with `layout` 1. `None`: zeros.
    pub initial_h: Option<Tensor<3>>,
    /// `initial_c` of an `LSTM`, as `initial_h`. `None`: zeros.
    pub initial_c: Option<Tensor<3>>,
}

impl Inputs {
    /// Sequences without padding, from a state of zeros.
    pub fn new(x: Tensor<3>) -> Self {
        Self {
            x,
            sequence_lens: None,
            initial_h: None,
            initial_c: None,
        }
    }

    /// With a length for each row.
    pub fn with_lengths(mut self, sequence_lens: Vec<usize>) -> Self {
        self.sequence_lens = Some(sequence_lens);
        self
    }

    /// From another hidden state.
    pub fn with_hidden(mut self, initial_h: Tensor<3>) -> Self {
        self.initial_h = Some(initial_h);
        self
    }

    /// From another cell state.
    pub fn with_cell(mut self, initial_c: Tensor<3>) -> Self {
        self.initial_c = Some(initial_c);
        self
    }
}

/// The outputs of a node.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `Y`: `[seq, directions, batch, d_hidden]`, or `[batch, seq, directions, d_hidden]` with `layout` 1; zero in padding.
    pub y: Tensor<4>,
    /// `Y_h`, each row's hidden state after its last step: `[directions, batch, d_hidden]`, or
    /// `[batch, directions, d_hidden]` with `layout` 1; zero in rows of length 0.
    pub y_h: Tensor<3>,
    /// `Y_c` of an `LSTM`, the cell state, as `Y_h`.
    pub y_c: Option<Tensor<3>>,
}

impl<C: OnnxCell> Operator<C> {
    /// Makes the network of a node from its attributes and weights, on a device, in the type of the weights.
    ///
    /// # Errors
    /// If an attribute has a value that the operator does not take, or the shapes or types of the tensors do not belong
    /// together.
    pub fn new(
        attributes: &Attributes,
        tensors: Tensors,
        device: &Device,
    ) -> Result<Self, OperatorError> {
        let direction = attributes.direction()?;
        let layout = match attributes.is_batch_first()? {
            true => Layout::BatchFirst,
            false => Layout::TimeMajor,
        };
        C::check(attributes, tensors.p.is_some())?;
        let directions = direction.cells();
        let activations = attributes.activations(C::OPERATOR, C::ACTIVATIONS, directions)?;
        let tensors = tensors.check(C::GATES, directions, device)?;
        match attributes.hidden_size {
            Some(found) if usize::try_from(found) != Ok(tensors.d_hidden) => {
                return Err(OperatorError::HiddenSize {
                    found,
                    expected: tensors.d_hidden,
                });
            }
            _ => {}
        }
        let cell =
            |index: usize| C::build(attributes, &tensors, index, &activations[index], device);
        let [forward, reverse] = match direction {
            Direction::Forward => [Some(cell(0)?), None],
            Direction::Reverse => [None, Some(cell(0)?)],
            Direction::Bidirectional => [Some(cell(0)?), Some(cell(1)?)],
        };
        Ok(Self {
            stack: one_layer(Layer { forward, reverse }),
            layout,
        })
    }

    /// Runs the node.
    ///
    /// # Panics
    /// If shapes or types do not belong together, a length is greater than `seq`, `seq` is 0, or `initial_c` is given to a
    /// node that is no `LSTM`.
    pub fn run(&self, inputs: Inputs) -> Outputs {
        let Inputs {
            x,
            sequence_lens,
            initial_h,
            initial_c,
        } = inputs;
        let [batch, _, _] = self.layout.batch_seq_width(x.dims());
        let without_steps = sequence_lens.as_deref().and_then(without_steps);
        let state = self.initial_state(batch, initial_h, initial_c);
        let sequences = self.sequences(x, sequence_lens);
        let (outputs, state) = self.stack.forward_each(sequences, Some(state));

        let states = state.layers.into_iter().flatten();
        let states: Vec<C::State> = states
            .map(|state| match &without_steps {
                Some(rows) => state.map(|tensor| clear(tensor, rows)),
                None => state,
            })
            .collect();
        let (direction_of_output, direction_of_state) = self.direction_axes();
        let hidden = states.iter().map(State::hidden).collect();
        let cells: Option<Vec<_>> = states.iter().map(OperatorState::cell_state).collect();
        Outputs {
            y: Tensor::stack(outputs, direction_of_output),
            y_h: Tensor::stack(hidden, direction_of_state),
            y_c: cells.map(|cells| Tensor::stack(cells, direction_of_state)),
        }
    }

    /// Which axis counts the directions in `Y`, and which in states.
    fn direction_axes(&self) -> (usize, usize) {
        match self.layout {
            Layout::TimeMajor => (1, 0),
            Layout::BatchFirst => (2, 1),
        }
    }

    fn sequences(&self, x: Tensor<3>, lengths: Option<Vec<usize>>) -> Sequences {
        match (self.layout, lengths) {
            (Layout::TimeMajor, lengths) => Sequences::time_major(x, lengths),
            (Layout::BatchFirst, Some(lengths)) => Sequences::padded(x, lengths),
            (Layout::BatchFirst, None) => x.into(),
        }
    }

    fn initial_state(
        &self,
        batch: usize,
        hidden: Option<Tensor<3>>,
        cell: Option<Tensor<3>>,
    ) -> StackState<C::State> {
        let zeros = self.stack.zero_state(batch);
        let (_, axis) = self.direction_axes();
        let of_direction = |tensor: &Option<Tensor<3>>, direction: usize| {
            let tensor = tensor.clone()?.narrow(axis, direction, 1);
            Some(tensor.squeeze_dim::<2>(axis))
        };
        let zeros: Vec<C::State> = zeros.layers.into_iter().flatten().collect();
        assert!(
            cell.is_none() || zeros[0].cell_state().is_some(),
            "{} has no initial_c, expected none",
            C::OPERATOR
        );
        for (name, tensor) in [("initial_h", &hidden), ("initial_c", &cell)] {
            let width = zeros[0].hidden().dims()[1];
            let expected = match self.layout {
                Layout::TimeMajor => [zeros.len(), batch, width],
                Layout::BatchFirst => [batch, zeros.len(), width],
            };
            let found = tensor.as_ref().map_or(expected, Tensor::dims);
            assert!(
                found == expected,
                "{name} has shape {found:?}, expected {expected:?}"
            );
        }
        let states = zeros.into_iter().enumerate().map(|(direction, zeros)| {
            let [hidden, cell] = [&hidden, &cell].map(|tensor| of_direction(tensor, direction));
            zeros.with(hidden, cell)
        });
        StackState {
            layers: vec![states.collect()],
        }
    }
}

/// A stack of one layer.
fn one_layer<C: Cell>(layer: Layer<C>) -> Stack<C> {
    let StackConfig {
        dropout,
        merge,
        connections,
        ..
    } = StackConfig::new();
    Stack {
        layers: vec![layer],
        dropout: DropoutConfig::new(dropout).init(),
        merge,
        connections,
    }
}

/// True in rows of length 0, if there are any.
fn without_steps(lengths: &[usize]) -> Option<Vec<bool>> {
    lengths
        .contains(&0)
        .then(|| lengths.iter().map(|&length| length == 0).collect())
}

/// Zero in the rows that are true.
fn clear(tensor: Tensor<2>, rows: &[bool]) -> Tensor<2> {
    let shape = tensor.dims();
    let mask = TensorData::new(rows.to_vec(), [rows.len(), 1]);
    let mask = Tensor::<2, Bool>::from_data(mask, &tensor.device());
    tensor.mask_fill(mask.expand(shape), 0.0)
}
