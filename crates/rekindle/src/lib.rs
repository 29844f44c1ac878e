//! The recurrent-network toolkit for Burn: cells, training, data.
