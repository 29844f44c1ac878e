//! The gradients of weights and biases: one product over all visits of all rows.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::buffer::{Buffer, Shared};
use super::geometry::{Geometry, Panels};
use super::masks::multiply;
use super::product::{ByColumns, WIDEST_TILE, rows_of_tile};
use super::vector::{Element, Vector};
use super::{Plan, on_threads, ranges};

/// The left factor of a weight's gradient: what the weight was multiplied with, one row for each slab row.
pub(super) struct Left<F> {
    rows: Vec<*const F>,
    /// Numbers of a row.
    width: usize,
    /// The memory of the rows, where they are no one else's.
    _memory: Option<Buffer<F>>,
}

impl<F: Element> Left<F> {
    /// The input.
    pub(super) fn input(plan: &Plan, input: &[F]) -> Self {
        let width = plan.d_input;
        Self::rows(plan, width, |t, position| {
            input[plan.at(plan.timetable.row(position), t) * width..].as_ptr()
        })
    }

    /// The hidden state before each step.
    pub(super) fn hidden(plan: &Plan, geometry: &Geometry, initial: &[F], output: &[F]) -> Self {
        let (timetable, width) = (&plan.timetable, geometry.d_output());
        Self::rows(plan, width, |t, position| {
            let row = timetable.row(position);
            match timetable.before(t, position) {
                Some(before) => output[plan.at(row, before) * width..].as_ptr(),
                None => initial[row * width..].as_ptr(),
            }
        })
    }

    /// The same rows, each times the mask of its row of the batch: `[batch, width]`.
    pub(super) fn masked(mut self, plan: &Plan, mask: &[F]) -> Self {
        let (timetable, width) = (&plan.timetable, self.width);
        let memory: Buffer<F> = Buffer::recycled(self.rows.len() * width);
        for t in 0..timetable.steps() {
            for position in 0..timetable.alive(t) {
                let slab_row = timetable.slab_row(t, position);
                let mask = mask[timetable.row(position) * width..].as_ptr();
                // SAFETY: the memory has a row for each slab row; all rows have these columns.
                unsafe {
                    let to = memory.start().add(slab_row * width);
                    multiply(self.rows[slab_row], mask, to, width);
                    self.rows[slab_row] = to;
                }
            }
        }
        self._memory = Some(memory);
        self
    }

    /// A sequence that the scan has kept.
    pub(super) fn kept(plan: &Plan, geometry: &Geometry, sequence: Shared<F>) -> Self {
        let row = geometry.row_width();
        Self::rows(plan, plan.d_hidden, |t, position| {
            let at = plan.timetable.slab_row(t, position) * row;
            // SAFETY: a kept sequence has a row for each valid step.
            unsafe { sequence.get().add(at) }
        })
    }

    fn rows(plan: &Plan, width: usize, row: impl Fn(usize, usize) -> *const F) -> Self {
        let timetable = &plan.timetable;
        let positions = |t| (0..timetable.alive(t)).map(move |position| (t, position));
        let slab_rows = (0..timetable.steps()).flat_map(positions);
        Self {
            rows: slab_rows.map(|(t, position)| row(t, position)).collect(),
            width,
            _memory: None,
        }
    }
}

/// The right factor of a weight's gradient: the gradients of some gates, one row for each slab row.
pub(super) struct Right<F> {
    /// The first number of row 0 in panel 0, less `offset`.
    pub(super) start: Shared<F>,
    pub(super) offset: usize,
    /// From one row to the next, and from one panel of units to the next.
    pub(super) row: usize,
    pub(super) panel_stride: usize,
    /// The panels of units.
    pub(super) panels: Panels,
    /// The gate in each slot of a panel.
    pub(super) gates: Vec<usize>,
    /// Gates in a row of the weight.
    pub(super) of_weight: usize,
}

/// Where a weight's gradient goes, and that of its bias, which counts as one more row of the weight, whose input is 1.
pub(super) struct Target<F> {
    weight: Shared<F>,
    bias: Option<Shared<F>>,
}

impl<F> Target<F> {
    /// The gradients of a weight `[width, gates·units]` and of a bias `[gates·units]`.
    pub(super) fn new(weight: &mut [F], bias: Option<&mut Vec<F>>) -> Self {
        Self {
            weight: Shared(weight.as_mut_ptr()),
            bias: bias.map(|bias| Shared(bias.as_mut_ptr())),
        }
    }
}

