//! The keys of `[regularize]`.

use super::super::fields::{CONSTRAINTS, PENALTIES, Slot};
use super::{Key, key, slot};

pub(super) const KEYS: &[Key] = &[
    key(
        "regularize.dropout.input",
        "0.0",
        "probability of dropping an input of a cell for the whole sequence, in [0, 1) (Gal and Ghahramani, arXiv:1512.05287)",
    ),
    key(
        "regularize.dropout.hidden",
        "0.0",
        "the same for the hidden state on its way into the recurrent product",
    ),
    key(
        "regularize.dropout.output",
        "0.0",
        "the same for the outputs of a layer",
    ),
    key(
        "regularize.dropout.candidate",
        "0.0",
        "of \"lstm\" and \"gru\": probability of dropping a number of the candidate, in [0, 1); nothing stored is lost (Semeniuta et al., arXiv:1603.05118)",
    ),
    key(
        "regularize.dropout.candidate_per",
        "\"step\"",
        "how long the candidate's mask stays the same: \"step\" or \"sequence\"",
    ),
    key(
        "regularize.dropout.zoneout_hidden",
        "0.0",
        "probability that a hidden state stays as it is at a step, in [0, 1); 0.05 in Krueger et al., arXiv:1606.01305",
    ),
    key(
        "regularize.dropout.zoneout_cell",
        "0.0",
        "of \"lstm\": the same for a cell state; 0.5 in the same paper",
    ),
    key(
        "regularize.dropout.weight",
        "0.0",
        "probability of dropping a recurrent weight for a whole batch, in [0, 1); 0.5 in Merity et al., arXiv:1708.02182",
    ),
    key(
        "regularize.activation",
        "0.0",
        "penalty on the mean square of the last layer's outputs after dropout, at least 0; 2 in Merity et al., arXiv:1708.02182",
    ),
    key(
        "regularize.temporal_activation",
        "0.0",
        "the same on their change from step to step, before dropout; 1 in the same paper",
    ),
    slot(
        "regularize.penalties",
        "[]",
        "penalties on weights: a list of tables with kind, strength, targets",
        Slot::List(PENALTIES),
    ),
    key(
        "regularize.penalties[].kind",
        "(required)",
        "\"l1\", magnitudes; \"l2\", half the squares; \"rows\" or \"columns\", their norms (group lasso, Yuan and Lin, doi:10.1111/j.1467-9868.2005.00532.x)",
    ),
    key(
        "regularize.penalties[].strength",
        "(required)",
        "factor of the sum, at least 0",
    ),
    key(
        "regularize.penalties[].targets",
        "(required)",
        "patterns of parameter names, such as [\"weight_ih\", \"weight_hh\"]; one after \"!\" takes out again",
    ),
    key(
        "regularize.units",
        "0.0",
        "penalty on the norm of all weights that make or read a hidden unit, at least 0, so that whole units empty and `rekindle prune --units-below` takes them out (Wen et al., arXiv:1709.05027)",
    ),
    slot(
        "regularize.constraints",
        "[]",
        "what weights have to be after steps of the optimiser: a list of tables with kind, its numbers, targets",
        Slot::List(CONSTRAINTS),
    ),
    key(
        "regularize.constraints[].kind",
        "(required)",
        "\"max_norm\", \"unit_norm\", \"non_negative\", \"spectral_norm\", \"spectral_radius\" or \"orthogonal\"",
    ),
    key(
        "regularize.constraints[].max",
        "(required)",
        "of \"max_norm\", \"spectral_norm\" and \"spectral_radius\": the bound, above 0",
    ),
    key(
        "regularize.constraints[].axis",
        "0",
        "of \"max_norm\" and \"unit_norm\": the dimension over which a norm is taken; 0 for columns, all weights that enter a unit",
    ),
    key(
        "regularize.constraints[].per",
        "\"block\"",
        "of \"spectral_norm\": \"block\", the recurrent weights of each gate, or the whole \"matrix\"",
    ),
    key(
        "regularize.constraints[].targets",
        "(required)",
        "as those of penalties",
    ),
    key(
        "regularize.constrain_every",
        "1",
        "steps from one projection onto the constraints to the next, at least 1; the last step of an epoch always has one",
    ),
];
