//! Penalties against plain loops over numbers, and their gradients against finite differences.

use std::collections::HashSet;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_regularize::Targets;
use rekindle_regularize::penalty::{
    ActivationPenalty, PenaltyError, PenaltyKind, TemporalPenalty, WeightPenalty, unit_squares,
};
use rekindle_regularize::units::{UnitAxis, UnitGroup, UnitRole};
use rekindle_testkit::{
    GradientCheck, assert_close, assert_module_gradients, assert_same_bits, devices, random,
};

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

fn number(tensor: Tensor<1>) -> f64 {
    assert_eq!(tensor.dims(), [1]);
    tensor.into_scalar()
}

fn assert_near(found: f64, expected: f64, what: &str) {
    let difference = (found - expected).abs();
    assert!(
        difference <= 1e-12 * expected.abs().max(1.0),
        "{what}: {found}, expected {expected}"
    );
}

/// The valid steps of each row of `[batch, seq, width]`.
fn rows(output: &Tensor<3>, lengths: &[usize]) -> Vec<Vec<Vec<f64>>> {
    let [_, seq, width] = output.dims();
    let numbers = numbers(output);
    let step = |row: usize, step: usize| {
        let start = (row * seq + step) * width;
        numbers[start..start + width].to_vec()
    };
    let row = |(row, &length): (usize, &usize)| (0..length).map(|t| step(row, t)).collect();
    lengths.iter().enumerate().map(row).collect()
}

fn mean_square(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>() / numbers.len().max(1) as f64
}

fn expected_activation(output: &Tensor<3>, lengths: &[usize]) -> f64 {
    mean_square(&rows(output, lengths).concat().concat())
}

fn expected_temporal(output: &Tensor<3>, lengths: &[usize]) -> f64 {
    let mut changes = Vec::new();
    for row in rows(output, lengths) {
        for pair in row.windows(2) {
            changes.extend(pair[1].iter().zip(&pair[0]).map(|(new, old)| new - old));
        }
    }
    mean_square(&changes)
}

const AR: ActivationPenalty = ActivationPenalty { alpha: 2.0 };
const TAR: TemporalPenalty = TemporalPenalty { beta: 3.0 };

/// Lengths of rows of five steps: all, some, one and none.
const LENGTHS: [usize; 4] = [5, 3, 1, 0];

#[test]
fn activation_penalties_are_means_over_valid_entries() {
    for device in devices!() {
        for lengths in [LENGTHS, [5; 4], [4; 4], [1; 4], [0; 4]] {
            let output = random([4, 5, 3], 1, (&device, DType::F64));
            let what = format!("{lengths:?} on {device:?}");
            let found = number(AR.of(output.clone(), Some(&lengths)));
            assert_near(found, 2.0 * expected_activation(&output, &lengths), &what);
            let found = number(TAR.of(output.clone(), Some(&lengths)));
            assert_near(found, 3.0 * expected_temporal(&output, &lengths), &what);
        }
        let output = random([4, 5, 3], 1, (&device, DType::F32));
        let all = [5; 4];
        let ar = AR.of(output.clone(), Some(&all));
        assert_same_bits(&AR.of(output.clone(), None), &ar, "without lengths");
        let tar = TAR.of(output.clone(), Some(&all));
        assert_same_bits(&TAR.of(output, None), &tar, "without lengths");
    }
}

#[test]
fn short_sequences_have_no_change() {
    for device in devices!() {
        for seq in [0, 1] {
            let output = Tensor::<3>::ones([2, seq, 3], &device);
            assert_eq!(number(TAR.of(output.clone(), None)), 0.0);
            let expected = 2.0 * seq as f64;
            assert_eq!(number(AR.of(output, None)), expected, "{seq} steps");
        }
    }
}

/// NaN behind the lengths of rows.
fn with_padding_of_nan(output: Tensor<3>) -> Tensor<3> {
    let [_, seq, width] = output.dims();
    let mut output = output;
    for (row, &length) in LENGTHS.iter().enumerate() {
        if length < seq {
            let place = [row..row + 1, length..seq, 0..width];
            output = output.slice_fill(place, f64::NAN);
        }
    }
    output
}

