//! One comparison: what a scan reads, and what is made of its outputs.

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use rekindle_cells::{Array, Equations, Layout, Lengths, Order, Parameters};
use rekindle_kernels::{Norms, Scan, Scanned, Within};
use rekindle_testkit::random;

use crate::equations::Numbers;
use crate::inside::Inside;

/// Which arguments of a scan need a gradient, counted as [`Arguments`] counts them.
#[derive(Clone, Copy, Debug)]
pub enum Tracked {
    All,
    Only(usize),
    AllBut(usize),
    None,
}

impl Tracked {
    fn has(self, argument: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => argument == only,
            Self::AllBut(but) => argument != but,
            Self::None => false,
        }
    }
}

/// The arguments of a scan in a row: input, `W_ih`, recurrent weights, two biases, parameters of units, projection,
/// states.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    pub reads: usize,
    pub units: usize,
    pub states: usize,
}

impl Arguments {
    pub fn of<E: Equations>(equations: &E) -> Self {
        Self {
            reads: equations.reads(),
            units: <E::Units<()> as Array<()>>::LEN - usize::from(E::FACTOR),
            states: <E::States<()> as Array<()>>::LEN,
        }
    }

    fn first_bias(self) -> usize {
        2 + self.reads
    }

    fn first_unit(self) -> usize {
        self.first_bias() + 2
    }

    fn projection(self) -> usize {
        self.first_unit() + self.units
    }

    pub fn first_state(self) -> usize {
        self.projection() + 1
    }

    pub fn count(self) -> usize {
        self.first_state() + self.states
    }
}

/// What is made of a scan's outputs.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// Everything, weighted.
    Everything,
    /// The sequence alone.
    Sequence,
    /// One final state alone.
    State(usize),
    /// A plain sum, whose gradient is one number for all.
    Sum,
    /// One unit at one step.
    Part,
    /// The sequence with its axes swapped, whose gradient is not contiguous.
    Swapped,
    /// Every output several times.
    Twice,
}

impl Loss {
    pub fn of<E: Equations>(self, scanned: &Scanned<E>) -> Tensor<1> {
        let (output, state) = (scanned.output.clone(), scanned.state.as_ref());
        let options = (&output.device(), output.dtype());
        let weighted = |y: Tensor<3>| (y.clone() * random(y.dims(), 50, options)).sum();
        let of_state = |s: usize| {
            let h = state[s].clone();
            (h.clone() * random(h.dims(), 60 + s as u64, options)).sum()
        };
        let last = state.len() - 1;
        match self {
            Self::Everything => {
                (0..=last).fold(weighted(output.clone()), |sum, s| sum + of_state(s))
            }
            Self::Sequence => weighted(output.clone()),
            Self::State(s) => of_state(s),
            Self::Sum => output.clone().sum(),
            Self::Part => {
                let [_, middle, width] = output.dims();
                let unit = output.clone().narrow(1, middle / 2, 1);
                unit.narrow(2, width / 2, 1).sum()
            }
            Self::Swapped => weighted(output.clone().swap_dims(0, 2)),
            Self::Twice => {
                let squares = output.clone().powi_scalar(2).sum();
                let products = state[0].clone().sum() * state[last].clone().sum();
                weighted(output.clone()) + squares + products + of_state(last)
            }
        }
    }
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Batch, steps, inputs, hidden units.
    pub shape: [usize; 4],
    pub lengths: Option<Vec<usize>>,
    pub order: Order,
    pub layout: Layout,
    pub bias: bool,
    /// Whether the parameters of units are given; otherwise they are zeros.
    pub units: bool,
    /// The width of the projection.
    pub d_projected: Option<usize>,
    pub tracked: Tracked,
    pub loss: Loss,
    /// Whether the scan reads views: of swapped axes, of parts, of one row for all.
    pub views: bool,
    /// Norms and masks.
    pub inside: Inside,
}

impl Setting {
    pub fn new(shape: [usize; 4]) -> Self {
        Self {
            shape,
            lengths: None,
            order: Order::Forward,
            layout: Layout::BatchFirst,
            bias: true,
            units: true,
            d_projected: None,
            tracked: Tracked::All,
            loss: Loss::Everything,
            views: false,
            inside: Inside::default(),
        }
    }

