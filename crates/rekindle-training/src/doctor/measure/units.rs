//! Hidden units that never change, or are copies of others.

use serde::{Deserialize, Serialize};

use crate::doctor::Place;

/// A unit whose standard deviation over the sample is at most this never says anything.
const DEAD: f64 = 1e-6;

/// Units whose correlation is above this say the same.
const COPY: f64 = 0.999;

/// The hidden units of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// The cell.
    pub place: Place,
    /// All of them.
    pub units: usize,
    /// Those whose output does not change over the sample: its standard deviation is at most 10⁻⁶.
    pub dead: usize,
    /// Those that follow another one: the magnitude of their correlation is above 0.999.
    pub copies: usize,
}

impl Units {
    /// Of the values of each unit over the sample.
    pub(crate) fn of(place: Place, units: &[Vec<f64>]) -> Self {
        let centred: Vec<Option<Vec<f64>>> = units.iter().map(|unit| standardised(unit)).collect();
        let alive: Vec<&Vec<f64>> = centred.iter().flatten().collect();
        let follows = |index: usize| {
            let earlier = &alive[..index];
            earlier
                .iter()
                .any(|other| correlation(other, alive[index]).abs() > COPY)
        };
        Self {
            place,
            units: units.len(),
            dead: units.len() - alive.len(),
            copies: (0..alive.len()).filter(|&index| follows(index)).count(),
        }
    }

    /// The share of units that never change.
    pub fn dead_share(&self) -> f64 {
        self.dead as f64 / self.units.max(1) as f64
    }

    /// The share of units that follow another one.
    pub fn copies_share(&self) -> f64 {
        self.copies as f64 / self.units.max(1) as f64
    }
}

/// The values less their mean, at norm 1; `None` if they do not change.
fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let norm = centred
        .iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt();
    (norm / count.sqrt() > DEAD).then(|| centred.iter().map(|value| value / norm).collect())
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_units_and_copies_are_counted() {
        let wave: Vec<f64> = (0..50).map(|step| f64::from(step).sin()).collect();
        let other: Vec<f64> = (0..50).map(|step| f64::from(step * step).cos()).collect();
        let mirrored = wave.iter().map(|value| 3.0 - 2.0 * value).collect();
        let units = [wave.clone(), vec![0.5; 50], other, mirrored, wave];
        let found = Units::of(Place::new(0, false), &units);
        assert_eq!((found.units, found.dead, found.copies), (5, 1, 2));
        assert_eq!((found.dead_share(), found.copies_share()), (0.2, 0.4));
    }
}
