//! One step of a cell on tensors.

use burn::tensor::Tensor;

use super::norm::{Alive, Taken, normalize};
use crate::scan::Widths;
use crate::within::{Keep, Within};
use crate::{Array, Equations, Parameters, Statistics};

/// One step of a cell on tensors, with everything that is the same in all steps.
pub(super) struct Step<'a, E: Equations> {
    equations: &'a E,
    parameters: &'a Parameters,
    within: &'a Within,
    d_hidden: usize,
    /// What the norms over a batch took so far: of the input, the recurrent product and the last state.
    taken: [Taken; 3],
    /// The weight of each state that is read; with a middle vector, the last one lacks the last gate.
    weights_hh: Vec<Tensor<2>>,
    /// The last gate's weight for the middle vector.
    late: Option<Tensor<2>>,
    /// `[1, d_hidden]` each, zero where there are none.
    units: E::Units<Tensor<2>>,
}

impl<'a, E: Equations> Step<'a, E> {
    pub(super) fn new(
        equations: &'a E,
        parameters: &'a Parameters,
        within: &'a Within,
        widths: Widths,
    ) -> Self {
        let d_hidden = widths.d_hidden;
        let mut weights_hh = parameters.weights_hh.clone();
        let late = equations.has_middle().then(|| {
            let last = weights_hh
                .last_mut()
                .expect("a recurrent product reads a state");
            let others = last.dims()[1] - d_hidden;
            let late = last.clone().narrow(1, others, d_hidden);
            *last = match others {
                0 => Tensor::zeros([last.dims()[0], 0], (&last.device(), last.dtype())),
                _ => last.clone().narrow(1, 0, others),
            };
            late
        });
        let like = &parameters.weight_ih;
        let units = E::Units::from_fn(|unit| match parameters.units.get(unit) {
            Some(values) => values.clone().unsqueeze(),
            None => Tensor::zeros([1, d_hidden], (&like.device(), like.dtype())),
        });
        Self {
            equations,
            parameters,
            within,
            d_hidden,
            taken: Default::default(),
            weights_hh,
            late,
            units,
        }
    }

    /// `N_x(x W_ih) + b_ih` of the inputs of many steps, or `x W_ih` alone where the norm goes step by step.
    pub(super) fn input_product(&self, rows: Tensor<2>) -> Tensor<2> {
        let product = rows.matmul(self.parameters.weight_ih.clone());
        match &self.within.norms.input {
            Some(norm) if norm.is_by_step() => product,
            Some(norm) => {
                let normed = normalize(norm, product, 0, &None, &mut Taken::default());
                self.with_bias(normed, 0)
            }
            None => self.with_bias(product, 0),
        }
    }

    /// `product + b`, with `b_ih` or `b_hh`.
    fn with_bias(&self, product: Tensor<2>, index: usize) -> Tensor<2> {
        match &self.parameters.biases {
            Some(biases) => product + biases[index].clone().unsqueeze(),
            None => product,
        }
    }

    /// The step `t`, visited after `visit` others, from what [`input_product`](Self::input_product) gave for it and the
    /// old state to the new state.
    pub(super) fn advance(
        &mut self,
        [visit, t]: [usize; 2],
        input: Tensor<2>,
        state: E::States<Tensor<2>>,
        alive: &Alive,
    ) -> E::States<Tensor<2>> {
        let norms = &self.within.norms;
        let input = match &norms.input {
            Some(norm) if norm.is_by_step() => {
                let normed = normalize(norm, input, visit, alive, &mut self.taken[0]);
                self.with_bias(normed, 0)
            }
            _ => input,
        };
        let mut hidden = self.recurrent_products(&state);
        if let Some(norm) = &norms.hidden {
            hidden = normalize(norm, hidden, visit, alive, &mut self.taken[1]);
        }
        let input: E::Gates<Tensor<2>> = self.gates(input);
        let hidden: E::Gates<Tensor<2>> = self.gates(self.with_bias(hidden, 1));
        let seen = match &self.parameters.projection {
            Some(_) => E::States::from_fn(|index| match index {
                0 => input.as_ref()[0].zeros_like(),
                _ => state.as_ref()[index].clone(),
            }),
            None => state.clone(),
        };
        let units = self.units(t);
        let hidden = self.with_middle(&input, hidden, &seen, &units);
        let (mut new, saved) = (self.equations).forward(input, hidden, seen, units);
        if let Some(norm) = &norms.shown {
            let last = new.as_ref().last().expect("a cell has a state").clone();
            let normed = normalize(norm, last, visit, alive, &mut self.taken[2]);
            new.as_mut()[0] = self.equations.show(saved, normed);
        }
        if let Some(projection) = &self.parameters.projection {
            let hidden = &mut new.as_mut()[0];
            *hidden = hidden.clone().matmul(projection.clone());
        }
        self.keep(t, state, new)
    }

