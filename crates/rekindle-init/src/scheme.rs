//! What every tensor of a recurrent layer gets, gate by gate.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::{Fan, Gate, GateBias, InitError, Initializer};

/// How the weights and biases of a recurrent layer are drawn.
///
/// Each gate's block is drawn on its own, as a matrix of its own shape, so that `fan_out` is
/// `d_hidden` and every block of an orthogonal recurrent weight is orthogonal:
///
/// ```text
/// weight_ih  [d_input,  d_hidden] per gate, from `input`
/// weight_hh  [d_recurrent, d_hidden] per gate, from `recurrent`; d_recurrent is d_hidden unless h is projected
/// bias_ih    [1,        d_hidden] per gate, from `bias`
/// bias_hh    [1,        d_hidden] per gate, from `bias`
/// ```
///
/// A scheme knows no layer and no direction: draw once for each.
///
/// # Differences
///
/// Keras' LSTM and GRU have the same defaults (`glorot_uniform`, `orthogonal`, zeros, forget bias
/// 1 for the LSTM) but draw all gates as one matrix: their `fan_out` is `G · d_hidden`, and the
/// recurrent weight is orthogonal as a whole, not gate by gate. PyTorch draws everything from one
/// uniform distribution: [`pytorch`](Self::pytorch).
///
/// # Examples
///
/// An LSTM with chrono biases, and a forget gate that starts without seeing the hidden state.
///
/// ```
/// use burn::tensor::Device;
/// use rekindle_init::{Gate, GateBias, GateRule, Initializer, RecurrentScheme};
///
/// let scheme = RecurrentScheme {
///     gate_bias: GateBias::Chrono { t_max: 100 },
///     gates: vec![GateRule {
///         recurrent: Some(Initializer::Zeros),
///         ..GateRule::new(Gate::Forget)
///     }],
///     ..RecurrentScheme::default()
/// };
/// let lstm = [Gate::Input, Gate::Forget, Gate::Candidate, Gate::Output];
/// let device = Device::default();
/// device.seed(3);
/// let tensors = scheme.sample([5, 8], &lstm, true, &device);
/// assert_eq!(tensors.weight_hh.dims(), [8, 4 * 8]);
/// let [bias_ih, bias_hh] = tensors.biases.expect("biases were asked for");
/// let sum = bias_ih + bias_hh;
/// let input_plus_forget = sum.clone().slice([0..8]) + sum.slice([8..16]);
/// assert_eq!(input_plus_forget.abs().max().into_scalar::<f32>(), 0.0);
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct RecurrentScheme {
    /// Each gate's block of `weight_ih`. Default: `XavierUniform`, gain 1, which keeps the
    /// variance of the input signal through tanh.
    pub input: Initializer,
    /// Each gate's block of `weight_hh`. Default: `Orthogonal`, gain 1, whose powers neither grow
    /// nor shrink over time.
    pub recurrent: Initializer,
    /// Each gate's block of both biases; their sum enters the gate, so a constant counts twice.
    /// Default: `Zeros`.
    pub bias: Initializer,
    /// The bias of the gates that keep the state. Default: `Forget`, value 1: remember first.
    pub gate_bias: GateBias,
    /// Other initializers for single gates, at most one rule per gate. Default: none.
    ///
    /// A rule that gives the forget gate a bias goes before [`GateBias::Forget`]. Chrono biases
    /// belong together, so a rule that gives one of their gates a bias is an error.
    pub gates: Vec<GateRule>,
}

/// Initializers for one gate; what is `None` comes from the scheme.
///
/// # Examples
///
/// ```
/// use rekindle_init::{Gate, GateRule, Initializer};
///
/// let rule = GateRule {
///     bias: Some(Initializer::Constant { value: -1.0 }),
///     ..GateRule::new(Gate::Output)
/// };
/// assert_eq!(rule.input, None);
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// The gate.
    pub gate: Gate,
    /// Its block of `weight_ih`. Default: the scheme's `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Initializer>,
    /// Its block of `weight_hh`. Default: the scheme's `recurrent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrent: Option<Initializer>,
    /// Its block of both biases. Default: the scheme's `bias`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Initializer>,
}

