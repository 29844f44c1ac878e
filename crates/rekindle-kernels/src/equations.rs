//! What one cell contributes to a scan: its pointwise step and the step's derivative.

use std::fmt::Debug;

use crate::{Array, Lane};

/// The pointwise part of a recurrent cell.
///
/// Each value stands for one hidden unit of one batch row, or for many of them side by side: see [`Lane`]. Four types say
/// how many values there are of each kind; all are arrays, `type Gates<T> = [T; 4]`.
///
/// Mark the functions `#[inline(always)]`. The fused scan compiles them for each instruction set; as functions of their
/// own they would not get its instructions, and small networks would be several times slower.
///
/// # The step
/// ```text
/// input  = x W_ih + b_ih
/// hidden = s₁ W₁ + … + s_R W_R + b_hh     with s₁ … s_R the first R states, R = reads(), s₁ = h
/// state′ = forward(input, hidden, state, units)
/// ```
///
/// A cell with a *middle vector* takes one more product within the step. Its last gate reads the middle vector in place
/// of the last state:
/// ```text
/// hidden = as above, the last gate without s_R W_R
/// m      = middle(input, hidden, state, units)
/// hidden = hidden + m W_R                 in the last gate
/// state′ = forward(input, hidden, state, units)
/// ```
///
/// # Examples
/// An integrator, `h′ = h + x W_ih + h W_hh`:
/// ```
/// use rekindle_kernels::{Equations, Lane, StepGradients};
///
/// #[derive(Clone, Debug)]
/// struct Integrator;
///
/// impl Equations for Integrator {
///     type Gates<T: Clone + std::fmt::Debug> = [T; 1];
///     type States<T: Clone + std::fmt::Debug> = [T; 1];
///     type Saved<T: Clone + std::fmt::Debug> = [T; 0];
///     type Units<T: Clone + std::fmt::Debug> = [T; 0];
///     const APART: usize = 0;
///
///     #[inline(always)]
///     fn forward<V: Lane>(
///         &self,
///         [x]: [V; 1],
///         [h]: [V; 1],
///         [hidden]: [V; 1],
///         []: [V; 0],
///     ) -> ([V; 1], [V; 0]) {
///         ([hidden + x + h], [])
///     }
///
///     #[inline(always)]
///     fn backward<V: Lane>(
///         &self,
///         []: [V; 0],
///         _old: [V; 1],
///         _new: [V; 1],
///         []: [V; 0],
///         [grad]: [V; 1],
///     ) -> StepGradients<Self, V> {
///         StepGradients::new([grad.clone()], [grad.clone()], [grad], [])
///     }
/// }
///
/// let ([next], []) = Integrator.forward([0.5], [0.25], [1.0], []);
/// assert_eq!(next, 1.75);
/// ```
pub trait Equations: Clone + Debug + Send + Sync + 'static {
    /// One value for each packed gate, in packing order.
    type Gates<T: Clone + Debug>: Array<T>;
    /// One value for each state. The hidden state comes first; it is what the sequence puts out.
    type States<T: Clone + Debug>: Array<T>;
    /// One value for each activation that the derivative needs back.
    type Saved<T: Clone + Debug>: Array<T>;
    /// One value for each parameter that a hidden unit has for itself, as a peephole. They are 0 where a scan has none.
    type Units<T: Clone + Debug>: Array<T>;

    /// How many of the last gates have gradients by `input` that differ from those by `hidden`.
    ///
    /// Default: all gates, which is always right. The others are stored once and multiplied once: a cell that adds
    /// the two products of a gate, and does nothing else with them, trains faster without that gate in this count.
    /// [`backward`](Self::backward) then has to put out the same gradient for both.
    const APART: usize = <Self::Gates<()> as Array<()>>::LEN;

    /// Whether the last of the parameters of a unit is no parameter but the factor of the candidate, less 1: dropout of
    /// the candidate ([`Masks::candidate`](crate::Masks)). Default: no.
    const FACTOR: bool = false;

    /// Whether the hidden state is a function of the last state, which [`show`](Self::show) computes anew from a norm of
    /// it ([`Norms::shown`](crate::Norms)). Default: no.
    const SHOWS: bool = false;

    /// How many of the first states the recurrent product reads, R in the equations above. Default: 1, the hidden state.
    fn reads(&self) -> usize {
        1
    }

    /// Whether the last gate reads the middle vector. Default: no.
    fn has_middle(&self) -> bool {
        false
    }

    /// The new state, and the activations that [`backward`](Self::backward) needs.
    fn forward<V: Lane>(
        &self,
        input: Self::Gates<V>,
        hidden: Self::Gates<V>,
        state: Self::States<V>,
        units: Self::Units<V>,
    ) -> (Self::States<V>, Self::Saved<V>);

    /// The derivative of [`forward`](Self::forward): the gradients of its arguments, from the gradient of the new state.
    ///
    /// What flows through the recurrent products and through the middle vector is not part of it: the scan adds that.
    fn backward<V: Lane>(
        &self,
        saved: Self::Saved<V>,
        old: Self::States<V>,
        new: Self::States<V>,
        units: Self::Units<V>,
        grad: Self::States<V>,
    ) -> StepGradients<Self, V>;

    /// The middle vector. Asked for only if the cell [has one](Self::has_middle).
    ///
    /// It may depend on all gates but the last one, whose `hidden` is not complete yet.
    #[inline(always)]
    fn middle<V: Lane>(
        &self,
        _input: Self::Gates<V>,
        _hidden: Self::Gates<V>,
        _state: Self::States<V>,
        _units: Self::Units<V>,
    ) -> V {
        unreachable!("a cell without a middle vector")
    }

    /// The derivative of [`middle`](Self::middle): the gradients of its arguments, from the gradient of the middle
    /// vector. The scan adds them to those of [`backward`](Self::backward).
    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        _saved: Self::Saved<V>,
        _old: Self::States<V>,
        _units: Self::Units<V>,
        _grad: V,
    ) -> StepGradients<Self, V> {
        unreachable!("a cell without a middle vector")
    }

    /// The new hidden state, from the activations of a step and a norm of its new last state. Asked for only if the
    /// equations [have it](Self::SHOWS).
    #[inline(always)]
    fn show<V: Lane>(&self, _saved: Self::Saved<V>, _normed: V) -> V {
        unreachable!("a cell whose hidden state is no function of a norm")
    }

    /// The derivative of [`show`](Self::show): the gradients of the step's arguments by the activations alone, and the
    /// gradient of the normed state. The scan adds them to those of [`backward`](Self::backward), which then sees 0 for
    /// the gradient of the hidden state; the gradient of a state in them counts for the new state.
    #[inline(always)]
    fn show_backward<V: Lane>(
        &self,
        _saved: Self::Saved<V>,
        _new: Self::States<V>,
        _units: Self::Units<V>,
        _normed: V,
        _grad: V,
    ) -> (StepGradients<Self, V>, V) {
        unreachable!("a cell whose hidden state is no function of a norm")
    }
}

