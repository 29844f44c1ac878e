//! One parameter of a Parzen estimator.

use std::f64::consts::PI;

use rand::{Rng, RngExt};

use crate::Domain;
use crate::sampler::axis::Axis;
use crate::sampler::normal;

/// One distribution over a parameter's coordinates for each observation, and one more, the last: the prior.
pub(super) enum Kernels {
    /// Normal distributions, truncated at the ends of the axis.
    Normal { axis: Axis, normals: Vec<Normal> },
    /// Choices: the one that was observed is more probable than the others.
    Choice {
        observed: Vec<usize>,
        choices: usize,
        /// `prior_weight / kernels`: what each choice has, the observed one 1 more.
        share: f64,
    },
    /// The domain has one value only.
    Constant(f64),
}

/// A normal distribution truncated to an axis.
pub(super) struct Normal {
    center: f64,
    width: f64,
    /// How probable values below the axis would be, and those inside it.
    below: f64,
    inside: f64,
    /// The logarithm of the density at the center.
    peak: f64,
}

impl Normal {
    fn new(axis: &Axis, center: f64, width: f64) -> Self {
        let (low, high) = ((axis.low - center) / width, (axis.high - center) / width);
        let inside = normal::between(low, high);
        Self {
            center,
            width,
            below: normal::below(low),
            inside,
            peak: -(inside * width * (2.0 * PI).sqrt()).ln(),
        }
    }

    /// The place that a share of the distribution lies below.
    fn quantile(&self, share: f64) -> f64 {
        self.center + self.width * normal::quantile(self.below + share * self.inside)
    }

    fn log_density(&self, place: f64) -> f64 {
        let distance = (place - self.center) / self.width;
        self.peak - distance * distance / 2.0
    }

    fn log_mass(&self, (low, high): (f64, f64)) -> f64 {
        let (low, high) = (low - self.center, high - self.center);
        (normal::between(low / self.width, high / self.width) / self.inside).ln()
    }
}

impl Kernels {
    /// Around the coordinates that were observed, all of which lie in the domain.
    pub fn new(domain: &Domain, observed: &[f64], prior_weight: f64) -> Self {
        if let Domain::Choice { choices } = domain {
            return Self::Choice {
                observed: observed.iter().map(|index| *index as usize).collect(),
                choices: choices.len(),
                share: prior_weight / (observed.len() + 1) as f64,
            };
        }
        let Some(axis) = Axis::of(domain) else {
            let value = domain.coordinate(&domain.at(0.0));
            return Self::Constant(value.unwrap_or(0.0));
        };
        let centers: Vec<f64> = observed.iter().map(|value| axis.place(*value)).collect();
        let middle = (axis.low + axis.high) / 2.0;
        let observed = centers.iter().zip(widths(&axis, &centers));
        let normals = observed.map(|(center, width)| Normal::new(&axis, *center, width));
        let prior = Normal::new(&axis, middle, axis.width());
        Self::Normal {
            axis,
            normals: normals.chain([prior]).collect(),
        }
    }

    /// A coordinate out of one kernel.
    pub fn draw(&self, kernel: usize, rng: &mut impl Rng) -> f64 {
        let share: f64 = rng.random();
        match self {
            Self::Normal { axis, normals } => {
                let place = normals[kernel].quantile(share);
                axis.coordinate(place.clamp(axis.low, axis.high))
            }
            Self::Choice {
                observed,
                choices,
                share: each,
            } => {
                let Some(seen) = observed.get(kernel) else {
                    return (share * *choices as f64).floor();
                };
                // The observed choice first, then all of them alike.
                let rest = share * (1.0 + each * *choices as f64) - 1.0;
                match rest < 0.0 {
                    true => *seen as f64,
                    false => (rest / each).floor().min(*choices as f64 - 1.0),
                }
            }
            Self::Constant(value) => *value,
        }
    }

    /// Adds to each kernel's number the logarithm of its density (of a value with a cell or a choice: its probability).
    pub fn add_log_density(&self, coordinate: f64, sums: &mut [f64]) {
        match self {
            Self::Normal { axis, normals } => {
                let (place, cell) = (axis.place(coordinate), axis.cell(coordinate));
                for (sum, normal) in sums.iter_mut().zip(normals) {
                    *sum += match cell {
                        Some(cell) => normal.log_mass(cell),
                        None => normal.log_density(place),
                    };
                }
            }
            Self::Choice {
                observed,
                choices,
                share,
            } => {
                let all = 1.0 + share * *choices as f64;
                let (hit, miss) = (((1.0 + share) / all).ln(), (share / all).ln());
                let prior = -(*choices as f64).ln();
                let of = |seen: &usize| match *seen as f64 == coordinate {
                    true => hit,
                    false => miss,
                };
                let densities = observed.iter().map(of).chain([prior]);
                for (sum, density) in sums.iter_mut().zip(densities) {
                    *sum += density;
                }
            }
            Self::Constant(_) => {}
        }
    }
}

