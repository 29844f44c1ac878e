//! The ranges of an optimiser's constants.

use rekindle_optim::RangeError;

use super::Optimizer;
use crate::recipe::{RecipeError, check};

/// A constant, what it is, and whether it is right.
type Constant = (&'static str, f64, &'static str, bool);

fn fraction(name: &'static str, value: f64) -> Constant {
    let is_right = (0.0..1.0).contains(&value);
    (name, value, "a number in [0, 1)", is_right)
}

fn positive(name: &'static str, value: f64) -> Constant {
    let is_right = value > 0.0 && value.is_finite();
    (name, value, "a positive finite number", is_right)
}

fn not_negative(name: &'static str, value: f64) -> Constant {
    let is_right = value >= 0.0 && value.is_finite();
    (name, value, "a finite number of at least 0", is_right)
}

impl Optimizer {
    /// Checks every constant.
    pub(in crate::recipe) fn check(&self) -> Result<(), RecipeError> {
        self.check_constants("training.optimizer")?;
        if let Self::Lookahead { inner, .. } = self {
            check(
                !matches!(**inner, Self::Lookahead { .. }),
                "training.optimizer.inner",
                "a lookahead",
                "another optimizer",
            )?;
            inner.check_constants("training.optimizer.inner")?;
        }
        Ok(())
    }

    fn check_constants(&self, place: &'static str) -> Result<(), RecipeError> {
        for (field, found, expected, is_right) in self.constants() {
            if !is_right {
                let source = RangeError {
                    field,
                    found,
                    expected,
                };
                return Err(RecipeError::Optim { place, source });
            }
        }
        let (needs, has) = match *self {
            Self::Sgd {
                momentum, nesterov, ..
            } => (nesterov, momentum > 0.0),
            _ => (false, true),
        };
        let key = "training.optimizer.nesterov";
        check(has || !needs, key, needs, "false without momentum")
    }

    fn constants(&self) -> Vec<Constant> {
        match *self {
            Self::Nadam { momentum_decay, .. } => {
                let mut constants = self.of_adam();
                constants.push(not_negative("momentum_decay", momentum_decay));
                constants
            }
            Self::Sgd {
                momentum,
                dampening,
                ..
            } => {
                let is_right = (0.0..=1.0).contains(&dampening);
                let dampening = ("dampening", dampening, "a number in [0, 1]", is_right);
                vec![fraction("momentum", momentum), dampening]
            }
            Self::Rmsprop {
                alpha,
                momentum,
                epsilon,
                ..
            } => vec![
                fraction("alpha", alpha),
                fraction("momentum", momentum),
                positive("epsilon", epsilon),
            ],
            Self::Asgd { lambd, alpha, .. } => {
                vec![not_negative("lambd", lambd), not_negative("alpha", alpha)]
            }
            Self::Lookahead { steps, alpha, .. } => {
                let is_right = alpha > 0.0 && alpha <= 1.0;
                vec![
                    ("steps", steps as f64, "at least 1", steps > 0),
                    ("alpha", alpha, "a number in (0, 1]", is_right),
                ]
            }
            _ => self.of_adam(),
        }
    }

    /// The constants that Adam and its relatives have; none of the others.
    fn of_adam(&self) -> Vec<Constant> {
        match *self {
            Self::Adam {
                beta_1,
                beta_2,
                epsilon,
            }
            | Self::Adamw {
                beta_1,
                beta_2,
                epsilon,
            }
            | Self::Radam {
                beta_1,
                beta_2,
                epsilon,
                ..
            }
            | Self::Nadam {
                beta_1,
                beta_2,
                epsilon,
                ..
            } => vec![
                fraction("beta_1", beta_1),
                fraction("beta_2", beta_2),
                positive("epsilon", epsilon),
            ],
            _ => Vec::new(),
        }
    }
}