/// The tensors of one layer and direction, gates packed along the last axis.
///
/// No tensor has a graph; each can be given to `Param::from_tensor`.
///
/// # Examples
///
/// ```
/// use burn::tensor::Device;
/// use rekindle_init::{Gate, RecurrentScheme};
///
/// let tensors =
///     RecurrentScheme::default().sample([3, 4], &[Gate::Candidate], false, &Device::default());
/// assert_eq!(tensors.weight_ih.dims(), [3, 4]);
/// assert!(tensors.biases.is_none());
/// ```
#[derive(Debug, Clone)]
pub struct RecurrentTensors {
    /// The input weights, `[d_input, G·d_hidden]`.
    pub weight_ih: Tensor<2>,
    /// The recurrent weights, `[d_recurrent, G·d_hidden]`.
    pub weight_hh: Tensor<2>,
    /// `bias_ih` and `bias_hh`, each `[G·d_hidden]`, or `None` for a layer without biases.
    pub biases: Option<[Tensor<1>; 2]>,
}

/// The widths of one recurrent layer and direction. `[d_input, d_hidden]` converts into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentWidths {
    /// Width of the input.
    pub d_input: usize,
    /// Hidden units: the width of each gate.
    pub d_hidden: usize,
    /// Width of what the recurrent weight reads: `d_hidden`, unless the hidden state is projected.
    pub d_recurrent: usize,
}

impl From<[usize; 2]> for RecurrentWidths {
    fn from([d_input, d_hidden]: [usize; 2]) -> Self {
        Self {
            d_input,
            d_hidden,
            d_recurrent: d_hidden,
        }
    }
}

impl burn::config::Config for GateRule {}
impl burn::config::Config for RecurrentScheme {}

impl GateRule {
    /// A rule that changes nothing yet.
    pub fn new(gate: Gate) -> Self {
        Self {
            gate,
            input: None,
            recurrent: None,
            bias: None,
        }
    }
}

impl Default for RecurrentScheme {
    fn default() -> Self {
        Self {
            input: Initializer::XavierUniform { gain: 1.0 },
            recurrent: Initializer::Orthogonal { gain: 1.0 },
            bias: Initializer::Zeros,
            gate_bias: GateBias::default(),
            gates: Vec::new(),
        }
    }
}

impl RecurrentScheme {
    /// PyTorch's own initialisation: every weight and bias from `U(−1/√d_hidden, 1/√d_hidden)`, no
    /// forget bias (`torch.nn.LSTM`, `GRU` and `RNN`).
    pub fn pytorch() -> Self {
        let everywhere = Initializer::FanUniform { fan: Fan::Out };
        Self {
            input: everywhere.clone(),
            recurrent: everywhere.clone(),
            bias: everywhere,
            gate_bias: GateBias::None,
            gates: Vec::new(),
        }
    }

    /// The IRNN: identity recurrent weights, input weights from `N(0, 0.001²)`, zero biases. Meant
    /// for an Elman cell with ReLU, which then starts by summing its inputs.
    ///
    /// Le et al., *A Simple Way to Initialize Recurrent Networks of Rectified Linear Units*, 2015,
    /// <https://arxiv.org/abs/1504.00941>.
    pub fn irnn() -> Self {
        Self {
            input: Initializer::Normal {
                mean: 0.0,
                std: 0.001,
            },
            recurrent: Initializer::Identity { gain: 1.0 },
            bias: Initializer::Zeros,
            gate_bias: GateBias::None,
            gates: Vec::new(),
        }
    }