#[test]
fn padding_changes_nothing() {
    for device in devices!() {
        let clean = random([4, 5, 3], 1, (&device, DType::F64));
        let run = |output: Tensor<3>| {
            let output = Tensor::from_inner(output).require_grad();
            let penalty =
                AR.of(output.clone(), Some(&LENGTHS)) + TAR.of(output.clone(), Some(&LENGTHS));
            let gradient = output.grad(&penalty.backward()).expect("a gradient");
            (penalty.inner(), gradient)
        };
        let (penalty, gradient) = run(clean.clone());
        let (padded, padded_gradient) = run(with_padding_of_nan(clean));
        assert_same_bits(&padded, &penalty, "penalty");
        assert_same_bits(&padded_gradient, &gradient, "gradient");
        let [.., width] = gradient.dims();
        for (row, &length) in LENGTHS.iter().enumerate() {
            let row = numbers(&gradient.clone().narrow(0, row, 1));
            let (valid, padding) = row.split_at(length * width);
            assert!(valid.iter().all(|&g| g != 0.0) && padding.iter().all(|&g| g == 0.0));
        }
    }
}

#[test]
fn layouts_agree() {
    let device = Device::default();
    let time_major = random([5, 4, 3], 1, (&device, DType::F32));
    let batch_first = time_major.clone().swap_dims(0, 1);
    let contiguous = Tensor::from_data(batch_first.to_data(), &device);
    let swapped = TAR.of(batch_first, Some(&LENGTHS));
    assert_close(&swapped, &TAR.of(contiguous, Some(&LENGTHS)), "layouts");
}

#[test]
#[should_panic(expected = "length of row 1 is 6, expected at most 5")]
fn lengths_fit_the_steps() {
    let _ = AR.of(Tensor::ones([2, 5, 1], &Device::default()), Some(&[5, 6]));
}

#[test]
#[should_panic(expected = "found 1 lengths, expected one for each of 2 rows")]
fn every_row_has_a_length() {
    let _ = TAR.of(Tensor::ones([2, 5, 1], &Device::default()), Some(&[5]));
}

#[derive(Module, Debug)]
struct Outputs {
    output: Param<Tensor<3>>,
}

#[test]
fn gradients_of_activations_are_finite_differences() {
    for device in devices!() {
        let options = (&device.autodiff(), DType::F64);
        let output = random([4, 5, 3], 1, options).require_grad();
        let outputs = Outputs {
            output: Param::from_tensor(output),
        };
        assert_module_gradients(
            &outputs,
            GradientCheck::default(),
            "activations",
            |outputs| {
                let output = outputs.output.val();
                AR.of(output.clone(), Some(&LENGTHS)) + TAR.of(output, Some(&LENGTHS))
            },
        );
    }
}

/// The parameters of a layer of three units and four gates, and what the next layer reads it with, behind one input.
#[derive(Module, Debug)]
struct Layer {
    weight_ih: Param<Tensor<2>>,
    weight_hh: Param<Tensor<2>>,
    bias_hh: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Layer>,
}

fn layer(seed: u64, d_input: usize, d_hidden: usize, options: (&Device, DType)) -> Layer {
    let matrix = |seed, rows| {
        let weight = random([rows, 4 * d_hidden], seed, options);
        Param::from_tensor(weight.require_grad())
    };
    Layer {
        weight_ih: matrix(seed, d_input),
        weight_hh: matrix(seed + 1, d_hidden),
        bias_hh: Param::from_tensor(random([4 * d_hidden], seed + 2, options).require_grad()),
    }
}

fn network(device: &Device, dtype: DType) -> Network {
    let options = (&device.clone().autodiff(), dtype);
    Network {
        layers: vec![layer(1, 2, 3, options), layer(11, 4, 2, options)],
    }
}

fn penalty(kind: PenaltyKind, targets: Targets) -> WeightPenalty {
    WeightPenalty {
        kind,
        strength: 0.3,
        targets,
    }
}

const KINDS: [PenaltyKind; 4] = [
    PenaltyKind::L1,
    PenaltyKind::L2,
    PenaltyKind::Rows,
    PenaltyKind::Columns,
];

