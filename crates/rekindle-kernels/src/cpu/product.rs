//! Products of many rows with one packed panel of a weight matrix.

use pulp::{Simd, WithSimd};

use super::vector::{Element, Vector};

/// Where the sums of a product start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<F> {
    /// At 0.
    Zero,
    /// At these numbers, the same for each row: a bias.
    Row(*const F),
    /// At what stands in the output.
    Output,
}

/// The inner dimension of a product, which need not lie in one piece of an input row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inner {
    /// How many pieces.
    pub(crate) pieces: usize,
    /// From the start of one piece to the start of the next.
    pub(crate) stride: usize,
    /// The length of a piece.
    pub(crate) length: usize,
}

impl Inner {
    /// An inner dimension in one piece.
    pub(crate) fn whole(length: usize) -> Self {
        Self {
            pieces: 1,
            stride: 0,
            length,
        }
    }

    /// The places in an input row, in their order.
    pub(crate) fn places(self) -> impl Iterator<Item = usize> {
        (0..self.pieces).flat_map(move |piece| {
            let start = piece * self.stride;
            start..start + self.length
        })
    }
}

/// The right factor of a product: a panel of a weight.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a, F> {
    /// All rows: `[inner, vectors, lanes]` from `panel` on.
    Dense {
        /// The inner dimension.
        inner: Inner,
        panel: *const F,
        /// How many registers wide the panel is.
        vectors: usize,
    },
    /// For each register across the panel its rows that are not zeros, `stride` from those of one to those of the next.
    Sparse {
        /// The places of these rows in an input row, ascending.
        places: &'a [Vec<u32>],
        panel: *const F,
        stride: usize,
    },
}

impl<F> Right<'_, F> {
    /// How many registers wide the panel is.
    #[inline(always)]
    fn vectors(&self) -> usize {
        match *self {
            Self::Dense { vectors, .. } => vectors,
            Self::Sparse { places, .. } => places.len(),
        }
    }
}

/// `output[row] = start + input[row] · panel` for every row.
///
/// Each output row is one sum per column, taken in the order of the inner dimension whatever rows stand beside it: the
/// result does not depend on how rows are dealt to tiles and threads.
pub(crate) struct Product<'a, F> {
    /// All but the right factor.
    pub(crate) frame: Frame<'a, F>,
    pub(crate) right: Right<'a, F>,
}

/// What a product reads and writes besides its right factor.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a, F> {
    /// One row of the left factor each.
    pub(crate) inputs: &'a [*const F],
    /// Added to every input pointer.
    pub(crate) input_offset: usize,
    /// Where the sums start.
    pub(crate) start: Start<F>,
    /// One row of the result each, as many as inputs.
    pub(crate) outputs: &'a [*mut F],
    /// Added to every output pointer.
    pub(crate) output_offset: usize,
    /// How many columns of the panel the output has.
    pub(crate) columns: usize,
}

impl<F: Element> WithSimd for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: who builds a product answers for its pointers.
        unsafe { self.all_columns::<F::Vector<S>>(simd, self.right.vectors()) }
    }
}

/// The most registers that a tile is wide.
pub(crate) const WIDEST_TILE: usize = 4;

/// What works on tiles of a panel, up to [`WIDEST_TILE`] registers wide.
pub(crate) trait ByColumns {
    /// The numbers that it works on.
    type Element: Element;

    /// All tiles of `N` registers from `vector` on.
    ///
    /// # Safety
    /// The panel has these registers, and all pointers are good.
    unsafe fn columns<V: Vector<Element = Self::Element>, const N: usize>(
        &self,
        simd: V::Simd,
        vector: usize,
    );

    /// All tiles of a panel of `vectors` registers, from the left in tiles as wide as they can be.
    ///
    /// # Safety
    /// As for [`columns`](Self::columns).
    #[inline(always)]
    unsafe fn all_columns<V: Vector<Element = Self::Element>>(
        &self,
        simd: V::Simd,
        vectors: usize,
    ) {
        for vector in (0..vectors).step_by(WIDEST_TILE) {
            // SAFETY: the caller answers for it.
            unsafe {
                match vectors - vector {
                    4.. => self.columns::<V, 4>(simd, vector),
                    3 => self.columns::<V, 3>(simd, vector),
                    2 => self.columns::<V, 2>(simd, vector),
                    _ => self.columns::<V, 1>(simd, vector),
                }
            }
        }
    }
}