    /// The pre-activations with the product of the middle vector, if there is one.
    fn with_middle(
        &self,
        input: &E::Gates<Tensor<2>>,
        mut hidden: E::Gates<Tensor<2>>,
        seen: &E::States<Tensor<2>>,
        units: &E::Units<Tensor<2>>,
    ) -> E::Gates<Tensor<2>> {
        if let Some(late) = &self.late {
            let (input, so_far) = (input.clone(), hidden.clone());
            let middle = (self.equations).middle(input, so_far, seen.clone(), units.clone());
            let gate = hidden.as_mut().last_mut().expect("a cell has a gate");
            *gate = gate.clone() + middle.matmul(late.clone());
        }
        hidden
    }

    /// The parameters of units at step `t`: the candidate's factor may be another one at each.
    fn units(&self, t: usize) -> E::Units<Tensor<2>> {
        let mut units = self.units.clone();
        if let Some(mask) = &self.within.masks.candidate {
            let [_, steps, _] = mask.dims();
            let of_step = mask.clone().narrow(1, t.min(steps - 1), 1).squeeze_dim(1);
            let factor = units.as_mut().last_mut().expect("equations with a factor");
            *factor = of_step.sub_scalar(1.0);
        }
        units
    }

    /// What states keep of their old values at step `t`.
    fn keep(
        &self,
        t: usize,
        old: E::States<Tensor<2>>,
        new: E::States<Tensor<2>>,
    ) -> E::States<Tensor<2>> {
        let keep = &self.within.masks.keep;
        E::States::from_fn(|index| {
            let (old, new) = (old.as_ref()[index].clone(), new.as_ref()[index].clone());
            match keep.get(index) {
                None | Some(Keep::Nothing) => new,
                Some(Keep::Fraction(fraction)) => old * *fraction + new * (1.0 - fraction),
                Some(Keep::Mask(mask)) => {
                    let mask: Tensor<2> = mask.clone().narrow(1, t, 1).squeeze_dim(1);
                    old * mask.clone() + new * mask.neg().add_scalar(1.0)
                }
            }
        })
    }

    /// What the norms over a batch took.
    pub(super) fn statistics(self) -> Statistics {
        let [input, hidden, shown] = self.taken.map(Taken::stack);
        Statistics {
            input,
            hidden,
            shown,
        }
    }

    /// `s₁ W₁ + …`; with a middle vector, the last gate without the last state.
    fn recurrent_products(&self, state: &E::States<Tensor<2>>) -> Tensor<2> {
        let of_state = |(index, weight): (usize, &Tensor<2>)| {
            let state = &state.as_ref()[index];
            match (index, &self.within.masks.hidden) {
                (0, Some(mask)) => self.product(&(state.clone() * mask.clone()), weight),
                _ => self.product(state, weight),
            }
        };
        (self.weights_hh.iter().enumerate().map(of_state))
            .reduce(|left, right| left + right)
            .expect("a recurrent product reads a state")
    }

    /// `s W`, with zeros in the last gate if `W` lacks it.
    fn product(&self, state: &Tensor<2>, weight: &Tensor<2>) -> Tensor<2> {
        let packed = self.parameters.weight_ih.dims()[1];
        let [batch, _] = state.dims();
        let columns = weight.dims()[1];
        let zeros = |width| Tensor::zeros([batch, width], (&state.device(), state.dtype()));
        match columns {
            0 => zeros(packed),
            _ if columns == packed => state.clone().matmul(weight.clone()),
            _ => {
                let product = state.clone().matmul(weight.clone());
                Tensor::cat(vec![product, zeros(packed - columns)], 1)
            }
        }
    }

    /// The packed gates one by one: `[batch, gates·d_hidden]` to `gates` tensors `[batch, d_hidden]`.
    fn gates(&self, packed: Tensor<2>) -> E::Gates<Tensor<2>> {
        let d_hidden = self.d_hidden;
        E::Gates::from_fn(|gate| packed.clone().narrow(1, gate * d_hidden, d_hidden))
    }
}
