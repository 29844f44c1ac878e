//! Laws of padding, and of rows.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Gradients, Tensor, TensorData};
use rekindle_cells::{Cell, Order, State};
use rekindle_testkit::{assert_close, assert_same_bits};

use crate::common::Network;
use crate::{Law, assert_states_close, tensors};

/// Law: a row of a padded batch gives what it gives alone, cut to its length.
pub struct Rows;

impl Law for Rows {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let (what, subject) = (&network.what, network.subject);
        let x = network.input();
        let (together, end) = network.forward(&x, subject.lengths.as_deref(), network.start());
        for (row, length) in subject.all_lengths().into_iter().enumerate() {
            let of_row = |y: &Tensor<3>| y.clone().narrow(0, row, 1).narrow(1, 0, length);
            let end = end.clone().map(|tensor| tensor.narrow(0, row, 1));
            let start = network.start();
            let start = start.map(|state| state.map(|tensor| tensor.narrow(0, row, 1)));
            if length == 0 {
                let start = start.unwrap_or_else(|| network.stack.initial_state(1));
                assert_states_close(end, start, &format!("{what}: empty row"));
                continue;
            }
            // No padding, no lengths.
            let (alone, state) = network.forward(&of_row(&x), None, start);
            assert_close(&alone, &of_row(&together), what);
            assert_states_close(state, end, what);
        }
    }
}

/// Law: what stands in padding changes no output, state or gradient, and gets no gradient.
pub struct Padding;

impl Law for Padding {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let Some(lengths) = &network.subject.lengths else {
            return;
        };
        let clean = results(network, lengths, 0.0);
        for garbage in [1e30, f64::NAN, f64::INFINITY] {
            let spoiled = results(network, lengths, garbage);
            assert_eq!(clean.len(), spoiled.len(), "{}", network.what);
            for (clean, spoiled) in clean.iter().zip(&spoiled) {
                assert_same_bits(clean, spoiled, &network.what);
            }
        }
    }
}

/// Outputs, final states, and the gradients of the input and of all parameters, with `garbage` in padding.
fn results<C: Cell>(network: &Network<C>, lengths: &[usize], garbage: f64) -> Vec<Tensor<1>> {
    let mask = padding(network, lengths);
    let x = network.input().mask_fill(mask.clone(), garbage);
    let x = x.detach().require_grad();
    let (output, state) = network.forward(&x, Some(lengths), network.start());
    let mut results = vec![output.clone().reshape([-1])];
    let mut loss = output.powi_scalar(2).sum();
    for tensor in tensors(state) {
        results.push(tensor.clone().reshape([-1]));
        loss = loss + tensor.powi_scalar(3).sum();
    }
    let gradients = loss.backward();
    let dx = x.grad(&gradients).expect("the input has a gradient");
    let leaked = dx.clone().mask_fill(mask.inner().bool_not(), 0.0);
    let leaked = leaked.abs().max().into_scalar::<f64>();
    assert_eq!(leaked, 0.0, "{}: gradient in padding", network.what);
    results.push(dx.reshape([-1]));
    let mut of_parameters = OfParameters {
        gradients: &gradients,
        found: Vec::new(),
    };
    network.stack.visit(&mut of_parameters);
    results.extend(of_parameters.found);
    results
}

/// True in padding: `[batch, seq, d_input]`.
fn padding<C: Cell>(network: &Network<C>, lengths: &[usize]) -> Tensor<3, Bool> {
    let subject = network.subject;
    let shape = [subject.batch, subject.seq, subject.d_input];
    let steps = lengths
        .iter()
        .flat_map(|&length| (0..subject.seq).map(move |t| t >= length));
    let values = steps.flat_map(|is_padding| vec![is_padding; subject.d_input]);
    Tensor::from_data(
        TensorData::new(values.collect::<Vec<bool>>(), shape),
        &network.device,
    )
}

/// Collects the gradients of all parameters.
struct OfParameters<'a> {
    gradients: &'a Gradients,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for OfParameters<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients);
        self.found
            .extend(gradient.map(|gradient| gradient.reshape([-1])));
    }
}

/// Law: outputs are zero in padding; the last output that a cell puts out is its final state.
pub struct Ends;

impl Law for Ends {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let what = &network.what;
        let lengths = network.subject.all_lengths();
        let x = network.input();
        let (output, _) = network.forward(&x, Some(&lengths), network.start());
        assert_zero_in_padding(&output, &lengths, what);

        let sequences = network.sequences(&x, Some(&lengths));
        let (outputs, state) = network.stack.forward_each(sequences, network.start());
        let last = network.stack.layers.last().expect("a stack has a layer");
        let orders = [
            (&last.forward, Order::Forward),
            (&last.reverse, Order::Reverse),
        ];
        let orders = orders.into_iter().filter(|(cell, _)| cell.is_some());
        let states = state.layers.last().expect("a stack has a layer");
        for ((output, state), (_, order)) in outputs.into_iter().zip(states).zip(orders) {
            let output = network.batch_first(output);
            assert_zero_in_padding(&output, &lengths, what);
            for (row, &length) in lengths
                .iter()
                .enumerate()
                .filter(|&(_, &length)| length > 0)
            {
                let last = match order {
                    Order::Forward => length - 1,
                    Order::Reverse => 0,
                };
                let output = output.clone().narrow(0, row, 1).narrow(1, last, 1);
                let hidden = state.hidden().narrow(0, row, 1);
                assert_same_bits(&output.squeeze_dim::<2>(1), &hidden, what);
            }
        }
    }
}

fn assert_zero_in_padding(output: &Tensor<3>, lengths: &[usize], what: &str) {
    let [_, seq, _] = output.dims();
    for (row, &length) in lengths
        .iter()
        .enumerate()
        .filter(|&(_, &length)| length < seq)
    {
        let padding = output
            .clone()
            .narrow(0, row, 1)
            .narrow(1, length, seq - length);
        let largest = padding.abs().max().into_scalar::<f64>();
        assert_eq!(largest, 0.0, "{what}: output in the padding of row {row}");
    }
}
