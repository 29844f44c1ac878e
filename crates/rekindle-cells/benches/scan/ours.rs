//! This crate's cells as a side of the contest.

use burn::tensor::Device;
use rekindle_cells::{Cell, CellConfig, ElmanConfig, GruConfig, LstmConfig, Recurrent};

use crate::case::Case;
use crate::local::{self, Samples};
use crate::options;

/// The samples of a case.
pub fn samples(case: Case, device: &Device) -> Samples {
    let (d_input, d_hidden) = (case.shape.d_input, case.shape.d_hidden);
    match case.cell {
        options::Cell::Lstm => of_cell(&LstmConfig::new(d_input, d_hidden), case, device),
        options::Cell::Gru => of_cell(&GruConfig::new(d_input, d_hidden), case, device),
        options::Cell::Rnn => of_cell(&ElmanConfig::new(d_input, d_hidden), case, device),
    }
}

fn of_cell<C>(config: &C, case: Case, device: &Device) -> Samples
where
    C: CellConfig,
    C::Cell: 'static,
{
    let cell = config.init(device);
    if case.mode == options::Mode::Step {
        let x = local::input(case, device).squeeze_dim::<2>(1);
        let zero: <C::Cell as Cell>::State = cell.zero_state(case.shape.batch);
        let mut state = Some(zero);
        return local::sampled(case, move || {
            state = state.take().map(|state| cell.step(x.clone(), state));
        });
    }
    local::over_sequence(case, device, move |x| cell.forward(x, None).0)
}
