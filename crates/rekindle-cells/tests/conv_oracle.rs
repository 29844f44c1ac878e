//! Convolutional cells against plain loops over numbers: two axes of space, uneven padding, stride, dilation, groups and
//! peepholes.

use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::conv::{
    ConvCell, ConvCellConfig, ConvConfig, ConvGru2dConfig, ConvLstm2dConfig, ConvLstmState,
    ConvPadding, ConvWeights, Frames,
};
use rekindle_cells::{GruConfig, LstmConfig, Order, Peepholes};
use rekindle_testkit::{assert_close, devices, random, with_fixed_parameters};

/// Maps of one row, `[channels, height, width]`.
#[derive(Clone)]
struct Maps {
    shape: [usize; 3],
    values: Vec<f64>,
}

impl Maps {
    fn from_fn(shape: [usize; 3], value: impl Fn([usize; 3]) -> f64) -> Self {
        let [channels, height, width] = shape;
        let mut values = Vec::new();
        for channel in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    values.push(value([channel, y, x]));
                }
            }
        }
        Self { shape, values }
    }

    /// The number at a place, 0 outside.
    fn at(&self, channel: usize, y: isize, x: isize) -> f64 {
        let [_, height, width] = self.shape;
        match (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
            true => self.values[(channel * height + y as usize) * width + x as usize],
            false => 0.0,
        }
    }

    fn get(&self, [channel, y, x]: [usize; 3]) -> f64 {
        self.at(channel, y as isize, x as isize)
    }
}

/// One convolution: its kernel `[d_out, channels / groups, height, width]` and how it moves.
struct Loops {
    kernel: Tensor<4>,
    bias: Vec<f64>,
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Zeros before height and width.
    before: [usize; 2],
    /// The packed gates, each of which has all groups.
    gates: usize,
    groups: usize,
}

