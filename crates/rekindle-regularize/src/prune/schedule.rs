//! How much is pruned at which step.

use serde::{Deserialize, Serialize};

use super::PruneError;

/// How much is pruned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// A fraction of the weights: `round(sparsity · n)` of each set of `n`.
    Sparsity(f64),
    /// The weights whose score is below.
    Threshold(f64),
}

/// How pruning grows over a run: stateless, so that resuming needs only the step.
///
/// In a recipe a schedule is a table with a `kind`; keys that the kind does not have are refused.
///
/// # Examples
/// ```
/// use rekindle_regularize::prune::{Amount, PruneSchedule};
///
/// let cubic = PruneSchedule::Cubic { initial: 0.0, sparsity: 0.75, begin: 0, end: 100, every: 10 };
/// assert_eq!(cubic.at(0), Amount::Sparsity(0.0));
/// // 0.75 − 0.75 (1 − 0.5)³
/// assert_eq!(cubic.at(50), Amount::Sparsity(0.65625));
/// assert_eq!(cubic.at(500), Amount::Sparsity(0.75));
/// assert!(cubic.is_due(50) && !cubic.is_due(55) && !cubic.is_due(110));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PruneSchedule {
    /// All at one step. `{ kind = "one_shot", sparsity = 0.9, at = 1000 }`
    OneShot {
        /// Fraction removed, in `[0, 1)`.
        sparsity: f64,
        /// The step.
        at: usize,
    },
    /// Fast at first, when much can go, and slower towards the end.
    /// `{ kind = "cubic", sparsity = 0.9, begin = 1000, end = 9000, every = 100 }`
    ///
    /// ```text
    /// s_t = s_f + (s_i − s_f) (1 − (t − t_0) / (n Δt))³
    /// ```
    ///
    /// with `t_0` begin, `n Δt` end − begin. Updates are at `begin`, then `every` so many steps, and at `end`.
    ///
    /// Zhu & Gupta, *To prune, or not to prune*, 2017, <https://arxiv.org/abs/1710.01878>
    Cubic {
        /// Fraction removed at the beginning, s_i, in `[0, sparsity]`. Default: 0.0, the dense network.
        #[serde(default)]
        initial: f64,
        /// Fraction removed at the end, s_f, in `[0, 1)`.
        sparsity: f64,
        /// First step.
        begin: usize,
        /// Last step. Not before `begin`.
        end: usize,
        /// Steps between updates, Δt. At least 1.
        every: usize,
    },
    /// A threshold that rises slowly up to `ramp` and faster after it; the sparsity is what comes of it.
    ///
    /// ```text
    /// ε = θ (t − start + 1) / every                                  t < ramp
    /// ε = (θ (ramp − start + 1) + φ (t − ramp + 1)) / every          t ≥ ramp
    /// ```
    ///
    /// Updates are at the multiples of `every` between `start` and `end`, both excluded.
    ///
    /// Narang et al., *Exploring Sparsity in Recurrent Neural Networks*, 2017, <https://arxiv.org/abs/1704.05119>
    Ramp {
        /// Step after which pruning begins, start_itr.
        start: usize,
        /// Step from which the threshold rises faster, ramp_itr. Not before `start`.
        ramp: usize,
        /// Step before which pruning ends, end_itr. Not before `ramp`.
        end: usize,
        /// Steps between updates, freq. At least 1.
        every: usize,
        /// θ: how much the threshold rises from update to update before `ramp`. 0 or more.
        start_slope: f64,
        /// φ: how much it rises after. 0 or more; the paper takes 1.5 to 2 times θ.
        ramp_slope: f64,
    },
}

impl PruneSchedule {
    /// A ramp with the slopes that the paper suggests: given that `quantile` is the magnitude below which 90 % of the weights
    /// of a similar dense network lie,
    ///
    /// ```text
    /// θ = 2 · quantile · every / (2 (ramp − start) + 3 (end − ramp)),   φ = 1.5 θ
    /// ```
    ///
    /// # Panics
    /// If the steps are not in order, or `start` and `end` are the same.
    pub fn ramp_to(quantile: f64, [start, ramp, end]: [usize; 3], every: usize) -> Self {
        assert!(
            start <= ramp && ramp <= end && start < end,
            "a ramp starts at {start}, ramps from {ramp} and ends at {end}, expected ascending steps"
        );
        let steps = 2 * (ramp - start) + 3 * (end - ramp);
        let start_slope = 2.0 * quantile * every as f64 / steps as f64;
        Self::Ramp {
            start,
            ramp,
            end,
            every,
            start_slope,
            ramp_slope: 1.5 * start_slope,
        }
    }

