//! A network without its pruned units is the one whose units are zero: outputs, states and every gradient, for every cell
//! with every option, in stacks of every kind.

#[allow(dead_code, reason = "the combinations are the laws' own")]
mod common;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleDisplay, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Gradients, Tensor};
use rekindle_cells::{
    Cell, CellConfig, Connections, Direction, LstmConfig, Merge, Normalization, Recurrent,
    StackConfig,
};
use rekindle_regularize::units::{Kept, UnitGroup, UnitScore, mask_units, shrink};
use rekindle_testkit::{Choices, assert_close, assert_same_bits, devices, random};

use common::options::{BATCH_NORM_BY_STEP, SEQUENCE_NORM, elman, gru, lstm, subject, table};
use common::{AnyCell, Network, Subject, with_config};

/// A stack and what reads its outputs.
#[derive(Module, Debug)]
struct Model<M: Module + ModuleDisplay> {
    stack: M,
    head: Param<Tensor<2>>,
}

/// Random units of each group, at least one.
fn some_units(groups: &[UnitGroup], seed: u64) -> Kept {
    let mut choices = Choices::new(seed);
    let of_group = |group: &UnitGroup| {
        let mut mask: Vec<bool> = (0..group.size).map(|_| choices.chance(0.5)).collect();
        let always = choices.within(0..=group.size - 1);
        mask[always] = true;
        (group.name.clone(), mask)
    };
    let masks: Vec<_> = groups.iter().map(of_group).collect();
    Kept::from_masks(masks).expect("every group keeps a unit")
}

/// Puts gradients in the place of parameters.
struct ToGradients<'a>(&'a Gradients);

impl ModuleMapper for ToGradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match param.val().grad(self.0) {
            Some(gradient) => param.map(|_| Tensor::from_inner(gradient)),
            None => param,
        }
    }
}

/// The numbers of all float parameters by path.
fn parameters<M: Module>(module: &M) -> BTreeMap<String, Tensor<1>> {
    #[derive(Default)]
    struct Collect {
        path: Vec<String>,
        found: BTreeMap<String, Tensor<1>>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_string());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values = param.val().inner().reshape([-1]);
            self.found.insert(self.path.join("."), values);
        }
    }
    let mut collect = Collect::default();
    module.visit(&mut collect);
    collect.found
}

/// Asserts that a subject masked is the subject shrunk, for some masks.
fn assert_shrunk_is_masked<F: CellConfig>(config: &F, network: &Network<F::Cell>, masks: u64) {
    let head = random(
        [network.stack.d_output(), 2],
        77,
        (&network.device, DType::F64),
    );
    let model = Model {
        stack: network.stack.clone(),
        head: Param::from_tensor(head),
    };
    let units = network.stack.units();
    let units = units.under("stack").read_by("head", 0);
    for group in &units.groups {
        group.validate(&model).expect("groups fit their network");
    }
    for seed in 0..masks {
        let kept = some_units(&units.groups, seed);
        let what = format!("{}: kept {kept:?}", network.what);
        let masked = mask_units(model.clone(), &units.groups, &kept).expect("units can be masked");
        let shrunk = shrink(model.clone(), &units.groups, &kept).expect("units can be taken out");
        compare(network, &masked, &shrunk, &units.groups, &kept, &what);
        if seed == 0 {
            rebuild(config, network, &shrunk, &what);
        }
    }
}

type Stacked<C> = Model<rekindle_cells::Stack<C>>;

