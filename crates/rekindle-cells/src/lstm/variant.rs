//! The equations of an LSTM with any options.

use std::fmt::Debug;

use rekindle_kernels::{Equations, Lane, StepGradients};

use super::roles::{Content, Roles, at, peek, plus, same_if, times};
use super::{LstmActivations, LstmGates, Peepholes};
use crate::activation::{Clipped, clipped, inside};

/// The equations of an LSTM with options: see [`Lstm`](super::Lstm).
///
/// `GATES` are packed; `STATES` is 2, or 5 with gate recurrence: `h i f o c`; `UNITS` are the diagonal peepholes, one for
/// each gate but the candidate, and the candidate's factor less 1.
#[derive(Clone, Debug)]
pub struct LstmVariant<const GATES: usize, const STATES: usize, const UNITS: usize> {
    /// Which gates there are.
    pub gates: LstmGates,
    /// How gates see the cell state.
    pub peepholes: Peepholes,
    /// The activations.
    pub activations: LstmActivations,
    /// What the pre-activations of gates and candidate are held within.
    pub clip: Option<f64>,
    /// What the cell state is held within.
    pub cell_clip: Option<f64>,
}

impl<const GATES: usize, const STATES: usize, const UNITS: usize>
    LstmVariant<GATES, STATES, UNITS>
{
    fn gate(&self) -> Clipped {
        Clipped {
            activation: self.activations.gate,
            clip: self.clip,
        }
    }

    fn candidate(&self) -> Clipped {
        Clipped {
            activation: self.activations.candidate,
            clip: self.clip,
        }
    }

    /// Whether the output gate is the last gate, and not the candidate.
    fn has_output(&self) -> bool {
        self.gates != LstmGates::NoOutput
    }

    /// Packed values by their role.
    #[inline(always)]
    fn roles<V: Lane>(&self, packed: [V; GATES]) -> Roles<V> {
        let last = GATES - 1;
        let (i, f, g, o) = match self.gates {
            LstmGates::All => (Some(0), Some(1), 2, Some(last)),
            LstmGates::Coupled | LstmGates::NoForget => (Some(0), None, 1, Some(2)),
            LstmGates::NoInput => (None, Some(0), 1, Some(2)),
            LstmGates::NoOutput => (Some(0), Some(1), 2, None),
        };
        Roles {
            i: at(&packed, i),
            f: at(&packed, f),
            g: packed[g].clone(),
            o: at(&packed, o),
        }
    }

    /// Values by role, packed.
    #[inline(always)]
    fn packed<V: Lane>(&self, roles: Roles<V>) -> [V; GATES] {
        let Roles { i, f, g, o } = roles;
        let mut packed = std::array::from_fn(|_| g.clone());
        match (i, f, o) {
            (Some(i), Some(f), Some(o)) => {
                packed[0] = i;
                packed[1] = f;
                packed[GATES - 1] = o;
            }
            (Some(i), Some(f), None) => {
                packed[0] = i;
                packed[1] = f;
            }
            (Some(first), None, Some(o)) | (None, Some(first), Some(o)) => {
                packed[0] = first;
                packed[GATES - 1] = o;
            }
            _ => unreachable!("at most one gate is missing"),
        }
        packed
    }

    /// The diagonal peepholes of `i`, `f` and `o`.
    #[inline(always)]
    fn peepholes<V: Lane>(&self, units: &[V; UNITS]) -> [Option<V>; 3] {
        let last = UNITS - 2;
        let [i, f, o] = match (self.peepholes, self.gates) {
            (Peepholes::None | Peepholes::Full, _) => [None; 3],
            (_, LstmGates::All) => [Some(0), Some(1), Some(last)],
            (_, LstmGates::Coupled | LstmGates::NoForget) => [Some(0), None, Some(1)],
            (_, LstmGates::NoInput) => [None, Some(0), Some(1)],
            (_, LstmGates::NoOutput) => [Some(0), Some(1), None],
        };
        [at(units, i), at(units, f), at(units, o)]
    }

    /// Pre-activations of all gates, where that of the output gate still lacks `p_o ⊙ c′`.
    #[inline(always)]
    fn arguments<V: Lane>(
        &self,
        input: [V; GATES],
        hidden: [V; GATES],
        c: &V,
        units: &[V; UNITS],
    ) -> Roles<V> {
        let sums = std::array::from_fn(|gate| input[gate].clone() + hidden[gate].clone());
        let mut sums = self.roles(sums);
        let [i, f, _] = self.peepholes(units);
        sums.i = peek(sums.i, i, c);
        sums.f = peek(sums.f, f, c);
        sums
    }

    /// The value of a gate.
    #[inline(always)]
    #[allow(clippy::manual_map, reason = "closures are not always inlined")]
    fn open<V: Lane>(&self, a: &Option<V>) -> Option<V> {
        match a {
            Some(a) => Some(self.gate().value(a.clone())),
            None => None,
        }
    }

    /// The gradient of a gate's pre-activation `a`, from those of its value `y`.
    #[inline(always)]
    fn open_backward<V: Lane>(
        &self,
        a: &Option<V>,
        y: Option<V>,
        grad: V,
        more: Option<V>,
    ) -> Option<V> {
        match (a, y) {
            (Some(a), Some(y)) => Some(plus(grad, more) * self.gate().slope(a.clone(), y)),
            _ => None,
        }
    }

    /// The way from pre-activations to the new cell state.
    #[inline(always)]
    fn content<V: Lane>(&self, a: &Roles<V>, c: &V, units: &[V; UNITS]) -> Content<V> {
        let more = units[UNITS - 1].clone();
        let factor = more.constant(1.0) + more;
        let gates = Roles {
            i: self.open(&a.i),
            f: self.open(&a.f),
            g: self.candidate().value(a.g.clone()),
            o: None,
        };
        let kept = times(self.forget(&gates), c.clone());
        let entering = gates.g.clone() * factor.clone();
        let sum = kept + times(gates.i.clone(), entering.clone());
        Content {
            gates,
            entering,
            factor,
            sum,
        }
    }

    /// The forget gate, a value of its own or what the input gate leaves; `None`: 1.
    #[inline(always)]
    fn forget<V: Lane>(&self, gates: &Roles<V>) -> Option<V> {
        match (self.gates, &gates.i) {
            (LstmGates::Coupled, Some(i)) => Some(i.clone().one_minus()),
            _ => gates.f.clone(),
        }
    }

    /// The gradients of everything that leads to the new cell state, from that of the sum `f ⊙ c + i ⊙ g` and, with gate
    /// recurrence, those of the gates: of the pre-activations, and of the old cell state by the sum.
    #[inline(always)]
    fn content_backward<V: Lane>(
        &self,
        a: &Roles<V>,
        content: Content<V>,
        c: &V,
        d_sum: V,
        [grad_i, grad_f]: [Option<V>; 2],
    ) -> (Roles<V>, V) {
        let gates = content.gates;
        let kept = times(self.forget(&gates), d_sum.clone());
        let entering = match self.gates {
            LstmGates::Coupled => content.entering - c.clone(),
            _ => content.entering,
        };
        let d_g = times(gates.i.clone(), d_sum.clone()) * content.factor;
        let gradients = Roles {
            i: self.open_backward(&a.i, gates.i, d_sum.clone() * entering, grad_i),
            f: self.open_backward(&a.f, gates.f, d_sum * c.clone(), grad_f),
            g: d_g * self.candidate().slope(a.g.clone(), gates.g),
            o: None,
        };
        (gradients, kept)
    }

    /// The gradients of a step, from those of the pre-activations and what else reaches the old cell state.
    #[inline(always)]
    fn gradients<V: Lane>(
        &self,
        gates: Roles<V>,
        kept: V,
        [c, c_new]: [&V; 2],
        units: [V; UNITS],
    ) -> StepGradients<Self, V> {
        let zero = kept.zero();
        let [i, f, _] = self.peepholes(&units);
        let mut d_c = kept;
        for (d, p) in [(&gates.i, i), (&gates.f, f)] {
            if let (Some(d), Some(p)) = (d, p) {
                d_c = d_c + d.clone() * p;
            }
        }
        let mut d_units = std::array::from_fn(|_| zero.clone());
        if self.peepholes == Peepholes::Diagonal {
            let mut next = 0;
            for (d, seen) in [(&gates.i, c), (&gates.f, c), (&gates.o, c_new)] {
                if let Some(d) = d {
                    d_units[next] = d.clone() * seen.clone();
                    next += 1;
                }
            }
        }
        let mut state = std::array::from_fn(|_| zero.clone());
        state[STATES - 1] = d_c;
        let gates = self.packed(gates);
        StepGradients::new(gates.clone(), gates, state, d_units)
    }
}