    /// Draws the tensors of one layer and direction of a cell whose gates are packed as `gates`.
    ///
    /// Random numbers are taken in this order, and within each line gate by gate as in `gates`:
    ///
    /// ```text
    /// weight_ih, weight_hh, bias_ih, bias_hh, gate_bias
    /// ```
    ///
    /// So neither `bias` nor `gate_bias` changes the weights that a seed gives. Without `bias`,
    /// nothing is drawn for the biases, and `gate_bias` has nothing to set.
    ///
    /// # Panics
    /// - with the message of [`validate_for`](Self::validate_for), or as it does
    /// - if a width is zero
    pub fn sample(
        &self,
        widths: impl Into<RecurrentWidths>,
        gates: &[Gate],
        bias: bool,
        device: &Device,
    ) -> RecurrentTensors {
        if let Err(error) = self.validate_for(gates) {
            panic!("{error}");
        }
        let widths @ RecurrentWidths {
            d_input,
            d_hidden,
            d_recurrent,
        } = widths.into();
        assert!(
            d_input > 0 && d_hidden > 0 && d_recurrent > 0,
            "a recurrent layer needs at least one input and one hidden unit, found {widths:?}"
        );
        let weight = |rows: usize, part: Part| {
            let blocks = self.blocks(part, gates, [rows, d_hidden], device);
            let data = TensorData::new(pack(&blocks, d_hidden), [rows, gates.len() * d_hidden]);
            Tensor::from_data(data, device)
        };
        RecurrentTensors {
            weight_ih: weight(d_input, Part::Input),
            weight_hh: weight(d_recurrent, Part::Recurrent),
            biases: bias.then(|| self.biases(gates, d_hidden, device)),
        }
    }

    /// Checks every number, and that the rules do not contradict each other.
    ///
    /// # Errors
    /// - [`InitError::Value`], [`InitError::Interval`]: a number out of range, in any initializer
    /// - [`InitError::RepeatedRule`]: two rules for one gate
    /// - [`InitError::ChronoRule`]: a rule sets a bias that chrono initialisation sets too
    pub fn validate(&self) -> Result<(), InitError> {
        self.input.validate_at("input")?;
        self.recurrent.validate_at("recurrent")?;
        self.bias.validate_at("bias")?;
        self.gate_bias.validate()?;
        for (index, rule) in self.gates.iter().enumerate() {
            let gate = rule.gate;
            let earlier = &self.gates[..index];
            if let Some(first) = earlier.iter().position(|other| other.gate == gate) {
                return Err(InitError::RepeatedRule { index, first, gate });
            }
            if rule.bias.is_some() && self.gate_bias.is_chrono_for(gate) {
                return Err(InitError::ChronoRule { index, gate });
            }
            let parts = [
                ("input", &rule.input),
                ("recurrent", &rule.recurrent),
                ("bias", &rule.bias),
            ];
            for (name, initializer) in parts {
                if let Some(initializer) = initializer {
                    initializer.validate_at(&format!("gates[{index}].{name}"))?;
                }
            }
        }
        Ok(())
    }

    /// Checks the scheme as [`validate`](Self::validate) does, and that it suits a cell.
    ///
    /// # Errors
    /// - those of [`validate`](Self::validate)
    /// - [`InitError::MissingGate`]: a rule names a gate that the cell lacks
    /// - [`InitError::ChronoCell`]: chrono initialisation for a cell with neither a forget nor an
    ///   update gate
    ///
    /// # Panics
    /// If `gates` is empty or names a gate twice.
    pub fn validate_for(&self, gates: &[Gate]) -> Result<(), InitError> {
        assert!(!gates.is_empty(), "a cell needs at least one gate");
        for (index, gate) in gates.iter().enumerate() {
            assert!(
                !gates[..index].contains(gate),
                "a cell packs each gate once, found {gate} twice"
            );
        }
        self.validate()?;
        for (index, rule) in self.gates.iter().enumerate() {
            if !gates.contains(&rule.gate) {
                return Err(InitError::MissingGate {
                    index,
                    gate: rule.gate,
                    available: gates.to_vec(),
                });
            }
        }
        let keeps = gates.contains(&Gate::Forget) || gates.contains(&Gate::Update);
        if matches!(self.gate_bias, GateBias::Chrono { .. }) && !keeps {
            return Err(InitError::ChronoCell {
                available: gates.to_vec(),
            });
        }
        Ok(())
    }