/// The penalty of a matrix in a plain loop.
fn expected_of(kind: PenaltyKind, weight: &Tensor<2>) -> f64 {
    let [rows, columns] = weight.dims();
    let w = numbers(weight);
    let norm = |entries: &mut dyn Iterator<Item = usize>| {
        entries.map(|at| w[at] * w[at]).sum::<f64>().sqrt()
    };
    0.3 * match kind {
        PenaltyKind::L1 => w.iter().map(|w| w.abs()).sum::<f64>(),
        PenaltyKind::L2 => w.iter().map(|w| w * w / 2.0).sum(),
        PenaltyKind::Rows => (0..rows)
            .map(|row| norm(&mut (row * columns..(row + 1) * columns)))
            .sum(),
        PenaltyKind::Columns => (0..columns)
            .map(|column| norm(&mut (column..rows * columns).step_by(columns)))
            .sum(),
    }
}

#[test]
fn penalties_of_weights_are_their_sums() -> Result<(), PenaltyError> {
    for device in devices!() {
        let network = network(&device, DType::F64);
        for kind in KINDS {
            let found = penalty(kind, Targets::weights()).of(&network)?;
            let of_layer = |layer: &Layer| {
                expected_of(kind, &layer.weight_ih.val())
                    + expected_of(kind, &layer.weight_hh.val())
            };
            let expected = network.layers.iter().map(of_layer).sum();
            assert_near(number(found), expected, &format!("{kind:?}"));
            let found = penalty(kind, Targets::new(["layers.1.weight_hh"])).of(&network)?;
            let expected = expected_of(kind, &network.layers[1].weight_hh.val());
            assert_near(number(found), expected, &format!("{kind:?} of one"));
        }
    }
    Ok(())
}

#[test]
fn gradients_of_weights_are_finite_differences() {
    for device in devices!() {
        let network = network(&device, DType::F64);
        let all = Targets::new(["weight_*"]);
        let bias = penalty(PenaltyKind::L2, Targets::new(["bias_hh"]));
        for kind in KINDS {
            let weights = penalty(kind, all.clone());
            let what = format!("{kind:?}");
            assert_module_gradients(&network, GradientCheck::default(), &what, |network| {
                let of = |penalty: &WeightPenalty| penalty.of(network).expect("matches");
                of(&weights) + of(&bias)
            });
        }
    }
}

#[test]
fn gradients_at_zero_are_zero() -> Result<(), PenaltyError> {
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            let zeros = Tensor::zeros([3, 12], (&device.clone().autodiff(), dtype));
            let mut network = network(&device, dtype);
            network.layers[0].weight_hh = Param::from_tensor(zeros.require_grad());
            let target = Targets::new(["layers.0.weight_hh"]);
            let axes = vec![at("layers.0.weight_hh", along(1, 0, 4, 3))];
            let lasso = units(axes).group_lasso(&network, 1.0)?;
            let of_kind = |kind| penalty(kind, target.clone()).of(&network);
            let mut sum = lasso;
            for kind in KINDS {
                sum = sum + of_kind(kind)?;
            }
            assert_eq!(sum.clone().into_scalar::<f64>(), 0.0);
            let gradient = network.layers[0].weight_hh.val().grad(&sum.backward());
            let gradient = numbers(&gradient.expect("a gradient"));
            assert!(gradient.iter().all(|&g| g == 0.0), "{gradient:?}");
        }
    }
    Ok(())
}

#[test]
fn a_parameter_held_twice_counts_once() -> Result<(), PenaltyError> {
    let options = (&Device::default().autodiff(), DType::F64);
    let shared = layer(1, 2, 3, options);
    let once = Network {
        layers: vec![shared.clone()],
    };
    let twice = Network {
        layers: vec![shared.clone(), shared],
    };
    let l2 = penalty(PenaltyKind::L2, Targets::weights());
    assert_eq!(number(l2.of(&twice)?), number(l2.of(&once)?));
    Ok(())
}

#[test]
fn half_precision_does_not_overflow() -> Result<(), PenaltyError> {
    let devices = devices!();
    for device in (devices.iter()).filter(|device| device.supports_dtype(DType::F16)) {
        let large = |shape| Tensor::full(shape, 1000.0, (device, DType::F16));
        let mut network = network(device, DType::F32);
        network.layers[0].weight_hh = Param::from_tensor(large([3, 12]));
        let l2 = penalty(PenaltyKind::L2, Targets::new(["layers.0.weight_hh"]));
        assert_near(number(l2.of(&network)?), 5.4e6, "sum of squares");
        let small = ActivationPenalty { alpha: 1e-3 };
        let penalty = small.of(large([3, 12]).unsqueeze(), None);
        assert_eq!((penalty.dtype(), number(penalty)), (DType::F16, 1000.0));
    }
    Ok(())
}