    /// The same with all rows full, with all rows equally short, and with rows of all kinds; each in both orders.
    pub fn with_lengths_and_orders(&self) -> Vec<Self> {
        let [batch, seq, ..] = self.shape;
        let mixed = |row: usize| match row % 4 {
            0 => seq.div_ceil(2),
            1 => 0,
            2 => seq,
            _ => row % (seq + 1),
        };
        let mut all = Vec::new();
        for lengths in [
            None,
            Some(vec![seq.div_ceil(2); batch]),
            Some((0..batch).map(mixed).collect()),
        ] {
            for order in [Order::Forward, Order::Reverse] {
                all.push(Self {
                    lengths: lengths.clone(),
                    order,
                    ..self.clone()
                });
            }
        }
        all
    }

    /// Whether an argument is part of the scan and needs a gradient.
    pub fn wants(&self, argument: usize, arguments: Arguments) -> bool {
        let is_part = match argument {
            a if a >= arguments.first_state() => true,
            a if a == arguments.projection() => self.d_projected.is_some(),
            a if a >= arguments.first_unit() => self.units,
            a if a >= arguments.first_bias() => self.bias,
            _ => true,
        };
        is_part && self.tracked.has(argument)
    }
}

/// The leaves of a graph, and what a scan reads of them.
pub struct Leaves<E: Equations> {
    setting: Setting,
    pub input: Tensor<3>,
    /// `W_ih`, then the recurrent weights.
    pub weights: Vec<Tensor<2>>,
    /// Both biases, then the parameters of units.
    pub vectors: Vec<Tensor<1>>,
    projection: Tensor<2>,
    pub state: E::States<Tensor<2>>,
    within: Within,
}

impl<E: Equations> Leaves<E> {
    pub fn new(
        equations: &E,
        setting: &Setting,
        numbers: Numbers,
        options: (&Device, DType),
    ) -> Self {
        let [batch, seq, d_input, d_hidden] = setting.shape;
        let d_output = setting.d_projected.unwrap_or(d_hidden);
        let arguments = Arguments::of(equations);
        let packed = <E::Gates<()> as Array<()>>::LEN * d_hidden;
        let mut draw = Draw {
            numbers,
            tracked: setting.tracked,
            argument: 0,
            options,
        };
        let views = setting.views;
        let swapped = |[rows, columns]: [usize; 2], swap: bool| match swap {
            true => [columns, rows],
            false => [rows, columns],
        };
        let is_seq_first = views != (setting.layout == Layout::TimeMajor);
        let [first, second] = swapped([batch, seq], is_seq_first);
        let padding = setting.padding(options.0);
        let spoil = |input: Tensor<3>| match (padding.clone(), is_seq_first) {
            (Some(padding), true) => input.mask_fill(padding.swap_dims(0, 1), f64::NAN),
            (Some(padding), false) => input.mask_fill(padding, f64::NAN),
            (None, _) => input,
        };
        let input = draw.leaf([first, second, d_input], 1.0, spoil);
        let width = |read: usize| match read {
            0 => d_input,
            1 => d_output,
            _ => d_hidden,
        };
        let weights = (0..=arguments.reads).map(|read| {
            let range = 1.0 / (width(read) as f64).sqrt();
            draw.leaf(swapped([width(read), packed], views), range, |w| w)
        });
        let weights = weights.collect();
        let parts = if views { 3 } else { 1 };
        let vectors = (0..2 + arguments.units).map(|vector| {
            let width = if vector < 2 { packed } else { d_hidden };
            draw.leaf([parts * width], 0.5, |v| v)
        });
        let vectors = vectors.collect();
        let range = 1.0 / (d_hidden as f64).sqrt();
        let projection = draw.leaf(swapped([d_hidden, d_output], views), range, |w| w);
        let rows = if views { 1 } else { batch };
        let state = E::States::from_fn(|state| {
            let width = if state == 0 { d_output } else { d_hidden };
            draw.leaf([rows, width], 1.0, |h| h)
        });
        let within = Within {
            norms: setting.inside.norms::<E>(setting, &mut draw),
            ..setting.inside.within::<E>(setting, options)
        };
        Self {
            setting: setting.clone(),
            input,
            weights,
            vectors,
            projection,
            state,
            within,
        }
    }

