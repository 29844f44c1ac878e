//! Random combinations of all options of all cells and stacks.

use rekindle_cells::{
    Activation, CellDropout, Connections, Direction, ElmanConfig, GruActivations, GruConfig,
    InitialState, LstmActivations, LstmConfig, LstmGates, Merge, Normalization, Peepholes, Reset,
    StackConfig, Update,
};
use rekindle_kernels::Layout;
use rekindle_testkit::Choices;

use super::activations::ACTIVATIONS;
use super::{AnyCell, Origin, Subject};

/// How many there are: half of them LSTMs, a third GRUs, the rest Elman cells.
pub const COUNT: u64 = 240;

/// All combinations.
pub fn combinations() -> Vec<Subject> {
    (0..COUNT).map(combination).collect()
}

/// The combination of a number. A law that fails says the number; this function gives the same one again.
pub fn combination(number: u64) -> Subject {
    let mut choices = Choices::new(number);
    let d_input = choices.within(1..=9);
    let d_hidden = choices.within(1..=9);
    let cell: AnyCell = match number % 6 {
        0..3 => lstm(&mut choices, d_input, d_hidden).into(),
        3..5 => gru(&mut choices, d_input, d_hidden).into(),
        _ => elman(&mut choices, d_input, d_hidden).into(),
    };
    let stack = stack(&mut choices);
    let (batch, seq) = (choices.within(1..=4), choices.within(1..=6));
    let lengths = choices
        .chance(0.6)
        .then(|| lengths(&mut choices, batch, seq));
    let layout = choices.one_of(&[Layout::BatchFirst, Layout::TimeMajor]);
    Subject {
        origin: Origin::Combination(number),
        cell,
        stack,
        d_input,
        batch,
        seq,
        lengths,
        layout,
        seed: 1000 + number,
        range: 0.4,
    }
}

fn elman(choices: &mut Choices, d_input: usize, d_hidden: usize) -> ElmanConfig {
    ElmanConfig::new(d_input, d_hidden)
        .with_activation(activation(choices, Activation::Tanh))
        .with_bias(choices.chance(0.7))
        .with_clip(clip(choices))
        .with_initial_state(initial_state(choices))
        .with_normalization(normalization(choices, true))
        .with_dropout(zoneout(choices, false))
}

fn gru(choices: &mut Choices, d_input: usize, d_hidden: usize) -> GruConfig {
    let reset = choices.one_of(&[Reset::After, Reset::Before]);
    GruConfig::new(d_input, d_hidden)
        .with_bias(choices.chance(0.7))
        .with_reset(reset)
        .with_update(choices.one_of(&[Update::Keep, Update::Replace]))
        .with_activations(GruActivations {
            gate: activation(choices, Activation::Sigmoid),
            candidate: activation(choices, Activation::Tanh),
        })
        .with_clip(clip(choices))
        .with_initial_state(initial_state(choices))
        .with_normalization(normalization(choices, reset == Reset::After))
        .with_dropout(zoneout(choices, false))
}

fn lstm(choices: &mut Choices, d_input: usize, d_hidden: usize) -> LstmConfig {
    let gates = choices.one_of(&[
        LstmGates::All,
        LstmGates::All,
        LstmGates::Coupled,
        LstmGates::NoInput,
        LstmGates::NoForget,
        LstmGates::NoOutput,
    ]);
    let peepholes = choices.one_of(&[Peepholes::None, Peepholes::Diagonal, Peepholes::Full]);
    let is_projected = d_hidden > 1 && choices.chance(0.4);
    LstmConfig::new(d_input, d_hidden)
        .with_bias(choices.chance(0.7))
        .with_gates(gates)
        .with_peepholes(peepholes)
        .with_gate_recurrence(gates == LstmGates::All && choices.chance(0.5))
        .with_activations(LstmActivations {
            gate: activation(choices, Activation::Sigmoid),
            candidate: activation(choices, Activation::Tanh),
            output: activation(choices, Activation::Tanh),
        })
        .with_d_projected(is_projected.then(|| choices.within(1..=d_hidden - 1)))
        .with_clip(clip(choices))
        .with_cell_clip(clip(choices))
        .with_initial_state(initial_state(choices))
        .with_normalization(normalization(choices, peepholes != Peepholes::Full))
        .with_dropout(zoneout(choices, true))
}

/// Half the time the usual one.
fn activation(choices: &mut Choices, usual: Activation) -> Activation {
    match choices.chance(0.5) {
        true => usual,
        false => choices.one_of(&ACTIVATIONS).1,
    }
}

fn clip(choices: &mut Choices) -> Option<f64> {
    choices
        .chance(0.3)
        .then(|| choices.one_of(&[0.2, 0.5, 0.9]))
}

/// Any norm, within steps only where that is allowed. A large ε keeps norms of few columns smooth.
fn normalization(choices: &mut Choices, within_steps: bool) -> Normalization {
    let (epsilon, momentum, max_steps) = (0.1, 0.6, choices.within(1..=3));
    let all = [
        Normalization::None,
        Normalization::None,
        Normalization::SequenceBatch { momentum, epsilon },
        Normalization::Layer { epsilon },
        Normalization::Rms { epsilon },
        Normalization::Batch {
            max_steps,
            momentum,
            epsilon,
        },
    ];
    choices.one_of(if within_steps { &all[..] } else { &all[..3] })
}

fn zoneout(choices: &mut Choices, has_cell: bool) -> CellDropout {
    let mut prob = |is_there: bool| match is_there && choices.chance(0.3) {
        true => choices.one_of(&[0.1, 0.5]),
        false => 0.0,
    };
    CellDropout {
        zoneout_hidden: prob(true),
        zoneout_cell: prob(has_cell),
        ..CellDropout::default()
    }
}

fn initial_state(choices: &mut Choices) -> InitialState {
    match choices.chance(0.3) {
        true => InitialState::Learned,
        false => InitialState::Zeros,
    }
}

fn stack(choices: &mut Choices) -> StackConfig {
    let directions = [
        Direction::Forward,
        Direction::Reverse,
        Direction::Bidirectional,
    ];
    let merges = [Merge::Concat, Merge::Sum, Merge::Mean, Merge::Mul];
    let connections = [
        Connections::Plain,
        Connections::Residual,
        Connections::Dense,
    ];
    StackConfig::new()
        .with_layers(choices.within(1..=2))
        .with_direction(choices.one_of(&directions))
        .with_merge(choices.one_of(&merges))
        .with_connections(choices.one_of(&connections))
}

/// Any lengths, of which one is at least 1.
fn lengths(choices: &mut Choices, batch: usize, seq: usize) -> Vec<usize> {
    let mut lengths: Vec<_> = (0..batch).map(|_| choices.within(0..=seq)).collect();
    let row = choices.within(0..=batch - 1);
    lengths[row] = lengths[row].max(1);
    lengths
}
