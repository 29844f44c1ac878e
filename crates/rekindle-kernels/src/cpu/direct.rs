//! The scan of a few steps, as in streaming: weights are read where they lie, since packing them would cost more.

use pulp::{Simd, WithSimd};

use super::advance::{Advance, Ending, Middle, Reading, State};
use super::buffer::Buffer;
use super::forward::Forward;
use super::geometry::Geometry;
use super::vector::{Element, Vector};
use super::weights::units;
use super::{Operands, Plan};
use crate::Equations;

impl Plan {
    /// Whether all visits of all rows together are so few that packing the weights does not pay.
    pub(super) fn is_short(&self) -> bool {
        /// Packing reads and writes each weight once; a visit reads it once.
        const VISITS_WORTH_PACKING: usize = 6;
        self.timetable.slab_rows() < VISITS_WORTH_PACKING
    }

    /// All steps, row by row, on this thread. The same bits as from packed weights: each sum is taken in the same order.
    pub(super) fn infer_directly<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
    ) -> Forward<F> {
        let mut row_scan = RowScan::new(self, equations, operands);
        let width = row_scan.geometry.d_output();
        let mut output = vec![F::default(); self.timetable.batch() * self.seq * width];
        let mut state: Vec<Vec<F>> = operands.state.iter().map(|state| state.to_vec()).collect();
        for position in 0..self.timetable.batch() {
            let row = self.timetable.row(position);
            row_scan.begin(row);
            for t in self.timetable.visits() {
                if self.timetable.alive_of(t, &[position]) == 1 {
                    let step = self.at(row, t);
                    row_scan.step(step, &mut output[step * width..][..width]);
                }
            }
            for (index, state) in state.iter_mut().enumerate() {
                let width = row_scan.geometry.state_width(index);
                row_scan.end(index, &mut state[row * width..][..width]);
            }
        }
        Forward {
            output,
            state,
            statistics: Vec::new(),
        }
    }
}

/// The scan of one row at a time.
struct RowScan<'a, F, E> {
    plan: &'a Plan,
    equations: &'a E,
    geometry: Geometry,
    operands: &'a Operands<'a, F>,
    units: Option<Buffer<F>>,
    /// `x W_ih + b_ih` and the product of the states of one step, gate by gate, with room for the last panel's registers.
    inputs: Buffer<F>,
    input_row: *mut F,
    products: Buffer<F>,
    /// The middle vector and its product, if there is one: a row each.
    middle: Option<[Buffer<F>; 2]>,
    /// The hidden state before its projection, if there is one.
    shown: Option<Buffer<F>>,
    /// Each state twice, a row each: a step reads one and writes the other.
    states: Vec<[Buffer<F>; 2]>,
    /// Which of the two is the newest.
    newest: usize,
}

impl<'a, F: Element, E: Equations> RowScan<'a, F, E> {
    fn new(plan: &'a Plan, equations: &'a E, operands: &'a Operands<'a, F>) -> Self {
        let geometry = plan.geometry::<F, E>();
        let width = geometry.row_width();
        let gates = || Buffer::zeros((geometry.gates - 1) * plan.d_hidden + width);
        let row = || Buffer::zeros(width);
        let inputs = gates();
        Self {
            plan,
            equations,
            operands,
            units: units(operands, &geometry),
            input_row: inputs.start(),
            inputs,
            products: gates(),
            middle: geometry.middle.then(|| [row(), row()]),
            shown: geometry.projected.map(|_| row()),
            states: operands.state.iter().map(|_| [row(), row()]).collect(),
            newest: 0,
            geometry,
        }
    }

    /// Starts at the initial state of batch row `row`.
    fn begin(&mut self, row: usize) {
        self.newest = 0;
        for (index, copies) in self.states.iter().enumerate() {
            let width = self.geometry.state_width(index);
            let from = &self.operands.state[index][row * width..][..width];
            // SAFETY: a copy has no fewer numbers.
            unsafe {
                copies[0]
                    .start()
                    .copy_from_nonoverlapping(from.as_ptr(), width)
            };
        }
    }

    /// Writes the state with index `index` after the last step.
    fn end(&self, index: usize, to: &mut [F]) {
        let from = self.states[index][self.newest].start();
        // SAFETY: a copy of a state has no fewer numbers.
        unsafe { to.as_mut_ptr().copy_from_nonoverlapping(from, to.len()) };
    }

