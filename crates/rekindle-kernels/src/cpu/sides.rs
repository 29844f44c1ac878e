//! The gradients of weights and biases, from those of the gates that a backward scan has left in the slab.

use std::ops::Range;

use super::Operands;
use super::backward::BackwardScan;
use super::buffer::{Shared, zeros};
use super::gradients::{Left, Right, Target, weight_gradient};
use super::norm::{HIDDEN, INPUT};
use super::vector::Element;
use crate::Equations;

impl<F: Element, E: Equations> BackwardScan<'_, F, E> {
    /// The gradients of gates in some slots of the slab, as the right factor of a weight's gradient.
    fn right(&self, slots: Range<usize>, gates: Vec<usize>) -> Right<F> {
        Right {
            start: self.kept.activations,
            offset: slots.start * self.geometry.units(),
            row: self.geometry.row(),
            panel_stride: self.panel_stride(),
            panels: self.geometry.by_units(),
            gates,
            of_weight: self.geometry.gates,
        }
    }

    /// The gradients of `W_ih` and `b_ih`.
    pub(super) fn input_side(&self, operands: &Operands<'_, F>) -> [Vec<F>; 2] {
        let right = self.right(
            self.geometry.input_slots(),
            (0..self.geometry.gates).collect(),
        );
        let mut weight = zeros(operands.weight_ih.len());
        let mut bias = vec![F::default(); self.geometry.gates * self.geometry.d_hidden];
        let left = Left::input(self.plan, operands.input);
        let norm = &self.norms[INPUT];
        let target = Target::new(&mut weight, norm.is_none().then_some(&mut bias));
        weight_gradient(self.plan, &self.geometry, left, right, target);
        match norm {
            // The bias is added behind the norm, as a shift.
            Some((_, sums)) => {
                let [_, bias] = sums.totals(&self.geometry);
                [weight, bias]
            }
            None => [weight, bias],
        }
    }

    /// The gradients of the recurrent weights and of `b_hh`.
    pub(super) fn hidden_side(&self, operands: &Operands<'_, F>) -> (Vec<Vec<F>>, Vec<F>) {
        let (plan, geometry) = (self.plan, &self.geometry);
        let mut bias = vec![F::default(); geometry.gates * geometry.d_hidden];
        let mut weights = Vec::with_capacity(geometry.reads);
        let norm = &self.norms[HIDDEN];
        for (state, weight) in operands.weights_hh.iter().enumerate() {
            let mut gradient = zeros(weight.len());
            let left = match state {
                0 => {
                    let hidden = Left::hidden(plan, geometry, operands.state[0], self.output);
                    match self.masks.hidden {
                        Some(mask) => hidden.masked(plan, mask),
                        None => hidden,
                    }
                }
                _ => Left::kept(plan, geometry, self.kept.read[state - 1]),
            };
            let slots = geometry.hidden_slots(state);
            let right = self.right(slots.clone(), geometry.hidden_gates(slots));
            let with_bias = (state == 0 && norm.is_none()).then_some(&mut bias);
            let target = Target::new(&mut gradient, with_bias);
            weight_gradient(plan, geometry, left, right, target);
            weights.push(gradient);
        }
        if let (Some(middle), Some(last)) = (self.kept.middle, weights.last_mut()) {
            let slot = geometry.last_slot();
            let right = self.right(slot..slot + 1, vec![geometry.gates - 1]);
            let left = Left::kept(plan, geometry, middle);
            // Where the recurrent product has several states, the last gate's bias is among the others already.
            let with_bias = (geometry.reads == 1).then_some(&mut bias);
            let target = Target::new(last, with_bias);
            weight_gradient(plan, geometry, left, right, target);
        }
        if let Some((_, sums)) = norm {
            [_, bias] = sums.totals(geometry);
        }
        (weights, bias)
    }

    /// The gradient of the projection.
    pub(super) fn projection_gradient(&self, length: usize) -> Vec<F> {
        let mut gradient = zeros(length);
        let Some(shown) = self.kept.shown else {
            unreachable!("a projected cell keeps its hidden state")
        };
        let panels = self.geometry.wide(self.geometry.d_output());
        let right = Right {
            start: Shared(self.projected.start()),
            offset: 0,
            row: self.geometry.row_width(),
            panel_stride: panels.units,
            panels,
            gates: vec![0],
            of_weight: 1,
        };
        let left = Left::kept(self.plan, &self.geometry, shown);
        let target = Target::new(&mut gradient, None);
        weight_gradient(self.plan, &self.geometry, left, right, target);
        gradient
    }
}
