//! Schedules of the learning rate, as values.

mod cyclic;
mod one_cycle;
mod polynomial;
mod restarts;
mod table;
#[cfg(test)]
mod tests;
mod validate;

use std::f64::consts::PI;

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::Plateau;

pub use cyclic::{Cyclic, Wave};
pub use one_cycle::{Anneal, OneCycle, Phases};
pub use polynomial::Polynomial;
pub use restarts::CosineRestarts;
pub use table::Between;

/// How the learning rate changes over a run, as a factor of the base rate.
///
/// ```text
/// lr(n) = lr_base · at(n)      n: steps so far, from 0
/// ```
///
/// All bounds are factors of the base rate too, so that changing the rate means changing one number. Every kind but
/// [`Plateau`](Self::Plateau) is stateless: resuming needs only the step. What one step is (an optimiser step, an epoch)
/// is the choice of [`ScheduledLr`](crate::ScheduledLr). The default is a constant rate.
///
/// Schedules nest: [`WarmUp`](Self::WarmUp), [`Then`](Self::Then) and [`Sequential`](Self::Sequential) put one after
/// another, [`Chained`](Self::Chained) multiplies them. In a recipe a schedule is a table with a `kind`; keys that the kind
/// does not have are refused.
///
/// # Other names
/// | PyTorch | Keras | here |
/// |---|---|---|
/// | `ConstantLR` | | `then`: a `constant` factor, then a `constant` |
/// | `StepLR` | `ExponentialDecay(staircase=True)` | `step` |
/// | `MultiStepLR` | | `multi_step` |
/// | `ExponentialLR` | `ExponentialDecay` | `exponential` |
/// | `LinearLR` | | `linear` |
/// | `PolynomialLR` | `PolynomialDecay` | `polynomial` |
/// | | `InverseTimeDecay` | `inverse_time` |
/// | `CosineAnnealingLR` | `CosineDecay` | `cosine`; with `warmup_steps`, inside `warm_up` |
/// | `CosineAnnealingWarmRestarts` | `CosineDecayRestarts` | `cosine_restarts` |
/// | `CyclicLR` | | `cyclic` |
/// | `OneCycleLR` | | `one_cycle` |
/// | `LambdaLR`, `MultiplicativeLR` | `PiecewiseConstantDecay` | `table` |
/// | `SequentialLR` | | `sequential` |
/// | `ChainedScheduler` | | `chained` |
/// | `ReduceLROnPlateau` | `ReduceLROnPlateau` | `plateau` |
///
/// # Differences
/// - Burn's schedulers hold the base rate themselves and limit it to 1. Here it stays a separate value without an upper
///   limit.
/// - Bounds that are rates elsewhere (`eta_min`, `max_lr`, `end_learning_rate`) are factors here.
/// - PyTorch's `CyclicLR` and `OneCycleLR` also move the momentum of the optimiser. A schedule of the learning rate does
///   not.
/// - Each kind is its closed form. PyTorch multiplies from step to step, which agrees up to rounding, but for what the
///   kinds say.
///
/// # Examples
/// ```
/// use rekindle_optim::Schedule;
///
/// let decay = Schedule::Exponential { gamma: 0.5, steps: 1 };
/// assert_eq!(decay.at(0), 1.0);
/// assert_eq!(decay.at(3), 0.125);
///
/// // Ten steps up to the full rate, then down to 1 % of it.
/// let schedule = Schedule::WarmUp {
///     steps: 10,
///     from: 0.1,
///     next: Box::new(Schedule::Cosine { steps: 90, to: 0.01 }),
/// };
/// assert_eq!((schedule.at(0), schedule.at(10), schedule.at(100)), (0.1, 1.0, 0.01));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The same rate at every step: `factor`. `{ kind = "constant" }`
    Constant {
        /// Factor of the base rate. Positive. Default: 1.0, the base rate itself; others serve as parts of a sequence.
        #[serde(default = "one")]
        factor: f64,
    },
    /// A drop at regular intervals: `gamma^⌊n / every⌋`. `{ kind = "step", every = 30 }`
    Step {
        /// Steps between drops. At least 1.
        every: usize,
        /// Factor of each drop. Positive. Default: 0.1, as in PyTorch.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// A drop at each milestone: `gamma^k`, `k` milestones having been reached. `{ kind = "multi_step", milestones = [30, 80] }`
    ///
    /// # Differences
    /// PyTorch lets a milestone be listed twice and then drops twice; here they rise.
    MultiStep {
        /// The steps from which on another drop counts. At least one, rising.
        milestones: Vec<usize>,
        /// Factor of each drop. Positive. Default: 0.1, as in PyTorch.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// Exponential decay: `gamma^(n / steps)`. `{ kind = "exponential", gamma = 0.97 }`
    Exponential {
        /// Factor over `steps` steps. Positive; above 1 the rate grows.
        gamma: f64,
        /// Steps that `gamma` takes. At least 1. Default: 1, as in PyTorch.
        #[serde(default = "one_step")]
        steps: usize,
    },
    /// A straight line: `from + (to − from) · min(n / steps, 1)`. `{ kind = "linear", to = 0.01, steps = 40 }`
    ///
    /// # Differences
    /// PyTorch's `LinearLR` is a warm-up by default, from 1/3 to 1 within 5 steps.
    Linear {
        /// Factor at step 0. At least 0. Default: 1.0, the base rate.
        #[serde(default = "one")]
        from: f64,
        /// Factor from step `steps` on. At least 0.
        to: f64,
        /// Length of the line. At least 1.
        steps: usize,
    },
    /// A power of what is left of the run. `{ kind = "polynomial", steps = 40, power = 2 }`
    Polynomial(Polynomial),
    /// Decay with the inverse of time: `1 / (1 + rate · n / steps)`. `{ kind = "inverse_time", rate = 0.5 }`
    InverseTime {
        /// What `steps` steps add to the denominator. Positive.
        rate: f64,
        /// Steps that `rate` takes. At least 1. Default: 1.
        #[serde(default = "one_step")]
        steps: usize,
        /// Whether only whole multiples of `steps` count: `⌊n / steps⌋`. Default: false.
        #[serde(default)]
        staircase: bool,
    },
    /// Half a wave from 1 down to `to`. `{ kind = "cosine", steps = 40, to = 0.01 }`
    ///
    /// ```text
    /// to + (1 − to) · (1 + cos(π · min(n / steps, 1))) / 2
    /// ```
    ///
    /// # Differences
    /// After `steps` the rate stays at `to`, as in Keras. PyTorch's `CosineAnnealingLR` rises again after `T_max`, though
    /// the paper ends or restarts there.
    ///
    /// # References
    /// Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, 2016,
    /// <https://arxiv.org/abs/1608.03983>
    Cosine {
        /// Length of the way down. At least 1.
        steps: usize,
        /// Factor at its end (`eta_min` or `alpha` elsewhere). At least 0. Default: 0.0.
        #[serde(default)]
        to: f64,
    },
    /// Cosines again and again. `{ kind = "cosine_restarts", steps = 10, t_mult = 2 }`
    CosineRestarts(CosineRestarts),
    /// Up and down between two bounds. `{ kind = "cyclic", high = 5, up = 200 }`
    Cyclic(Cyclic),
    /// Up to the base rate once, then down below the start. `{ kind = "one_cycle", steps = 400 }`
    OneCycle(OneCycle),
    /// Linear growth, then decay with the inverse square root. `{ kind = "noam", warm_up = 400 }`
    ///
    /// ```text
    /// min((n + 1) / warm_up, √(warm_up / (n + 1)))
    /// ```
    ///
    /// # Differences
    /// The base rate is the peak. The paper's rate is `d_model^(−1/2) · min(n^(−1/2), n · warm_up^(−3/2))`, with `n` counted
    /// from 1: the base rate `1 / √(d_model · warm_up)` gives it.
    ///
    /// # References
    /// Vaswani et al., *Attention Is All You Need*, 2017, <https://arxiv.org/abs/1706.03762>
    Noam {
        /// Steps to the peak. At least 1.
        warm_up: usize,
    },
    /// Listed factors. `{ kind = "table", points = [[0, 1.0], [20, 0.3], [30, 0.1]] }`
    ///
    /// Before the first point its factor holds, after the last one the last factor.
    Table {
        /// Steps, rising, each with its factor of at least 0. At least one.
        points: Vec<(usize, f64)>,
        /// What holds between two points. Default: `hold`.
        #[serde(default)]
        between: Between,
    },
    /// A ramp up to the start of another schedule. `{ kind = "warm_up", steps = 5, next = { kind = "cosine", steps = 35 } }`
    ///
    /// ```text
    /// n < steps:  next.at(0) · (from + (1 − from) · n / steps)
    /// otherwise:  next.at(n − steps)
    /// ```
    ///
    /// # References
    /// Goyal et al., *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, 2017,
    /// <https://arxiv.org/abs/1706.02677>
    WarmUp {
        /// Length of the ramp. At least 1.
        steps: usize,
        /// Where it begins, as a factor of its end. At least 0. Default: 0.01, nearly nothing, and yet no step is without
        /// effect.
        #[serde(default = "hundredth")]
        from: f64,
        /// The schedule that follows from its own step zero; not a plateau. Default: constant.
        #[serde(default)]
        next: Box<Schedule>,
    },
    /// `first` for `steps` steps, then `next` from its own step zero: the short form of a [`Sequential`](Self::Sequential)
    /// of two.
    Then {
        /// The schedule to begin with; not a plateau.
        first: Box<Schedule>,
        /// Number of steps that `first` lasts. With 0 only `next` is used.
        steps: usize,
        /// The schedule that follows; not a plateau.
        next: Box<Schedule>,
    },
    /// Schedules one after another, each from its own step zero.
    ///
    /// `{ kind = "sequential", milestones = [5], schedules = [{ kind = "constant", factor = 0.1 }, { kind = "cosine", steps = 35 }] }`
    Sequential {
        /// The schedules, in their order; no plateau. At least one.
        schedules: Vec<Schedule>,
        /// The steps at which the second, third, … begins: rising, one fewer than schedules.
        milestones: Vec<usize>,
    },
    /// The product of schedules that all count from the same step zero.
    ///
    /// `{ kind = "chained", schedules = [{ kind = "exponential", gamma = 0.97 }, { kind = "multi_step", milestones = [30] }] }`
    Chained {
        /// The schedules; no plateau. At least one.
        schedules: Vec<Schedule>,
    },
    /// The rate falls when a metric stops improving. `{ kind = "plateau", factor = 0.5, patience = 5 }`
    ///
    /// The step alone changes nothing, so [`at`](Self::at) is 1;
    /// [`ScheduledLr::observe`](crate::ScheduledLr::observe) lowers the rate.
    Plateau(Plateau),
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { factor: one() }
    }
}