    /// `bias_ih` and `bias_hh`.
    fn biases(&self, gates: &[Gate], d_hidden: usize, device: &Device) -> [Tensor<1>; 2] {
        let mut bias_ih = self.blocks(Part::Bias, gates, [1, d_hidden], device);
        let mut bias_hh = self.blocks(Part::Bias, gates, [1, d_hidden], device);
        let sums = self.gate_bias.sums(gates, d_hidden, device);
        for (index, sum) in sums.into_iter().enumerate() {
            let ruled = self.rule(gates[index]).is_some_and(|r| r.bias.is_some());
            if let Some(sum) = sum.filter(|_| !ruled) {
                bias_ih[index] = sum;
                bias_hh[index] = vec![0.0; d_hidden];
            }
        }
        [bias_ih, bias_hh].map(|blocks| {
            let data = TensorData::new(blocks.concat(), [gates.len() * d_hidden]);
            Tensor::from_data(data, device)
        })
    }

    /// One block for each gate, drawn in their order, each row by row.
    fn blocks(
        &self,
        part: Part,
        gates: &[Gate],
        shape: [usize; 2],
        device: &Device,
    ) -> Vec<Vec<f64>> {
        let draw = |&gate: &Gate| self.initializer(part, gate).draw(shape, device);
        gates.iter().map(draw).collect()
    }

    /// What the gate's block is drawn from: its rule's initializer, else the scheme's.
    fn initializer(&self, part: Part, gate: Gate) -> &Initializer {
        let rule = self.rule(gate);
        match part {
            Part::Input => rule.and_then(|r| r.input.as_ref()).unwrap_or(&self.input),
            Part::Recurrent => (rule.and_then(|r| r.recurrent.as_ref())).unwrap_or(&self.recurrent),
            Part::Bias => rule.and_then(|r| r.bias.as_ref()).unwrap_or(&self.bias),
        }
    }

    /// The rule for the gate, if there is one.
    fn rule(&self, gate: Gate) -> Option<&GateRule> {
        self.gates.iter().find(|rule| rule.gate == gate)
    }
}

/// The tensors that a rule can set.
#[derive(Clone, Copy)]
enum Part {
    /// `weight_ih`.
    Input,
    /// `weight_hh`.
    Recurrent,
    /// `bias_ih` and `bias_hh`.
    Bias,
}