/// The widths (standard deviations) of the kernels around places.
///
/// Each is the greater one of the distances to the neighbours on both sides; the outermost two have but one neighbour, and
/// one alone has the ends of the axis. Then it is brought between `w / min(100, n + 2)` and `w`, where `w` is the width of the
/// axis: the *magic clip*, which keeps places that crowd from becoming needles.
fn widths(axis: &Axis, centers: &[f64]) -> Vec<f64> {
    let (last, all) = (centers.len().saturating_sub(1), axis.width());
    let least = all / (centers.len() as f64 + 2.0).min(100.0);
    let mut order: Vec<usize> = (0..centers.len()).collect();
    order.sort_by(|a, b| centers[*a].total_cmp(&centers[*b]));
    let mut widths = vec![0.0; centers.len()];
    for (rank, index) in order.iter().enumerate() {
        let gap = |a: usize, b: usize| centers[order[b]] - centers[order[a]];
        let width = match rank {
            0 if last == 0 => (centers[0] - axis.low).max(axis.high - centers[0]),
            0 => gap(0, 1),
            rank if rank == last => gap(rank - 1, rank),
            rank => gap(rank - 1, rank).max(gap(rank, rank + 1)),
        };
        widths[*index] = width.clamp(least, all);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;
    use serde_json::json;

    fn float(low: f64, high: f64, log: bool) -> Domain {
        Domain::Float {
            low,
            high,
            log,
            step: None,
        }
    }

    fn int(low: i64, high: i64, log: bool, step: i64) -> Domain {
        Domain::Int {
            low,
            high,
            log,
            step,
        }
    }

    #[test]
    fn widths_by_hand() {
        let axis = Axis::of(&float(0.0, 10.0, false)).unwrap();
        assert_eq!(widths(&axis, &[2.0]), [8.0]);
        // The least of three is 10 / 5.
        assert_eq!(widths(&axis, &[9.0, 1.0, 2.0]), [7.0, 2.0, 7.0]);
        assert!(widths(&axis, &[]).is_empty());
    }

    /// The probabilities of all values of a domain that can be counted, for each kernel.
    fn totals(domain: &Domain, kernels: &Kernels, count: usize) -> Vec<f64> {
        let mut totals = vec![0.0; count];
        for index in 0..domain.len().unwrap() {
            let coordinate = domain.coordinate(&domain.nth(index).unwrap()).unwrap();
            let mut sums = vec![0.0; count];
            kernels.add_log_density(coordinate, &mut sums);
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += sum.exp();
            }
        }
        totals
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let choice = Domain::Choice {
            choices: vec![json!("a"), json!("b"), json!("c")],
        };
        for (domain, observed) in [
            (int(1, 9, false, 2), vec![1.0, 9.0, 3.0]),
            (int(1, 100, true, 1), vec![1.0, 64.0]),
            (int(2, 50, true, 16), vec![2.0, 2.0, 50.0]),
            (choice, vec![2.0, 0.0]),
        ] {
            let kernels = Kernels::new(&domain, &observed, 1.0);
            for total in totals(&domain, &kernels, observed.len() + 1) {
                assert!((total - 1.0).abs() < 1e-12, "{domain:?}: {total}");
            }
        }
    }

    #[test]
    fn densities_add_up_to_one() {
        let axis = |domain: &Domain| Axis::of(domain).unwrap();
        for domain in [float(-1.0, 4.0, false), float(1e-4, 1.0, true)] {
            let kernels = Kernels::new(&domain, &[0.5, 0.6, 0.01], 1.0);
            let (axis, places) = (axis(&domain), 100_000);
            let mut totals = [0.0; 4];
            for place in 0..places {
                let share = (f64::from(place) + 0.5) / f64::from(places);
                let mut sums = [0.0; 4];
                let coordinate = axis.coordinate(axis.low + share * axis.width());
                kernels.add_log_density(coordinate, &mut sums);
                for (total, sum) in totals.iter_mut().zip(sums) {
                    *total += sum.exp() * axis.width() / f64::from(places);
                }
            }
            for total in totals {
                assert!((total - 1.0).abs() < 1e-6, "{domain:?}: {total}");
            }
        }
    }

    #[test]
    fn draws_are_as_frequent_as_they_are_probable() {
        let choice = Domain::Choice {
            choices: vec![json!(0), json!(1), json!(2)],
        };
        for domain in [choice, int(0, 2, false, 1)] {
            let kernels = Kernels::new(&domain, &[2.0], 1.5);
            let (mut rng, draws) = (seed::rng(1, 1), 20_000);
            for kernel in 0..2 {
                let mut counts = [0.0; 3];
                for _ in 0..draws {
                    counts[kernels.draw(kernel, &mut rng) as usize] += 1.0 / f64::from(draws);
                }
                for (value, count) in counts.iter().enumerate() {
                    let mut sums = [0.0; 2];
                    kernels.add_log_density(value as f64, &mut sums);
                    let expected = sums[kernel].exp();
                    assert!((count - expected).abs() < 0.015, "{count} {expected}");
                }
            }
        }
    }
}
