//! Equations that count what they are called with, and scans that prove which way they went.

use std::any::type_name;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Tensor;
use rekindle_cells::{Equations, Lane, StepGradients};
use rekindle_kernels::{Scan, Scanned, reference, scan};

/// Equations that count what they are called with.
#[derive(Clone, Debug)]
pub struct Spy<E> {
    equations: E,
    calls: Arc<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    /// Steps on tensors.
    tensors: AtomicUsize,
    /// Steps on anything else.
    registers: AtomicUsize,
    /// Derivatives of steps, on anything.
    derivatives: AtomicUsize,
}

impl<E> Spy<E> {
    pub fn on(equations: E) -> Self {
        Self {
            equations,
            calls: Arc::default(),
        }
    }

    /// Steps on tensors, on registers, and derivatives, up to now.
    pub fn counts(&self) -> [usize; 3] {
        let calls = &self.calls;
        [&calls.tensors, &calls.registers, &calls.derivatives]
            .map(|count| count.load(Ordering::Relaxed))
    }

    fn count_step<V>(&self) {
        let of_tensors = type_name::<V>() == type_name::<Tensor<2>>();
        let count = match of_tensors {
            true => &self.calls.tensors,
            false => &self.calls.registers,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn count_derivative(&self) {
        self.calls.derivatives.fetch_add(1, Ordering::Relaxed);
    }
}

/// The gradients of equations as those of a spy on them.
#[inline(always)]
fn spied<E: Equations, V: Lane>(gradients: StepGradients<E, V>) -> StepGradients<Spy<E>, V> {
    let StepGradients {
        input,
        hidden,
        state,
        units,
    } = gradients;
    StepGradients::new(input, hidden, state, units)
}

impl<E: Equations> Equations for Spy<E> {
    type Gates<T: Clone + Debug> = E::Gates<T>;
    type States<T: Clone + Debug> = E::States<T>;
    type Saved<T: Clone + Debug> = E::Saved<T>;
    type Units<T: Clone + Debug> = E::Units<T>;

    const APART: usize = E::APART;
    const FACTOR: bool = E::FACTOR;
    const SHOWS: bool = E::SHOWS;

    fn reads(&self) -> usize {
        self.equations.reads()
    }

    fn has_middle(&self) -> bool {
        self.equations.has_middle()
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        input: E::Gates<V>,
        hidden: E::Gates<V>,
        state: E::States<V>,
        units: E::Units<V>,
    ) -> (E::States<V>, E::Saved<V>) {
        self.count_step::<V>();
        self.equations.forward(input, hidden, state, units)
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        saved: E::Saved<V>,
        old: E::States<V>,
        new: E::States<V>,
        units: E::Units<V>,
        grad: E::States<V>,
    ) -> StepGradients<Self, V> {
        self.count_derivative();
        spied(self.equations.backward(saved, old, new, units, grad))
    }

    #[inline(always)]
    fn middle<V: Lane>(
        &self,
        input: E::Gates<V>,
        hidden: E::Gates<V>,
        state: E::States<V>,
        units: E::Units<V>,
    ) -> V {
        self.count_step::<V>();
        self.equations.middle(input, hidden, state, units)
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        saved: E::Saved<V>,
        old: E::States<V>,
        units: E::Units<V>,
        grad: V,
    ) -> StepGradients<Self, V> {
        self.count_derivative();
        spied(self.equations.middle_backward(saved, old, units, grad))
    }

    #[inline(always)]
    fn show<V: Lane>(&self, saved: E::Saved<V>, normed: V) -> V {
        self.equations.show(saved, normed)
    }

    #[inline(always)]
    fn show_backward<V: Lane>(
        &self,
        saved: E::Saved<V>,
        new: E::States<V>,
        units: E::Units<V>,
        normed: V,
        grad: V,
    ) -> (StepGradients<Self, V>, V) {
        let (step, normed) = (self.equations).show_backward(saved, new, units, normed, grad);
        (spied(step), normed)
    }
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Fused,
    Reference,
}

impl Way {
    /// The scan, with the proof that it went this way.
    pub fn scan<E: Equations>(self, spy: &Spy<E>, whole: Scan<Spy<E>>) -> Scanned<Spy<E>> {
        let before = spy.counts();
        let scanned = match self {
            Self::Fused => scan(spy, whole),
            Self::Reference => reference::scan(spy, whole),
        };
        let after = spy.counts();
        let [tensors, registers, derivatives] = [0, 1, 2].map(|i| after[i] - before[i]);
        let right = match self {
            Self::Fused => tensors == 0 && registers > 0,
            Self::Reference => tensors > 0 && registers == 0,
        };
        assert!(
            right && derivatives == 0,
            "{self:?}: {tensors} steps on tensors, {registers} on registers"
        );
        scanned
    }
}