/// The rows of a tile `vectors` wide, so that its sums and one row of the panel fit in the registers.
pub(crate) const fn rows_of_tile(registers: usize, vectors: usize) -> usize {
    match (registers >= 32, vectors) {
        (true, 4) => 6,
        (true, _) => 8,
        (false, 4) => 3,
        (false, 2 | 3) => 4,
        (false, _) => 8,
    }
}

impl<F: Element> ByColumns for Product<'_, F> {
    type Element = F;

    /// All rows, in tiles as high as they can be.
    #[inline(always)]
    unsafe fn columns<V: Vector<Element = F>, const N: usize>(&self, simd: V::Simd, vector: usize) {
        let highest = rows_of_tile(V::Simd::REGISTER_COUNT, N);
        let mut row = 0;
        while row < self.frame.inputs.len() {
            let left = self.frame.inputs.len() - row;
            // SAFETY: the rows are in range.
            row += unsafe {
                match highest {
                    8 if left >= 8 => self.tile::<V, 8, N>(simd, row, vector),
                    6 if left >= 6 => self.tile::<V, 6, N>(simd, row, vector),
                    4.. if left >= 4 => self.tile::<V, 4, N>(simd, row, vector),
                    3 if left >= 3 => self.tile::<V, 3, N>(simd, row, vector),
                    _ if left >= 2 => self.tile::<V, 2, N>(simd, row, vector),
                    _ => self.tile::<V, 1, N>(simd, row, vector),
                }
            };
        }
    }
}

impl<F: Element> Product<'_, F> {
    /// `R` rows of `N` registers; returns `R`.
    #[inline(always)]
    unsafe fn tile<V: Vector<Element = F>, const R: usize, const N: usize>(
        &self,
        simd: V::Simd,
        row: usize,
        vector: usize,
    ) -> usize {
        // SAFETY: `row + R` rows, `vector + N` registers and the inner dimension are in range of what the pointers of
        // the product point to.
        unsafe {
            let mut sums = self.starts::<V, R, N>(simd, row, vector);
            let Frame {
                inputs,
                input_offset,
                ..
            } = self.frame;
            let inputs: [*const F; R] =
                std::array::from_fn(|r| inputs.get_unchecked(row + r).add(input_offset));
            match self.right {
                Right::Dense {
                    inner,
                    panel,
                    vectors,
                } => {
                    let panel = panel.add(vector * V::LANES);
                    add_dense(
                        simd,
                        (inputs, inner),
                        (panel, vectors * V::LANES),
                        &mut sums,
                    );
                }
                Right::Sparse {
                    places,
                    panel,
                    stride,
                } => {
                    let panels = std::array::from_fn(|n| panel.add((vector + n) * stride));
                    let places = std::array::from_fn(|n| &places.get_unchecked(vector + n)[..]);
                    add_sparse(simd, inputs, (panels, places), &mut sums);
                }
            }
            self.finish(row, vector, sums);
        }
        R
    }

    /// Where the sums of a tile start.
    #[inline(always)]
    unsafe fn starts<V: Vector<Element = F>, const R: usize, const N: usize>(
        &self,
        simd: V::Simd,
        row: usize,
        vector: usize,
    ) -> [[V; N]; R] {
        // SAFETY: as in `tile`; behind the output's last column nothing is read.
        unsafe {
            match self.frame.start {
                Start::Zero => [[V::splat(simd, F::default()); N]; R],
                Start::Row(start) => {
                    let start = start.add(vector * V::LANES);
                    [std::array::from_fn(|n| V::load(simd, start.add(n * V::LANES))); R]
                }
                Start::Output => std::array::from_fn(|r| {
                    std::array::from_fn(|n| {
                        let (output, count) = self.output::<V>(row + r, vector + n);
                        match count == V::LANES {
                            true => V::load(simd, output),
                            false => V::load_first(simd, output, count),
                        }
                    })
                }),
            }
        }
    }

    /// Writes the sums of a tile.
    #[inline(always)]
    unsafe fn finish<V: Vector<Element = F>, const R: usize, const N: usize>(
        &self,
        row: usize,
        vector: usize,
        sums: [[V; N]; R],
    ) {
        for (r, sums) in sums.into_iter().enumerate() {
            for (n, sum) in sums.into_iter().enumerate() {
                // SAFETY: as in `tile`; behind the output's last column nothing is written.
                unsafe {
                    let (output, count) = self.output::<V>(row + r, vector + n);
                    match count == V::LANES {
                        true => sum.store(output),
                        false => sum.store_first(output, count),
                    }
                }
            }
        }
    }

    /// Where a register of the output lies, and how many of its lanes are columns.
    #[inline(always)]
    unsafe fn output<V: Vector<Element = F>>(&self, row: usize, vector: usize) -> (*mut F, usize) {
        let column = vector * V::LANES;
        let count = self.frame.columns.saturating_sub(column).min(V::LANES);
        // SAFETY: the row is in range. A register without columns keeps the row's start, and is neither read nor written.
        let output = unsafe {
            let Frame {
                outputs,
                output_offset,
                ..
            } = self.frame;
            outputs.get_unchecked(row).add(output_offset)
        };
        match count {
            0 => (output, 0),
            // SAFETY: the column is in range.
            _ => (unsafe { output.add(column) }, count),
        }
    }
}