fn along(axis: usize, offset: usize, blocks: usize, stride: usize) -> UnitAxis {
    UnitAxis::new("", axis, UnitRole::Makes)
        .offset(offset)
        .blocks(blocks, stride)
}

fn at(path: &str, axis: UnitAxis) -> UnitAxis {
    UnitAxis {
        path: path.to_string(),
        ..axis
    }
}

/// Three units.
fn units(axes: Vec<UnitAxis>) -> UnitGroup {
    UnitGroup {
        name: "units".to_string(),
        size: 3,
        axes,
    }
}

/// All places of the units of the first layer; the second one reads them behind another input.
fn first_layer() -> UnitGroup {
    units(vec![
        at("layers.0.weight_ih", along(1, 0, 4, 3)),
        at("layers.0.weight_hh", along(1, 0, 4, 3)),
        at("layers.0.weight_hh", along(0, 0, 1, 3)),
        at("layers.0.bias_hh", along(0, 0, 4, 3)),
        at("layers.1.weight_ih", along(0, 1, 1, 3)),
    ])
}

/// Sum of the squares of the distinct entries of each unit in a plain loop.
fn expected_squares(
    numbers: &[f64],
    shape: &[usize],
    size: usize,
    places: &[UnitAxis],
) -> Vec<f64> {
    let mut entries = vec![HashSet::new(); size];
    for at in 0..numbers.len() {
        for place in places {
            let behind: usize = shape[place.axis + 1..].iter().product();
            let index = at / behind % shape[place.axis];
            for (unit, entries) in entries.iter_mut().enumerate() {
                let mut starts = (0..place.blocks).map(|block| place.offset + block * place.stride);
                if starts.any(|start| start + unit == index) {
                    entries.insert(at);
                }
            }
        }
    }
    let squares = |entries: &HashSet<usize>| entries.iter().map(|&at| numbers[at].powi(2)).sum();
    entries.iter().map(squares).collect()
}

#[test]
fn squares_of_units_are_those_of_their_distinct_entries() {
    for device in devices!() {
        let tensor = random([5, 3, 13], 1, (&device, DType::F64));
        for (size, places) in [
            (3, vec![along(2, 0, 4, 3)]),
            (3, vec![along(2, 1, 4, 3), along(1, 0, 1, 0)]),
            (
                3,
                vec![along(2, 1, 2, 5), along(1, 0, 1, 0), along(0, 2, 1, 0)],
            ),
            (
                2,
                vec![along(0, 1, 2, 2), along(0, 1, 2, 2), along(0, 3, 1, 2)],
            ),
            (1, vec![along(1, 2, 1, 1), along(2, 12, 1, 1)]),
        ] {
            let found = numbers(&unit_squares(tensor.clone(), size, &places));
            let expected = expected_squares(&numbers(&tensor), &[5, 3, 13], size, &places);
            for (found, expected) in found.iter().zip(expected) {
                assert_near(*found, expected, &format!("{places:?}"));
            }
        }
    }
}

#[test]
fn norms_of_units_reach_over_layers() -> Result<(), PenaltyError> {
    for device in devices!() {
        let network = network(&device, DType::F64);
        let [first, second] = &network.layers[..] else {
            panic!("two layers");
        };
        let part = |tensor: &Tensor<2>, places: &[UnitAxis]| {
            expected_squares(&numbers(tensor), &tensor.dims(), 3, places)
        };
        let bias = numbers(&first.bias_hh.val());
        let parts = [
            part(&first.weight_ih.val(), &[along(1, 0, 4, 3)]),
            part(
                &first.weight_hh.val(),
                &[along(1, 0, 4, 3), along(0, 0, 1, 3)],
            ),
            expected_squares(&bias, &[12], 3, &[along(0, 0, 4, 3)]),
            part(&second.weight_ih.val(), &[along(0, 1, 1, 3)]),
        ];
        let norm = |unit: usize| parts.iter().map(|part| part[unit]).sum::<f64>().sqrt();
        let found = numbers(&first_layer().norms(&network)?);
        assert_eq!(found.len(), 3);
        for (unit, &found) in found.iter().enumerate() {
            assert_near(found, norm(unit), &format!("unit {unit}"));
        }
        let lasso = number(first_layer().group_lasso(&network, 0.2)?);
        assert_near(lasso, 0.2 * found.iter().sum::<f64>(), "lasso");
    }
    Ok(())
}