    /// The step at `step` of the input, all rows of it counted.
    fn step(&mut self, step: usize, output: &mut [F]) {
        let (operands, geometry) = (self.operands, &self.geometry);
        let packed = geometry.gates * self.plan.d_hidden;
        let bias_ih = operands.biases.map(|[bias_ih, _]| bias_ih);
        self.product(RowProduct {
            left: &operands.input[step * self.plan.d_input..][..self.plan.d_input],
            weight: operands.weight_ih,
            row: packed,
            start: From::Bias(bias_ih),
            columns: packed,
            to: self.inputs.start(),
        });
        self.recurrent_products();
        let states = self.states();
        if let Some([middle, late]) = &self.middle {
            for panel in 0..geometry.panels() {
                self.plan.isa.run(Middle {
                    reading: self.reading(panel, &states),
                    outputs: &[middle.start()],
                });
            }
            self.late_product(middle, late);
        }
        self.equations(&states, output);
        if let (Some(weight), Some(shown)) = (operands.projection, &self.shown) {
            let width = geometry.d_output();
            let new = self.states[0][1 - self.newest].start();
            self.product(RowProduct {
                left: self.row(shown),
                weight,
                row: width,
                start: From::Bias(None),
                columns: width,
                to: new,
            });
            // SAFETY: the state has these numbers.
            unsafe { (output.as_mut_ptr()).copy_from_nonoverlapping(new, width) };
        }
        self.newest = 1 - self.newest;
    }

    /// The products of all states that are read.
    fn recurrent_products(&self) {
        let (operands, geometry) = (self.operands, &self.geometry);
        let (packed, others) = (
            geometry.gates * self.plan.d_hidden,
            (geometry.gates - 1) * self.plan.d_hidden,
        );
        let bias_hh = operands.biases.map(|[_, bias_hh]| bias_hh);
        for (state, &weight) in operands.weights_hh.iter().enumerate() {
            let width = self.geometry.state_width(state);
            let from = self.states[state][self.newest].start();
            // SAFETY: the state has these numbers, which nothing writes while this slice lives.
            let left = unsafe { std::slice::from_raw_parts(from, width) };
            let product = |first: usize, columns: usize, start| {
                self.product(RowProduct {
                    left,
                    weight: &weight[first..],
                    row: packed,
                    start,
                    columns,
                    // SAFETY: the products have these columns.
                    to: unsafe { self.products.start().add(first) },
                });
            };
            let start = |bias| {
                if state == 0 {
                    From::Bias(bias)
                } else {
                    From::Output
                }
            };
            if !geometry.middle {
                product(0, packed, start(bias_hh));
                continue;
            }
            // The last gate's bias comes with the product of the middle vector.
            product(0, others, start(bias_hh));
            if state + 1 < geometry.reads {
                product(others, self.plan.d_hidden, start(None));
            }
        }
    }

    /// The product of the middle vector with the last gate.
    fn late_product(&self, middle: &Buffer<F>, late: &Buffer<F>) {
        let others = (self.geometry.gates - 1) * self.plan.d_hidden;
        let bias_hh = self.operands.biases.map(|[_, bias_hh]| &bias_hh[others..]);
        self.product(RowProduct {
            left: self.row(middle),
            weight: &self.operands.weights_hh[self.geometry.reads - 1][others..],
            row: self.geometry.gates * self.plan.d_hidden,
            start: From::Bias(bias_hh),
            columns: self.plan.d_hidden,
            to: late.start(),
        });
    }