/// Adds the products of `R` rows with `N` registers of a dense panel, whose rows are `width` apart.
///
/// # Safety
/// The rows have the places of the inner dimension, and the panel as many rows.
#[inline(always)]
unsafe fn add_dense<V: Vector, const R: usize, const N: usize>(
    simd: V::Simd,
    (inputs, inner): ([*const V::Element; R], Inner),
    (mut panel, width): (*const V::Element, usize),
    sums: &mut [[V; N]; R],
) {
    // A copy, which stays in registers.
    let mut local = *sums;
    // SAFETY: the caller answers for the pointers.
    unsafe {
        for piece in 0..inner.pieces {
            let inputs = inputs.map(|input| input.add(piece * inner.stride));
            for k in 0..inner.length {
                let weights: [V; N] =
                    std::array::from_fn(|n| V::load(simd, panel.add(n * V::LANES)));
                for r in 0..R {
                    let input = V::splat(simd, *inputs[r].add(k));
                    for n in 0..N {
                        local[r][n] = input.mul_add(weights[n], local[r][n]);
                    }
                }
                panel = panel.add(width);
            }
        }
    }
    *sums = local;
}

/// Adds the products of `R` rows with `N` sparse registers, side by side, so that one sum need not wait for itself.
///
/// # Safety
/// The rows have all places, and each panel has as many registers as there are places of its own.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "constant indices keep the sums in registers"
)]
unsafe fn add_sparse<V: Vector, const R: usize, const N: usize>(
    simd: V::Simd,
    inputs: [*const V::Element; R],
    (panels, places): ([*const V::Element; N], [&[u32]; N]),
    sums: &mut [[V; N]; R],
) {
    // A copy that only constants index, which stays in registers.
    let mut local = *sums;
    let in_all = places.map(<[u32]>::len).into_iter().min().unwrap_or(0);
    // SAFETY: the caller answers for the pointers; `index` is below the number of places.
    let at = |panel: *const V::Element, places: &[u32], index: usize| unsafe {
        let place = *places.get_unchecked(index) as usize;
        (V::load(simd, panel.add(index * V::LANES)), place)
    };
    // SAFETY: the caller answers for the places.
    let input = |r: usize, place: usize| unsafe { V::splat(simd, *inputs[r].add(place)) };
    for index in 0..in_all {
        for n in 0..N {
            let (weight, place) = at(panels[n], places[n], index);
            for r in 0..R {
                local[r][n] = input(r, place).mul_add(weight, local[r][n]);
            }
        }
    }
    *sums = local;
    for (n, (&panel, places)) in panels.iter().zip(places).enumerate() {
        let mut of_register: [V; R] = std::array::from_fn(|r| sums[r][n]);
        for index in in_all..places.len() {
            let (weight, place) = at(panel, places, index);
            for (r, sum) in of_register.iter_mut().enumerate() {
                *sum = input(r, place).mul_add(weight, *sum);
            }
        }
        for (sums, sum) in sums.iter_mut().zip(of_register) {
            sums[n] = sum;
        }
    }
}
