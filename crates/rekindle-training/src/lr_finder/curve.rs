//! The curve of a range test, and the rates that it suggests.

use serde::{Deserialize, Serialize};

use super::{FindLrError, LrGrowth, LrRange};
use crate::TrainError;

/// How many times its lowest value the smoothed loss may be.
const EXPLODES: f64 = 4.0;

/// The share of its first value to which the smoothed loss has to fall: noise alone takes it a little below.
const FALLS: f64 = 0.95;

/// Points at the end of a curve that suggestions leave out, as in fastai.
const LAST: usize = 5;

/// One step of a range test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LrPoint {
    /// The rate.
    pub lr: f64,
    /// The loss of the step, before it was taken.
    pub loss: f64,
    /// The smoothed loss.
    pub smoothed: f64,
}

/// The rates that a curve suggests, by fastai's rules. They look at the smoothed loss, without the first tenth of the points
/// and the last five.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LrSuggestions {
    /// A tenth of the rate with the lowest loss. The safest of the three in the measurements of the book.
    pub tenth_of_lowest: f64,
    /// Half way down the valley: of the longest falling subsequence of points, the one at half its length.
    ///
    /// A low outlier in the noise at the beginning does not move it, as it would the other two.
    pub valley: f64,
    /// Where the loss falls fastest over the logarithm of the rate. Follows the noise where nothing falls much.
    pub steepest: f64,
}

/// What came of a range test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LrCurve {
    /// The recipe's name.
    pub name: String,
    /// The steps, at growing rates.
    pub points: Vec<LrPoint>,
    /// Whether the loss exploded before the last rate.
    pub exploded: bool,
    /// The rates that it suggests.
    pub suggestions: LrSuggestions,
    #[serde(skip)]
    range: LrRange,
    /// The sum of losses with falling weights, and the share of all weights that it has.
    #[serde(skip)]
    sum: (f64, f64),
}

impl LrCurve {
    pub(super) fn new(name: &str, range: LrRange) -> Self {
        let nothing = LrSuggestions {
            tenth_of_lowest: range.from,
            valley: range.from,
            steepest: range.from,
        };
        Self {
            name: name.to_string(),
            points: Vec::with_capacity(range.steps),
            exploded: false,
            suggestions: nothing,
            range,
            sum: (0.0, 0.0),
        }
    }

    /// Takes in a step; true if the loss has exploded.
    pub(super) fn add(&mut self, lr: f64, loss: f64) -> bool {
        let smooth = self.range.smooth;
        let (sum, share) = self.sum;
        self.sum = (
            smooth * sum + (1.0 - smooth) * loss,
            smooth * share + (1.0 - smooth),
        );
        let smoothed = self.sum.0 / self.sum.1;
        self.points.push(LrPoint { lr, loss, smoothed });
        self.exploded = smoothed > EXPLODES * self.lowest();
        self.exploded
    }

    /// The lowest smoothed loss so far.
    fn lowest(&self) -> f64 {
        let smoothed = self.points.iter().map(|point| point.smoothed);
        smoothed.fold(f64::INFINITY, f64::min)
    }

    /// Takes the suggestions. `failed` is what stopped the trial, if it was not its end.
    pub(super) fn close(mut self, failed: Option<TrainError>) -> Result<Self, FindLrError> {
        self.exploded |= failed.is_some();
        let taken = self.points.len();
        if taken < LrRange::LEAST {
            let step = taken + usize::from(failed.is_some());
            return Err(FindLrError::Diverged {
                what: match failed {
                    Some(_) => "or what it does to the weights is not finite",
                    None => "explodes",
                },
                step,
                lr: self.rate_of(step - 1),
                least: LrRange::LEAST,
                because: failed.map_or(String::new(), |error| format!(": {error}")),
            });
        }
        let first = taken / 10;
        let seen = &self.points[first..taken - LAST];
        self.suggestions = suggestions(seen).map_err(|lowest| FindLrError::Flat {
            first: seen[0].smoothed,
            lowest,
        })?;
        Ok(self)
    }

