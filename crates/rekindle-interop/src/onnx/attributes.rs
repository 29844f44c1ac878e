//! The attributes of ONNX's recurrent operators.

use rekindle_cells::{Activation, Direction};

use super::OperatorError;

/// The attributes of an `RNN`, `GRU` or `LSTM` node, with ONNX's names, types and defaults.
///
/// # Examples
/// ```
/// use rekindle_interop::onnx::Attributes;
///
/// let attributes = Attributes {
///     direction: "bidirectional".to_string(),
///     activations: vec!["LeakyRelu".to_string(), "tanh".to_string()],
///     activation_alpha: vec![0.1],
///     ..Attributes::default()
/// };
/// assert_eq!(attributes.layout, 0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    /// The α of the activations that have one, in the order of `activations`; functions without α take
    /// none. Where they run out, the default of ONNX's operator of the same name stands: 0.2 for `HardSigmoid`, 0.01 for
    /// `LeakyRelu`, 1 for `Elu` and `ThresholdedRelu`. `Affine` and `ScaledTanh` have none. More than are taken are not
    /// looked at, as by ONNX Runtime. Default: empty.
    pub activation_alpha: Vec<f64>,
    /// The β of the activations that have one. As for α; 0.5 for `HardSigmoid`. Default: empty.
    pub activation_beta: Vec<f64>,
    /// Names of activations, in upper or lower case: `f` of an `RNN`, `f g` of a `GRU`, `f g h` of an `LSTM`, first those of
    /// the forward direction. Default: empty, which means `Tanh`; `Sigmoid Tanh`; `Sigmoid Tanh Tanh`.
    ///
    /// An `RNN` in one direction may name two, as the schema's own default does; the first counts.
    pub activations: Vec<String>,
    /// The arguments of gates and candidates are held within `[−clip, clip]`. Above 0. Default: none, no clip.
    pub clip: Option<f64>,
    /// `forward`, `reverse` or `bidirectional`. Default: `forward`.
    pub direction: String,
    /// Width of the hidden state. It follows from `R`, and is checked if it is given. Default: none.
    pub hidden_size: Option<i64>,
    /// `LSTM`: 1 couples the forget gate to the input gate, `f = 1 − i`. Default: 0.
    pub input_forget: i64,
    /// 0: time first, 1: batch first, in `X`, `Y`, and all states. Default: 0.
    pub layout: i64,
    /// `GRU`: 1 resets after the recurrent product, 0 before it. Default: 0.
    pub linear_before_reset: i64,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            activation_alpha: Vec::new(),
            activation_beta: Vec::new(),
            activations: Vec::new(),
            clip: None,
            direction: "forward".to_string(),
            hidden_size: None,
            input_forget: 0,
            layout: 0,
            linear_before_reset: 0,
        }
    }
}

impl Attributes {
    pub(super) fn direction(&self) -> Result<Direction, OperatorError> {
        match self.direction.as_str() {
            "forward" => Ok(Direction::Forward),
            "reverse" => Ok(Direction::Reverse),
            "bidirectional" => Ok(Direction::Bidirectional),
            found => Err(OperatorError::Direction {
                found: found.to_string(),
            }),
        }
    }

    pub(super) fn is_batch_first(&self) -> Result<bool, OperatorError> {
        switch("layout", self.layout)
    }

    pub(super) fn is_coupled(&self) -> Result<bool, OperatorError> {
        switch("input_forget", self.input_forget)
    }

    pub(super) fn is_linear_before_reset(&self) -> Result<bool, OperatorError> {
        switch("linear_before_reset", self.linear_before_reset)
    }

    /// The activations of each direction, `defaults.len()` of them.
    pub(super) fn activations(
        &self,
        operator: &'static str,
        defaults: &[Activation],
        directions: usize,
    ) -> Result<Vec<Vec<Activation>>, OperatorError> {
        let names = match &self.activations[..] {
            [] => return Ok(vec![defaults.to_vec(); directions]),
            [first, _] if operator == "RNN" && directions == 1 => std::slice::from_ref(first),
            names => names,
        };
        if names.len() != defaults.len() * directions {
            return Err(OperatorError::ActivationCount {
                operator,
                found: names.len(),
                expected: defaults.len() * directions,
            });
        }
        let mut numbers = Numbers {
            alphas: &self.activation_alpha,
            betas: &self.activation_beta,
        };
        let functions: Result<Vec<_>, _> =
            names.iter().map(|name| numbers.function(name)).collect();
        Ok(functions?
            .chunks(defaults.len())
            .map(<[_]>::to_vec)
            .collect())
    }
}

fn switch(attribute: &'static str, found: i64) -> Result<bool, OperatorError> {
    match found {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(OperatorError::Switch { attribute, found }),
    }
}

/// The alphas and betas that are not yet taken.
struct Numbers<'a> {
    alphas: &'a [f64],
    betas: &'a [f64],
}

