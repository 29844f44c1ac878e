//! The configuration of a convolutional LSTM.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use rekindle_init::Initializer;
use serde::{Deserialize, Serialize};

use super::ConvLstm;
use crate::conv::config::{Convolutions, check_extras};
use crate::conv::convolution::{as_weight, maps};
use crate::conv::{ConvCellConfig, ConvConfig, ConvConfigError, ConvWeights, Frame, PerAxis};
use crate::{CellConfig, CellConfigError, Lstm, LstmConfig, Peepholes};

/// Configuration of a [`ConvLstm`] over frames of rank `D`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConvLstmConfig<const D: usize> {
    /// The cell: channels of input and state (`d_input`, `d_hidden`), initialisation, and all options but the projection.
    pub cell: LstmConfig,
    /// The convolutions in place of its products.
    pub convolution: ConvConfig,
}

impl<const D: usize> Config for ConvLstmConfig<D> {}

impl<const D: usize> ConvLstmConfig<D> {
    /// A cell and its convolutions.
    pub fn new(cell: LstmConfig, convolution: ConvConfig) -> Self {
        Self { cell, convolution }
    }
}

impl<const D: usize> ConvLstmConfig<D>
where
    Tensor<D>: Frame,
{
    /// Checks the configuration and returns its convolutions.
    fn resolve(&self) -> Result<Convolutions, ConvConfigError> {
        self.cell.validate()?;
        check_extras(self.cell.normalization, self.cell.dropout)?;
        if self.cell.d_projected.is_some() {
            return Err(ConvConfigError::Cell(CellConfigError::Options {
                option: "d_projected",
                other: "a convolutional cell",
                reason: "its hidden state has the channels of its cell state; remove d_projected",
            }));
        }
        let widths = [self.cell.d_input, self.cell.d_hidden];
        let convolutions = self.convolution.resolve(Tensor::<D>::AXES, widths)?;
        match (self.cell.peepholes, &convolutions.state_space) {
            (Peepholes::Diagonal, None) => Err(ConvConfigError::NoSpace),
            _ => Ok(convolutions),
        }
    }
}

impl<const D: usize> ConvCellConfig<D> for ConvLstmConfig<D>
where
    Tensor<D>: Frame,
{
    type Cell = ConvLstm<D>;

    fn init(&self, device: &Device) -> ConvLstm<D> {
        let convolutions = match self.resolve() {
            Ok(convolutions) => convolutions,
            Err(error) => panic!("cannot make a convolutional LSTM: {error}"),
        };
        // What has no kernel is that of a cell over vectors: biases, learned states, options.
        let Lstm {
            weights,
            initial,
            gates,
            activations,
            clip,
            cell_clip,
            ..
        } = self.cell.init(device);
        let d_hidden = self.cell.d_hidden;
        let packed = gates.packed();
        let extra = Extra {
            init: &self.cell.peephole_init,
            d_hidden,
            kernel: &convolutions.state_kernel,
            device,
        };
        let peepholes = match (&convolutions.state_space, self.cell.peepholes) {
            (Some(space), Peepholes::Diagonal) => Some(extra.peepholes(packed.len() - 1, space)),
            _ => None,
        };
        let full = self.cell.peepholes == Peepholes::Full;
        let weight_ch = full.then(|| Param::from_tensor(extra.kernel(packed.len())));
        let weight_gh = self.cell.gate_recurrence.then(|| {
            let sources = (0..3).map(|_| extra.kernel(3)).collect();
            Param::from_tensor(Tensor::cat(sources, 1))
        });
        let widths = [self.cell.d_input, d_hidden];
        let init = &self.cell.init;
        ConvLstm {
            weights: ConvWeights::init(init, widths, packed, weights, convolutions, device),
            peepholes,
            weight_ch,
            weight_gh,
            initial,
            gates,
            activations,
            clip,
            cell_clip,
        }
    }

    fn above(&self, channels: usize) -> Self {
        let state_space = match self.resolve() {
            Ok(convolutions) => convolutions.state_space,
            Err(error) => panic!("cannot make a convolutional LSTM: {error}"),
        };
        Self {
            cell: self.cell.with_input(channels),
            convolution: ConvConfig {
                space: state_space.map(PerAxis::Each),
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

/// Draws what an LSTM has beside the kernels of input and hidden state.
struct Extra<'a> {
    init: &'a Initializer,
    d_hidden: usize,
    kernel: &'a [usize],
    device: &'a Device,
}

impl Extra<'_> {
    /// `[rows, d_hidden, …space]`.
    fn peepholes<const D: usize>(&self, rows: usize, space: &[usize]) -> Param<Tensor<D>> {
        let places = space.iter().product::<usize>();
        let values = self
            .init
            .sample([rows, self.d_hidden * places], self.device);
        Param::from_tensor(values.reshape(maps::<D>(rows, self.d_hidden, space)))
    }

    /// A kernel from one state to `gates` gates, each drawn on its own: `[gates·d_hidden, d_hidden, …kernel]`.
    fn kernel<const D: usize>(&self, gates: usize) -> Tensor<D> {
        let rows = self.d_hidden * self.kernel.iter().product::<usize>();
        let of_gate = |_| self.init.sample([rows, self.d_hidden], self.device);
        as_weight(
            Tensor::cat((0..gates).map(of_gate).collect(), 1),
            self.kernel,
        )
    }
}
