//! The gradients of weights and biases: one product over all visits of all rows.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::buffer::{Buffer, Shared, zeros};
use super::forward::Slab;
use super::geometry::{Geometry, hidden_gate};
use super::product::{ByColumns, WIDEST_TILE, rows_of_tile};
use super::vector::{Element, Vector};
use super::{Plan, on_threads, ranges};

/// One of the two affine maps of a cell: what its weights were multiplied with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side<'a, F> {
    /// `W_ih`, with the input.
    Input(&'a [F]),
    /// `W_hh`, with the hidden state before each step.
    Hidden {
        /// The initial hidden state.
        initial: &'a [F],
        /// The hidden state after each step.
        output: &'a [F],
    },
}

/// The gradients of a weight, `[width, gates·d_hidden]`, and of its bias, `[gates·d_hidden]`.
///
/// The bias counts as one more row of the weight, whose input is 1.
pub(super) fn weight_gradients<F: Element>(
    plan: &Plan,
    geometry: &Geometry,
    slab: &Slab<F>,
    side: Side<'_, F>,
) -> [Vec<F>; 2] {
    let width = match side {
        Side::Input(_) => plan.d_input,
        Side::Hidden { .. } => plan.d_hidden,
    };
    let mut weight = zeros(width * geometry.gates * geometry.d_hidden);
    let mut bias = vec![F::default(); geometry.gates * geometry.d_hidden];
    let of_tile = geometry.gate_vectors().min(WIDEST_TILE);
    let work = Gradient {
        plan,
        geometry,
        slab: Shared(slab.0.start()),
        side,
        rows: left_rows(plan, side, width),
        width,
        height: rows_of_tile(geometry.registers.count, of_tile),
        weight: Shared(weight.as_mut_ptr()),
        bias: Shared(bias.as_mut_ptr()),
    };
    let tiles = geometry.panels() * work.blocks();
    let products = plan.timetable.slab_rows() * (width + 1) * geometry.gates * geometry.d_hidden;
    let threads = plan.threads_for(products);
    on_threads(ranges(tiles, threads), |tiles| work.run(tiles));
    [weight, bias]
}

/// What all threads share.
struct Gradient<'a, F> {
    plan: &'a Plan,
    geometry: &'a Geometry,
    slab: Shared<F>,
    side: Side<'a, F>,
    /// Where the left factor of each slab row lies.
    rows: Vec<*const F>,
    /// Rows of the weight.
    width: usize,
    /// Rows of a tile.
    height: usize,
    weight: Shared<F>,
    bias: Shared<F>,
}

// SAFETY: threads read what is shared, and write the tiles of `weight` and `bias` that are theirs.
unsafe impl<F: Element> Sync for Gradient<'_, F> {}

/// Where the left factor of each slab row lies: `width` numbers each.
fn left_rows<F: Element>(plan: &Plan, side: Side<'_, F>, width: usize) -> Vec<*const F> {
    let timetable = &plan.timetable;
    let mut rows = Vec::with_capacity(timetable.slab_rows());
    for t in 0..timetable.steps() {
        for position in 0..timetable.alive(t) {
            let row = timetable.row(position);
            let of_sequence = |t: usize| (row * plan.seq + t) * width;
            rows.push(match side {
                Side::Input(input) => input[of_sequence(t)..].as_ptr(),
                Side::Hidden { initial, output } => match timetable.before(t, position) {
                    Some(before) => output[of_sequence(before)..].as_ptr(),
                    None => initial[row * width..].as_ptr(),
                },
            });
        }
    }
    rows
}

impl<F: Element> Gradient<'_, F> {
    /// Tiles down one panel: rows of the weight and one for the bias.
    fn blocks(&self) -> usize {
        (self.width + 1).div_ceil(self.height)
    }

    /// The tiles `tiles`, panel by panel, from the top of each panel down.
    fn run(&self, tiles: Range<usize>) {
        /// Numbers of the left factor that stay in the cache.
        const PIECE: usize = 96 << 10;
        let (blocks, columns) = (self.blocks(), self.geometry.gate_columns());
        let rows = self.rows.len();
        let padded = blocks * self.height;
        let piece = (PIECE / padded).clamp(64, 512).min(rows.max(1));
        let left: Buffer<F> = Buffer::uninitialised(piece * padded);
        let tile = self.height * columns;
        let sums: Buffer<F> = Buffer::zeros(tiles.len() * tile);
        let panels = tiles.start / blocks..tiles.end.div_ceil(blocks);
        for first in (0..rows).step_by(piece) {
            let piece = piece.min(rows - first);
            self.pack_left(&self.rows[first..first + piece], &left);
            for panel in panels.clone() {
                let of_panel = panel * blocks..(panel + 1) * blocks;
                let chosen = of_panel.start.max(tiles.start)..of_panel.end.min(tiles.end);
                let offset = match self.side {
                    Side::Input(_) => self.geometry.apart * self.geometry.units(),
                    Side::Hidden { .. } => 0,
                };
                let row = self.geometry.row();
                // SAFETY: the slab has these rows in this panel; the left factor and the sums have these tiles.
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
                            right: self.slab.get().add((panel * rows + first) * row + offset),
                            right_row: row,
                            vectors: self.geometry.gate_vectors(),
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
            let real = (self.width - first).min(R);
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
        let geometry = self.geometry;
        let (gates, d_hidden) = (geometry.gates, geometry.d_hidden);
        for i in 0..self.height {
            let row = block * self.height + i;
            let to = match row {
                _ if row < self.width => self.weight.get().wrapping_add(row * gates * d_hidden),
                _ if row == self.width => self.bias.get(),
                _ => return,
            };
            for slot in 0..gates {
                let gate = match self.side {
                    Side::Input(_) => slot,
                    Side::Hidden { .. } => hidden_gate(gates, geometry.apart, slot),
                };
                // SAFETY: the tile has `height · gates · units` sums; weight and bias have this row and these columns,
                // which no other tile writes.
                unsafe {
                    let from = sums.add((i * gates + slot) * geometry.units());
                    let to = to.add(gate * d_hidden + panel * geometry.units());
                    to.copy_from_nonoverlapping(from, geometry.units_of(panel));
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