impl Numbers<'_> {
    fn alpha(&mut self, name: &str, default: Option<f64>) -> Result<f64, OperatorError> {
        take(&mut self.alphas, name, "alpha", default)
    }

    fn beta(&mut self, name: &str, default: Option<f64>) -> Result<f64, OperatorError> {
        take(&mut self.betas, name, "beta", default)
    }

    /// The function of a name, with its numbers.
    fn function(&mut self, name: &str) -> Result<Activation, OperatorError> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "relu" => Activation::Relu,
            "tanh" => Activation::Tanh,
            "sigmoid" => Activation::Sigmoid,
            "softsign" => Activation::Softsign,
            "softplus" => Activation::Softplus,
            "affine" => Activation::Affine {
                alpha: self.alpha(name, None)?,
                beta: self.beta(name, None)?,
            },
            "scaledtanh" => Activation::ScaledTanh {
                alpha: self.alpha(name, None)?,
                beta: self.beta(name, None)?,
            },
            "hardsigmoid" => Activation::HardSigmoid {
                alpha: self.alpha(name, Some(0.2))?,
                beta: self.beta(name, Some(0.5))?,
            },
            "leakyrelu" => Activation::LeakyRelu {
                alpha: self.alpha(name, Some(0.01))?,
            },
            "thresholdedrelu" => Activation::ThresholdedRelu {
                alpha: self.alpha(name, Some(1.0))?,
            },
            "elu" => Activation::Elu {
                alpha: self.alpha(name, Some(1.0))?,
            },
            _ => {
                return Err(OperatorError::Activation {
                    name: name.to_string(),
                });
            }
        })
    }
}

/// The next number, or the default where they have run out.
fn take(
    rest: &mut &[f64],
    name: &str,
    number: &'static str,
    default: Option<f64>,
) -> Result<f64, OperatorError> {
    if let [first, others @ ..] = *rest {
        *rest = others;
        return Ok(*first);
    }
    default.ok_or_else(|| OperatorError::NoDefault {
        name: name.to_string(),
        number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(names: &[&str], alphas: &[f64], betas: &[f64]) -> Attributes {
        Attributes {
            activations: names.iter().map(ToString::to_string).collect(),
            activation_alpha: alphas.to_vec(),
            activation_beta: betas.to_vec(),
            ..Attributes::default()
        }
    }

    const LSTM: [Activation; 3] = [Activation::Sigmoid, Activation::Tanh, Activation::Tanh];

    #[test]
    fn numbers_are_taken_by_the_functions_that_have_them() {
        let names = [
            "HardSigmoid",
            "tanh",
            "LEAKYRELU",
            "Sigmoid",
            "Elu",
            "scaledTanh",
        ];
        let attributes = attributes(&names, &[0.3, 0.1, 0.7, 1.5], &[0.4, 2.0]);
        let [forward, reverse] = &attributes.activations("LSTM", &LSTM, 2).unwrap()[..] else {
            panic!("two directions");
        };
        assert_eq!(
            forward[..],
            [
                Activation::HardSigmoid {
                    alpha: 0.3,
                    beta: 0.4
                },
                Activation::Tanh,
                Activation::LeakyRelu { alpha: 0.1 },
            ]
        );
        assert_eq!(
            reverse[..],
            [
                Activation::Sigmoid,
                Activation::Elu { alpha: 0.7 },
                Activation::ScaledTanh {
                    alpha: 1.5,
                    beta: 2.0
                },
            ]
        );
    }

    #[test]
    fn defaults_stand_where_numbers_run_out() {
        let attributes = attributes(
            &["HardSigmoid", "LeakyRelu", "ThresholdedRelu"],
            &[0.3],
            &[],
        );
        assert_eq!(
            attributes.activations("LSTM", &LSTM, 1).unwrap()[0][..],
            [
                Activation::HardSigmoid {
                    alpha: 0.3,
                    beta: 0.5
                },
                Activation::LeakyRelu { alpha: 0.01 },
                Activation::ThresholdedRelu { alpha: 1.0 },
            ]
        );
        assert_eq!(
            Attributes::default().activations("LSTM", &LSTM, 2).unwrap(),
            [LSTM; 2]
        );
    }

    #[test]
    fn an_rnn_in_one_direction_may_name_two() {
        let attributes = attributes(&["Relu", "Tanh"], &[], &[]);
        let found = attributes
            .activations("RNN", &[Activation::Tanh], 1)
            .unwrap();
        assert_eq!(found, [[Activation::Relu]]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |attributes: Attributes| {
            attributes
                .activations("LSTM", &LSTM, 2)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(attributes(&["Sigmoid", "Tanh", "Tanh"], &[], &[])),
            "activations has 3 names, expected 6: those of LSTM for each direction"
        );
        let six = |name| ["Sigmoid", "Tanh", "Tanh", "Sigmoid", "Tanh", name];
        assert!(
            error(attributes(&six("Swish"), &[], &[]))
                .starts_with("activation \"Swish\" is unknown")
        );
        assert_eq!(
            error(attributes(&six("Affine"), &[2.0], &[])),
            "activation \"Affine\" has no beta, expected a value for it in activation_beta"
        );
    }
}
