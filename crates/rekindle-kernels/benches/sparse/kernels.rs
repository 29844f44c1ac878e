//! Products of some rows with a weight: dense, in blocks, and entry by entry.
//!
//! All run on one thread, read `[batch, inner]` and write `[batch, columns]`.

use pulp::{Simd, WithSimd};

use crate::engine::isa::Isa;
use crate::engine::product::{Inner, Product, Start, WIDEST_TILE};
use crate::engine::vector::{Element, Vector};
use crate::pattern::Weight;

/// A product that is ready to run.
pub trait Kernel {
    /// `outputs = inputs · weight`, for as many rows as they have.
    fn run(&mut self, isa: Isa, inputs: &[f32], outputs: &mut [f32]);
}

/// The engine's product with packed panels of four registers, as in a scan.
pub struct Dense {
    /// Panel by panel `[inner, panel's columns]`.
    panels: Vec<f32>,
    axes: [usize; 2],
    lanes: usize,
}

impl Dense {
    /// Packs all of a weight, zeros as well.
    pub fn new(weight: &Weight, lanes: usize) -> Self {
        let [inner, columns] = weight.axes;
        let width = WIDEST_TILE * lanes;
        let mut panels = Vec::with_capacity(inner * columns);
        for first in (0..columns).step_by(width) {
            for row in weight.values.chunks(columns) {
                panels.extend_from_slice(&row[first..first + width]);
            }
        }
        Self {
            panels,
            axes: weight.axes,
            lanes,
        }
    }
}

impl Kernel for Dense {
    fn run(&mut self, isa: Isa, inputs: &[f32], outputs: &mut [f32]) {
        let [inner, columns] = self.axes;
        let width = WIDEST_TILE * self.lanes;
        let inputs: Vec<_> = inputs.chunks_exact(inner).map(<[f32]>::as_ptr).collect();
        let rows = outputs.chunks_exact_mut(columns);
        let outputs: Vec<_> = rows.map(<[f32]>::as_mut_ptr).collect();
        for (panel, values) in self.panels.chunks_exact(inner * width).enumerate() {
            let product = Product {
                inputs: &inputs,
                input_offset: 0,
                inner: Inner::whole(inner),
                panel: values.as_ptr(),
                vectors: WIDEST_TILE,
                start: Start::Zero,
                outputs: &outputs,
                output_offset: panel * width,
                columns: width,
            };
            f32::multiply(isa, product);
        }
    }
}

/// Blocks of the weight that are kept, column of blocks by column of blocks (block compressed sparse columns).
pub struct Blocks {
    /// The blocks, each `[rows, columns]`.
    values: Vec<f32>,
    /// The first inner row of each block.
    rows: Vec<u32>,
    /// Where each column of blocks begins in `rows`, and where the last one ends.
    starts: Vec<usize>,
    axes: [usize; 2],
    /// Rows of a block, and its registers side by side.
    high: usize,
    registers: usize,
}

impl Blocks {
    /// Packs the blocks that are kept.
    pub fn new(weight: &Weight, lanes: usize) -> Self {
        let [high, wide] = weight.block;
        let ends = weight.kept.iter().scan(0, |end, rows| {
            *end += rows.len();
            Some(*end)
        });
        Self {
            values: weight.packed(),
            rows: (weight.kept.iter().flatten())
                .map(|row| (row * high) as u32)
                .collect(),
            starts: [0].into_iter().chain(ends).collect(),
            axes: weight.axes,
            high,
            registers: wide / lanes,
        }
    }
}

impl Kernel for Blocks {
    fn run(&mut self, isa: Isa, inputs: &[f32], outputs: &mut [f32]) {
        isa.run(BlockProduct {
            blocks: self,
            inputs,
            outputs,
        });
    }
}

struct BlockProduct<'a> {
    blocks: &'a Blocks,
    inputs: &'a [f32],
    outputs: &'a mut [f32],
}

impl WithSimd for BlockProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        type V<S> = <f32 as Element>::Vector<S>;
        for column in 0..self.blocks.starts.len() - 1 {
            // SAFETY: blocks, inputs and outputs have the sizes that they were packed for.
            unsafe {
                match self.blocks.registers {
                    4 => self.wide::<V<S>>(simd, column),
                    1 => self.narrow::<V<S>>(simd, column),
                    registers => panic!("blocks are {registers} registers wide, expected 1 or 4"),
                }
            }
        }
    }
}

