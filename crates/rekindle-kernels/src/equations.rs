//! What one cell contributes to a scan: its pointwise step and the step's derivative.

use std::fmt::Debug;

use crate::Lane;

/// The pointwise part of a recurrent cell.
///
/// `GATES` is the number of packed gates, `STATES` the number of state vectors (the hidden state comes first; it is what
/// the recurrent product reads and what the sequence puts out), `SAVED` the number of activations that the derivative
/// needs back. Each value stands for one hidden unit of one batch row, or for many of them side by side: see [`Lane`].
///
/// Mark both functions `#[inline(always)]`. The fused scan compiles them for each instruction set; as functions of their
/// own they would not get its instructions, and small networks would be several times slower.
///
/// # Examples
/// An integrator, `h′ = h + x W_ih + h W_hh`:
/// ```
/// use rekindle_kernels::{Equations, Lane, StepGradients};
///
/// #[derive(Clone, Debug)]
/// struct Integrator;
///
/// impl Equations<1, 1, 0> for Integrator {
///     const APART: usize = 0;
///
///     #[inline(always)]
///     fn forward<V: Lane>(&self, [x]: [V; 1], [h]: [V; 1], [hidden]: [V; 1]) -> ([V; 1], [V; 0]) {
///         ([hidden + x + h], [])
///     }
///
///     #[inline(always)]
///     fn backward<V: Lane>(
///         &self,
///         _saved: [V; 0],
///         _old: [V; 1],
///         _new: [V; 1],
///         [grad]: [V; 1],
///     ) -> StepGradients<V, 1, 1> {
///         StepGradients { input: [grad.clone()], hidden: [grad.clone()], state: [grad] }
///     }
/// }
///
/// let ([next], []) = Integrator.forward([0.5], [0.25], [1.0]);
/// assert_eq!(next, 1.75);
/// ```
pub trait Equations<const GATES: usize, const STATES: usize, const SAVED: usize>:
    Clone + Debug + Send + Sync + 'static
{
    /// How many of the last gates have gradients by `x W_ih` that differ from those by `h W_hh`.
    ///
    /// Default: all gates, which is always right. The others are stored once and multiplied once: a cell that adds
    /// the two products of a gate, and does nothing else with them, trains faster without that gate in this count.
    /// [`backward`](Self::backward) then has to put out the same gradient for both.
    const APART: usize = GATES;

    /// The new state, and the activations that [`backward`](Self::backward) needs.
    ///
    /// `input` holds `x W_ih + b_ih` and `hidden` holds `h W_hh + b_hh`, one value a gate in packing order; `state` is
    /// the old state.
    fn forward<V: Lane>(
        &self,
        input: [V; GATES],
        hidden: [V; GATES],
        state: [V; STATES],
    ) -> ([V; STATES], [V; SAVED]);

    /// The derivative of [`forward`](Self::forward): the gradients of its arguments, from the gradient of the new state.
    ///
    /// The gradient of the hidden state that flows through `h W_hh` is not part of it: the scan adds that product.
    fn backward<V: Lane>(
        &self,
        saved: [V; SAVED],
        old: [V; STATES],
        new: [V; STATES],
        grad: [V; STATES],
    ) -> StepGradients<V, GATES, STATES>;
}

/// What a step's derivative puts out: a gradient for each argument of [`Equations::forward`].
#[derive(Clone, Debug)]
pub struct StepGradients<V, const GATES: usize, const STATES: usize> {
    /// Of `x W_ih + b_ih`, one value a gate.
    pub input: [V; GATES],
    /// Of `h W_hh + b_hh`, one value a gate.
    pub hidden: [V; GATES],
    /// Of the old state, without the path through `h W_hh`.
    pub state: [V; STATES],
}
