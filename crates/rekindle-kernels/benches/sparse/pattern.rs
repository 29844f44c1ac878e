//! Which weights are zero.

use std::fmt;

use rekindle_testkit::Choices;

/// How weights go: one by one, or in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One by one.
    Single,
    /// `rows` inner rows times `registers` registers of columns.
    Block {
        /// Rows of the weight: entries of the hidden state.
        rows: usize,
        /// Registers side by side. Four are the gates of the same units in an LSTM.
        registers: usize,
    },
}

impl Pattern {
    /// Rows and columns of what goes at once.
    pub fn block(self, lanes: usize) -> [usize; 2] {
        match self {
            Self::Single => [1, 1],
            Self::Block { rows, registers } => [rows, registers * lanes],
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("single weights"),
            Self::Block { rows, registers: 1 } => write!(f, "blocks, {rows} × 1 register"),
            Self::Block { rows, registers } => write!(f, "blocks, {rows} × {registers} registers"),
        }
    }
}

/// A weight, `[inner, columns]`, and which of its blocks are kept.
pub struct Weight {
    /// `[inner, columns]`, zero where a block is not kept.
    pub values: Vec<f32>,
    /// Rows and columns.
    pub axes: [usize; 2],
    /// Rows and columns of a block.
    pub block: [usize; 2],
    /// For each column of blocks, the rows of blocks that are kept, in order.
    pub kept: Vec<Vec<usize>>,
}

impl Weight {
    /// Uniform numbers in `[-1, 1)`, of which `round(sparsity · blocks)` random blocks are zero.
    pub fn random(axes: [usize; 2], block: [usize; 2], sparsity: f64, seed: u64) -> Self {
        let mut choices = Choices::new(seed);
        let [high, wide] = [axes[0] / block[0], axes[1] / block[1]];
        let mut blocks: Vec<usize> = (0..high * wide).collect();
        for index in (1..blocks.len()).rev() {
            blocks.swap(index, choices.within(0..=index));
        }
        let gone = (sparsity * blocks.len() as f64).round() as usize;
        let mut kept = vec![Vec::new(); wide];
        let mut left = blocks.split_off(gone);
        left.sort_unstable();
        left.iter()
            .for_each(|index| kept[index % wide].push(index / wide));

        let mut values = vec![0.0; axes[0] * axes[1]];
        for (column, rows) in kept.iter().enumerate() {
            for (row, k, c) in entries(rows, block) {
                let at = (row * block[0] + k) * axes[1] + column * block[1] + c;
                values[at] = 2.0 * choices.fraction() as f32 - 1.0;
            }
        }
        Self {
            values,
            axes,
            block,
            kept,
        }
    }

    /// The kept blocks, column of blocks by column of blocks, row by row.
    pub fn packed(&self) -> Vec<f32> {
        let of_column = |(column, rows): (usize, &Vec<usize>)| {
            entries(rows, self.block)
                .map(|(row, k, c)| {
                    let row = row * self.block[0] + k;
                    self.values[row * self.axes[1] + column * self.block[1] + c]
                })
                .collect::<Vec<_>>()
        };
        self.kept.iter().enumerate().flat_map(of_column).collect()
    }
}

/// Row of blocks, row and column in the block, of all entries of blocks.
fn entries(
    rows: &[usize],
    [high, wide]: [usize; 2],
) -> impl Iterator<Item = (usize, usize, usize)> {
    let in_block = move |row| (0..high).flat_map(move |k| (0..wide).map(move |c| (row, k, c)));
    rows.iter().copied().flat_map(in_block)
}
