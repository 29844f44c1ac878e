//! Unit variance of the recurrent stack on a batch.

use burn::module::Module;
use rekindle_cells::{Lsuv, LsuvError, Sequences};

use super::{Encoder, Input, Network};

impl Network {
    /// The network with input weights that are scaled by a batch without autodiff: see
    /// [`Stack::lsuv`](rekindle_cells::Stack::lsuv). Noise and what is dropped of the input do not count.
    pub(crate) fn with_unit_variance(
        self,
        input: Input,
        lengths: Vec<usize>,
    ) -> Result<Self, LsuvError> {
        let mut plain = self.valid();
        let data = Sequences::padded(plain.vectors(input), lengths);
        let lsuv = Lsuv::default();
        plain.encoder = match plain.encoder {
            Encoder::Elman(stack) => Encoder::Elman(stack.lsuv(data, &lsuv)?),
            Encoder::Lstm(stack) => Encoder::Lstm(stack.lsuv(data, &lsuv)?),
            Encoder::Gru(stack) => Encoder::Gru(stack.lsuv(data, &lsuv)?),
        };
        Ok(self.load_record(plain.into_record()))
    }
}
