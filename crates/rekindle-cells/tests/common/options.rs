//! The table: one line for each option of a cell, and one for each option of a stack.

use rekindle_cells::{
    Activation, CellDropout, Connections, Direction, ElmanConfig, GruActivations, GruConfig,
    InitialState, LstmActivations, LstmConfig, LstmGates, Merge, Normalization, Peepholes, Reset,
    StackConfig, Update,
};
use rekindle_kernels::Layout;

use super::activations::ACTIVATIONS;
use super::ugrnn::UgrnnConfig;
use super::{AnyCell, Origin, Subject};

const D_INPUT: usize = 3;
const D_HIDDEN: usize = 4;
const BATCH: usize = 3;
const SEQ: usize = 6;
/// Unsorted, with an empty row and a full one.
const LENGTHS: [usize; BATCH] = [2, 6, 0];

pub fn elman() -> ElmanConfig {
    ElmanConfig::new(D_INPUT, D_HIDDEN)
}

pub fn lstm() -> LstmConfig {
    LstmConfig::new(D_INPUT, D_HIDDEN)
}

/// The vanilla LSTM of Greff et al., 2017.
fn vanilla() -> LstmConfig {
    lstm().with_peepholes(Peepholes::Diagonal)
}

pub fn gru() -> GruConfig {
    GruConfig::new(D_INPUT, D_HIDDEN)
}

/// Statistics that move far with one batch.
pub const BATCH_NORM: Normalization = Normalization::Batch {
    max_steps: 1,
    momentum: 0.6,
    epsilon: 1e-3,
};

/// With statistics of their own for three steps.
pub const BATCH_NORM_BY_STEP: Normalization = Normalization::Batch {
    max_steps: 3,
    momentum: 0.6,
    epsilon: 1e-3,
};

pub const SEQUENCE_NORM: Normalization = Normalization::SequenceBatch {
    momentum: 0.6,
    epsilon: 1e-3,
};

/// Zoneout of the hidden state, and of a cell state.
fn zoneout(hidden: f64, cell: f64) -> CellDropout {
    CellDropout {
        zoneout_hidden: hidden,
        zoneout_cell: cell,
        ..CellDropout::default()
    }
}