    pub fn scan(&self) -> Scan<E> {
        let [batch, ..] = self.setting.shape;
        let views = self.setting.views;
        let part = |vector: &Tensor<1>| match views {
            true => {
                let width = vector.dims()[0] / 3;
                vector.clone().narrow(0, width, width)
            }
            false => vector.clone(),
        };
        let of_weight = |weight: &Tensor<2>| match views {
            true => weight.clone().transpose(),
            false => weight.clone(),
        };
        let [bias_ih, bias_hh, units @ ..] = &self.vectors[..] else {
            panic!("a scan has two biases")
        };
        let [weight_ih, weights_hh @ ..] = &self.weights[..] else {
            panic!("a scan has weights")
        };
        let projection = of_weight(&self.projection);
        let input = self.input.clone();
        Scan {
            input: if views { input.swap_dims(0, 1) } else { input },
            state: E::States::from_fn(|state| {
                let state = self.state.as_ref()[state].clone();
                let [_, width] = state.dims();
                state.expand([batch, width])
            }),
            parameters: Parameters {
                weight_ih: of_weight(weight_ih),
                weights_hh: weights_hh.iter().map(of_weight).collect(),
                biases: self.setting.bias.then(|| [bias_ih, bias_hh].map(part)),
                units: match self.setting.units {
                    true => units.iter().map(part).collect(),
                    false => Vec::new(),
                },
                projection: self.setting.d_projected.map(|_| projection),
            },
            lengths: self.setting.lengths.clone().map(Lengths::new),
            order: self.setting.order,
            layout: self.setting.layout,
            within: self.within.clone(),
        }
    }

    /// The gradient of each argument, in a row.
    pub fn gradients(&self, loss: &Tensor<1>) -> Vec<Option<Tensor<1>>> {
        if !loss.is_tracked() {
            // Nothing that needs a gradient leads to the loss.
            let states = self.state.as_ref().len();
            let count = self.weights.len() + self.vectors.len() + states + 2;
            return vec![None; count + self.of_norms().count()];
        }
        let gradients = loss.backward();
        let of_matrix = |w: &Tensor<2>| w.grad(&gradients).map(|d| d.reshape([-1]));
        let mut all = vec![self.input.grad(&gradients).map(|d| d.reshape([-1]))];
        all.extend(self.weights.iter().map(of_matrix));
        all.extend(self.vectors.iter().map(|vector| vector.grad(&gradients)));
        all.push(of_matrix(&self.projection));
        all.extend(self.state.as_ref().iter().map(of_matrix));
        all.extend(self.of_norms().map(|vector| vector.grad(&gradients)));
        all
    }

    /// Gains and shift of the norms, in the order in which they were drawn.
    fn of_norms(&self) -> impl Iterator<Item = &Tensor<1>> {
        let Norms {
            input,
            hidden,
            shown,
        } = &self.within.norms;
        let norms = [input, hidden, shown].into_iter().flatten();
        norms.flat_map(|norm| [&norm.gain].into_iter().chain(&norm.shift))
    }
}

impl Setting {
    /// True in padding, if there is any: `[batch, seq, d_input]`.
    fn padding(&self, device: &Device) -> Option<Tensor<3, Bool>> {
        let [batch, seq, d_input, _] = self.shape;
        let lengths = self.lengths.as_ref()?;
        let padding = lengths.iter().flat_map(|&n| (0..seq).map(move |t| t >= n));
        let data = TensorData::new(padding.collect::<Vec<_>>(), [batch, seq, 1]);
        let padding = Tensor::<3, Bool>::from_data(data, device);
        Some(padding.expand([batch, seq, d_input]))
    }
}

/// Draws one argument of a scan after the other.
pub struct Draw<'a> {
    numbers: Numbers,
    tracked: Tracked,
    argument: usize,
    pub options: (&'a Device, DType),
}

impl Draw<'_> {
    pub fn leaf<const D: usize>(
        &mut self,
        shape: [usize; D],
        range: f64,
        change: impl Fn(Tensor<D>) -> Tensor<D>,
    ) -> Tensor<D> {
        let drawn = random(shape, 100 + self.argument as u64, self.options) * range;
        let drawn = change(match self.numbers {
            Numbers::Fine | Numbers::Kinked => drawn,
            Numbers::Coarse => (drawn * 8.0).round() / 8.0,
        });
        let tracked = self.tracked.has(self.argument);
        self.argument += 1;
        drawn.detach().set_require_grad(tracked)
    }
}