impl BlockProduct<'_> {
    fn batch(&self) -> usize {
        self.inputs.len() / self.blocks.axes[0]
    }

    /// All rows of a column of blocks that is four registers wide, in the engine's tiles.
    #[inline(always)]
    unsafe fn wide<V: Vector<Element = f32>>(&mut self, simd: V::Simd, column: usize) {
        let six = V::Simd::REGISTER_COUNT >= 32;
        let mut row = 0;
        while row < self.batch() {
            // SAFETY: the rows are in range.
            row += unsafe {
                match self.batch() - row {
                    6.. if six => self.tile::<V, 6, 4, 1>(simd, column, row),
                    4.. if six => self.tile::<V, 4, 4, 1>(simd, column, row),
                    3.. => self.tile::<V, 3, 4, 1>(simd, column, row),
                    2 => self.tile::<V, 2, 4, 1>(simd, column, row),
                    _ => self.tile::<V, 1, 4, 1>(simd, column, row),
                }
            };
        }
    }

    /// All rows of a column of blocks that is one register wide. Of few rows each sum is taken in parts, so that one does
    /// not wait for the other.
    #[inline(always)]
    unsafe fn narrow<V: Vector<Element = f32>>(&mut self, simd: V::Simd, column: usize) {
        let many = V::Simd::REGISTER_COUNT >= 32;
        let whole = self.blocks.high.is_multiple_of(4);
        let mut row = 0;
        while row < self.batch() {
            // SAFETY: the rows are in range.
            row += unsafe {
                match self.batch() - row {
                    16.. if many => self.tile::<V, 16, 1, 1>(simd, column, row),
                    8.. => self.tile::<V, 8, 1, 1>(simd, column, row),
                    4.. => self.tile::<V, 4, 1, 1>(simd, column, row),
                    _ if whole => self.tile::<V, 1, 1, 4>(simd, column, row),
                    _ => self.tile::<V, 1, 1, 1>(simd, column, row),
                }
            };
        }
    }

    /// `R` rows of a column of blocks `N` registers wide, each sum in `P` parts; returns `R`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "sums and outputs share indices")]
    unsafe fn tile<V: Vector<Element = f32>, const R: usize, const N: usize, const P: usize>(
        &mut self,
        simd: V::Simd,
        column: usize,
        row: usize,
    ) -> usize {
        let blocks = self.blocks;
        let [inner, columns] = blocks.axes;
        let mut sums = [[[V::splat(simd, 0.0); N]; R]; P];
        // SAFETY: the caller answers for rows and column; a block has `high · N` registers.
        unsafe {
            let inputs: [*const f32; R] =
                std::array::from_fn(|r| self.inputs.as_ptr().add((row + r) * inner));
            let of_column =
                *blocks.starts.get_unchecked(column)..*blocks.starts.get_unchecked(column + 1);
            let width = N * V::LANES;
            let mut values = blocks
                .values
                .as_ptr()
                .add(of_column.start * blocks.high * width);
            for block in of_column {
                let first = *blocks.rows.get_unchecked(block) as usize;
                let inputs = inputs.map(|input| input.add(first));
                for k in (0..blocks.high).step_by(P) {
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let weights: [V; N] =
                            std::array::from_fn(|n| V::load(simd, values.add(n * V::LANES)));
                        for r in 0..R {
                            let input = V::splat(simd, *inputs[r].add(k + p));
                            for n in 0..N {
                                sums[r][n] = input.mul_add(weights[n], sums[r][n]);
                            }
                        }
                        values = values.add(width);
                    }
                }
            }
            for r in 0..R {
                let output = self
                    .outputs
                    .as_mut_ptr()
                    .add((row + r) * columns + column * width);
                for n in 0..N {
                    let sum = (1..P).fold(sums[0][r][n], |sum, p| sum + sums[p][r][n]);
                    sum.store(output.add(n * V::LANES));
                }
            }
        }
        R
    }
}
