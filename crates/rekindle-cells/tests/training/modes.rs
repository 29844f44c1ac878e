//! What training does and evaluation does not.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rekindle_cells::{
    Activation, Cell, CellConfig, CellDropout, ElmanConfig, GruConfig, LstmConfig, Normalization,
    Recurrent,
};
use rekindle_testkit::{assert_same_bits, devices};

use crate::common::options::{BATCH_NORM_BY_STEP, SEQUENCE_NORM, gru, lstm};
use crate::lock;
use crate::subjects::{everything, of_gru};

/// A cell's outputs over some input.
fn output<C: Cell>(cell: &C, device: &Device) -> Tensor<3> {
    let input = Tensor::<1, Int>::arange(0..36, device)
        .float()
        .reshape([2, 6, 3]);
    cell.forward(input.sin(), None).0
}

/// The noise without zoneout, whose evaluation is not that of the plain cell.
fn masks_alone() -> CellDropout {
    CellDropout {
        zoneout_hidden: 0.0,
        zoneout_cell: 0.0,
        ..everything()
    }
}

#[test]
fn evaluation_has_no_noise() {
    let _guard = lock();
    for device in devices!() {
        let training = device.clone().autodiff();
        let noisy = lstm().with_dropout(masks_alone()).init(&training);
        let mut plain = noisy.clone();
        plain.extras.dropout = CellDropout::default();
        assert_ne!(
            output(&noisy, &training).into_data(),
            output(&plain, &training).into_data(),
            "training adds noise"
        );
        let expected = output(&plain.valid(), &device);
        assert_same_bits(&output(&noisy.valid(), &device), &expected, "evaluation");
        let frozen = noisy.freeze();
        let found = output(&frozen, &training).inner();
        assert_same_bits(&found, &expected, "a frozen module");
    }
}

#[test]
fn every_call_in_training_draws_anew() {
    let _guard = lock();
    let device = devices!()[0].clone().autodiff();
    let cell = gru().with_dropout(of_gru(masks_alone())).init(&device);
    let draw = || output(&cell, &device).into_data();
    assert_ne!(draw(), draw());
    let seeded = || {
        device.seed(5);
        draw()
    };
    assert_eq!(seeded(), seeded());
}

#[test]
fn the_mean_of_training_is_evaluation() {
    // Of a linear cell, whose outputs are linear in each mask.
    let _guard = lock();
    let device = devices!()[0].clone();
    let training = device.clone().autodiff();
    let noise = CellDropout {
        input: 0.3,
        hidden: 0.2,
        output: 0.3,
        zoneout_hidden: 0.3,
        weight: 0.2,
        ..CellDropout::default()
    };
    let config = ElmanConfig::new(3, 4)
        .with_activation(Activation::IDENTITY)
        .with_dropout(noise);
    let cell = config.init(&training);
    training.seed(3);
    let calls = 4000;
    let input = || {
        Tensor::<1, Int>::arange(0..6, &device)
            .float()
            .reshape([1, 2, 3])
            .sin()
    };
    let rows = input().repeat_dim(0, calls);
    // Weights are dropped once a call, so that calls of one row each would be needed: 40 calls of 100 rows.
    let mut mean = Tensor::<3>::zeros([1, 2, 4], &device);
    for rows in rows.chunk(40, 0) {
        let rows = Tensor::from_inner(rows);
        let (output, _) = cell.forward(rows, None);
        mean = mean + output.inner().mean_dim(0) / 40.0;
    }
    let (expected, _) = cell.valid().forward(input(), None);
    let scale = expected.clone().abs().max().into_scalar::<f32>();
    let distance = (mean - expected).abs().max().into_scalar::<f32>();
    assert!(
        distance < 0.15 * scale,
        "the mean of training is {distance} away, at a scale of {scale}"
    );
}

/// All numbers that a module saves and no optimiser moves.
fn buffers<M: Module>(module: &M) -> Vec<TensorData> {
    struct Buffers(Vec<TensorData>);
    impl ModuleVisitor for Buffers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.is_require_grad() {
                self.0.push(param.val().into_data());
            }
        }
    }
    let mut buffers = Buffers(Vec::new());
    module.visit(&mut buffers);
    buffers.0
}

#[test]
fn training_moves_running_statistics_and_evaluation_does_not() {
    let _guard = lock();
    for device in devices!() {
        let training = device.clone().autodiff();
        for norm in [BATCH_NORM_BY_STEP, SEQUENCE_NORM] {
            let cell = lstm().with_normalization(norm).init(&training);
            let copy = cell.clone();
            let before = buffers(&cell);
            output(&cell, &training);
            let after = buffers(&cell);
            assert_ne!(before, after, "{norm:?}: training");
            assert_eq!(buffers(&copy), before, "{norm:?}: a clone is its own");
            output(&cell.clone().freeze(), &training);
            output(&cell.valid(), &device);
            assert_eq!(buffers(&cell), after, "{norm:?}: evaluation");
            // Evaluation uses them.
            let fresh = output(&copy.valid(), &device).into_data();
            assert_ne!(output(&cell.valid(), &device).into_data(), fresh);
        }
    }
}

#[test]
fn running_statistics_become_those_of_the_batch() {
    // With every call the same, training and evaluation agree in the end.
    let _guard = lock();
    let device = devices!()[0].clone();
    let training = device.clone().autodiff();
    for norm in [
        Normalization::Batch {
            max_steps: 6,
            momentum: 0.5,
            epsilon: 1e-5,
        },
        Normalization::SequenceBatch {
            momentum: 0.5,
            epsilon: 1e-5,
        },
    ] {
        let cell = gru().with_normalization(norm).init(&training);
        (0..60).for_each(|_| {
            output(&cell, &training);
        });
        let trained = output(&cell, &training).inner();
        let evaluated = output(&cell.valid(), &device);
        let distance = (trained - evaluated).abs().max().into_scalar::<f32>();
        assert!(distance < 1e-4, "{norm:?}: {distance}");
    }
}

#[test]
fn what_a_cell_does_not_have_is_refused() {
    let noise = everything();
    let errors = [
        ElmanConfig::new(3, 4).with_dropout(noise).validate(),
        GruConfig::new(3, 4).with_dropout(noise).validate(),
        LstmConfig::new(3, 4)
            .with_dropout(CellDropout {
                hidden: 1.0,
                ..CellDropout::default()
            })
            .validate(),
    ];
    let messages = errors.map(|error| error.expect_err("noise on nothing").to_string());
    assert_eq!(
        messages,
        [
            "dropout.candidate does not go with a cell without gates: all of its memory passes through the candidate; \
             take hidden or zoneout_hidden",
            "dropout.zoneout_cell does not go with a cell without a cell state: there is nothing to keep; take \
             zoneout_hidden",
            "dropout.hidden is 1, expected a probability of at least 0 and below 1",
        ]
    );
}