#[test]
fn gradients_of_structures_are_finite_differences() {
    for device in devices!() {
        let network = network(&device, DType::F64);
        let rest = penalty(PenaltyKind::L2, Targets::new(["*"]));
        assert_module_gradients(&network, GradientCheck::default(), "structure", |network| {
            let lasso = first_layer().group_lasso(network, 0.5).expect("places fit");
            lasso + rest.of(network).expect("matches")
        });
    }
}

#[test]
fn descent_on_the_lasso_empties_whole_units() -> Result<(), PenaltyError> {
    let device = Device::default().autodiff();
    let values = [[0.1, 2.0], [0.1, 0.0], [0.0, 2.0]].concat();
    let weight = Tensor::<2>::from_data(TensorData::new(values, [3, 2]), (&device, DType::F64));
    let mut weight = weight.require_grad();
    for _ in 0..100 {
        let squares = unit_squares(weight.clone(), 2, &[along(1, 0, 1, 2)]);
        let lasso = squares.sqrt().sum();
        let gradient = weight.grad(&lasso.backward()).expect("a gradient");
        weight = Tensor::from_inner(weight.inner() - gradient * 0.0015).require_grad();
    }
    let [small, large] = [0, 1].map(|column| {
        let column = weight.clone().narrow(1, column, 1);
        column.square().sum().sqrt().into_scalar::<f64>()
    });
    assert!(small < 0.002, "{small}");
    assert!((large - (8.0_f64.sqrt() - 0.15)).abs() < 1e-9, "{large}");
    Ok(())
}

#[test]
fn mistakes_are_errors_with_their_values() {
    let network = network(&Device::default(), DType::F32);
    let error = |penalty: WeightPenalty| penalty.of(&network).map(drop).expect_err("an error");
    let none = error(penalty(
        PenaltyKind::L1,
        Targets::new(["weight_xx", "!bias_hh"]),
    ));
    assert_eq!(
        none.to_string(),
        "no parameter matches `weight_xx, !bias_hh`; those of the network are layers.0.weight_ih, layers.0.weight_hh, \
         layers.0.bias_hh, layers.1.weight_ih, layers.1.weight_hh, layers.1.bias_hh"
    );
    let vector = error(penalty(PenaltyKind::Rows, Targets::new(["*"])));
    let path = "layers.0.bias_hh".to_string();
    assert_eq!(
        vector,
        PenaltyError::NoMatrix {
            path,
            found: vec![12]
        }
    );
    let mut negative = penalty(PenaltyKind::L1, Targets::recurrent());
    negative.strength = -1.0;
    let field = "strength";
    assert_eq!(
        error(negative),
        PenaltyError::Strength { field, found: -1.0 }
    );

    let of = |group: UnitGroup| group.norms(&network).map(drop).expect_err("an error");
    let mut outside = first_layer();
    outside.axes[4].offset = 2;
    assert_eq!(
        of(outside).to_string(),
        "the units of `layers.1.weight_ih` reach index 4 of dimension 0, expected all within shape [4, 8]"
    );
    let mut flat = first_layer();
    flat.axes[3].axis = 1;
    assert!(matches!(of(flat), PenaltyError::Outside { axis: 1, .. }));
    let mut missing = first_layer();
    missing.axes[0].path = "layers.2.weight_ih".to_string();
    let message = of(missing).to_string();
    assert!(
        message.starts_with("no parameter matches `layers.2.weight_ih`; those"),
        "{message}"
    );
    assert!(matches!(
        of(units(Vec::new())),
        PenaltyError::NoMatch { .. }
    ));
}

#[test]
fn penalties_are_read_from_text() -> serde_json::Result<()> {
    let text = r#"{"kind":"l1","strength":0.3,"targets":["weight_hh"]}"#;
    let read: WeightPenalty = serde_json::from_str(text)?;
    assert_eq!(read, penalty(PenaltyKind::L1, Targets::recurrent()));
    assert_eq!(serde_json::to_string(&read)?, text);
    let read: ActivationPenalty = serde_json::from_str(r#"{"alpha": -2.0}"#)?;
    assert!(read.validate().is_err());
    assert!(serde_json::from_str::<TemporalPenalty>(r#"{"alpha": 1.0}"#).is_err());
    Ok(())
}
