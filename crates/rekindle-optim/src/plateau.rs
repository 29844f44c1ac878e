//! Lowers the learning rate when a metric stops improving: PyTorch's `ReduceLROnPlateau`, as a value and its state.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::ScheduleError;

/// Which way a metric improves.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Lower is better, as for a loss.
    #[default]
    Min,
    /// Higher is better, as for an accuracy.
    Max,
}

impl Mode {
    /// The value that nothing is worse than.
    fn worst(self) -> f64 {
        match self {
            Self::Min => f64::INFINITY,
            Self::Max => f64::NEG_INFINITY,
        }
    }
}

/// What the threshold of a [`Plateau`] is measured in.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// A fraction of the best metric.
    #[default]
    Relative,
    /// The metric's own unit.
    Absolute,
}

/// Multiplies the learning rate by `factor` after more than `patience` observations without improvement.
///
/// ```text
/// better:    m < best · (1 − threshold)     min, relative
///            m < best − threshold           min, absolute
///            m > best · (1 + threshold)     max, relative
///            m > best + threshold           max, absolute
///
/// better:              best′ = m,  bad′ = 0,  otherwise bad′ = bad + 1
/// cooldown > 0:        cooldown′ = cooldown − 1,  bad′ = 0
/// bad′ > patience:     lr′ = max(factor · lr, min_lr) if that lowers lr by more than epsilon,
///                      cooldown′ = the configured cooldown,  bad′ = 0
/// ```
///
/// The first observation is an improvement, unless it is the worst value there is: NaN, or +∞ for `min`, −∞ for `max`.
///
/// # Differences
/// The rule and the defaults are PyTorch's, including what follows from them: with a relative threshold and a negative
/// metric, `best · (1 − threshold)` lies above `best`, so an equal or slightly worse value counts as better in mode
/// `min`, and likewise in mode `max`. Use an absolute threshold for metrics that can be negative.
///
/// # References
/// PyTorch, [`ReduceLROnPlateau`](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html)
///
/// # Examples
/// ```
/// use rekindle_optim::{Plateau, PlateauState};
///
/// let plateau = Plateau { factor: 0.5, patience: 1, ..Plateau::default() };
/// let mut state = PlateauState::new(0.1);
/// for loss in [1.0, 0.8, 0.9] {
///     plateau.observe(&mut state, loss);
/// }
/// assert_eq!((state.lr, state.bad), (0.1, 1)); // one bad observation is tolerated
/// plateau.observe(&mut state, 0.85);
/// assert_eq!(state.lr, 0.05);
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// Which way the metric improves. Default: `min`, because a loss is the usual metric.
    pub mode: Mode,
    /// Factor of each reduction, in (0, 1). Default: 0.1, as in PyTorch.
    pub factor: f64,
    /// Observations without improvement that are tolerated. Default: 10, as in PyTorch.
    pub patience: usize,
    /// Improvements up to this size do not count. Finite, at least 0, and below 1 when relative. Default: 1e-4, as in
    /// PyTorch, which ignores noise in the last digits.
    pub threshold: f64,
    /// What `threshold` is measured in. Default: `relative`, which needs no knowledge of the metric's scale.
    pub threshold_mode: ThresholdMode,
    /// Observations after a reduction that cannot count as bad. Default: 0, as in PyTorch.
    pub cooldown: usize,
    /// The rate is never reduced below this. Finite, at least 0. Default: 0.0, no limit.
    pub min_lr: f64,
    /// A reduction by no more than this is not made. Finite, at least 0. Default: 1e-8, as in PyTorch; a smaller
    /// change has no effect on training.
    pub epsilon: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            mode: Mode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Relative,
            cooldown: 0,
            min_lr: 0.0,
            epsilon: 1e-8,
        }
    }
}

impl Config for Plateau {}

/// What a [`Plateau`] has seen, and the learning rate that follows from it.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PlateauState {
    /// The learning rate.
    pub lr: f64,
    /// The best metric so far; `None` before the first improvement.
    pub best: Option<f64>,
    /// Observations without improvement since the last improvement, reduction or cooldown.
    pub bad: usize,
    /// Observations left in which none counts as bad.
    pub cooldown: usize,
}

impl PlateauState {
    /// The state of a run that starts at learning rate `lr`, before anything is observed.
    pub fn new(lr: f64) -> Self {
        Self {
            lr,
            best: None,
            bad: 0,
            cooldown: 0,
        }
    }
}

