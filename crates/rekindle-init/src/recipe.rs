//! How values are read from recipes: defaults of fields, and a check that serde leaves out.

use serde::{Deserialize, Deserializer};

/// The default of a gain.
pub(crate) fn one() -> f64 {
    1.0
}

/// The default of a slope and of the spread of sparse weights.
pub(crate) fn hundredth() -> f64 {
    0.01
}

/// Refuses the keys that serde would ignore beside the tag of a variant without fields.
pub(crate) fn no_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoFields {}
    NoFields::deserialize(deserializer).map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::{
        Fan, Gate, GateBias, GateRule, Initializer, Nonlinearity, RecurrentScheme,
        testing::{fixed_kinds, random_kinds},
    };

    /// Reads a scheme from a recipe.
    fn scheme(recipe: &str) -> Result<RecurrentScheme, toml::de::Error> {
        toml::from_str(recipe)
    }

    /// Reads the initializer of a recipe's `input`.
    fn initializer(table: &str) -> Result<Initializer, toml::de::Error> {
        scheme(&format!("input = {table}")).map(|scheme| scheme.input)
    }

    #[test]
    fn every_value_survives_a_round_trip() {
        let gate_biases = [
            GateBias::None,
            GateBias::Forget { value: 1.5 },
            GateBias::Chrono { t_max: 28 },
        ];
        let kinds: Vec<Initializer> = random_kinds().into_iter().chain(fixed_kinds()).collect();
        for initializer in &kinds {
            for gate_bias in gate_biases {
                let scheme = RecurrentScheme {
                    input: initializer.clone(),
                    recurrent: initializer.clone(),
                    bias: initializer.clone(),
                    gate_bias,
                    gates: vec![
                        GateRule {
                            recurrent: Some(initializer.clone()),
                            ..GateRule::new(Gate::Candidate)
                        },
                        GateRule::new(Gate::Reset),
                    ],
                };
                let toml = toml::to_string(&scheme).unwrap();
                assert_eq!(toml::from_str::<RecurrentScheme>(&toml).unwrap(), scheme);
                let json = serde_json::to_string(&scheme).unwrap();
                assert_eq!(
                    serde_json::from_str::<RecurrentScheme>(&json).unwrap(),
                    scheme
                );
            }
        }
        for scheme in [RecurrentScheme::pytorch(), RecurrentScheme::irnn()] {
            let toml = toml::to_string(&scheme).unwrap();
            assert_eq!(toml::from_str::<RecurrentScheme>(&toml).unwrap(), scheme);
        }
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        assert_eq!(scheme("").unwrap(), RecurrentScheme::default());
        assert_eq!(
            scheme("gate_bias = { kind = 'forget' }").unwrap().gate_bias,
            GateBias::Forget { value: 1.0 }
        );
        let relu = Nonlinearity::Relu;
        let slope = 0.01;
        #[rustfmt::skip]
        let cases = [
            ("{ kind = 'normal', std = 2 }", Initializer::Normal { mean: 0.0, std: 2.0 }),
            (
                "{ kind = 'truncated_normal', std = 1, low = -2, high = 2 }",
                Initializer::TruncatedNormal { mean: 0.0, std: 1.0, low: -2.0, high: 2.0 },
            ),
            ("{ kind = 'xavier_uniform' }", Initializer::XavierUniform { gain: 1.0 }),
            ("{ kind = 'xavier_normal' }", Initializer::XavierNormal { gain: 1.0 }),
            ("{ kind = 'he_uniform' }", Initializer::HeUniform { nonlinearity: relu, fan: Fan::In }),
            (
                "{ kind = 'he_normal', nonlinearity = { kind = 'leaky_relu' }, fan = 'out' }",
                Initializer::HeNormal {
                    nonlinearity: Nonlinearity::LeakyRelu { slope },
                    fan: Fan::Out,
                },
            ),
            ("{ kind = 'fan_uniform' }", Initializer::FanUniform { fan: Fan::In }),
            ("{ kind = 'orthogonal' }", Initializer::Orthogonal { gain: 1.0 }),
            ("{ kind = 'identity' }", Initializer::Identity { gain: 1.0 }),
            ("{ kind = 'sparse', sparsity = 0.9 }", Initializer::Sparse { sparsity: 0.9, std: 0.01 }),
        ];
        for (table, expected) in cases {
            assert_eq!(initializer(table).unwrap(), expected);
        }
    }

    #[test]
    fn unknown_keys_and_kinds_are_refused() {
        for table in [
            "{ kind = 'zeros', value = 1 }",
            "{ kind = 'lecun_uniform', gain = 1 }",
            "{ kind = 'lecun_normal', fan = 'out' }",
            "{ kind = 'orthogonal', gian = 2 }",
            "{ kind = 'he_normal', nonlinearity = { kind = 'relu', slope = 1 } }",
            "{ kind = 'he_normal', nonlinearity = { kind = 'tanh', gain = 1 } }",
            "{ kind = 'glorot' }",
            "{ kind = 'uniform', low = 0 }",
            "{ gain = 1 }",
            "{ kind = 'fan_uniform', fan = 'both' }",
        ] {
            assert!(initializer(table).is_err(), "{table}");
        }
        for recipe in [
            "weights = { kind = 'zeros' }",
            "gate_bias = { kind = 'none', value = 1 }",
            "gate_bias = { kind = 'chrono', t_max = -1 }",
            "gate_bias = { kind = 'chrono' }",
            "gates = [{ gate = 'forgot' }]",
            "gates = [{ gate = 'forget', biases = { kind = 'zeros' } }]",
            "gates = [{ bias = { kind = 'zeros' } }]",
        ] {
            assert!(scheme(recipe).is_err(), "{recipe}");
        }
        let message = initializer("{ kind = 'zeros', value = 1 }").unwrap_err();
        assert!(message.to_string().contains("unknown field `value`"));
    }
}
