//! Where the hidden units of a layer stand in the tensors of a network.