    /// The numbers of a row.
    fn row<'b>(&self, buffer: &'b Buffer<F>) -> &'b [F] {
        // SAFETY: a row has no fewer numbers, which nothing writes while this slice lives.
        unsafe { std::slice::from_raw_parts(buffer.start(), self.plan.d_hidden) }
    }

    /// Where all states lie.
    fn states(&self) -> Vec<State<F>> {
        let states = self.states.iter().map(|copies| State {
            old: copies[self.newest].start().cast_const(),
            new: copies[1 - self.newest].start(),
            row: 0,
        });
        states.collect()
    }

    /// The equations on all panels.
    fn equations(&self, states: &[State<F>], output: &mut [F]) {
        let to = match &self.shown {
            Some(shown) => shown.start(),
            None => output.as_mut_ptr(),
        };
        let late = self.middle.as_ref().map(|[_, late]| late);
        for panel in 0..self.geometry.panels() {
            self.plan.isa.run(Advance {
                reading: Reading {
                    of_middle: late.map(|late| late.start().cast_const()),
                    ..self.reading(panel, states)
                },
                ending: Ending {
                    outputs: &[to],
                    output_offset: panel * self.geometry.units(),
                    keep: false,
                    masks: None,
                },
                shows: false,
            });
        }
    }

    /// What the equations read in one panel.
    fn reading<'b>(&'b self, panel: usize, states: &'b [State<F>]) -> Reading<'b, F, E> {
        let first = panel * self.geometry.units();
        Reading {
            equations: self.equations,
            geometry: &self.geometry,
            first,
            units: self.geometry.units_of(panel),
            // SAFETY: the product has this panel.
            products: unsafe { self.products.start().add(first) },
            product_row: 0,
            of_middle: None,
            inputs: std::slice::from_ref(&self.input_row),
            input_offset: first,
            gate_stride: self.plan.d_hidden,
            states,
            of_units: (self.units.as_ref()).map(|units| units.start().cast_const()),
            factors: &[],
        }
    }

    fn product(&self, product: RowProduct<'_, F>) {
        self.plan.isa.run(product);
    }
}

/// Where the sums of a product of one row start.
#[derive(Clone, Copy)]
enum From<'a, F> {
    /// At a bias, or at 0.
    Bias(Option<&'a [F]>),
    /// At what stands in the output.
    Output,
}

/// `to = start + left · weight` for one row.
struct RowProduct<'a, F> {
    left: &'a [F],
    /// The first columns of `[left, row]`.
    weight: &'a [F],
    row: usize,
    start: From<'a, F>,
    columns: usize,
    to: *mut F,
}

impl<F: Element> WithSimd for RowProduct<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        /// Enough independent sums to hide the latency of a multiplication.
        const VECTORS: usize = 8;
        let lanes = F::Vector::<S>::LANES;
        let rows = self.left.len();
        assert!(rows == 0 || (rows - 1) * self.row + self.columns <= self.weight.len());
        if let From::Bias(Some(bias)) = self.start {
            assert!(bias.len() >= self.columns);
        }
        let mut column = 0;
        // SAFETY: all columns read and written are in range: those of the weight and the bias are checked above, and who
        // builds this answers for `to`.
        unsafe {
            while column + VECTORS * lanes <= self.columns {
                self.columns::<F::Vector<S>, VECTORS>(simd, column, lanes);
                column += VECTORS * lanes;
            }
            while column < self.columns {
                let count = lanes.min(self.columns - column);
                self.columns::<F::Vector<S>, 1>(simd, column, count);
                column += count;
            }
        }
    }
}

impl<F: Element> RowProduct<'_, F> {
    /// `N` registers of columns from `column` on; of the last one, the first `count`.
    #[inline(always)]
    unsafe fn columns<V: Vector<Element = F>, const N: usize>(
        &self,
        simd: V::Simd,
        column: usize,
        count: usize,
    ) {
        // SAFETY: the caller answers for the columns.
        unsafe {
            let load = |from: *const F| match N == 1 && count < V::LANES {
                true => V::load_first(simd, from, count),
                false => V::load(simd, from),
            };
            let start = match self.start {
                From::Bias(bias) => bias.map(<[F]>::as_ptr),
                From::Output => Some(self.to.cast_const()),
            };
            let mut sums = [V::splat(simd, F::default()); N];
            if let Some(start) = start {
                let start = start.add(column);
                sums = std::array::from_fn(|n| load(start.add(n * V::LANES)));
            }
            let mut weight = self.weight.as_ptr().add(column);
            for &input in self.left {
                let input = V::splat(simd, input);
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = input.mul_add(load(weight.add(n * V::LANES)), *sum);
                }
                weight = weight.wrapping_add(self.row);
            }
            for (n, sum) in sums.into_iter().enumerate() {
                let to = self.to.add(column + n * V::LANES);
                match N == 1 && count < V::LANES {
                    true => sum.store_first(to, count),
                    false => sum.store(to),
                }
            }
        }
    }
}
