//! How gates, weights and activations lie in the engine's memory.

use std::ops::Range;

use super::norm::SHOWN;

/// The sizes of one cell on one instruction set.
///
/// Hidden units are taken in *panels*: as many units as keep a tile of sums in registers, with all their gates side by
/// side, `[gate, unit]`. A panel's weights are packed once per call; its pre-activations come out of one product, and
/// the cell's equations act on them at once. The last panel is filled up with units of zero weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Packed gates of the cell.
    pub(crate) gates: usize,
    /// The last gates, whose gradients by `x W_ih` and by `h W_hh` differ.
    pub(crate) apart: usize,
    /// Activations that the derivative needs back.
    pub(crate) saved: usize,
    /// States besides the hidden one.
    pub(crate) extra_states: usize,
    /// Numbers that a unit has for itself.
    pub(crate) unit_values: usize,
    /// The first states, which the recurrent product reads.
    pub(crate) reads: usize,
    /// Whether the last gate reads the middle vector in place of the last of these states.
    pub(crate) middle: bool,
    /// Width of each gate.
    pub(crate) d_hidden: usize,
    /// Width of the hidden state, if it is projected.
    pub(crate) projected: Option<usize>,
    /// Whether states keep a part of their old values.
    pub(crate) blends: bool,
    /// Whether there is a norm of the input product, of the recurrent product and of the last state.
    pub(crate) normed: [bool; 3],
    /// The registers that the engine works in.
    pub(crate) registers: Registers,
}

/// The registers of an instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registers {
    /// How many there are.
    pub(crate) count: usize,
    /// Numbers in one.
    pub(crate) lanes: usize,
}

/// Columns in panels of some units each; the last one may have fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panels {
    /// All columns.
    pub(crate) columns: usize,
    /// Columns of a panel.
    pub(crate) units: usize,
}

impl Panels {
    /// How many panels there are.
    pub(crate) fn count(&self) -> usize {
        self.columns.div_ceil(self.units)
    }

    /// How many columns of panel `panel` there really are.
    pub(crate) fn real(&self, panel: usize) -> usize {
        (self.columns - panel * self.units).min(self.units)
    }

    /// Columns with those that fill up the last panel.
    pub(crate) fn padded(&self) -> usize {
        self.count() * self.units
    }
}

/// Registers side by side in a panel of plain columns.
pub(crate) const WIDE_VECTORS: usize = 4;

impl Geometry {
    /// Registers of units in a panel: up to four registers of gates.
    pub(crate) fn unit_vectors(&self) -> usize {
        (4 / self.gates).max(1)
    }

    /// Units in a panel.
    pub(crate) fn units(&self) -> usize {
        self.unit_vectors() * self.registers.lanes
    }

    /// The panels of hidden units.
    pub(crate) fn by_units(&self) -> Panels {
        Panels {
            columns: self.d_hidden,
            units: self.units(),
        }
    }

    /// Panels of `columns` plain columns, which are no gates.
    pub(crate) fn wide(&self, columns: usize) -> Panels {
        Panels {
            columns,
            units: WIDE_VECTORS * self.registers.lanes,
        }
    }

    /// Panels over all hidden units.
    pub(crate) fn panels(&self) -> usize {
        self.by_units().count()
    }

    /// How many units of panel `panel` there really are.
    pub(crate) fn units_of(&self, panel: usize) -> usize {
        self.by_units().real(panel)
    }

    /// Width of the hidden state.
    pub(crate) fn d_output(&self) -> usize {
        self.projected.unwrap_or(self.d_hidden)
    }

    /// Width of state `index`.
    pub(crate) fn state_width(&self, index: usize) -> usize {
        match index {
            0 => self.d_output(),
            _ => self.d_hidden,
        }
    }

    /// Numbers of a row of a state or of another vector of the cell, with room for whole panels of either kind.
    pub(crate) fn row_width(&self) -> usize {
        let width = self.by_units().padded();
        match self.middle || self.projected.is_some() {
            true => (width.max(self.wide(self.d_hidden).padded()))
                .max(self.wide(self.d_output()).padded()),
            false => width,
        }
    }