    /// How much is pruned at a step, whether or not there is an update; before pruning begins a sparsity or threshold of 0.
    pub fn at(&self, step: usize) -> Amount {
        match *self {
            Self::OneShot { at, .. } if step < at => Amount::Sparsity(0.0),
            Self::OneShot { sparsity, .. } => Amount::Sparsity(sparsity),
            Self::Cubic { begin, .. } if step < begin => Amount::Sparsity(0.0),
            Self::Cubic { sparsity, end, .. } if step >= end => Amount::Sparsity(sparsity),
            Self::Cubic {
                initial,
                sparsity,
                begin,
                end,
                ..
            } => {
                let left = 1.0 - (step - begin) as f64 / (end - begin) as f64;
                Amount::Sparsity(sparsity + (initial - sparsity) * left.powi(3))
            }
            Self::Ramp { start, .. } if step <= start => Amount::Threshold(0.0),
            Self::Ramp {
                start,
                ramp,
                end,
                every,
                start_slope,
                ramp_slope,
            } => {
                let step = step.min(end.saturating_sub(1));
                let rise = if step < ramp {
                    start_slope * (step + 1 - start) as f64
                } else {
                    start_slope * (ramp + 1 - start) as f64 + ramp_slope * (step + 1 - ramp) as f64
                };
                Amount::Threshold(rise / every as f64)
            }
        }
    }

    /// The same, where everything takes `factor` times as many steps.
    pub fn stretched(self, factor: usize) -> Self {
        match self {
            Self::OneShot { sparsity, at } => Self::OneShot {
                sparsity,
                at: at * factor,
            },
            Self::Cubic {
                initial,
                sparsity,
                begin,
                end,
                every,
            } => Self::Cubic {
                initial,
                sparsity,
                begin: begin * factor,
                end: end * factor,
                every: every * factor,
            },
            Self::Ramp {
                start,
                ramp,
                end,
                every,
                start_slope,
                ramp_slope,
            } => Self::Ramp {
                start: start * factor,
                ramp: ramp * factor,
                end: end * factor,
                every: every * factor,
                start_slope,
                ramp_slope,
            },
        }
    }

    /// The step after which masks stay as they are.
    pub fn last(&self) -> usize {
        match *self {
            Self::OneShot { at, .. } => at,
            Self::Cubic { end, .. } | Self::Ramp { end, .. } => end,
        }
    }

    /// Whether masks are updated at a step.
    pub fn is_due(&self, step: usize) -> bool {
        match *self {
            Self::OneShot { at, .. } => step == at,
            Self::Cubic {
                begin, end, every, ..
            } => {
                (begin..=end).contains(&step)
                    && ((step - begin).is_multiple_of(every) || step == end)
            }
            Self::Ramp {
                start, end, every, ..
            } => start < step && step < end && step.is_multiple_of(every),
        }
    }