impl Config for Schedule {}

impl Schedule {
    /// The factor of the base rate at `step`, counted from zero.
    ///
    /// # Panics
    /// Some schedules that [`validate`](Self::validate) refuses: drops every 0 steps, sequences of none.
    pub fn at(&self, step: usize) -> f64 {
        let n = step as f64;
        match self {
            Self::Constant { factor } => *factor,
            Self::Step { every, gamma } => gamma.powf((step / every) as f64),
            Self::MultiStep { milestones, gamma } => gamma.powf(reached(milestones, step) as f64),
            Self::Exponential { gamma, steps } => gamma.powf(n / *steps as f64),
            Self::Linear { from, to, steps } => between(*from, *to, n / *steps as f64),
            Self::Polynomial(polynomial) => polynomial.at(step),
            Self::InverseTime {
                rate,
                steps,
                staircase: true,
            } => 1.0 / (1.0 + rate * (step / steps) as f64),
            Self::InverseTime { rate, steps, .. } => 1.0 / (1.0 + rate * n / *steps as f64),
            Self::Cosine { steps, to } => between(*to, 1.0, half_wave(n / *steps as f64)),
            Self::CosineRestarts(restarts) => restarts.at(step),
            Self::Cyclic(cyclic) => cyclic.at(step),
            Self::OneCycle(cycle) => cycle.at(step),
            Self::Noam { warm_up } => {
                let share = (n + 1.0) / *warm_up as f64;
                share.min(share.recip().sqrt())
            }
            Self::Table { points, between } => table::at(points, *between, step),
            Self::WarmUp { steps, from, next } if step < *steps => {
                next.at(0) * between(*from, 1.0, n / *steps as f64)
            }
            Self::WarmUp { steps, next, .. } => next.at(step - steps),
            Self::Then { first, steps, .. } if step < *steps => first.at(step),
            Self::Then { steps, next, .. } => next.at(step - steps),
            Self::Sequential {
                schedules,
                milestones,
            } => {
                let place = reached(milestones, step);
                let begun = place.checked_sub(1).map_or(0, |last| milestones[last]);
                schedules[place].at(step - begun)
            }
            Self::Chained { schedules } => schedules.iter().map(|part| part.at(step)).product(),
            Self::Plateau(_) => 1.0,
        }
    }
}

/// How many milestones, which rise, lie at or before a step.
fn reached(milestones: &[usize], step: usize) -> usize {
    milestones.partition_point(|milestone| *milestone <= step)
}

/// The point on a straight line, 0 at `from` and 1 at `to`; beyond it the end.
fn between(from: f64, to: f64, share: f64) -> f64 {
    if share >= 1.0 {
        return to;
    }
    from + (to - from) * share
}

/// Half a cosine wave: 1 at 0, 0 at 1 and beyond.
///
/// `(1 + cos πx) / 2 = cos²(πx / 2)`, which keeps its digits near the end.
fn half_wave(share: f64) -> f64 {
    if share >= 1.0 {
        return 0.0;
    }
    (PI / 2.0 * share).cos().powi(2)
}

fn one() -> f64 {
    1.0
}

fn tenth() -> f64 {
    0.1
}

fn hundredth() -> f64 {
    0.01
}

fn one_step() -> usize {
    1
}