impl<const GATES: usize, const STATES: usize, const UNITS: usize> Equations
    for LstmVariant<GATES, STATES, UNITS>
{
    type Gates<T: Clone + Debug> = [T; GATES];
    type States<T: Clone + Debug> = [T; STATES];
    /// The pre-activations.
    type Saved<T: Clone + Debug> = [T; GATES];
    type Units<T: Clone + Debug> = [T; UNITS];

    const APART: usize = 0;
    const FACTOR: bool = true;
    const SHOWS: bool = true;

    fn reads(&self) -> usize {
        let hidden_and_gates = STATES - 1;
        hidden_and_gates + usize::from(self.peepholes == Peepholes::Full)
    }

    fn has_middle(&self) -> bool {
        self.peepholes == Peepholes::Full && self.has_output()
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        input: [V; GATES],
        hidden: [V; GATES],
        state: [V; STATES],
        units: [V; UNITS],
    ) -> ([V; STATES], [V; GATES]) {
        let c = &state[STATES - 1];
        let mut a = self.arguments(input, hidden, c, &units);
        let content = self.content(&a, c, &units);
        let c = clipped(content.sum, self.cell_clip);
        let [_, _, p_o] = self.peepholes(&units);
        a.o = peek(a.o, p_o, &c);
        let o = self.open(&a.o);
        let h = times(o.clone(), self.activations.output.value(c.clone()));
        let mut new = std::array::from_fn(|_| c.clone());
        new[0] = h;
        if let (5, Some(i), Some(f), Some(o)) = (STATES, content.gates.i, content.gates.f, o) {
            new[1] = i;
            new[2] = f;
            new[3] = o;
        }
        (new, self.packed(a))
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        saved: [V; GATES],
        old: [V; STATES],
        new: [V; STATES],
        units: [V; UNITS],
        grad: [V; STATES],
    ) -> StepGradients<Self, V> {
        let (c, c_new) = (&old[STATES - 1], &new[STATES - 1]);
        let a = self.roles(saved);
        let content = self.content(&a, c, &units);
        let shown = self.activations.output.value(c_new.clone());
        let (grad_h, grad_c) = (grad[0].clone(), grad[STATES - 1].clone());
        let [grad_i, grad_f, grad_o] = match STATES {
            5 => [
                Some(grad[1].clone()),
                Some(grad[2].clone()),
                Some(grad[3].clone()),
            ],
            _ => [None, None, None],
        };
        let o = self.open(&a.o);
        let slope = self.activations.output.slope(c_new.clone(), shown.clone());
        let mut d_c = grad_c + times(o.clone(), grad_h.clone()) * slope;
        let d_o = self.open_backward(&a.o, o, grad_h * shown, grad_o);
        let [_, _, p_o] = self.peepholes(&units);
        if let (Some(d_o), Some(p_o)) = (&d_o, p_o) {
            d_c = d_c + d_o.clone() * p_o;
        }
        let d_sum = inside(d_c, content.sum.clone(), self.cell_clip);
        let (mut gates, kept) = self.content_backward(&a, content, c, d_sum, [grad_i, grad_f]);
        gates.o = d_o;
        self.gradients(gates, kept, [c, c_new], units)
    }

    /// The new cell state, which the output gate sees through `W_co`.
    #[inline(always)]
    fn middle<V: Lane>(
        &self,
        input: [V; GATES],
        hidden: [V; GATES],
        state: [V; STATES],
        units: [V; UNITS],
    ) -> V {
        let c = &state[STATES - 1];
        let a = self.arguments(input, hidden, c, &units);
        clipped(self.content(&a, c, &units).sum, self.cell_clip)
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        saved: [V; GATES],
        old: [V; STATES],
        units: [V; UNITS],
        grad: V,
    ) -> StepGradients<Self, V> {
        let c = &old[STATES - 1];
        let a = self.roles(saved);
        let content = self.content(&a, c, &units);
        let d_sum = inside(grad, content.sum.clone(), self.cell_clip);
        let (mut gates, kept) = self.content_backward(&a, content, c, d_sum, [None, None]);
        gates.o = if self.has_output() {
            Some(kept.zero())
        } else {
            None
        };
        self.gradients(gates, kept, [c, c], units)
    }

    /// `σ(o) ⊙ tanh(N(c′))`, with the gates and activations that there are.
    #[inline(always)]
    fn show<V: Lane>(&self, saved: [V; GATES], normed: V) -> V {
        let o = self.open(&self.roles(saved).o);
        times(o, self.activations.output.value(normed))
    }

    #[inline(always)]
    fn show_backward<V: Lane>(
        &self,
        saved: [V; GATES],
        new: [V; STATES],
        units: [V; UNITS],
        normed: V,
        grad: V,
    ) -> (StepGradients<Self, V>, V) {
        let (a, zero) = (self.roles(saved), grad.zero());
        let o = self.open(&a.o);
        let shown = self.activations.output.value(normed.clone());
        let slope = self.activations.output.slope(normed, shown.clone());
        let d_normed = times(o.clone(), grad.clone()) * slope;
        let d_o = self.open_backward(&a.o, o, grad * shown, None);
        let [_, _, p_o] = self.peepholes(&units);
        let d_c = match (&d_o, p_o) {
            (Some(d_o), Some(p_o)) => d_o.clone() * p_o,
            _ => zero.clone(),
        };
        let gates = Roles {
            i: same_if(&a.i, &zero),
            f: same_if(&a.f, &zero),
            g: zero.clone(),
            o: d_o,
        };
        let step = self.gradients(gates, d_c, [&zero, &new[STATES - 1]], units);
        (step, d_normed)
    }
}