    /// The rate of a step, counted from 0.
    fn rate_of(&self, step: usize) -> f64 {
        let LrRange {
            from,
            to,
            steps,
            growth,
            ..
        } = self.range;
        let part = step as f64 / (steps - 1) as f64;
        match growth {
            LrGrowth::Exponential => from * (to / from).powf(part),
            LrGrowth::Linear => from + (to - from) * part,
        }
    }
}

/// What points suggest; the lowest loss if it is not clearly below the first.
fn suggestions(points: &[LrPoint]) -> Result<LrSuggestions, f64> {
    let mut lowest = points[0];
    for &point in points {
        if point.smoothed < lowest.smoothed {
            lowest = point;
        }
    }
    if lowest.smoothed >= FALLS * points[0].smoothed {
        return Err(lowest.smoothed);
    }
    let slope =
        |pair: &&[LrPoint]| (pair[1].smoothed - pair[0].smoothed) / (pair[1].lr / pair[0].lr).ln();
    let steepest = points
        .windows(2)
        .min_by(|a, b| slope(a).total_cmp(&slope(b)))
        .expect("a loss that falls has two points");
    Ok(LrSuggestions {
        tenth_of_lowest: lowest.lr / 10.0,
        valley: points[valley(points)].lr,
        steepest: steepest[0].lr,
    })
}

/// The place half way along the longest falling subsequence.
fn valley(points: &[LrPoint]) -> usize {
    // The longest that ends at each point.
    let mut lengths: Vec<usize> = vec![1; points.len()];
    let mut end = 0;
    for i in 1..points.len() {
        let above = (0..i).filter(|&j| points[i].smoothed < points[j].smoothed);
        lengths[i] = 1 + above.map(|j| lengths[j]).max().unwrap_or(0);
        if lengths[i] > lengths[end] {
            end = i;
        }
    }
    // As in fastai, its length is taken back from its end, as if it had no gaps.
    let start = (end + 1).saturating_sub(lengths[end]);
    start + (end - start) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(losses: &[f64]) -> Vec<LrPoint> {
        let point = |(place, &loss): (usize, &f64)| LrPoint {
            lr: 10_f64.powi(place as i32 - 6),
            loss,
            smoothed: loss,
        };
        losses.iter().enumerate().map(point).collect()
    }

    #[test]
    fn rules_by_hand() {
        let found = points(&[3.0, 3.1, 2.9, 2.5, 1.0, 0.5, 0.4, 2.0]);
        let found = suggestions(&found).expect("it falls");
        // 3.1, 2.9, 2.5, 1.0, 0.5, 0.4 is the longest, at places 1 to 6.
        assert_eq!(found.valley, 10_f64.powi(3 - 6));
        // From 2.5 to 1.0.
        assert_eq!(found.steepest, 10_f64.powi(3 - 6));
        assert!((found.tenth_of_lowest - 0.1).abs() < 1e-12);
        assert_eq!(suggestions(&points(&[1.0, 0.98, 2.0])), Err(0.98));
    }

    #[test]
    fn a_low_outlier_at_the_beginning_moves_no_valley() {
        let falling: Vec<f64> = (0..9).map(|step| 3.0 - f64::from(step) / 4.0).collect();
        let before = valley(&points(&falling));
        let mut outlier = falling.clone();
        outlier[1] = 0.1;
        assert!(valley(&points(&outlier)).abs_diff(before) <= 1);
    }

    #[test]
    fn smoothing_is_corrected_at_the_beginning() {
        let mut curve = LrCurve::new("a", LrRange::default());
        assert!(!curve.add(1e-6, 2.0));
        assert!(!curve.add(2e-6, 1.0));
        let found: Vec<f64> = curve.points.iter().map(|point| point.smoothed).collect();
        let expected = (0.9 * 0.1 * 2.0 + 0.1 * 1.0) / (1.0 - 0.81);
        assert!((found[0] - 2.0).abs() < 1e-12 && (found[1] - expected).abs() < 1e-12);
        assert!(curve.add(3e-6, 1e3), "it explodes");
        let error = curve.close(None).expect_err("too early").to_string();
        assert!(
            error.starts_with("the loss explodes at step 3, at a rate of 1.1"),
            "{error}"
        );
    }
}
