//! Listed factors.

use serde::{Deserialize, Serialize};

use super::validate::Place;
use crate::ScheduleError;

/// What holds between two points of a [`Table`](crate::Schedule::Table).
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// The factor of the point before.
    #[default]
    Hold,
    /// The straight line from one to the other.
    Linear,
}

/// The factor at a step.
pub(super) fn at(points: &[(usize, f64)], between: Between, step: usize) -> f64 {
    let reached = points.partition_point(|point| point.0 <= step);
    let (begin, from) = points[reached.saturating_sub(1)];
    match (between, points.get(reached)) {
        (Between::Linear, Some(&(end, to))) if reached > 0 => {
            let share = (step - begin) as f64 / (end - begin) as f64;
            super::between(from, to, share)
        }
        _ => from,
    }
}

pub(super) fn validate(points: &[(usize, f64)], place: &Place) -> Result<(), ScheduleError> {
    place.not_empty("points", points.len())?;
    let steps: Vec<usize> = points.iter().map(|point| point.0).collect();
    place.rising("points", &steps)?;
    points
        .iter()
        .enumerate()
        .try_for_each(|(index, point)| place.not_negative(&format!("points[{index}][1]"), point.1))
}