/// The gradient of some gates of a weight: `leftᵀ · right`.
pub(super) fn weight_gradient<F: Element>(
    plan: &Plan,
    geometry: &Geometry,
    left: Left<F>,
    right: Right<F>,
    target: Target<F>,
) {
    let columns = right.gates.len() * right.panels.units;
    let vectors = columns / geometry.registers.lanes;
    if vectors == 0 {
        return;
    }
    let multiplications = plan.timetable.slab_rows() * (left.width + 1) * right.gates.len();
    let threads = plan.threads_for(multiplications * right.panels.columns);
    let work = Gradient {
        plan,
        left,
        columns,
        vectors,
        height: rows_of_tile(geometry.registers.count, vectors.min(WIDEST_TILE)),
        right,
        target,
    };
    let tiles = work.right.panels.count() * work.blocks();
    on_threads(ranges(tiles, threads), |tiles| work.run(tiles));
}

/// What all threads share.
struct Gradient<'a, F> {
    plan: &'a Plan,
    left: Left<F>,
    right: Right<F>,
    /// Columns of a panel, and the registers that hold them.
    columns: usize,
    vectors: usize,
    /// Rows of a tile.
    height: usize,
    target: Target<F>,
}

// SAFETY: threads read what is shared, and write the tiles of the target that are theirs.
unsafe impl<F: Element> Sync for Gradient<'_, F> {}

impl<F: Element> Gradient<'_, F> {
    /// Tiles down one panel: rows of the weight and one for the bias.
    fn blocks(&self) -> usize {
        (self.left.width + 1).div_ceil(self.height)
    }

    /// The tiles `tiles`, panel by panel, from the top of each panel down.
    fn run(&self, tiles: Range<usize>) {
        /// Numbers of the left factor that stay in the cache.
        const PIECE: usize = 96 << 10;
        let blocks = self.blocks();
        let rows = self.left.rows.len();
        let padded = blocks * self.height;
        let piece = (PIECE / padded).clamp(64, 512).min(rows.max(1));
        let left: Buffer<F> = Buffer::uninitialised(piece * padded);
        let tile = self.height * self.columns;
        let sums: Buffer<F> = Buffer::zeros(tiles.len() * tile);
        let panels = tiles.start / blocks..tiles.end.div_ceil(blocks);
        for first in (0..rows).step_by(piece) {
            let piece = piece.min(rows - first);
            self.pack_left(&self.left.rows[first..first + piece], &left);
            for panel in panels.clone() {
                let of_panel = panel * blocks..(panel + 1) * blocks;
                let chosen = of_panel.start.max(tiles.start)..of_panel.end.min(tiles.end);
                let right = &self.right;
                let at = panel * right.panel_stride + first * right.row + right.offset;
                // SAFETY: the right factor has these rows in this panel; the left factor and the sums have these tiles.
                unsafe {
                    F::accumulate(
                        self.plan.isa,
                        Accumulate {
                            steps: piece,
                            height: self.height,
                            tiles: chosen.len(),
                            left: left
                                .start()
                                .add((chosen.start - of_panel.start) * piece * self.height),
                            right: right.start.get().add(at),
                            right_row: right.row,
                            vectors: self.vectors,
                            sums: sums.start().add((chosen.start - tiles.start) * tile),
                        },
                    );
                }
            }
        }
        for (index, tile_index) in tiles.enumerate() {
            // SAFETY: the sums have this tile.
            let sums = unsafe { sums.start().add(index * tile) };
            self.write(tile_index / blocks, tile_index % blocks, sums);
        }
    }

    /// Packs the left factor of the slab rows `rows`: `[block, row, height]`, with the 1 of the bias behind its width.
    fn pack_left(&self, rows: &[*const F], left: &Buffer<F>) {
        match self.height {
            8 => self.pack_blocks::<8>(rows, left),
            6 => self.pack_blocks::<6>(rows, left),
            4 => self.pack_blocks::<4>(rows, left),
            3 => self.pack_blocks::<3>(rows, left),
            height => unreachable!("no tile is {height} rows high"),
        }
    }

    /// [`pack_left`](Self::pack_left) for blocks `R` high.
    fn pack_blocks<const R: usize>(&self, rows: &[*const F], left: &Buffer<F>) {
        for block in 0..self.blocks() {
            let first = block * R;
            let real = (self.left.width - first).min(R);
            for (index, &row) in rows.iter().enumerate() {
                // SAFETY: a row has `width` numbers, and the buffer `R` for each row of each block.
                unsafe {
                    let from = row.add(first);
                    let to = left.start().add((block * rows.len() + index) * R);
                    if real == R {
                        let whole = from.cast::<[F; R]>().read_unaligned();
                        to.cast::<[F; R]>().write_unaligned(whole);
                    } else {
                        let mut part = [F::default(); R];
                        part[real] = F::ONE;
                        from.copy_to_nonoverlapping(part.as_mut_ptr(), real);
                        to.cast::<[F; R]>().write_unaligned(part);
                    }
                }
            }
        }
    }

    /// Writes one tile of sums, `[height, gate, unit]`, to where its rows and columns belong.
    fn write(&self, panel: usize, block: usize, sums: *const F) {
        let Right {
            panels,
            gates,
            of_weight,
            ..
        } = &self.right;
        for i in 0..self.height {
            let row = block * self.height + i;
            let to = match (row, self.target.bias) {
                _ if row < self.left.width => {
                    let weight = self.target.weight.get();
                    weight.wrapping_add(row * of_weight * panels.columns)
                }
                (_, Some(bias)) if row == self.left.width => bias.get(),
                _ => return,
            };
            for (slot, gate) in gates.iter().enumerate() {
                // SAFETY: the tile has `height · gates · units` sums; weight and bias have this row and these columns,
                // which no other tile writes.
                unsafe {
                    let from = sums.add((i * gates.len() + slot) * panels.units);
                    let to = to.add(gate * panels.columns + panel * panels.units);
                    to.copy_from_nonoverlapping(from, panels.real(panel));
                }
            }
        }
    }
}

