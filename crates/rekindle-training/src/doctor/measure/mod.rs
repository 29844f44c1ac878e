//! What is measured of a network that trains: each a small value, made of plain numbers.
//!
//! | module | what it measures |
//! |---|---|
//! | `flow` | `‖∂L/∂h_t‖` and `‖∂L/∂c_t‖` over the sequence |
//! | `saturation` | how many values of a gate are near its ends |
//! | `jacobian` | the spectral radius of one step |
//! | `horizon` | how far back an input still moves the last state |
//! | `units` | hidden units that never change, or are copies of others |
//! | `updates` | how far a step moves each parameter |
//! | `losses` | whether training gets anywhere |
//! | `data` | scales, tails, labels |

mod data;
mod flow;
mod horizon;
mod jacobian;
mod losses;
mod saturation;
mod units;
mod updates;

pub use data::{Channel, Data, Neighbours, Tails};
pub(crate) use flow::FlowSum;
pub use flow::{Flow, PARTS};
pub use horizon::Horizon;
pub use jacobian::Jacobian;
pub(crate) use jacobian::spectral_radius;
pub use losses::Losses;
pub use saturation::{BINS, Saturation};
pub use units::Units;
pub use updates::{Update, Updates};

/// The middle one of some numbers, NaN without any.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => 0.5 * (values[len / 2 - 1] + values[len / 2]),
    }
}
