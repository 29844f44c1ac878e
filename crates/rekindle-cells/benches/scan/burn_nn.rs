//! Burn's own modules as a side of the contest.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{GruConfig, LstmConfig, RnnConfig};
use burn::tensor::{Device, Tensor};

use crate::case::Case;
use crate::local::{self, Samples};
use crate::options::{Cell, Mode};

/// The samples of a case.
pub fn samples(case: Case, device: &Device) -> Samples {
    let (d_input, d_hidden) = (case.shape.d_input, case.shape.d_hidden);
    match case.cell {
        Cell::Lstm => {
            let lstm = drawn(LstmConfig::new(d_input, d_hidden, true).init(device));
            of_forward(case, device, move |x, state| lstm.forward(x, state))
        }
        Cell::Gru => {
            let gru = drawn(GruConfig::new(d_input, d_hidden, true).init(device));
            of_forward(case, device, move |x, last: Option<Tensor<3>>| {
                let output = gru.forward(x, last.map(|last| last.squeeze_dim(1)));
                (output.clone(), output)
            })
        }
        Cell::Rnn => {
            let rnn = drawn(RnnConfig::new(d_input, d_hidden, true).init(device));
            of_forward(case, device, move |x, state| rnn.forward(x, state))
        }
    }
}

/// The samples of a `forward` that takes the state and returns the next one.
fn of_forward<S: Send + 'static>(
    case: Case,
    device: &Device,
    forward: impl Fn(Tensor<3>, Option<S>) -> (Tensor<3>, S) + Send + 'static,
) -> Samples {
    if case.mode == Mode::Step {
        let x = local::input(case, device);
        let mut state = None;
        return local::sampled(case, move || {
            state = Some(forward(x.clone(), state.take()).1);
        });
    }
    local::over_sequence(case, device, move |x| forward(x, None).0)
}

/// The module with its weights drawn, which Burn otherwise leaves to their first use.
fn drawn<M: Module>(module: M) -> M {
    struct Draw;
    impl ModuleVisitor for Draw {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            param.val();
        }
    }
    module.visit(&mut Draw);
    module
}

/// The version of the crate burn-nn that the workspace is locked to.
pub fn version() -> &'static str {
    include_str!("../../../../Cargo.lock")
        .split("[[package]]")
        .find(|package| package.contains("name = \"burn-nn\""))
        .and_then(|package| package.split("version = \"").nth(1))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("unknown")
}
