//! What a training scan keeps for its derivative.

use super::buffer::{Buffer, Shared};
use super::geometry::Geometry;
use super::pack::Packed;
use super::vector::Element;

/// Numbers of a row of scales: one for each norm.
pub(super) const SCALES: usize = 3;

/// What a training scan keeps. All sequences have a row for each valid step of each row of the batch.
#[derive(Debug)]
pub(crate) struct Slab<F> {
    /// The activations: `[panel, slab row, slot and state, unit]`.
    activations: Buffer<F>,
    /// The states that the recurrent product has read besides the hidden one: `[slab row, row]` each.
    read: Vec<Buffer<F>>,
    /// The middle vector: `[slab row, row]`.
    middle: Option<Buffer<F>>,
    /// The hidden state before its projection: `[slab row, row]`.
    shown: Option<Buffer<F>>,
    /// What norms have multiplied each row with: `[slab row, norm]`.
    scales: Option<Buffer<F>>,
    /// What norms over the batch have multiplied each column with, norm by norm.
    pub(super) taken: Vec<Packed<F>>,
}

/// Where a scan writes what it keeps.
#[derive(Clone, Debug)]
pub(crate) struct Kept<F> {
    pub(super) activations: Shared<F>,
    pub(super) read: Vec<Shared<F>>,
    pub(super) middle: Option<Shared<F>>,
    pub(super) shown: Option<Shared<F>>,
    pub(super) scales: Option<Shared<F>>,
}

impl<F: Element> Slab<F> {
    /// Room for a scan of `rows` valid steps.
    pub(super) fn new(geometry: &Geometry, rows: usize) -> Self {
        let sequence = || Buffer::recycled(rows * geometry.row_width());
        Self {
            activations: Buffer::recycled(geometry.panels() * rows * geometry.row()),
            read: (1..geometry.reads).map(|_| sequence()).collect(),
            middle: geometry.middle.then(sequence),
            shown: geometry.projected.map(|_| sequence()),
            scales: geometry
                .has_norms()
                .then(|| Buffer::recycled(rows * SCALES)),
            taken: Vec::new(),
        }
    }

    /// Where everything lies.
    pub(super) fn kept(&self) -> Kept<F> {
        let shared = |buffer: &Buffer<F>| Shared(buffer.start());
        Kept {
            activations: shared(&self.activations),
            read: self.read.iter().map(shared).collect(),
            middle: self.middle.as_ref().map(shared),
            shown: self.shown.as_ref().map(shared),
            scales: self.scales.as_ref().map(shared),
        }
    }
}