/// Blocks of `d_hidden` columns side by side, row by row.
fn pack(blocks: &[Vec<f64>], d_hidden: usize) -> Vec<f64> {
    let rows = blocks[0].len() / d_hidden;
    let row = |index: usize| index * d_hidden..(index + 1) * d_hidden;
    let row_of_blocks = |index| blocks.iter().flat_map(move |block| &block[row(index)]);
    (0..rows).flat_map(row_of_blocks).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Nonlinearity,
        testing::{assert_distribution, assert_moments, on_devices, uniform_cdf, values},
    };

    const ELMAN: [Gate; 1] = [Gate::Candidate];
    const LSTM: [Gate; 4] = [Gate::Input, Gate::Forget, Gate::Candidate, Gate::Output];
    const GRU: [Gate; 3] = [Gate::Reset, Gate::Update, Gate::Candidate];

    /// The columns of one block, row by row.
    fn block(packed: Tensor<2>, index: usize, d_hidden: usize) -> Vec<f32> {
        let rows = packed.dims()[0];
        values(packed.slice([0..rows, index * d_hidden..(index + 1) * d_hidden]))
    }

    /// Both biases.
    fn biases(tensors: RecurrentTensors) -> [Vec<f32>; 2] {
        tensors.biases.expect("biases were asked for").map(values)
    }

    /// The sum of both biases.
    fn sum([bias_ih, bias_hh]: [Vec<f32>; 2]) -> Vec<f32> {
        bias_ih.iter().zip(bias_hh).map(|(a, b)| a + b).collect()
    }

    /// Everything that was drawn.
    fn bits(tensors: RecurrentTensors) -> Vec<f32> {
        let mut all = values(tensors.weight_ih);
        all.extend(values(tensors.weight_hh));
        all.extend(tensors.biases.into_iter().flatten().flat_map(values));
        all
    }

    /// Random biases, so that what a gate bias leaves alone can be recognised.
    fn with_random_biases(gate_bias: GateBias) -> RecurrentScheme {
        RecurrentScheme {
            bias: Initializer::Normal {
                mean: 0.0,
                std: 1.0,
            },
            gate_bias,
            ..RecurrentScheme::default()
        }
    }

    #[test]
    fn each_gate_gets_its_own_block() {
        let constant = |value| Some(Initializer::Constant { value });
        let rule = |gate, value: f64| GateRule {
            gate,
            input: constant(value),
            recurrent: constant(-value),
            bias: constant(value / 2.0),
        };
        let scheme = RecurrentScheme {
            input: Initializer::Identity { gain: 9.0 },
            recurrent: Initializer::Identity { gain: 8.0 },
            bias: Initializer::Constant { value: 7.0 },
            gate_bias: GateBias::None,
            gates: vec![rule(Gate::Output, 4.0), rule(Gate::Input, 1.0)],
        };
        on_devices(|device| {
            let tensors = scheme.sample([3, 2], &LSTM, true, device);
            #[rustfmt::skip]
            let weight_ih = [
                1.0, 1.0, 9.0, 0.0, 9.0, 0.0, 4.0, 4.0,
                1.0, 1.0, 0.0, 9.0, 0.0, 9.0, 4.0, 4.0,
                1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 4.0, 4.0,
            ];
            #[rustfmt::skip]
            let weight_hh = [
                -1.0, -1.0, 8.0, 0.0, 8.0, 0.0, -4.0, -4.0,
                -1.0, -1.0, 0.0, 8.0, 0.0, 8.0, -4.0, -4.0,
            ];
            let bias = [0.5, 0.5, 7.0, 7.0, 7.0, 7.0, 2.0, 2.0];
            assert_eq!(tensors.weight_ih.dims(), [3, 8]);
            assert_eq!(tensors.weight_hh.dims(), [2, 8]);
            assert_eq!(values(tensors.weight_ih.clone()), weight_ih);
            assert_eq!(values(tensors.weight_hh.clone()), weight_hh);
            assert_eq!(biases(tensors), [bias, bias]);
        });
    }

    #[test]
    fn default_blocks_are_xavier_and_orthogonal() {
        let (d_input, d_hidden) = (40, 24);
        on_devices(|device| {
            for gates in [&ELMAN[..], &LSTM, &GRU] {
                let tensors =
                    RecurrentScheme::default().sample([d_input, d_hidden], gates, true, device);
                let input = values(tensors.weight_ih.clone());
                let input: Vec<f64> = input.into_iter().map(f64::from).collect();
                let bound = (6.0 / (d_input + d_hidden) as f64).sqrt();
                assert_distribution(&input, uniform_cdf(-bound, bound));
                assert_moments(&input, 0.0, bound * bound / 3.0, 1.8);
                for index in 0..gates.len() {
                    let recurrent = block(tensors.weight_hh.clone(), index, d_hidden);
                    for a in recurrent.chunks_exact(d_hidden) {
                        let product = |b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
                        let total: f32 = recurrent
                            .chunks_exact(d_hidden)
                            .map(|b| product(b).abs())
                            .sum();
                        assert!((product(a) - 1.0).abs() < 1e-5);
                        assert!((total - 1.0).abs() < 1e-4, "rows of a block are orthogonal");
                    }
                    for other in 0..index {
                        let earlier = block(tensors.weight_hh.clone(), other, d_hidden);
                        assert_ne!(recurrent, earlier, "blocks are drawn one by one");
                    }
                }
            }
        });
    }

    #[test]
    fn the_forget_biases_sum_to_one_exactly() {
        on_devices(|device| {
            for scheme in [
                RecurrentScheme::default(),
                with_random_biases(GateBias::default()),
            ] {
                let [bias_ih, bias_hh] = biases(scheme.sample([3, 5], &LSTM, true, device));
                assert_eq!(bias_ih[5..10], [1.0; 5]);
                assert_eq!(bias_hh[5..10], [0.0; 5]);
            }
            let lstm = sum(biases(RecurrentScheme::default().sample(
                [3, 2],
                &LSTM,
                true,
                device,
            )));
            assert_eq!(lstm, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
            for gates in [&ELMAN[..], &GRU] {
                let other = RecurrentScheme::default().sample([3, 2], gates, true, device);
                assert!(bits(other).iter().rev().take(4).all(|bias| *bias == 0.0));
            }
        });
    }

    #[test]
    fn chrono_spreads_the_time_scales() {
        let (d_hidden, t_max) = (2000, 30);
        let bound = (t_max as f32 - 1.0).ln();
        let kept = |biases: &[f32]| {
            assert!(biases.iter().all(|b| (0.0..=bound).contains(b)));
            let scales: Vec<f64> = biases.iter().map(|b| f64::from(*b).exp()).collect();
            assert_distribution(&scales, uniform_cdf(1.0, t_max as f64 - 1.0));
        };
        let scheme = RecurrentScheme {
            recurrent: Initializer::Zeros,
            ..with_random_biases(GateBias::Chrono { t_max })
        };
        on_devices(|device| {
            let lstm = sum(biases(scheme.sample([1, d_hidden], &LSTM, true, device)));
            let (input, forget) = lstm[..2 * d_hidden].split_at(d_hidden);
            kept(forget);
            assert!(input.iter().zip(forget).all(|(i, f)| *i == -*f));

            let gru = sum(biases(scheme.sample([1, d_hidden], &GRU, true, device)));
            kept(&gru[d_hidden..2 * d_hidden]);

            for seed in 0..50 {
                device.seed(seed);
                let few = scheme.sample([2, 3], &LSTM, true, device);
                let [bias_ih, bias_hh] = biases(few);
                assert!((0..3).all(|unit| bias_ih[unit] == -bias_ih[3 + unit]));
                assert_eq!(bias_hh[..6], [0.0; 6]);
            }
        });
    }

    #[test]
    fn a_gate_bias_leaves_the_rest_alone() {
        on_devices(|device| {
            let draw = |gate_bias, gates: &[Gate], bias| {
                device.seed(11);
                with_random_biases(gate_bias).sample([4, 3], gates, bias, device)
            };
            let forget = GateBias::Forget { value: 2.0 };
            let chrono = GateBias::Chrono { t_max: 9 };
            let cases = [
                (forget, &LSTM[..], vec![Gate::Forget]),
                (forget, &GRU, vec![]),
                (forget, &ELMAN, vec![]),
                (chrono, &LSTM, vec![Gate::Input, Gate::Forget]),
                (chrono, &GRU, vec![Gate::Update]),
            ];
            for (gate_bias, gates, set) in cases {
                let plain = draw(GateBias::None, gates, true);
                let tensors = draw(gate_bias, gates, true);
                let bare = draw(gate_bias, gates, false);
                assert!(bare.biases.is_none());
                for (a, b) in [
                    (&plain.weight_ih, &tensors.weight_ih),
                    (&plain.weight_ih, &bare.weight_ih),
                    (&plain.weight_hh, &tensors.weight_hh),
                    (&plain.weight_hh, &bare.weight_hh),
                ] {
                    assert_eq!(values(a.clone()), values(b.clone()));
                }
                for (before, after) in biases(plain).iter().zip(biases(tensors)) {
                    for (index, gate) in gates.iter().enumerate() {
                        let block = 3 * index..3 * index + 3;
                        let same = before[block.clone()] == after[block];
                        assert_eq!(same, !set.contains(gate), "{gate_bias:?}, {gate}");
                    }
                }
            }
        });
    }

    #[test]
    fn a_rule_for_the_forget_bias_goes_first() {
        let scheme = RecurrentScheme {
            gates: vec![GateRule {
                bias: Some(Initializer::Constant { value: -0.25 }),
                ..GateRule::new(Gate::Forget)
            }],
            ..RecurrentScheme::default()
        };
        on_devices(|device| {
            let found = sum(biases(scheme.sample([1, 1], &LSTM, true, device)));
            assert_eq!(found, [0.0, -0.5, 0.0, 0.0]);
        });
    }

    #[test]
    fn the_pytorch_scheme_is_uniform_in_the_hidden_size() {
        on_devices(|device| {
            let tensors = RecurrentScheme::pytorch().sample([30, 25], &LSTM, true, device);
            let found = [
                values(tensors.weight_ih.clone()),
                values(tensors.weight_hh.clone()),
            ];
            for part in found.into_iter().chain(biases(tensors)) {
                let part: Vec<f64> = part.into_iter().map(f64::from).collect();
                assert_moments(&part, 0.0, 0.04 / 3.0, 1.8);
                assert_distribution(&part, uniform_cdf(-0.2, 0.2));
                assert!(part.iter().all(|v| v.abs() <= 0.2 + 1e-7));
            }
        });
    }

    #[test]
    fn the_irnn_starts_as_a_sum_of_inputs() {
        on_devices(|device| {
            let tensors = RecurrentScheme::irnn().sample([200, 100], &ELMAN, true, device);
            let input = values(tensors.weight_ih.clone());
            let input: Vec<f64> = input.into_iter().map(f64::from).collect();
            assert_moments(&input, 0.0, 1e-6, 3.0);
            let identity = Initializer::Identity { gain: 1.0 }.sample([100, 100], device);
            assert_eq!(values(tensors.weight_hh.clone()), values(identity));
            assert_eq!(sum(biases(tensors)), [0.0; 100]);
        });
    }

    #[test]
    fn a_seed_repeats_a_scheme() {
        on_devices(|device| {
            for scheme in [
                with_random_biases(GateBias::Chrono { t_max: 50 }),
                RecurrentScheme::pytorch(),
            ] {
                let draw = |seed| {
                    device.seed(seed);
                    bits(scheme.sample([3, 4], &LSTM, true, device))
                };
                assert_eq!(draw(1), draw(1));
                assert_ne!(draw(1), draw(2));
            }
        });
    }

    #[test]
    fn the_order_of_draws_is_the_documented_one() {
        let kind = Initializer::FanUniform { fan: Fan::Out };
        on_devices(|device| {
            device.seed(5);
            let tensors = RecurrentScheme::pytorch().sample([3, 4], &GRU, true, device);
            device.seed(5);
            for (packed, rows) in [(&tensors.weight_ih, 3), (&tensors.weight_hh, 4)] {
                for index in 0..GRU.len() {
                    let expected = values(kind.sample([rows, 4], device));
                    assert_eq!(block(packed.clone(), index, 4), expected);
                }
            }
            for bias in biases(tensors) {
                for found in bias.chunks_exact(4) {
                    assert_eq!(found, values(kind.sample([1, 4], device)));
                }
            }
        });
    }

    #[test]
    fn contradictions_are_named() {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: -1.0,
        };
        let slope = f64::INFINITY;
        let he = Initializer::HeNormal {
            nonlinearity: Nonlinearity::LeakyRelu { slope },
            fan: Fan::In,
        };
        let bias_rule = |gate| GateRule {
            bias: Some(Initializer::Zeros),
            ..GateRule::new(gate)
        };
        let wrong_rule = GateRule {
            recurrent: Some(normal.clone()),
            ..GateRule::new(Gate::Output)
        };
        let chrono = GateBias::Chrono { t_max: 9 };
        let base = RecurrentScheme::default;
        #[rustfmt::skip]
        let cases = [
            (RecurrentScheme { input: normal.clone(), ..base() },
             "input (normal): std is -1, expected a finite 32-bit number above 0"),
            (RecurrentScheme { recurrent: he, ..base() },
             "recurrent (he_normal): slope is inf, expected a finite 32-bit number"),
            (RecurrentScheme { bias: normal, ..base() },
             "bias (normal): std is -1, expected a finite 32-bit number above 0"),
            (RecurrentScheme { gate_bias: GateBias::Forget { value: f64::NAN }, ..base() },
             "gate_bias (forget): value is NaN, expected a finite 32-bit number"),
            (RecurrentScheme { gate_bias: GateBias::Chrono { t_max: 2 }, ..base() },
             "gate_bias (chrono): t_max is 2, expected at least 3 steps"),
            (RecurrentScheme { gates: vec![bias_rule(Gate::Input), wrong_rule], ..base() },
             "gates[1].recurrent (normal): std is -1, expected a finite 32-bit number above 0"),
            (RecurrentScheme { gates: vec![bias_rule(Gate::Input), bias_rule(Gate::Output), GateRule::new(Gate::Input)], ..base() },
             "gates[2] sets the input gate, as gates[0] does, expected one rule per gate: merge them"),
            (RecurrentScheme { gates: vec![bias_rule(Gate::Input)], gate_bias: chrono, ..base() },
             "gates[0] sets the bias of the input gate, which gate_bias (chrono) sets too, expected one of them: remove the bias of the rule or choose another gate_bias"),
        ];
        for (scheme, message) in cases {
            assert_eq!(scheme.validate().unwrap_err().to_string(), message);
            let error = scheme.validate_for(&LSTM).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let output = RecurrentScheme {
            gates: vec![bias_rule(Gate::Output)],
            gate_bias: chrono,
            ..base()
        };
        assert_eq!(output.validate_for(&LSTM), Ok(()));
    }

    #[test]
    fn a_scheme_must_suit_the_cell() {
        let scheme = RecurrentScheme {
            gates: vec![GateRule::new(Gate::Candidate), GateRule::new(Gate::Forget)],
            ..RecurrentScheme::default()
        };
        assert_eq!(scheme.validate_for(&LSTM), Ok(()));
        assert_eq!(scheme.validate(), Ok(()));
        assert_eq!(
            scheme.validate_for(&GRU).unwrap_err().to_string(),
            "gates[1] sets the forget gate, expected a gate of this cell \
             (reset, update, candidate): remove the rule or change its gate"
        );
        let chrono = with_random_biases(GateBias::Chrono { t_max: 9 });
        assert_eq!(chrono.validate_for(&GRU), Ok(()));
        assert_eq!(
            chrono.validate_for(&ELMAN).unwrap_err().to_string(),
            "gate_bias is chrono, expected a cell with a forget or an update gate, \
             this one has candidate: choose another gate_bias"
        );
    }

    #[test]
    #[should_panic(expected = "a cell packs each gate once, found candidate twice")]
    fn gates_do_not_repeat() {
        let _ = RecurrentScheme::default().validate_for(&[Gate::Candidate, Gate::Candidate]);
    }

    #[test]
    #[should_panic(expected = "gates[0] sets the reset gate, expected a gate of this cell")]
    fn sampling_checks_the_cell() {
        let scheme = RecurrentScheme {
            gates: vec![GateRule::new(Gate::Reset)],
            ..RecurrentScheme::default()
        };
        on_devices(|device| {
            let _ = scheme.sample([1, 1], &LSTM, true, device);
        });
    }
}
