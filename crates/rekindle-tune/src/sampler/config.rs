//! Which sampler, and how: as it stands in files.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{CmaEs, CmaEsConfig, Grid, QuasiRandom, Random, Sampler, SamplerError, Tpe, TpeConfig};
use crate::Space;

/// A sampler as a value: a table with the key `kind` and the settings of that kind, or the name of the kind alone.
///
/// # Examples
/// ```
/// use rekindle_tune::{SamplerConfig, TpeConfig};
///
/// let config: SamplerConfig = serde_json::from_str(r#""tpe""#)?;
/// assert_eq!(config, SamplerConfig::default());
///
/// let config: SamplerConfig = serde_json::from_str(r#"{"kind": "tpe", "startup_trials": 20}"#)?;
/// let expected = TpeConfig { startup_trials: 20, ..TpeConfig::default() };
/// assert_eq!(config, SamplerConfig::Tpe(expected));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SamplerConfig {
    /// [`Random`].
    Random {},
    /// [`Grid`]: all combinations; every number of the space has steps.
    Grid {},
    /// [`QuasiRandom`]: random points without gaps and clusters.
    QuasiRandom {},
    /// [`Tpe`]: learns from the trials before. The default.
    Tpe(TpeConfig),
    /// [`CmaEs`]: learns how numbers depend on each other, in some hundred trials.
    CmaEs(CmaEsConfig),
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self::Tpe(TpeConfig::default())
    }
}

impl SamplerConfig {
    /// The sampler for a space. Its points depend on `seed` and on the history.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn sampler(&self, seed: u64, space: &Space) -> Result<Box<dyn Sampler>, SamplerError> {
        self.validate(space)?;
        Ok(match self {
            Self::Random {} => Box::new(Random { seed }),
            Self::Grid {} => Box::new(Grid),
            Self::QuasiRandom {} => Box::new(QuasiRandom { seed }),
            Self::Tpe(config) => {
                let config = config.clone();
                Box::new(Tpe { config, seed })
            }
            Self::CmaEs(config) => {
                let config = config.clone();
                Box::new(CmaEs { config, seed })
            }
        })
    }

    /// Checks the settings, and that the sampler can search the space.
    ///
    /// # Errors
    /// If a setting is outside its range, a grid has a number without steps, or CMA-ES has no number to move.
    pub fn validate(&self, space: &Space) -> Result<(), SamplerError> {
        match self {
            Self::Random {} | Self::QuasiRandom {} => Ok(()),
            Self::Grid {} => Grid::points(space).map(|_| ()),
            Self::Tpe(config) => config.validate(),
            Self::CmaEs(config) => config.validate_for(space),
        }
    }
}

/// The table.
#[derive(Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    remote = "SamplerConfig"
)]
enum Table {
    Random {},
    Grid {},
    QuasiRandom {},
    Tpe(TpeConfig),
    CmaEs(CmaEsConfig),
}

const KINDS: [&str; 5] = ["random", "grid", "quasi_random", "tpe", "cma_es"];

impl<'de> Deserialize<'de> for SamplerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;

        impl<'de> Visitor<'de> for NameOrTable {
            type Value = SamplerConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "the kind of a sampler, or a table with the key `kind`")
            }

            fn visit_str<E: Error>(self, kind: &str) -> Result<SamplerConfig, E> {
                Ok(match kind {
                    "random" => SamplerConfig::Random {},
                    "grid" => SamplerConfig::Grid {},
                    "quasi_random" => SamplerConfig::QuasiRandom {},
                    "tpe" => SamplerConfig::Tpe(TpeConfig::default()),
                    "cma_es" => SamplerConfig::CmaEs(CmaEsConfig::default()),
                    other => return Err(E::unknown_variant(other, &KINDS)),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SamplerConfig, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Domain, Parameter};
    use serde_json::json;

    fn read(value: serde_json::Value) -> Result<SamplerConfig, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_is_a_table_without_settings() {
        for kind in KINDS {
            let config = read(json!(kind)).unwrap();
            assert_eq!(read(json!({"kind": kind})), Ok(config.clone()));
            // And back.
            let table = serde_json::to_value(&config).unwrap();
            assert_eq!(table["kind"], json!(kind));
            assert_eq!(read(table), Ok(config));
        }
    }

    #[test]
    fn from_toml() {
        #[derive(Deserialize)]
        struct File {
            sampler: SamplerConfig,
        }
        let file: File = toml::from_str("sampler = \"grid\"").unwrap();
        assert_eq!(file.sampler, SamplerConfig::Grid {});
        let file: File = toml::from_str("sampler = { kind = \"cma_es\", sigma = 0.1 }").unwrap();
        let config = CmaEsConfig {
            sigma: 0.1,
            ..CmaEsConfig::default()
        };
        assert_eq!(file.sampler, SamplerConfig::CmaEs(config));
    }

    #[test]
    fn what_is_unknown_is_an_error() {
        for (value, part) in [
            (json!("tpee"), "tpee"),
            (json!({"kind": "tpe", "startup": 3}), "startup"),
            (json!({"kind": "random", "startup": 3}), "startup"),
            (json!({"kind": "simplex"}), "simplex"),
            (json!({"sigma": 1}), "kind"),
            (json!(3), "table"),
        ] {
            let error = read(value).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn settings_are_checked() {
        let parameter = Parameter {
            name: "cell".into(),
            domain: Domain::Choice {
                choices: vec![json!("lstm"), json!("gru")],
            },
            when: vec![],
        };
        let space = Space::new(vec![parameter]).unwrap();
        for (value, error) in [
            (json!({"kind": "tpe", "candidates": 0}), "`candidates` is 0"),
            (
                json!({"kind": "tpe", "prior_weight": 0.0}),
                "`prior_weight` is 0",
            ),
            (
                json!({"kind": "tpe", "good_share": 1.0}),
                "`good_share` is 1",
            ),
            (json!({"kind": "cma_es", "sigma": 2.0}), "`sigma` is 2"),
            (
                json!({"kind": "cma_es", "population": 3}),
                "`population` is 3",
            ),
            (json!("cma_es"), "cma_es finds no number"),
        ] {
            let config = read(value).unwrap();
            let found = config.sampler(0, &space).unwrap_err().to_string();
            assert!(found.starts_with(error), "{found}");
        }
        assert!(read(json!("grid")).unwrap().sampler(0, &space).is_ok());
    }
}
