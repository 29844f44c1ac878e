//! The masks of a scan: of the hidden state, of the candidate, and what states keep of their old values.

use super::buffer::Buffer;
use super::vector::Element;
use super::{Operands, Plan};

/// Which masks a scan has. Default: none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masking {
    /// Whether the hidden state has one on its way into the recurrent product.
    pub(crate) hidden: bool,
    /// Whether the candidate has one.
    pub(crate) candidate: bool,
    /// What each state keeps of its old value; none at all: nothing.
    pub(crate) keep: Vec<Kept>,
}

/// How much of its old value a state keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kept {
    /// Nothing.
    Nothing,
    /// The same fraction of all numbers.
    Fraction(f64),
    /// What a mask says.
    Mask,
}

impl Masking {
    /// Whether there is no mask at all.
    pub(crate) fn is_empty(&self) -> bool {
        !self.hidden && !self.candidate && !self.blends()
    }

    /// Whether any state keeps something.
    pub(crate) fn blends(&self) -> bool {
        self.keep.iter().any(|&kept| kept != Kept::Nothing)
    }
}

/// The numbers of the masks of a scan.
pub(super) struct Masks<'a, F> {
    /// `[batch, d_output]`.
    pub(super) hidden: Option<&'a [F]>,
    /// `[batch, seq, d_hidden]`, or `[batch, 1, d_hidden]`.
    candidate: Option<&'a [F]>,
    keep: Vec<Option<Fractions<'a, F>>>,
}

/// What a state keeps.
enum Fractions<'a, F> {
    /// The same in all rows and steps: one row.
    Same(Vec<F>),
    /// `[batch, seq, width of the state]`.
    Own(&'a [F]),
}

impl<'a, F: Element> Masks<'a, F> {
    pub(super) fn new(plan: &Plan, operands: &Operands<'a, F>) -> Self {
        let Masking {
            hidden,
            candidate,
            keep,
        } = &plan.masking;
        let mut masks = operands.masks.iter().copied();
        let mut next = || masks.next().expect("a plan counts the masks");
        Self {
            hidden: hidden.then(&mut next),
            candidate: candidate.then(&mut next),
            keep: (keep.iter())
                .map(|kept| match *kept {
                    Kept::Nothing => None,
                    Kept::Fraction(fraction) => {
                        Some(Fractions::Same(vec![F::from_f64(fraction); plan.d_hidden]))
                    }
                    Kept::Mask => Some(Fractions::Own(next())),
                })
                .collect(),
        }
    }

    /// How many states may keep something: all or none.
    pub(super) fn kept(&self) -> usize {
        self.keep.len()
    }

    /// What a state keeps in batch row `row` at step `t`, one number for each of its columns; `None`: nothing.
    pub(super) fn keep_row(
        &self,
        plan: &Plan,
        state: usize,
        [row, t]: [usize; 2],
    ) -> Option<*const F> {
        let of_state = self.keep.get(state)?.as_ref()?;
        Some(match of_state {
            Fractions::Same(row) => row.as_ptr(),
            Fractions::Own(mask) => {
                let steps = plan.timetable.batch() * plan.seq;
                let width = mask.len() / steps;
                mask[(row * plan.seq + t) * width..].as_ptr()
            }
        })
    }

    /// The mask of the candidate in batch row `row` at step `t`: one number for each unit.
    pub(super) fn candidate_row(&self, plan: &Plan, [row, t]: [usize; 2]) -> Option<*const F> {
        let mask = self.candidate?;
        let steps = mask.len() / (plan.timetable.batch() * plan.d_hidden);
        let at = row * steps + t.min(steps - 1);
        Some(mask[at * plan.d_hidden..].as_ptr())
    }

    /// The mask of the hidden state in batch row `row`.
    pub(super) fn hidden_row(&self, width: usize, row: usize) -> Option<*const F> {
        Some(self.hidden?[row * width..].as_ptr())
    }
}

/// `to = from ⊙ mask` for `width` numbers.
///
/// # Safety
/// All are good for so many numbers.
pub(super) unsafe fn multiply<F: Element>(
    from: *const F,
    mask: *const F,
    to: *mut F,
    width: usize,
) {
    for column in 0..width {
        // SAFETY: the caller answers for it.
        unsafe { to.add(column).write(*from.add(column) * *mask.add(column)) };
    }
}

/// Two copies of the hidden state times its mask, one read and one written in each step.
pub(super) struct Masked<F> {
    _memory: [Buffer<F>; 2],
    /// The rows of both copies.
    pub(super) rows: [Vec<*mut F>; 2],
    /// The mask of each row.
    pub(super) masks: Vec<*const F>,
}

impl<F: Element> Masked<F> {
    /// Both copies of hidden states `width` wide, for rows that stand at `states` and have these masks.
    ///
    /// A row that rests is never read again, or has not moved yet: so both copies begin with the initial state.
    pub(super) fn new(
        states: &[*mut F],
        masks: Vec<*const F>,
        width: usize,
        row_width: usize,
    ) -> Self {
        let memory: [Buffer<F>; 2] = [(); 2].map(|()| Buffer::zeros(states.len() * row_width));
        let rows = memory.each_ref().map(|copy| {
            let place = |row: usize| copy.start().wrapping_add(row * row_width);
            (0..states.len()).map(place).collect::<Vec<_>>()
        });
        for copy in &rows {
            for ((&state, &mask), &to) in states.iter().zip(&masks).zip(copy) {
                // SAFETY: state, mask and copy have these columns.
                unsafe { multiply(state, mask, to, width) };
            }
        }
        Self {
            _memory: memory,
            rows,
            masks,
        }
    }
}
