//! Law: gradients are finite differences.

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{DType, Tensor};
use rekindle_cells::{Cell, Stack};
use rekindle_testkit::{GradientCheck, assert_module_gradients, random};

use crate::common::{Network, Origin};
use crate::{Law, tensors};

/// A network with its input and initial state as parameters, so that one check covers all gradients.
#[derive(Module, Debug)]
struct Problem<M: Module + ModuleDisplay> {
    rnn: M,
    input: Param<Tensor<3>>,
    state: Vec<Param<Tensor<2>>>,
}

/// Law: the gradient of every parameter, of the input and of the initial state is the central finite difference.
pub struct FiniteDifferences;

impl Law for FiniteDifferences {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let start = network.start().map(tensors).unwrap_or_default();
        let problem = Problem {
            rnn: network.stack.clone(),
            input: Param::from_tensor(network.input()),
            state: start.into_iter().map(Param::from_tensor).collect(),
        };
        let check = GradientCheck {
            directions: match network.subject.origin {
                // Training has a tape for each point of a difference.
                Origin::Table(_) if network.training => 1,
                Origin::Table(_) => 3,
                Origin::Combination(_) => 2,
            },
            retries: 2,
            training: network.training,
            ..GradientCheck::default()
        };
        let mut all_lengths = vec![network.subject.lengths.as_deref()];
        if let Origin::Table(_) = network.subject.origin {
            all_lengths.push(None);
        }
        for lengths in all_lengths {
            let what = format!("{}: gradients with lengths {lengths:?}", network.what);
            assert_module_gradients(&problem, check, &what, |problem| {
                loss(network, problem, lengths)
            });
        }
    }
}

/// A weighted sum of all outputs and final states.
fn loss<C: Cell>(
    network: &Network<C>,
    problem: &Problem<Stack<C>>,
    lengths: Option<&[usize]>,
) -> Tensor<1> {
    let mut parameters = problem.state.iter();
    let mut next = || parameters.next().expect("one parameter a state tensor");
    let start = network.start().map(|state| state.map(|_| next().val()));
    let input = problem.input.val();
    let (output, state) = network.forward_with(&problem.rnn, &input, lengths, start);
    let options = (&output.device(), DType::F64);
    let mut loss = (output.clone() * random(output.dims(), 50, options)).sum();
    for (seed, tensor) in (60..).zip(tensors(state)) {
        loss = loss + (tensor.clone() * random(tensor.dims(), seed, options)).sum();
    }
    loss
}
