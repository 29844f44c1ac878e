//! Which rows of a batch are alive at which step, where their activations lie, and who computes them.

use super::part_of;
use crate::{Lengths, Order};

/// The visits of a scan: rows sorted by length, so that the rows alive at a step are a prefix.
#[derive(Clone, Debug)]
pub(crate) struct Timetable {
    /// The batch row at each position, the longest first; rows of one length stay in order.
    rows: Vec<usize>,
    /// The length at each position.
    lengths: Vec<usize>,
    /// Positions alive at each step, up to the longest row's end.
    alive: Vec<usize>,
    /// The slab row of position 0 at each step; the last entry is the number of slab rows.
    first: Vec<usize>,
    order: Order,
}

impl Timetable {
    /// The visits of `batch` rows of `seq` steps.
    pub(crate) fn new(batch: usize, seq: usize, lengths: Option<&Lengths>, order: Order) -> Self {
        let all = vec![seq; batch];
        let of_row = lengths.map_or(all.as_slice(), Lengths::as_slice);
        let mut rows: Vec<usize> = (0..batch).collect();
        rows.sort_by_key(|&row| std::cmp::Reverse(of_row[row]));
        let lengths: Vec<usize> = rows.iter().map(|&row| of_row[row]).collect();
        let steps = lengths.first().copied().unwrap_or(0);
        let alive: Vec<usize> = (0..steps)
            .map(|t| lengths.partition_point(|&length| length > t))
            .collect();
        let mut first = vec![0];
        for &alive in &alive {
            first.push(first[first.len() - 1] + alive);
        }
        Self {
            rows,
            lengths,
            alive,
            first,
            order,
        }
    }

    /// The number of rows.
    pub(crate) fn batch(&self) -> usize {
        self.rows.len()
    }

    /// The steps that any row has.
    pub(crate) fn steps(&self) -> usize {
        self.alive.len()
    }

    /// The positions alive at step `t`: those before this one.
    pub(crate) fn alive(&self, t: usize) -> usize {
        self.alive[t]
    }

    /// The batch row at a position.
    pub(crate) fn row(&self, position: usize) -> usize {
        self.rows[position]
    }

    /// The valid steps of the row at a position.
    pub(crate) fn length(&self, position: usize) -> usize {
        self.lengths[position]
    }

    /// Slab rows: one for each valid step of each row.
    pub(crate) fn slab_rows(&self) -> usize {
        self.first[self.steps()]
    }

    /// The slab row of a position at step `t`.
    pub(crate) fn slab_row(&self, t: usize, position: usize) -> usize {
        self.first[t] + position
    }

    /// The steps in the order of their visit.
    pub(crate) fn visits(&self) -> Vec<usize> {
        match self.order {
            Order::Forward => (0..self.steps()).collect(),
            Order::Reverse => (0..self.steps()).rev().collect(),
        }
    }

    /// The step that the row at `position` visits before step `t`; `None`: its initial state stands before.
    pub(crate) fn before(&self, t: usize, position: usize) -> Option<usize> {
        match self.order {
            Order::Forward => t.checked_sub(1),
            Order::Reverse => Some(t + 1).filter(|&next| next < self.lengths[position]),
        }
    }

    /// How many of `positions`, in ascending order, are alive at step `t`.
    pub(crate) fn alive_of(&self, t: usize, positions: &[usize]) -> usize {
        positions.partition_point(|&position| position < self.alive[t])
    }

    /// The positions in `teams` parts of about the same work: runs where all rows are equally long, else dealt like
    /// cards.
    pub(crate) fn deal(&self, teams: usize) -> Vec<Vec<usize>> {
        let batch = self.batch();
        let teams = teams.clamp(1, batch.max(1));
        let equal = self.lengths.first() == self.lengths.last();
        (0..teams)
            .map(|team| match equal {
                true => part_of(batch, team, teams).collect(),
                false => (team..batch).step_by(teams).collect(),
            })
            .collect()
    }
}
