//! PyTorch's names of layers and directions.

use super::StateDict;

/// How the parameters of a recurrent module are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// `weight_ih_l0`, `weight_ih_l0_reverse`: `nn.RNN`, `nn.LSTM`, `nn.GRU`.
    Layers,
    /// `weight_ih`: `nn.RNNCell`, `nn.LSTMCell`, `nn.GRUCell`.
    Cell,
}

impl Naming {
    /// How the module under a prefix is named, if there is one.
    pub(super) fn of(dict: &StateDict, prefix: &str) -> Option<Self> {
        [Self::Layers, Self::Cell].into_iter().find(|naming| {
            let name = format!("{prefix}weight_ih{}", naming.suffix(0, false));
            dict.entries.contains_key(&name)
        })
    }

    /// What stands behind the name of a parameter.
    pub(super) fn suffix(self, layer: usize, reverse: bool) -> String {
        let direction = if reverse { "_reverse" } else { "" };
        match self {
            Self::Layers => format!("_l{layer}{direction}"),
            Self::Cell => String::new(),
        }
    }
}