fn compare<C: Cell>(
    network: &Network<C>,
    masked: &Stacked<C>,
    shrunk: &Stacked<C>,
    groups: &[UnitGroup],
    kept: &Kept,
    what: &str,
) {
    let run = |model: &Stacked<C>| {
        let x = network.input();
        let lengths = network.subject.lengths.as_deref();
        let (output, _) = network.forward_with(&model.stack, &x, lengths, None);
        let read = output.matmul(model.head.val().unsqueeze());
        let weights = random(read.dims(), 5, (&network.device, DType::F64));
        let gradients = (read.clone() * weights).sum().backward();
        let gradients = model.clone().map(&mut ToGradients(&gradients));
        (read, gradients)
    };
    let ((expected, of_masked), (found, of_shrunk)) = (run(masked), run(shrunk));
    assert_close(&found, &expected, what);
    let expected = shrink(of_masked, groups, kept).expect("gradients have the same shapes");
    let (expected, found) = (parameters(&expected), parameters(&of_shrunk));
    assert_eq!(
        expected.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    for (path, expected) in expected {
        assert_close(&found[&path], &expected, &format!("{what}: {path}"));
    }
}

/// A smaller network is one that its configuration makes.
fn rebuild<F: CellConfig>(
    config: &F,
    network: &Network<F::Cell>,
    shrunk: &Stacked<F::Cell>,
    what: &str,
) {
    let layers = shrunk.stack.layers.iter();
    let of_layer = |layer: &rekindle_cells::Layer<F::Cell>| {
        let cells = layer.forward.iter().chain(&layer.reverse);
        cells.map(Cell::units).collect()
    };
    let stack = StackConfig {
        units: Some(layers.map(of_layer).collect()),
        ..network.subject.stack.clone()
    };
    if stack.validate(config).is_err() {
        // A projection that has become wider than what it projects.
        return;
    }
    let saved = shrunk.stack.clone().valid();
    let fresh = stack.init(config, &network.device.clone().inner());
    let loaded = fresh.load_record(saved.clone().into_record());
    let x = network.input().inner();
    let lengths = network.subject.lengths.as_deref();
    let run = |stack: &rekindle_cells::Stack<F::Cell>| {
        stack.forward(network.sequences(&x, lengths), None).0
    };
    assert_same_bits(&run(&loaded), &run(&saved), what);
}

fn check(subjects: &[Subject], masks: u64) {
    for device in devices!() {
        for subject in subjects {
            with_config!(&subject.cell, config => {
                let network = subject.network(config.as_ref(), &device);
                assert_shrunk_is_masked(config.as_ref(), &network, masks);
            });
        }
    }
}

#[test]
fn every_option_of_the_table() {
    check(&table(), 2);
}

/// Cells with and without norms and projection.
fn cells() -> Vec<(String, AnyCell)> {
    let norms = [
        Normalization::None,
        Normalization::LAYER,
        Normalization::RMS,
        BATCH_NORM_BY_STEP,
        SEQUENCE_NORM,
    ];
    let projected = |config: LstmConfig| config.with_d_projected(Some(2));
    let of_norm = |norm: Normalization| {
        let cells: [(&str, AnyCell); 4] = [
            ("elman", elman().with_normalization(norm).into()),
            ("gru", gru().with_normalization(norm).into()),
            ("lstm", lstm().with_normalization(norm).into()),
            (
                "projected lstm",
                projected(lstm().with_normalization(norm)).into(),
            ),
        ];
        cells.map(|(name, cell)| (format!("{name}, {norm:?}"), cell))
    };
    norms.into_iter().flat_map(of_norm).collect()
}

/// These cells in stacks of one to three layers.
fn stacks(cells: &[(String, AnyCell)]) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (name, cell) in cells {
        for layers in 1..=3 {
            for direction in [
                Direction::Forward,
                Direction::Reverse,
                Direction::Bidirectional,
            ] {
                let stack = StackConfig::new()
                    .with_layers(layers)
                    .with_direction(direction);
                subjects.push(subject(name, cell.clone(), stack));
            }
        }
    }
    subjects
}

#[test]
fn ten_masks_of_cells_layers_directions_projection_and_norms() {
    check(&stacks(&cells()), 10);
}

#[test]
fn merges_and_connections_of_three_layers() {
    let mut subjects = Vec::new();
    for (name, cell) in [
        ("lstm", lstm().into()),
        ("gru", gru().with_normalization(Normalization::LAYER).into()),
    ] {
        let cell: AnyCell = cell;
        for merge in [Merge::Concat, Merge::Sum, Merge::Mean, Merge::Mul] {
            for connections in [Connections::Residual, Connections::Dense] {
                let stack = StackConfig::new()
                    .with_layers(3)
                    .with_direction(Direction::Bidirectional)
                    .with_merge(merge)
                    .with_connections(connections);
                subjects.push(subject(name, cell.clone(), stack));
            }
        }
    }
    check(&subjects, 5);
}