impl Plateau {
    /// Takes in one metric, usually once per epoch, and lowers the rate if it is time.
    ///
    /// NaN counts as no improvement: a run whose metric cannot be computed is not getting better.
    pub fn observe(&self, state: &mut PlateauState, metric: f64) {
        if self.is_better(metric, state.best) {
            state.best = Some(metric);
            state.bad = 0;
        } else {
            state.bad += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if state.bad > self.patience {
            let lr = (state.lr * self.factor).max(self.min_lr);
            if state.lr - lr > self.epsilon {
                state.lr = lr;
            }
            state.cooldown = self.cooldown;
            state.bad = 0;
        }
    }

    fn is_better(&self, metric: f64, best: Option<f64>) -> bool {
        let best = best.unwrap_or(self.mode.worst());
        match (self.mode, self.threshold_mode) {
            (Mode::Min, ThresholdMode::Relative) => metric < best * (1.0 - self.threshold),
            (Mode::Min, ThresholdMode::Absolute) => metric < best - self.threshold,
            (Mode::Max, ThresholdMode::Relative) => metric > best * (1.0 + self.threshold),
            (Mode::Max, ThresholdMode::Absolute) => metric > best + self.threshold,
        }
    }

    /// Checks the ranges that the fields document.
    ///
    /// # Errors
    /// [`ScheduleError::Range`] names the first field that is out of its range.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        let check = |valid, field: &str, found, expected| {
            ScheduleError::unless(valid, field.to_string(), found, expected)
        };
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let relative = self.threshold_mode == ThresholdMode::Relative;

        let factor = self.factor > 0.0 && self.factor < 1.0;
        check(
            factor,
            "factor",
            self.factor,
            "a number above 0 and below 1",
        )?;
        if relative {
            let threshold = (0.0..1.0).contains(&self.threshold);
            check(
                threshold,
                "threshold",
                self.threshold,
                "a fraction, at least 0 and below 1",
            )?;
        }
        let expected = "a finite number, at least 0";
        check(
            not_negative(self.threshold),
            "threshold",
            self.threshold,
            expected,
        )?;
        check(not_negative(self.min_lr), "min_lr", self.min_lr, expected)?;
        check(
            not_negative(self.epsilon),
            "epsilon",
            self.epsilon,
            expected,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe_all(plateau: &Plateau, metrics: &[f64]) -> PlateauState {
        let mut state = PlateauState::new(1.0);
        for metric in metrics {
            plateau.observe(&mut state, *metric);
        }
        state
    }

    #[test]
    fn nan_is_no_improvement() {
        let plateau = Plateau {
            patience: 1,
            ..Plateau::default()
        };
        assert_eq!(observe_all(&plateau, &[f64::NAN]).best, None);
        assert_eq!(observe_all(&plateau, &[f64::NAN; 2]).lr, 0.1);
        let state = observe_all(&plateau, &[2.0, f64::NAN]);
        assert_eq!((state.best, state.bad, state.lr), (Some(2.0), 1, 1.0));
    }

    #[test]
    fn cooldown_tolerates_bad_observations() {
        let plateau = Plateau {
            factor: 0.5,
            patience: 0,
            cooldown: 2,
            ..Plateau::default()
        };
        let rates: Vec<f64> = (1..=8)
            .map(|n| observe_all(&plateau, &[1.0; 8][..n]).lr)
            .collect();
        assert_eq!(rates, [1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]);
    }

    #[test]
    fn small_reductions_are_not_made() {
        let plateau = Plateau {
            factor: 0.5,
            patience: 0,
            epsilon: 0.25,
            ..Plateau::default()
        };
        assert_eq!(observe_all(&plateau, &[1.0; 9]).lr, 0.5);
    }

    #[test]
    fn validate_names_the_field_that_is_out_of_range() {
        let valid = Plateau::default();
        let absolute = ThresholdMode::Absolute;
        for (field, plateau) in [
            (
                "factor",
                Plateau {
                    factor: 1.0,
                    ..valid.clone()
                },
            ),
            (
                "factor",
                Plateau {
                    factor: 0.0,
                    ..valid.clone()
                },
            ),
            (
                "factor",
                Plateau {
                    factor: f64::NAN,
                    ..valid.clone()
                },
            ),
            (
                "threshold",
                Plateau {
                    threshold: 1.0,
                    ..valid.clone()
                },
            ),
            (
                "threshold",
                Plateau {
                    threshold: -0.1,
                    threshold_mode: absolute,
                    ..valid.clone()
                },
            ),
            (
                "min_lr",
                Plateau {
                    min_lr: -1.0,
                    ..valid.clone()
                },
            ),
            (
                "epsilon",
                Plateau {
                    epsilon: f64::INFINITY,
                    ..valid.clone()
                },
            ),
        ] {
            let message = plateau.validate().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{field}` is ")), "{message}");
        }
        assert_eq!(valid.validate(), Ok(()));
        let wide = Plateau {
            threshold: 2.0,
            threshold_mode: absolute,
            ..valid
        };
        assert_eq!(wide.validate(), Ok(()));
    }
}
