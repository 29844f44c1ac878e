//! Activations as a recipe writes them: a name, or a table with a `kind` and its numbers.

use rekindle_cells::Activation;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

/// The table of an activation. Numbers that are left out are those of ONNX's operator of the same name.
#[derive(Serialize, Deserialize)]
#[serde(
    remote = "Activation",
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields
)]
enum ActivationTable {
    Tanh,
    Sigmoid,
    Relu,
    Affine {
        alpha: f64,
        beta: f64,
    },
    LeakyRelu {
        #[serde(default = "hundredth")]
        alpha: f64,
    },
    ThresholdedRelu {
        #[serde(default = "one")]
        alpha: f64,
    },
    ScaledTanh {
        alpha: f64,
        beta: f64,
    },
    HardSigmoid {
        #[serde(default = "fifth")]
        alpha: f64,
        #[serde(default = "half")]
        beta: f64,
    },
    Elu {
        #[serde(default = "one")]
        alpha: f64,
    },
    Softsign,
    Softplus,
}

fn hundredth() -> f64 {
    0.01
}

fn fifth() -> f64 {
    0.2
}

fn half() -> f64 {
    0.5
}

fn one() -> f64 {
    1.0
}

/// An activation without numbers is its name.
pub(super) fn serialize<S: Serializer>(
    activation: &Activation,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match activation {
        Activation::Tanh
        | Activation::Sigmoid
        | Activation::Relu
        | Activation::Softsign
        | Activation::Softplus => activation.serialize(serializer),
        _ => ActivationTable::serialize(activation, serializer),
    }
}

/// A name alone stands for its kind.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Activation, D::Error> {
    let value = table_of(Value::deserialize(deserializer)?);
    ActivationTable::deserialize(value).map_err(|error| D::Error::custom(error.message()))
}

/// The table of a kind that is given by its name alone; other values as they are.
pub(super) fn table_of(value: Value) -> Value {
    match value {
        Value::String(name) => {
            let kind = ("kind".to_string(), Value::String(name));
            Value::Table(Table::from_iter([kind]))
        }
        value => value,
    }
}
