//! The scan of a few steps, as in streaming: weights are read where they lie, since packing them would cost more.

use pulp::{Simd, WithSimd};

use super::advance::{Advance, State};
use super::buffer::Buffer;
use super::forward::Forward;
use super::geometry::Geometry;
use super::vector::{Element, Vector};
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
    pub(super) fn infer_directly<
        F,
        E,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        &self,
        equations: &E,
        operands: Operands<'_, F, STATES>,
    ) -> Forward<F, STATES>
    where
        F: Element,
        E: Equations<GATES, STATES, SAVED>,
    {
        let geometry = self.geometry::<F, _, GATES, STATES, SAVED>(equations);
        let width = self.d_hidden;
        let gates = || Buffer::zeros((GATES - 1) * width + geometry.padded_hidden());
        let mut row_scan = RowScan {
            plan: self,
            equations,
            operands,
            inputs: gates(),
            products: gates(),
            states: std::array::from_fn(|_| {
                std::array::from_fn(|_| Buffer::zeros(geometry.padded_hidden()))
            }),
            newest: 0,
            geometry,
        };
        let mut output = vec![F::default(); self.timetable.batch() * self.seq * width];
        let mut state = operands.state.map(<[F]>::to_vec);
        for position in 0..self.timetable.batch() {
            let row = self.timetable.row(position);
            row_scan.begin(row);
            for t in self.timetable.visits() {
                if self.timetable.alive_of(t, &[position]) == 1 {
                    let step = row * self.seq + t;
                    row_scan.step(step, &mut output[step * width..][..width]);
                }
            }
            for (index, state) in state.iter_mut().enumerate() {
                row_scan.end(index, &mut state[row * width..][..width]);
            }
        }
        Forward { output, state }
    }
}

/// The scan of one row at a time.
struct RowScan<'a, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    plan: &'a Plan,
    equations: &'a E,
    geometry: Geometry,
    operands: Operands<'a, F, STATES>,
    /// `x W_ih + b_ih` and `h W_hh + b_hh` of one step, gate by gate, with room for the last panel's registers.
    inputs: Buffer<F>,
    products: Buffer<F>,
    /// Each state twice, `[padded hidden]`: a step reads one and writes the other.
    states: [[Buffer<F>; 2]; STATES],
    /// Which of the two is the newest.
    newest: usize,
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    RowScan<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// Starts at the initial state of batch row `row`.
    fn begin(&mut self, row: usize) {
        let width = self.plan.d_hidden;
        self.newest = 0;
        for (state, copies) in self.operands.state.iter().zip(&self.states) {
            let from = &state[row * width..][..width];
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
        let (operands, width) = (self.operands, self.plan.d_hidden);
        let (old, new) = (self.newest, 1 - self.newest);
        // SAFETY: the hidden state has `width` numbers, which nothing writes while this slice lives.
        let h = unsafe { std::slice::from_raw_parts(self.states[0][old].start(), width) };
        let x = &operands.input[step * self.plan.d_input..][..self.plan.d_input];
        let [bias_ih, bias_hh] = operands.biases.map_or([None; 2], |biases| biases.map(Some));
        self.product(x, operands.weight_ih, bias_ih, &self.inputs);
        self.product(h, operands.weight_hh, bias_hh, &self.products);
        for panel in 0..self.geometry.panels() {
            let unit = panel * self.geometry.units();
            self.plan.isa.run(Advance {
                equations: self.equations,
                geometry: &self.geometry,
                units: self.geometry.units_of(panel),
                // SAFETY: the product has this panel.
                products: unsafe { self.products.start().add(unit) },
                product_row: 0,
                inputs: &[self.inputs.start()],
                input_offset: unit,
                gate_stride: width,
                states: self.states.each_ref().map(|copies| State {
                    old: copies[old].start().cast_const(),
                    new: copies[new].start(),
                }),
                state_row: 0,
                state_offset: unit,
                outputs: &[output.as_mut_ptr()],
                output_offset: unit,
                keep: false,
            });
        }
        self.newest = new;
    }

    fn product(&self, left: &[F], weight: &[F], bias: Option<&[F]>, to: &Buffer<F>) {
        self.plan.isa.run(RowProduct {
            left,
            weight,
            bias,
            columns: GATES * self.plan.d_hidden,
            to: to.start(),
        });
    }
}

/// `to = bias + left · weight` for one row.
struct RowProduct<'a, F> {
    left: &'a [F],
    /// `[left, columns]`.
    weight: &'a [F],
    bias: Option<&'a [F]>,
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
        assert!(self.left.len() * self.columns <= self.weight.len());
        assert!(self.bias.is_none_or(|bias| bias.len() == self.columns));
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
            let mut sums = [V::splat(simd, F::default()); N];
            if let Some(bias) = self.bias {
                let bias = bias.as_ptr().add(column);
                sums = std::array::from_fn(|n| load(bias.add(n * V::LANES)));
            }
            let mut weight = self.weight.as_ptr().add(column);
            for &input in self.left {
                let input = V::splat(simd, input);
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = input.mul_add(load(weight.add(n * V::LANES)), *sum);
                }
                weight = weight.wrapping_add(self.columns);
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
