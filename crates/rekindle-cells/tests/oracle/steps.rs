//! Equations as plain loops over units, through time and back with their own derivatives.

use rekindle_cells::{Array, Equations, StepGradients};

use crate::matrix::Matrix;

/// The parameters of a scan, or their gradients.
#[derive(Clone, Debug)]
pub struct Numbers {
    pub weight_ih: Matrix,
    pub weights_hh: Vec<Matrix>,
    /// Rows `b_ih` and `b_hh`.
    pub biases: Matrix,
    /// One row each.
    pub units: Vec<Vec<f64>>,
    pub projection: Option<Matrix>,
}

impl Numbers {
    pub fn zeros_like(other: &Self) -> Self {
        Self {
            weight_ih: Matrix::zeros_like(&other.weight_ih),
            weights_hh: other.weights_hh.iter().map(Matrix::zeros_like).collect(),
            biases: Matrix::zeros_like(&other.biases),
            units: other.units.iter().map(|row| vec![0.0; row.len()]).collect(),
            projection: other.projection.as_ref().map(Matrix::zeros_like),
        }
    }
}

/// What one visited step leaves for the way back.
pub struct Visit<E: Equations> {
    pub t: usize,
    /// The old states, as they went into the recurrent products.
    old: Vec<Vec<f64>>,
    /// The new states, the hidden one before its projection.
    raw: Vec<Vec<f64>>,
    /// The new states.
    pub new: Vec<Vec<f64>>,
    saved: Vec<E::Saved<f64>>,
    /// The middle vector.
    middle: Option<Vec<f64>>,
}

/// One row of a batch through time and back, one number after the other.
pub struct Loops<'a, E> {
    pub equations: &'a E,
    pub numbers: Numbers,
    pub d_hidden: usize,
}