/// `sums[i, column] += Σ left[step, i] · right[step, column]` for some tiles of one panel.
pub(crate) struct Accumulate<F> {
    steps: usize,
    height: usize,
    tiles: usize,
    /// `[tile, step, height]`.
    left: *const F,
    /// `[step, column]`, the steps `right_row` numbers apart.
    right: *const F,
    right_row: usize,
    vectors: usize,
    /// `[tile, height, column]`.
    sums: *mut F,
}

impl<F: Element> WithSimd for Accumulate<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: who builds this answers for its pointers.
        unsafe { self.all_columns::<F::Vector<S>>(simd, self.vectors) }
    }
}

impl<F: Element> ByColumns for Accumulate<F> {
    type Element = F;

    #[inline(always)]
    unsafe fn columns<V: Vector<Element = F>, const N: usize>(&self, simd: V::Simd, vector: usize) {
        for tile in 0..self.tiles {
            // SAFETY: the tile is in range.
            unsafe {
                match self.height {
                    8 => self.tile::<V, 8, N>(simd, tile, vector),
                    6 => self.tile::<V, 6, N>(simd, tile, vector),
                    4 => self.tile::<V, 4, N>(simd, tile, vector),
                    3 => self.tile::<V, 3, N>(simd, tile, vector),
                    height => unreachable!("no tile is {height} rows high"),
                }
            }
        }
    }
}

impl<F: Element> Accumulate<F> {
    #[inline(always)]
    unsafe fn tile<V: Vector<Element = F>, const R: usize, const N: usize>(
        &self,
        simd: V::Simd,
        tile: usize,
        vector: usize,
    ) {
        let width = self.vectors * V::LANES;
        // SAFETY: the tile, its rows and `vector + N` registers are in range of what the pointers point to.
        unsafe {
            let column = vector * V::LANES;
            let sums_at = self.sums.add(tile * R * width + column);
            let mut sums: [[V; N]; R] = std::array::from_fn(|r| {
                std::array::from_fn(|n| V::load(simd, sums_at.add(r * width + n * V::LANES)))
            });
            let mut left = self.left.add(tile * self.steps * R);
            let mut right = self.right.add(column);
            for _ in 0..self.steps {
                let gates: [V; N] = std::array::from_fn(|n| V::load(simd, right.add(n * V::LANES)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let input = V::splat(simd, *left.add(r));
                    for n in 0..N {
                        sums[n] = input.mul_add(gates[n], sums[n]);
                    }
                }
                left = left.add(R);
                right = right.wrapping_add(self.right_row);
            }
            for (r, sums) in sums.into_iter().enumerate() {
                for (n, sum) in sums.into_iter().enumerate() {
                    sum.store(sums_at.add(r * width + n * V::LANES));
                }
            }
        }
    }
}
