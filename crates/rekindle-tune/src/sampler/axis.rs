//! A domain of numbers as one interval of a line.

use crate::Domain;

/// A numeric domain, drawn out so that equal distances matter equally: the logarithm of a logarithmic one.
///
/// Places lie between `low` and `high`. Each value of a domain with steps has a cell of places, and the cells fill the
/// interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    log: bool,
    steps: Option<Steps>,
}

#[derive(Clone, Copy, Debug)]
struct Steps {
    first: f64,
    step: f64,
    last: f64,
}

impl Axis {
    /// The axis of a domain; none for choices and for domains with only one value.
    pub fn of(domain: &Domain) -> Option<Self> {
        let (first, step, log) = match *domain {
            Domain::Choice { .. } => return None,
            Domain::Float { low, log, step, .. } => (low, step, log),
            Domain::Int { low, log, step, .. } => (low as f64, Some(step as f64), log),
        };
        let (low, high) = domain.room();
        if low >= high || domain.len() == Some(1) {
            return None;
        }
        let steps = step.map(|step| Steps {
            first,
            step,
            last: (domain.len().unwrap_or(1) - 1) as f64,
        });
        let (low, high) = match log {
            true => (low.ln(), high.ln()),
            false => (low, high),
        };
        Some(Self {
            low,
            high,
            log,
            steps,
        })
    }

    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// The place of a coordinate.
    pub fn place(&self, coordinate: f64) -> f64 {
        match self.log {
            true => coordinate.ln(),
            false => coordinate,
        }
    }

    /// The coordinate of a place, rounded to a value of the domain if it has steps.
    pub fn coordinate(&self, place: f64) -> f64 {
        let coordinate = match self.log {
            true => place.exp(),
            false => place,
        };
        let Some(Steps { first, step, last }) = self.steps else {
            return coordinate;
        };
        first + step * ((coordinate - first) / step).round().clamp(0.0, last)
    }

    /// The places of a coordinate's cell; none without steps.
    pub fn cell(&self, coordinate: f64) -> Option<(f64, f64)> {
        let half = self.steps?.step / 2.0;
        // The first cell of a logarithmic domain may be less than half a step.
        let low = match self.log {
            true if coordinate <= half => self.low,
            _ => self.place(coordinate - half).max(self.low),
        };
        Some((low, self.place(coordinate + half).min(self.high)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_fill_the_interval() {
        for log in [false, true] {
            let axis = Axis::of(&Domain::Int {
                low: 2,
                high: 50,
                log,
                step: 16,
            })
            .unwrap();
            let mut edge = axis.low;
            for coordinate in [2.0, 18.0, 34.0, 50.0] {
                let (low, high) = axis.cell(coordinate).unwrap();
                assert!((low - edge).abs() < 1e-12, "{coordinate}: {low} {edge}");
                assert_eq!(axis.coordinate((low + high) / 2.0), coordinate);
                edge = high;
            }
            assert!((edge - axis.high).abs() < 1e-12);
        }
    }

    #[test]
    fn one_value_is_no_axis() {
        let domain = Domain::Float {
            low: 1.0,
            high: 1.0,
            log: true,
            step: None,
        };
        assert!(Axis::of(&domain).is_none());
    }
}