/// The cells without options.
pub fn plain_cells() -> [(&'static str, AnyCell); 4] {
    [
        ("elman", elman().into()),
        ("lstm", lstm().into()),
        ("gru", gru().into()),
        ("ugrnn", UgrnnConfig::new(D_INPUT, D_HIDDEN).into()),
    ]
}

/// Cells with one option each, but for activations.
#[rustfmt::skip]
fn one_option() -> Vec<(&'static str, AnyCell)> {
    vec![
        ("elman without bias", elman().with_bias(false).into()),
        ("elman with clip", elman().with_clip(Some(0.4)).into()),
        ("elman with a learned state", elman().with_initial_state(InitialState::Learned).into()),
        ("lstm without bias", lstm().with_bias(false).into()),
        ("lstm with coupled gates", lstm().with_gates(LstmGates::Coupled).into()),
        ("lstm without input gate", lstm().with_gates(LstmGates::NoInput).into()),
        ("lstm without forget gate", lstm().with_gates(LstmGates::NoForget).into()),
        ("lstm without output gate", lstm().with_gates(LstmGates::NoOutput).into()),
        ("lstm with full peepholes", lstm().with_peepholes(Peepholes::Full).into()),
        ("lstm with gate recurrence", lstm().with_gate_recurrence(true).into()),
        ("lstm with projection", lstm().with_d_projected(Some(2)).into()),
        ("lstm with clip", lstm().with_clip(Some(0.4)).into()),
        ("lstm with cell clip", lstm().with_cell_clip(Some(0.2)).into()),
        ("lstm with a learned state", lstm().with_initial_state(InitialState::Learned).into()),
        ("lstm of greff, vanilla", vanilla().into()),
        ("lstm of greff, no input gate", vanilla().with_gates(LstmGates::NoInput).into()),
        ("lstm of greff, no forget gate", vanilla().with_gates(LstmGates::NoForget).into()),
        ("lstm of greff, no output gate", vanilla().with_gates(LstmGates::NoOutput).into()),
        ("lstm of greff, coupled gates", vanilla().with_gates(LstmGates::Coupled).into()),
        ("lstm of greff, full gate recurrence", vanilla().with_gate_recurrence(true).into()),
        ("lstm of greff, no input activation", vanilla().with_activations(LstmActivations {
            candidate: Activation::IDENTITY,
            ..LstmActivations::default()
        }).into()),
        ("lstm of greff, no output activation", vanilla().with_activations(LstmActivations {
            output: Activation::IDENTITY,
            ..LstmActivations::default()
        }).into()),
        ("gru without bias", gru().with_bias(false).into()),
        ("gru with reset before", gru().with_reset(Reset::Before).into()),
        ("gru with update by replacing", gru().with_update(Update::Replace).into()),
        ("gru of the article", GruConfig::article(D_INPUT, D_HIDDEN).into()),
        ("gru with clip", gru().with_clip(Some(0.4)).into()),
        ("elman with layer norm", elman().with_normalization(Normalization::LAYER).into()),
        ("elman with rms norm", elman().with_normalization(Normalization::RMS).into()),
        ("elman with batch norm", elman().with_normalization(BATCH_NORM).into()),
        ("elman with batch norm by step", elman().with_normalization(BATCH_NORM_BY_STEP).into()),
        ("elman with sequence norm", elman().with_normalization(SEQUENCE_NORM).into()),
        ("elman with zoneout", elman().with_dropout(zoneout(0.3, 0.0)).into()),
        ("lstm with layer norm", lstm().with_normalization(Normalization::LAYER).into()),
        ("lstm with rms norm", lstm().with_normalization(Normalization::RMS).into()),
        ("lstm with batch norm", lstm().with_normalization(BATCH_NORM).into()),
        ("lstm with batch norm by step", lstm().with_normalization(BATCH_NORM_BY_STEP).into()),
        ("lstm with sequence norm", lstm().with_normalization(SEQUENCE_NORM).into()),
        ("lstm with layer norm and projection", lstm().with_normalization(Normalization::LAYER).with_d_projected(Some(2)).into()),
        ("lstm with layer norm, vanilla", vanilla().with_normalization(Normalization::LAYER).into()),
        ("lstm with zoneout of h", lstm().with_dropout(zoneout(0.3, 0.0)).into()),
        ("lstm with zoneout of c", lstm().with_dropout(zoneout(0.0, 0.3)).into()),
        ("lstm with zoneout and projection", lstm().with_dropout(zoneout(0.2, 0.4)).with_d_projected(Some(2)).into()),
        ("gru with layer norm", gru().with_normalization(Normalization::LAYER).into()),
        ("gru with rms norm", gru().with_normalization(Normalization::RMS).into()),
        ("gru with batch norm", gru().with_normalization(BATCH_NORM).into()),
        ("gru with batch norm by step", gru().with_normalization(BATCH_NORM_BY_STEP).into()),
        ("gru with sequence norm", gru().with_normalization(SEQUENCE_NORM).into()),
        ("gru with zoneout", gru().with_dropout(zoneout(0.3, 0.0)).into()),
        ("gru with a learned state", gru().with_initial_state(InitialState::Learned).into()),
    ]
}

/// Where an activation can stand: one line for each place.
#[rustfmt::skip]
fn places(activation: Activation) -> [(&'static str, AnyCell); 6] {
    let (of_lstm, of_gru) = (LstmActivations::default(), GruActivations::default());
    [
        ("elman", elman().with_activation(activation).into()),
        ("lstm gates", lstm().with_activations(LstmActivations { gate: activation, ..of_lstm }).into()),
        ("lstm candidate", lstm().with_activations(LstmActivations { candidate: activation, ..of_lstm }).into()),
        ("lstm output", lstm().with_activations(LstmActivations { output: activation, ..of_lstm }).into()),
        ("gru gates", gru().with_activations(GruActivations { gate: activation, ..of_gru }).into()),
        ("gru candidate", gru().with_activations(GruActivations { candidate: activation, ..of_gru }).into()),
    ]
}

/// Every cell with every option: one option at a time.
pub fn cells_with_one_option() -> Vec<(String, AnyCell)> {
    let options = one_option().into_iter();
    let mut lines: Vec<_> = options
        .map(|(name, cell)| (name.to_string(), cell))
        .collect();
    for (name, activation) in ACTIVATIONS {
        let places = places(activation).into_iter();
        lines.extend(places.map(|(place, cell)| (format!("{place}: {name}"), cell)));
    }
    lines
}

/// Stacks with every option: one option at a time, in both directions where that matters.
fn stacks() -> Vec<StackConfig> {
    let [one, two] = [1, 2].map(|layers| StackConfig::new().with_layers(layers));
    let both = two.clone().with_direction(Direction::Bidirectional);
    vec![
        one.clone(),
        one.clone().with_direction(Direction::Reverse),
        one.clone().with_direction(Direction::Bidirectional),
        two.clone(),
        two.clone().with_direction(Direction::Reverse),
        both.clone(),
        both.clone().with_merge(Merge::Sum),
        both.clone().with_merge(Merge::Mean),
        both.clone().with_merge(Merge::Mul),
        two.clone().with_connections(Connections::Residual),
        both.clone().with_connections(Connections::Residual),
        two.clone().with_connections(Connections::Dense),
        both.clone().with_connections(Connections::Dense),
    ]
}

/// Plain cells in every stack, and cells with one option in two stacks, of which one can take steps.
pub fn table() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (name, cell) in plain_cells() {
        let stacks = stacks().into_iter();
        subjects.extend(stacks.map(|stack| subject(name, cell.clone(), stack)));
    }
    let two_layers = StackConfig::new().with_layers(2);
    let both_ways = StackConfig::new().with_direction(Direction::Bidirectional);
    for (name, cell) in cells_with_one_option() {
        for stack in [&two_layers, &both_ways] {
            subjects.push(subject(&name, cell.clone(), stack.clone()));
        }
    }
    subjects
}

/// A line of the table, for a batch of its shape.
pub fn subject(name: &str, cell: AnyCell, stack: StackConfig) -> Subject {
    Subject {
        origin: Origin::Table(name.to_string()),
        cell,
        stack,
        d_input: D_INPUT,
        batch: BATCH,
        seq: SEQ,
        lengths: Some(LENGTHS.to_vec()),
        layout: Layout::BatchFirst,
        seed: 5,
        range: 0.7,
    }
}
