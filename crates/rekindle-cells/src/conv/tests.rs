//! Display, initialisation, sizes, and configurations that are refused.

use burn::tensor::{Device, Tensor};

use super::convolution::Convolution;
use super::{
    ConvCell, ConvCellConfig, ConvConfig, ConvGru1dConfig, ConvGru2dConfig, ConvLstm2dConfig,
    ConvPadding, ConvStackConfig, PerAxis,
};
use crate::{GruConfig, LstmConfig, Peepholes, RecurrentScheme};

fn lstm(cell: LstmConfig, convolution: ConvConfig) -> ConvLstm2dConfig {
    ConvLstm2dConfig::new(cell, convolution)
}

#[test]
fn display() {
    let convolution = ConvConfig::new(3.into());
    let plain = lstm(LstmConfig::new(3, 8), convolution).init(&Default::default());
    assert_eq!(
        format!("{plain}"),
        "ConvLstm {d_input: 3, d_hidden: 8, kernel: [3, 3], bias: true, params: 3232}"
    );
}

#[test]
fn display_names_options() {
    let convolution = ConvConfig::new(4.into())
        .with_stride([2, 1].into())
        .with_padding(ConvPadding::Valid)
        .with_groups(2)
        .with_state_kernel(Some(3.into()))
        .with_space(Some(8.into()));
    let cell = LstmConfig::new(2, 4).with_peepholes(Peepholes::Diagonal);
    let lstm = lstm(cell, convolution).init(&Default::default());
    assert_eq!(
        format!("{lstm}"),
        "ConvLstm {d_input: 2, d_hidden: 4, kernel: [4, 4], bias: true, state_kernel: [3, 3], stride: [2, 1], \
         padding: Valid, groups: 2, peepholes: Diagonal, params: 1044}"
    );
    assert_eq!(lstm.peepholes.as_ref().unwrap().dims(), [3, 4, 3, 5]);
}

#[test]
fn each_gate_is_drawn_as_a_matrix_and_forgets_late() {
    let device = Device::default();
    let lstm = lstm(LstmConfig::new(3, 8), ConvConfig::new(3.into())).init(&device);
    let bias = lstm.weights.bias_ih.unwrap().val();
    let forget = bias.clone().narrow(0, 8, 8).into_data();
    assert_eq!(forget, Tensor::<1>::ones([8], &device).into_data());
    assert_eq!(bias.sum().into_scalar::<f32>(), 8.0);

    // The recurrent kernel of a gate, [channels·taps, d_hidden], has orthonormal columns.
    let gate = lstm
        .weights
        .weight_hh
        .val()
        .narrow(0, 16, 8)
        .reshape([8, 8 * 9]);
    let product = gate.clone().matmul(gate.transpose());
    let difference = (product - Tensor::eye(8, &device)).abs().max();
    assert!(difference.into_scalar::<f32>() < 1e-5);
}

#[test]
fn kernels_are_drawn_by_the_scheme() {
    let device = Device::default();
    let scheme = RecurrentScheme::pytorch();
    let draw = || {
        let cell = GruConfig::new(2, 3).with_init(scheme.clone());
        ConvGru2dConfig::new(cell, ConvConfig::new(3.into())).init(&device)
    };
    let bound = 1.0 / 3.0_f32.sqrt();
    let weight = draw().weights.weight_ih.val();
    assert!(weight.clone().abs().max().into_scalar::<f32>() <= bound);
    assert!(weight.abs().max().into_scalar::<f32>() > 0.8 * bound);
}

#[test]
fn same_padding_keeps_the_size_by_every_stride_and_dilation() {
    for size in 1..9 {
        for stride in 1..4 {
            for dilation in 1..4 {
                for kernel in 1..6 {
                    let convolution = Convolution {
                        stride: vec![stride],
                        padding: ConvPadding::Same,
                        dilation: vec![dilation],
                        groups: 1,
                    };
                    let found = convolution.output(&[kernel], &[size]);
                    assert_eq!(found, Some(vec![size.div_ceil(stride)]), "{convolution:?}");
                }
            }
        }
    }
}