impl Loops {
    fn apply(&self, input: &Maps, [height, width]: [usize; 2]) -> Maps {
        let [d_out, seen, tall, wide] = self.kernel.dims();
        let kernel = numbers(self.kernel.clone());
        let of_gate = d_out / self.gates;
        Maps::from_fn([d_out, height, width], |[out, y, x]| {
            let group = out % of_gate / (of_gate / self.groups);
            let mut sum = self.bias[out];
            for channel in 0..seen {
                for v in 0..tall {
                    for u in 0..wide {
                        let place = |at: usize, tap: usize, axis: usize| {
                            (at * self.stride[axis] + tap * self.dilation[axis]) as isize
                                - self.before[axis] as isize
                        };
                        let weight = kernel[((out * seen + channel) * tall + v) * wide + u];
                        let from = group * seen + channel;
                        sum += weight * input.at(from, place(y, v, 0), place(x, u, 1));
                    }
                }
            }
            sum
        })
    }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

const D_INPUT: usize = 4;
const D_HIDDEN: usize = 2;
const BATCH: usize = 2;
const SEQ: usize = 3;
const SPACE: [usize; 2] = [5, 6];
/// `(5 + 1 + 2 − 2) / 2 + 1` and `(6 + 1 + 0 − 3) / 1 + 1`, with kernels that reach over 2 and 3 places.
const STATE_SPACE: [usize; 2] = [4, 5];

fn convolution() -> ConvConfig {
    ConvConfig::new([2, 2].into())
        .with_stride([2, 1].into())
        .with_dilation([1, 2].into())
        .with_padding(ConvPadding::Explicit {
            before: 1.into(),
            behind: [2, 0].into(),
        })
        .with_groups(2)
        .with_state_kernel(Some([3, 1].into()))
        .with_state_dilation([2, 1].into())
        .with_space(Some(SPACE.into()))
}

/// The two convolutions of [`convolution`] in loops, of the input and of the state.
fn loops(weights: &ConvWeights<4>, gates: usize) -> [Loops; 2] {
    let bias = |bias: &Option<burn::module::Param<Tensor<1>>>| {
        numbers(bias.as_ref().expect("a bias").val())
    };
    let input = Loops {
        kernel: weights.weight_ih.val(),
        bias: bias(&weights.bias_ih),
        stride: [2, 1],
        dilation: [1, 2],
        before: [1, 1],
        gates,
        groups: 2,
    };
    let state = Loops {
        kernel: weights.weight_hh.val(),
        bias: bias(&weights.bias_hh),
        stride: [1, 1],
        dilation: [2, 1],
        before: [2, 0],
        gates: 1,
        groups: 1,
    };
    [input, state]
}

fn input(device: &Device) -> Tensor<5> {
    let [height, width] = SPACE;
    random(
        [BATCH, SEQ, D_INPUT, height, width],
        1,
        (device, DType::F64),
    )
}

fn state(seed: u64, device: &Device) -> Tensor<4> {
    let [height, width] = STATE_SPACE;
    random([BATCH, D_HIDDEN, height, width], seed, (device, DType::F64))
}

/// The maps of a row.
fn row(maps: &Tensor<4>, row: usize) -> Maps {
    let maps = maps.clone().narrow(0, row, 1);
    let [_, channels, height, width] = maps.dims();
    Maps {
        shape: [channels, height, width],
        values: numbers(maps),
    }
}

/// The maps of a row at a step.
fn frame(sequence: &Tensor<5>, at: usize, t: usize) -> Maps {
    row(&sequence.clone().narrow(1, t, 1).squeeze_dim(1), at)
}

fn tensor(rows: Vec<Vec<f64>>, device: &Device) -> Tensor<4> {
    let [height, width] = STATE_SPACE;
    let data = burn::tensor::TensorData::new(rows.concat(), [BATCH, D_HIDDEN, height, width]);
    Tensor::from_data(data, (device, DType::F64))
}

#[test]
fn lstm_with_peepholes_is_plain_loops() {
    for device in devices!() {
        let device = device.autodiff();
        let cell = LstmConfig::new(D_INPUT, D_HIDDEN).with_peepholes(Peepholes::Diagonal);
        let config = ConvLstm2dConfig::new(cell, convolution());
        let lstm = with_fixed_parameters(config.init(&device), 3);
        let x = input(&device);
        let [h_0, c_0] = [2, 3].map(|seed| state(seed, &device));
        let old = ConvLstmState::new(c_0.clone(), h_0.clone());
        let (output, new) = lstm.scan(Frames::<4>::new(x.clone()), old, Order::Forward);

        let [of_input, of_state] = loops(&lstm.weights, 4);
        let peepholes = lstm.peepholes.as_ref().expect("peepholes").val();
        let [p_i, p_f, p_o] = [0, 1, 2].map(|gate| row(&peepholes, gate));
        let shape = [D_HIDDEN, STATE_SPACE[0], STATE_SPACE[1]];
        let mut last = Vec::new();
        for at in 0..BATCH {
            let (mut h, mut c) = (row(&h_0, at), row(&c_0, at));
            for t in 0..SEQ {
                let from_input = of_input.apply(&frame(&x, at, t), STATE_SPACE);
                let from_state = of_state.apply(&h, STATE_SPACE);
                let gate = |gate: usize, [channel, y, x]: [usize; 3]| {
                    let place = [gate * D_HIDDEN + channel, y, x];
                    from_input.get(place) + from_state.get(place)
                };
                let next = Maps::from_fn(shape, |place| {
                    let i = sigmoid(gate(0, place) + p_i.get(place) * c.get(place));
                    let f = sigmoid(gate(1, place) + p_f.get(place) * c.get(place));
                    f * c.get(place) + i * gate(2, place).tanh()
                });
                h = Maps::from_fn(shape, |place| {
                    let o = sigmoid(gate(3, place) + p_o.get(place) * next.get(place));
                    o * next.get(place).tanh()
                });
                c = next;
            }
            last.push((h.values, c.values));
        }
        let (hidden, cells): (Vec<_>, Vec<_>) = last.into_iter().unzip();
        assert_close(&new.hidden, &tensor(hidden, &device), "hidden");
        assert_close(&new.cell, &tensor(cells, &device), "cell");
        let sequence: Tensor<5> = output.into_sequence();
        let at_end = sequence.narrow(1, SEQ - 1, 1).squeeze_dim(1);
        assert_close(&at_end, &new.hidden, "last output");
    }
}

#[test]
fn the_gru_of_the_paper_is_plain_loops() {
    for device in devices!() {
        let device = device.autodiff();
        let config = ConvGru2dConfig::new(GruConfig::article(D_INPUT, D_HIDDEN), convolution());
        let gru = with_fixed_parameters(config.init(&device), 3);
        let x = input(&device);
        let h_0 = state(2, &device);
        let frames = Frames::<4>::new(x.clone());
        let (_, new) = gru.scan(frames, h_0.clone(), Order::Reverse);

        let [of_input, of_state] = loops(&gru.weights, 3);
        let shape = [D_HIDDEN, STATE_SPACE[0], STATE_SPACE[1]];
        let mut last = Vec::new();
        for at in 0..BATCH {
            let mut h = row(&h_0, at);
            for t in (0..SEQ).rev() {
                let from_input = of_input.apply(&frame(&x, at, t), STATE_SPACE);
                let from_state = of_state.apply(&h, STATE_SPACE);
                let packed =
                    |gate: usize, [channel, y, x]: [usize; 3]| [gate * D_HIDDEN + channel, y, x];
                let gate = |gate: usize, place: [usize; 3]| {
                    let place = packed(gate, place);
                    sigmoid(from_input.get(place) + from_state.get(place))
                };
                let reset = Maps::from_fn(shape, |place| gate(0, place) * h.get(place));
                let from_reset = of_state.apply(&reset, STATE_SPACE);
                h = Maps::from_fn(shape, |place| {
                    let (z, content) = (gate(1, place), packed(2, place));
                    let n = (from_input.get(content) + from_reset.get(content)).tanh();
                    (1.0 - z) * h.get(place) + z * n
                });
            }
            last.push(h.values);
        }
        assert_close(&new, &tensor(last, &device), "hidden");
    }
}
