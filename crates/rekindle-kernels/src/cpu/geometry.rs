//! How gates, weights and activations lie in the engine's memory.

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
    /// Width of the hidden state.
    pub(crate) d_hidden: usize,
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

impl Geometry {
    /// Registers of units in a panel: up to four registers of gates.
    pub(crate) fn unit_vectors(&self) -> usize {
        (4 / self.gates).max(1)
    }

    /// Units in a panel.
    pub(crate) fn units(&self) -> usize {
        self.unit_vectors() * self.registers.lanes
    }

    /// Panels over all hidden units.
    pub(crate) fn panels(&self) -> usize {
        self.d_hidden.div_ceil(self.units())
    }

    /// Hidden units with those that fill up the last panel.
    pub(crate) fn padded_hidden(&self) -> usize {
        self.panels() * self.units()
    }

    /// How many units of panel `panel` there really are.
    pub(crate) fn units_of(&self, panel: usize) -> usize {
        (self.d_hidden - panel * self.units()).min(self.units())
    }

    /// Registers of gates in a panel.
    pub(crate) fn gate_vectors(&self) -> usize {
        self.gates * self.unit_vectors()
    }

    /// Columns of a panel of gates.
    pub(crate) fn gate_columns(&self) -> usize {
        self.gates * self.units()
    }

    /// Slots of `units` numbers that a row of a panel has for activations and, later, their gradients: first the
    /// hidden-side gradients of the gates apart, then the gradients of the other gates, then the input-side gradients
    /// of the gates apart.
    pub(crate) fn slots(&self) -> usize {
        (self.gates + self.apart).max(self.saved)
    }

    /// Numbers of a row of a panel: slots, then the other states.
    pub(crate) fn row(&self) -> usize {
        (self.slots() + self.extra_states) * self.units()
    }
}

/// The gate whose hidden-side gradient is in slot `slot`, of a cell with `gates` gates, the last `apart` of them apart.
pub(crate) const fn hidden_gate(gates: usize, apart: usize, slot: usize) -> usize {
    match slot < apart {
        true => gates - apart + slot,
        false => slot - apart,
    }
}