#[test]
fn statistics_of_a_batch_in_training() {
    for device in devices!() {
        for norm in [BATCH_NORM_BY_STEP, SEQUENCE_NORM] {
            let config = lstm().with_normalization(norm);
            let stack = StackConfig::new().with_direction(Direction::Bidirectional);
            let subject = subject("in training", config.clone().into(), stack);
            let network = subject.training(&config, &device);
            assert_shrunk_is_masked(&config, &network, 5);
        }
    }
}

#[test]
fn cells_that_are_added_up_lose_their_units_together() {
    let device = &devices!()[0];
    let names = |stack: StackConfig| {
        let units = stack.with_layers(2).init(&lstm(), device).units();
        let names = units.groups.into_iter().map(|group| group.name);
        (names.collect::<Vec<_>>(), units.output)
    };
    let both = StackConfig::new().with_direction(Direction::Bidirectional);
    let each = [
        "layers.0.forward",
        "layers.0.reverse",
        "layers.1.forward",
        "layers.1.reverse",
    ];
    let each = each.map(String::from).to_vec();
    assert_eq!(names(both.clone()), (each, vec![(2, 0), (3, 4)]));
    assert_eq!(
        names(both.clone().with_merge(Merge::Sum)),
        (
            vec!["layers.0.*".to_string(), "layers.1.*".to_string()],
            vec![(1, 0), (1, 0)]
        )
    );
    let residual = both.with_connections(Connections::Residual);
    assert_eq!(
        names(residual.clone()),
        (
            vec![
                "layers.*.forward".to_string(),
                "layers.*.reverse".to_string()
            ],
            vec![(0, 0), (1, 4)]
        )
    );
    assert_eq!(
        names(residual.with_merge(Merge::Mul)).0,
        ["layers.*.*".to_string()]
    );
}

#[test]
fn every_entry_of_a_cell_belongs_to_its_units() {
    // With one unit kept of each group, only what does not belong to units keeps its width: an input, a projection.
    let device = &devices!()[0];
    for (name, cell) in cells() {
        with_config!(&cell, config => {
            let subject = subject(&name, cell.clone(), StackConfig::new());
            let network = subject.network(config.as_ref(), device);
            let units = network.stack.units();
            let scores = UnitScore::Norm.score(&network.stack, &units.groups, None);
            let kept = scores.expect("finite weights").keep_counts([("layers.0.forward", 1)]);
            let kept = kept.expect("a unit of four");
            let shrunk = shrink(network.stack.clone(), &units.groups, &kept).expect("one unit");
            let cell = shrunk.layers[0].forward.as_ref().expect("a forward cell");
            assert_eq!(cell.units(), 1, "{name}");
            assert_eq!(shrunk.d_output(), if cell.puts_out_units() { 1 } else { 2 });
        });
    }
}

#[test]
fn widths_that_do_not_fit_are_refused() {
    let message = |stack: StackConfig, units: Vec<Vec<usize>>| {
        let stack = StackConfig {
            units: Some(units),
            ..stack
        };
        let error = stack.validate(&lstm()).expect_err("wrong units");
        error.to_string()
    };
    let both = StackConfig::new().with_direction(Direction::Bidirectional);
    assert_eq!(
        message(both.clone(), vec![vec![3]]),
        "units are [[3]], expected 1 lists, one a layer, of 2 numbers, one a direction"
    );
    assert_eq!(
        message(both.clone(), vec![vec![3, 0]]),
        "d_hidden is 0, expected a width of at least 1"
    );
    assert_eq!(
        message(both.with_merge(Merge::Sum), vec![vec![3, 4]]),
        "cells put out [[3, 4]] numbers, layer by layer, expected the same number where merge or residual connections \
         add up or multiply outputs"
    );
}