    /// Checks what was read from a file.
    ///
    /// # Errors
    /// If a value is outside the range that its field gives.
    pub fn validate(&self) -> Result<(), PruneError> {
        let ordered = |valid, field, found: usize, expected| {
            PruneError::unless(valid, field, found as f64, expected)
        };
        match *self {
            Self::OneShot { sparsity, .. } => PruneError::unless_fraction("sparsity", sparsity),
            Self::Cubic {
                initial,
                sparsity,
                begin,
                end,
                every,
            } => {
                PruneError::unless_fraction("sparsity", sparsity)?;
                let valid = (0.0..=sparsity).contains(&initial);
                PruneError::unless(
                    valid,
                    "initial",
                    initial,
                    "0 or more and at most `sparsity`",
                )?;
                ordered(begin <= end, "end", end, "`begin` or later")?;
                ordered(every > 0, "every", every, "at least 1")
            }
            Self::Ramp {
                start,
                ramp,
                end,
                every,
                start_slope,
                ramp_slope,
            } => {
                ordered(start <= ramp, "ramp", ramp, "`start` or later")?;
                ordered(ramp <= end, "end", end, "`ramp` or later")?;
                ordered(every > 0, "every", every, "at least 1")?;
                for (field, slope) in [("start_slope", start_slope), ("ramp_slope", ramp_slope)] {
                    let valid = slope >= 0.0 && slope.is_finite();
                    PruneError::unless(valid, field, slope, "0 or more")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparsity(schedule: &PruneSchedule, step: usize) -> f64 {
        match schedule.at(step) {
            Amount::Sparsity(sparsity) => sparsity,
            Amount::Threshold(threshold) => panic!("threshold {threshold}"),
        }
    }

    fn threshold(schedule: &PruneSchedule, step: usize) -> f64 {
        match schedule.at(step) {
            Amount::Threshold(threshold) => threshold,
            Amount::Sparsity(sparsity) => panic!("sparsity {sparsity}"),
        }
    }

    #[test]
    fn cubic_follows_its_formula_and_never_falls() {
        let cubic = PruneSchedule::Cubic {
            initial: 0.2,
            sparsity: 0.9,
            begin: 100,
            end: 500,
            every: 30,
        };
        assert_eq!(sparsity(&cubic, 99), 0.0);
        assert!((sparsity(&cubic, 100) - 0.2).abs() < 1e-12);
        // 0.9 − 0.7 · (3/4)³ and 0.9 − 0.7 · (1/4)³
        assert!((sparsity(&cubic, 200) - 0.6046875).abs() < 1e-12);
        assert!((sparsity(&cubic, 400) - 0.8890625).abs() < 1e-12);
        assert_eq!(sparsity(&cubic, 500), 0.9);
        let rises = |step| sparsity(&cubic, step) <= sparsity(&cubic, step + 1);
        assert!((0..600).all(rises));

        let due: Vec<usize> = (0..600).filter(|&step| cubic.is_due(step)).collect();
        assert_eq!(due[..3], [100, 130, 160]);
        assert_eq!(due[due.len() - 2..], [490, 500]);
    }

    #[test]
    fn one_shot_is_one_step() {
        let once = PruneSchedule::OneShot {
            sparsity: 0.5,
            at: 7,
        };
        assert_eq!((sparsity(&once, 6), sparsity(&once, 7)), (0.0, 0.5));
        assert_eq!((0..20).filter(|&step| once.is_due(step)).count(), 1);
    }

    #[test]
    fn a_ramp_rises_as_in_the_paper() {
        let ramp = PruneSchedule::Ramp {
            start: 10,
            ramp: 30,
            end: 50,
            every: 5,
            start_slope: 0.1,
            ramp_slope: 0.2,
        };
        // θ · 6 / 5, θ · 16 / 5, (θ · 21 + φ · 1) / 5, (θ · 21 + φ · 16) / 5
        for (step, expected) in [(15, 0.12), (25, 0.32), (30, 0.46), (45, 1.06)] {
            let found = threshold(&ramp, step);
            assert!((found - expected).abs() < 1e-12, "{step}: {found}");
        }
        assert_eq!(threshold(&ramp, 10), 0.0);
        assert_eq!(threshold(&ramp, 49), threshold(&ramp, 5000));
        assert!((0..60).all(|step| threshold(&ramp, step) <= threshold(&ramp, step + 1)));
        let due: Vec<usize> = (0..60).filter(|&step| ramp.is_due(step)).collect();
        assert_eq!(due, [15, 20, 25, 30, 35, 40, 45]);
    }

    #[test]
    fn suggested_slopes_end_near_the_quantile() {
        let ramp = PruneSchedule::ramp_to(0.3, [1000, 4000, 9000], 100);
        let PruneSchedule::Ramp {
            start_slope,
            ramp_slope,
            ..
        } = ramp
        else {
            panic!("{ramp:?}");
        };
        // 2 · 0.3 · 100 / (2 · 3000 + 3 · 5000)
        assert!((start_slope - 60.0 / 21000.0).abs() < 1e-15);
        assert!((ramp_slope - 90.0 / 21000.0).abs() < 1e-15);
        assert!((threshold(&ramp, 8999) - 0.3).abs() < 1e-3);
    }

    #[test]
    fn recipes_are_checked() {
        let read = |text| serde_json::from_str::<PruneSchedule>(text);
        let cubic = r#"{"kind": "cubic", "sparsity": 0.5, "begin": 9, "end": 3, "every": 1}"#;
        let message = |schedule: PruneSchedule| schedule.validate().unwrap_err().to_string();
        assert_eq!(
            message(read(cubic).unwrap()),
            "`end` is 3, expected `begin` or later"
        );
        let once = r#"{"kind": "one_shot", "sparsity": 1.0, "at": 3}"#;
        assert_eq!(
            message(read(once).unwrap()),
            "`sparsity` is 1, expected 0 or more and less than 1"
        );
        let unknown = r#"{"kind": "one_shot", "sparsity": 0.5, "at": 3, "every": 2}"#;
        assert!(read(unknown).unwrap_err().to_string().contains("every"));
    }
}