#[test]
fn a_layer_above_has_the_size_of_the_state_below() {
    let convolution = ConvConfig::new(3.into())
        .with_stride(2.into())
        .with_space(Some([9, 6].into()));
    let cell = LstmConfig::new(2, 4).with_peepholes(Peepholes::Diagonal);
    let stack = ConvStackConfig::new()
        .with_layers(2)
        .init(&lstm(cell, convolution), &Default::default());
    let peepholes = |layer: usize| {
        let cell = stack.layers[layer].forward.as_ref().unwrap();
        cell.peepholes.as_ref().unwrap().dims()
    };
    assert_eq!((peepholes(0), peepholes(1)), ([3, 4, 5, 3], [3, 4, 3, 2]));
}

#[test]
fn wrong_configurations_are_named() {
    let error = |change: &dyn Fn(ConvConfig) -> ConvConfig| {
        let config = lstm(LstmConfig::new(2, 4), change(ConvConfig::new(3.into())));
        config.validate().unwrap_err().to_string()
    };
    assert_eq!(
        error(&|c| c.with_stride([1, 2, 3].into())),
        "stride is [1, 2, 3], expected one number for each of 2 axes, or one for all"
    );
    assert_eq!(
        error(&|c| c.with_dilation([1, 0].into())),
        "dilation is [1, 0], expected at least 1 on each axis"
    );
    assert_eq!(
        error(&|c| c.with_state_kernel(Some([3, 4].into()))),
        "the state's kernel is [3, 4], expected odd numbers, because a state keeps its size: set state_kernel"
    );
    assert_eq!(
        error(&|c| c.with_groups(4)),
        "groups is 4, expected a divisor of d_input 2 and of d_hidden 4"
    );
    let unpadded = |c: ConvConfig| {
        c.with_padding(ConvPadding::Valid)
            .with_space(Some(2.into()))
    };
    assert_eq!(
        error(&unpadded),
        "space is [2, 2], expected frames that the kernel [3, 3] fits into with its padding"
    );
}

#[test]
fn wrong_cells_are_named() {
    let error = |cell: LstmConfig| {
        let config = lstm(cell, ConvConfig::new(3.into()));
        config.validate().unwrap_err().to_string()
    };
    let cell = LstmConfig::new(2, 4);
    assert_eq!(
        error(cell.clone().with_peepholes(Peepholes::Diagonal)),
        "space is not set, expected the size of the frames: diagonal peepholes have a weight for each place"
    );
    assert_eq!(
        error(cell.with_d_projected(Some(2))),
        "d_projected does not go with a convolutional cell: its hidden state has the channels of its cell state; \
         remove d_projected"
    );
    assert_eq!(
        error(LstmConfig::new(0, 4)),
        "d_input is 0, expected a width of at least 1"
    );
}

#[test]
fn a_configuration_comes_back_from_json() {
    let json = r#"{ "kernel": [3, 5], "stride": 2, "padding": { "explicit": { "before": 1, "behind": [0, 2] } },
        "dilation": 1, "groups": 1, "state_dilation": 1, "space": null, "state_kernel": 3 }"#;
    let config: ConvConfig = serde_json::from_str(json).unwrap();
    assert_eq!(config.kernel, PerAxis::Each(vec![3, 5]));
    assert_eq!(config.state_kernel, Some(PerAxis::All(3)));
    let (before, behind) = (PerAxis::All(1), PerAxis::Each(vec![0, 2]));
    assert_eq!(config.padding, ConvPadding::Explicit { before, behind });
}

#[test]
#[should_panic(expected = "frames of size [2] are smaller than the kernel [5]")]
fn frames_must_not_be_smaller_than_the_kernel() {
    let convolution = ConvConfig::new(5.into()).with_padding(ConvPadding::Valid);
    let gru = ConvGru1dConfig::new(GruConfig::new(1, 2), convolution).init(&Default::default());
    gru.zero_state(1, &[2]);
}

#[test]
#[should_panic(
    expected = "give states of size [4, 4], expected [2, 2], which the peepholes are for"
)]
fn frames_must_fit_the_peepholes() {
    let device = Device::default();
    let convolution = ConvConfig::new(3.into()).with_space(Some(2.into()));
    let cell = LstmConfig::new(1, 3).with_peepholes(Peepholes::Diagonal);
    let lstm = lstm(cell, convolution).init(&device);
    let state = lstm.zero_state(2, &[4, 4]);
    lstm.step(Tensor::zeros([2, 1, 4, 4], &device), state);
}
