//! Products with lists of single weights.

use pulp::{Simd, WithSimd};

use crate::engine::isa::Isa;
use crate::engine::vector::{Element, Vector};
use crate::kernels::Kernel;
use crate::pattern::Weight;

/// For whole batches: columns as lists (compressed sparse columns), and the rows of the batch side by side in registers.
pub struct Columns {
    lists: Lists,
    /// `[inner, batch]` and `[columns, batch]`, if inputs and outputs are turned over within the product. The engine has
    /// the numbers of one row side by side.
    turned: Option<[Vec<f32>; 2]>,
}

/// Columns as lists of the weights that are kept (compressed sparse columns).
struct Lists {
    /// The weights of each column, an even number.
    values: Vec<f32>,
    /// Their inner rows.
    rows: Vec<u32>,
    /// Where each column begins in these, and where the last one ends.
    starts: Vec<usize>,
    inner: usize,
    batch: usize,
}

impl Lists {
    fn new(weight: &Weight, batch: usize) -> Self {
        let [inner, columns] = weight.axes;
        let (mut values, mut rows, mut starts) = (Vec::new(), Vec::new(), vec![0]);
        for (column, kept) in weight.kept.iter().enumerate() {
            rows.extend(kept.iter().map(|row| *row as u32));
            values.extend(kept.iter().map(|row| weight.values[row * columns + column]));
            if !kept.len().is_multiple_of(2) {
                rows.push(0);
                values.push(0.0);
            }
            starts.push(values.len());
        }
        Self {
            values,
            rows,
            starts,
            inner,
            batch,
        }
    }
}

impl Columns {
    /// Packs the weights that are kept. Unless inputs and outputs are turned over, they are `[inner, batch]` and
    /// `[columns, batch]`.
    pub fn new(weight: &Weight, batch: usize, turns_over: bool) -> Self {
        let turned = || weight.axes.map(|width| vec![0.0; width * batch]);
        Self {
            lists: Lists::new(weight, batch),
            turned: turns_over.then(turned),
        }
    }
}

impl Kernel for Columns {
    fn run(&mut self, isa: Isa, inputs: &[f32], outputs: &mut [f32]) {
        isa.run(ColumnProduct {
            columns: self,
            inputs,
            outputs,
        });
    }
}

struct ColumnProduct<'a> {
    columns: &'a mut Columns,
    inputs: &'a [f32],
    outputs: &'a mut [f32],
}

impl WithSimd for ColumnProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        type V<S> = <f32 as Element>::Vector<S>;
        let lists = &self.columns.lists;
        match &mut self.columns.turned {
            Some([inputs, outputs]) => {
                turn_over(self.inputs, inputs, lists.inner);
                lists.multiply::<V<S>>(simd, inputs, outputs);
                turn_over(outputs, self.outputs, lists.batch);
            }
            None => lists.multiply::<V<S>>(simd, self.inputs, self.outputs),
        }
    }
}

impl Lists {
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "sums and outputs share indices")]
    fn multiply<V: Vector<Element = f32>>(
        &self,
        simd: V::Simd,
        inputs: &[f32],
        outputs: &mut [f32],
    ) {
        assert!(
            self.batch.is_multiple_of(2 * V::LANES),
            "{} rows are side by side, expected a multiple of {}",
            self.batch,
            2 * V::LANES
        );
        for first in (0..self.batch).step_by(2 * V::LANES) {
            for (column, range) in self.starts.windows(2).enumerate() {
                let mut sums = [[V::splat(simd, 0.0); 2]; 2];
                // SAFETY: a row of either side has the whole batch, and each column an even number of entries.
                unsafe {
                    let inputs = inputs.as_ptr().add(first);
                    for entry in (range[0]..range[1]).step_by(2) {
                        for (p, sums) in sums.iter_mut().enumerate() {
                            let row = *self.rows.get_unchecked(entry + p) as usize;
                            let input = inputs.add(row * self.batch);
                            let weight = V::splat(simd, *self.values.get_unchecked(entry + p));
                            for (n, sum) in sums.iter_mut().enumerate() {
                                *sum = weight.mul_add(V::load(simd, input.add(n * V::LANES)), *sum);
                            }
                        }
                    }
                    let output = outputs.as_mut_ptr().add(column * self.batch + first);
                    for n in 0..2 {
                        (sums[0][n] + sums[1][n]).store(output.add(n * V::LANES));
                    }
                }
            }
        }
    }
}

/// For few rows: columns as lists, one number after the other.
pub struct Singles(Lists);

impl Singles {
    /// Packs the weights that are kept.
    pub fn new(weight: &Weight) -> Self {
        Self(Lists::new(weight, 1))
    }
}

impl Kernel for Singles {
    fn run(&mut self, isa: Isa, inputs: &[f32], outputs: &mut [f32]) {
        isa.run(SingleProduct {
            lists: &self.0,
            inputs,
            outputs,
        });
    }
}

struct SingleProduct<'a> {
    lists: &'a Lists,
    inputs: &'a [f32],
    outputs: &'a mut [f32],
}

impl WithSimd for SingleProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let lists = self.lists;
        let columns = lists.starts.len() - 1;
        let inputs = self.inputs.chunks_exact(lists.inner);
        for (input, output) in inputs.zip(self.outputs.chunks_exact_mut(columns)) {
            for (output, range) in output.iter_mut().zip(lists.starts.windows(2)) {
                let range = range[0]..range[1];
                let (values, rows) = (&lists.values[range.clone()], &lists.rows[range]);
                let mut sums = [0.0f32; 2];
                for (values, rows) in values.chunks_exact(2).zip(rows.chunks_exact(2)) {
                    for p in 0..2 {
                        // SAFETY: rows of the weight are entries of the input.
                        let input = unsafe { *input.get_unchecked(rows[p] as usize) };
                        sums[p] = input.mul_add(values[p], sums[p]);
                    }
                }
                *output = sums[0] + sums[1];
            }
        }
    }
}

/// The transpose of rows of `width`.
pub fn turned_over<T: Copy + Default>(from: &[T], width: usize) -> Vec<T> {
    let mut to = vec![T::default(); from.len()];
    turn_over(from, &mut to, width);
    to
}

/// The transpose of rows of `width`, in squares that stay in the cache.
#[inline(always)]
fn turn_over<T: Copy>(from: &[T], to: &mut [T], width: usize) {
    const SQUARE: usize = 16;
    let height = from.len() / width;
    for (i, j) in (0..height)
        .step_by(SQUARE)
        .flat_map(|i| (0..width).step_by(SQUARE).map(move |j| (i, j)))
    {
        let from = &from[i * width + j..];
        let to = &mut to[j * height + i..];
        for c in 0..SQUARE.min(width - j) {
            for r in 0..SQUARE.min(height - i) {
                to[c * height + r] = from[r * width + c];
            }
        }
    }
}