    /// Columns of a panel of gates.
    pub(crate) fn gate_columns(&self) -> usize {
        self.gates * self.units()
    }

    /// The first gates, whose product with the states is not empty.
    pub(crate) fn recurrent_gates(&self) -> usize {
        self.gates - usize::from(self.middle && self.reads == 1)
    }

    /// Rows of the recurrent weight of each state that is read, zeros included.
    pub(crate) fn recurrent_rows(&self) -> usize {
        match self.reads {
            1 => self.d_output(),
            _ => self.d_hidden.max(self.d_output()),
        }
    }

    /// Slots of `units` numbers that a row of a panel has for activations and, later, their gradients: first the
    /// hidden-side gradients of the gates apart, the last gate's before the others, then the gradients of the other
    /// gates, then the input-side gradients of the gates apart.
    pub(crate) fn slots(&self) -> usize {
        (self.gates + self.apart).max(self.saved)
    }

    /// The slots of the gradients of gates by `x W_ih`, in the order of the gates.
    pub(crate) fn input_slots(&self) -> Range<usize> {
        self.apart..self.apart + self.gates
    }

    /// The slots of the gradients of gates that state `index` is multiplied into.
    pub(crate) fn hidden_slots(&self, index: usize) -> Range<usize> {
        match (self.middle && index + 1 == self.reads, self.apart) {
            (false, _) => 0..self.gates,
            (true, 0) => 0..self.gates - 1,
            (true, _) => 1..self.gates,
        }
    }

    /// The slot of the hidden-side gradient of the last gate.
    pub(crate) fn last_slot(&self) -> usize {
        match self.apart {
            0 => self.gates - 1,
            _ => 0,
        }
    }

    /// The gates whose hidden-side gradients are in `slots`.
    pub(crate) fn hidden_gates(&self, slots: Range<usize>) -> Vec<usize> {
        slots
            .map(|slot| hidden_gate(self.gates, self.apart, slot))
            .collect()
    }

    /// The slot of state `index` after a step; not of the hidden state, which is in the output.
    pub(crate) fn state_slot(&self, index: usize) -> usize {
        self.slots() + index - 1
    }

    /// The slot of state `index` as the equations give it, before anything of the old state is kept; not of the hidden
    /// state, unless states keep something.
    pub(crate) fn new_slot(&self, index: usize) -> usize {
        match self.blends {
            true => self.slots() + self.extra_states + index,
            false => self.state_slot(index),
        }
    }

    /// The first slot of what norm `norm` gives before its gain and shift: one for each of its gates.
    pub(crate) fn normed_slot(&self, norm: usize) -> usize {
        let new = if self.blends {
            1 + self.extra_states
        } else {
            0
        };
        let products = self.normed[..norm.min(SHOWN)].iter();
        let products = products.filter(|&&is_normed| is_normed).count();
        self.slots() + self.extra_states + new + products * self.gates
    }

    /// The slot of the norm of the last state, with its gain and shift.
    pub(crate) fn shown_slot(&self) -> usize {
        self.normed_slot(SHOWN) + 1
    }

    /// Whether there is any norm.
    pub(crate) fn has_norms(&self) -> bool {
        self.normed != [false; 3]
    }

    /// Numbers of a row of a panel: slots, then the other states, then all states as the equations give them, if they keep
    /// something, then what norms give.
    pub(crate) fn row(&self) -> usize {
        let shown = if self.normed[SHOWN] { 2 } else { 0 };
        (self.normed_slot(SHOWN) + shown) * self.units()
    }
}

/// The gate whose hidden-side gradient is in slot `slot`, of a cell with `gates` gates, the last `apart` of them apart.
#[inline(always)]
pub(crate) const fn hidden_gate(gates: usize, apart: usize, slot: usize) -> usize {
    match slot {
        0 if apart > 0 => gates - 1,
        _ if slot < apart => gates - apart + slot - 1,
        _ => slot - apart,
    }
}