impl<E: Equations> Loops<'_, E> {
    const GATES: usize = <E::Gates<()> as Array<()>>::LEN;
    const STATES: usize = <E::States<()> as Array<()>>::LEN;

    /// The values of unit `j` in a packed row.
    fn gates(&self, packed: &[f64], j: usize) -> E::Gates<f64> {
        E::Gates::from_fn(|gate| packed[gate * self.d_hidden + j])
    }

    /// The states of unit `j` as the equations see them: a projected hidden state is 0 for them.
    fn seen(&self, states: &[Vec<f64>], j: usize) -> E::States<f64> {
        let is_hidden_away = self.numbers.projection.is_some();
        E::States::from_fn(|state| match state {
            0 if is_hidden_away => 0.0,
            _ => states[state][j],
        })
    }

    fn states(&self, states: &[Vec<f64>], j: usize) -> E::States<f64> {
        E::States::from_fn(|state| states[state][j])
    }

    fn units(&self, j: usize) -> E::Units<f64> {
        E::Units::from_fn(|unit| self.numbers.units.get(unit).map_or(0.0, |row| row[j]))
    }

    /// Where the last gate begins in a packed row.
    fn last_gate(&self) -> usize {
        (Self::GATES - 1) * self.d_hidden
    }

    /// The last gate's block of the last recurrent weight.
    fn late_weight(&self) -> Matrix {
        let weight = self.numbers.weights_hh.last().expect("a recurrent weight");
        weight.part(self.last_gate(), self.d_hidden)
    }

    pub fn forward(&self, x: &Matrix, steps: &[usize], mut states: Vec<Vec<f64>>) -> Vec<Visit<E>> {
        let mut visits = Vec::new();
        for &t in steps {
            let visit = self.visit(t, x.row(t), states);
            states = visit.new.clone();
            visits.push(visit);
        }
        visits
    }

    fn visit(&self, t: usize, x: &[f64], old: Vec<Vec<f64>>) -> Visit<E> {
        let numbers = &self.numbers;
        let mut input = numbers.biases.row(0).to_vec();
        numbers.weight_ih.add_product(x, &mut input);
        let mut hidden = numbers.biases.row(1).to_vec();
        let reads = numbers.weights_hh.len();
        for (read, (weight, state)) in numbers.weights_hh.iter().zip(&old).enumerate() {
            let mut product = weight.product(state);
            if self.equations.has_middle() && read + 1 == reads {
                product[self.last_gate()..].fill(0.0);
            }
            for (sum, product) in hidden.iter_mut().zip(product) {
                *sum += product;
            }
        }
        let middle = self.equations.has_middle().then(|| {
            let unit = |j: usize| {
                let (input, hidden) = (self.gates(&input, j), self.gates(&hidden, j));
                let (seen, units) = (self.seen(&old, j), self.units(j));
                self.equations.middle(input, hidden, seen, units)
            };
            (0..self.d_hidden).map(unit).collect::<Vec<f64>>()
        });
        if let Some(middle) = &middle {
            let last = &mut hidden[self.last_gate()..];
            self.late_weight().add_product(middle, last);
        }
        let mut raw = vec![vec![0.0; self.d_hidden]; Self::STATES];
        let mut saved = Vec::new();
        for j in 0..self.d_hidden {
            let (input, hidden) = (self.gates(&input, j), self.gates(&hidden, j));
            let (seen, units) = (self.seen(&old, j), self.units(j));
            let (states, of_unit) = self.equations.forward(input, hidden, seen, units);
            for (raw, state) in raw.iter_mut().zip(states) {
                raw[j] = state;
            }
            saved.push(of_unit);
        }
        let mut new = raw.clone();
        if let Some(projection) = &numbers.projection {
            new[0] = projection.product(&raw[0]);
        }
        Visit {
            t,
            old,
            raw,
            new,
            saved,
            middle,
        }
    }

    /// Back through time: from the gradients of outputs and final states to those of the first states, and of `x` and all
    /// parameters, which are added to `d_x` and `grads`.
    pub fn backward(
        &self,
        visits: &[Visit<E>],
        x: &Matrix,
        output_grad: &Matrix,
        mut state_grad: Vec<Vec<f64>>,
        (d_x, grads): (&mut Matrix, &mut Numbers),
    ) -> Vec<Vec<f64>> {
        for visit in visits.iter().rev() {
            for (grad, of_output) in state_grad[0].iter_mut().zip(output_grad.row(visit.t)) {
                *grad += of_output;
            }
            if let (Some(projection), Some(grad)) =
                (&self.numbers.projection, &mut grads.projection)
            {
                grad.add_outer(&visit.raw[0], &state_grad[0]);
                state_grad[0] = projection.back(&state_grad[0]);
            }
            let mut step = self.step_backward(visit, &state_grad);
            if let Some(middle) = &visit.middle {
                self.middle_backward(visit, middle, &mut step, grads);
            }
            for (row, d) in grads.units.iter_mut().zip(&step.units) {
                for (sum, d) in row.iter_mut().zip(d) {
                    *sum += d;
                }
            }
            state_grad = self.products_backward(visit, &step, grads);
            grads.weight_ih.add_outer(x.row(visit.t), &step.input);
            let d = self.numbers.weight_ih.back(&step.input);
            d_x.row_mut(visit.t).copy_from_slice(&d);
            for (row, d) in [&step.input, &step.hidden].into_iter().enumerate() {
                for (sum, d) in grads.biases.row_mut(row).iter_mut().zip(d) {
                    *sum += d;
                }
            }
        }
        state_grad
    }

    /// The derivative of the step without products.
    fn step_backward(&self, visit: &Visit<E>, state_grad: &[Vec<f64>]) -> Backward {
        let mut step = Backward::zeros::<E>(self.d_hidden);
        for j in 0..self.d_hidden {
            step.add(
                j,
                self.equations.backward(
                    visit.saved[j].clone(),
                    self.seen(&visit.old, j),
                    self.states(&visit.raw, j),
                    self.units(j),
                    self.states(state_grad, j),
                ),
            );
        }
        step
    }

    /// Adds what flows through the middle vector.
    fn middle_backward(
        &self,
        visit: &Visit<E>,
        middle: &[f64],
        step: &mut Backward,
        grads: &mut Numbers,
    ) {
        let d_last = step.hidden[self.last_gate()..].to_vec();
        let d_middle = self.late_weight().back(&d_last);
        let weight = grads.weights_hh.last_mut().expect("a recurrent weight");
        let mut d_packed = vec![0.0; self.last_gate()];
        d_packed.extend(d_last);
        weight.add_outer(middle, &d_packed);
        for (j, &d) in d_middle.iter().enumerate() {
            let (saved, seen) = (visit.saved[j].clone(), self.seen(&visit.old, j));
            let of_middle = self
                .equations
                .middle_backward(saved, seen, self.units(j), d);
            step.add(j, of_middle);
        }
    }

    /// The gradients of the old states, with the paths through the recurrent products.
    fn products_backward(
        &self,
        visit: &Visit<E>,
        step: &Backward,
        grads: &mut Numbers,
    ) -> Vec<Vec<f64>> {
        let mut old_grad = step.state.clone();
        if self.numbers.projection.is_some() {
            old_grad[0] = vec![0.0; visit.old[0].len()];
        }
        let reads = self.numbers.weights_hh.len();
        for (read, weight) in self.numbers.weights_hh.iter().enumerate() {
            let mut d_product = step.hidden.clone();
            if visit.middle.is_some() && read + 1 == reads {
                d_product[self.last_gate()..].fill(0.0);
            }
            grads.weights_hh[read].add_outer(&visit.old[read], &d_product);
            for (sum, d) in old_grad[read].iter_mut().zip(weight.back(&d_product)) {
                *sum += d;
            }
        }
        old_grad
    }
}

/// The gradients of a step's arguments, for all units.
struct Backward {
    /// Packed.
    input: Vec<f64>,
    /// Packed.
    hidden: Vec<f64>,
    state: Vec<Vec<f64>>,
    units: Vec<Vec<f64>>,
}

impl Backward {
    fn zeros<E: Equations>(d_hidden: usize) -> Self {
        let gates = <E::Gates<()> as Array<()>>::LEN;
        let rows = |count: usize| vec![vec![0.0; d_hidden]; count];
        Self {
            input: vec![0.0; gates * d_hidden],
            hidden: vec![0.0; gates * d_hidden],
            state: rows(<E::States<()> as Array<()>>::LEN),
            units: rows(<E::Units<()> as Array<()>>::LEN - usize::from(E::FACTOR)),
        }
    }

    /// Adds the gradients of unit `j`.
    fn add<E: Equations>(&mut self, j: usize, step: StepGradients<E, f64>) {
        let d_hidden = self.state[0].len();
        for (packed, of_gates) in [
            (&mut self.input, step.input),
            (&mut self.hidden, step.hidden),
        ] {
            for (gate, d) in of_gates.into_iter().enumerate() {
                packed[gate * d_hidden + j] += d;
            }
        }
        for (row, d) in self.state.iter_mut().zip(step.state) {
            row[j] += d;
        }
        for (row, d) in self.units.iter_mut().zip(step.units) {
            row[j] += d;
        }
    }
}