/// What a step's derivative puts out: a gradient for each argument of [`Equations::forward`].
#[derive(Clone, Debug)]
pub struct StepGradients<E: Equations, V: Clone + Debug> {
    /// Of `input`, one value a gate.
    pub input: E::Gates<V>,
    /// Of `hidden`, one value a gate.
    pub hidden: E::Gates<V>,
    /// Of the old state, without the paths through products.
    pub state: E::States<V>,
    /// Of the parameters of the unit.
    pub units: E::Units<V>,
}

impl<E: Equations, V: Lane> StepGradients<E, V> {
    /// The gradients of input, hidden, state and units.
    #[inline(always)]
    pub fn new(
        input: E::Gates<V>,
        hidden: E::Gates<V>,
        state: E::States<V>,
        units: E::Units<V>,
    ) -> Self {
        Self {
            input,
            hidden,
            state,
            units,
        }
    }

    /// The sum of both, value by value.
    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        #[inline(always)]
        fn sum<V: Lane, A: Array<V>>(left: A, right: A) -> A {
            A::from_fn(|index| left.as_ref()[index].clone() + right.as_ref()[index].clone())
        }
        Self {
            input: sum(self.input, other.input),
            hidden: sum(self.hidden, other.hidden),
            state: sum(self.state, other.state),
            units: sum(self.units, other.units),
        }
    }
}
