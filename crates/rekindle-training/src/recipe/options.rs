//! The options of cells: which cell has which, and their ranges.

use rekindle_cells::{LstmGates, Normalization, RecurrentScheme};
use toml::{Table, Value};

use super::validate::check;
use super::{CellKind, Hidden, ModelRecipe, RecipeError, RegularizeRecipe};

const LSTM: &[CellKind] = &[CellKind::Lstm];
const GRU: &[CellKind] = &[CellKind::Gru];
const RNN: &[CellKind] = &[CellKind::Rnn];
const GATED: &[CellKind] = &[CellKind::Lstm, CellKind::Gru];

/// The keys that not every cell has, and the cells that have them.
pub(super) const OPTIONS: [(&str, &[CellKind]); 13] = [
    ("model.activation", RNN),
    ("model.gate_activation", GATED),
    ("model.candidate_activation", GATED),
    ("model.output_activation", LSTM),
    ("model.gates", LSTM),
    ("model.peepholes", LSTM),
    ("model.gate_recurrence", LSTM),
    ("model.projected", LSTM),
    ("model.cell_clip", LSTM),
    ("model.reset", GRU),
    ("model.update", GRU),
    ("regularize.dropout.candidate", GATED),
    ("regularize.dropout.zoneout_cell", LSTM),
];

const THRESHOLD: &str = "a finite threshold above 0; leave it out for no clip";

const WIDTH: &str = "a width of at least 1 and below model.hidden";

/// The values of options by their keys: all of the model but for its initialisation and normalisation, and dropouts.
struct Values(Table);

impl Values {
    fn of(model: &ModelRecipe, regularize: &RegularizeRecipe) -> Self {
        // Counts that TOML cannot hold can only come from a program; they are refused by their ranges.
        let held = |count: usize| count.min(i64::MAX as usize);
        let model = ModelRecipe {
            hidden: match &model.hidden {
                Hidden::All(number) => Hidden::All(held(*number)),
                Hidden::Layers(_) | Hidden::Cells(_) => Hidden::All(0),
            },
            layers: held(model.layers),
            projected: model.projected.map(held),
            init: RecurrentScheme::default(),
            normalization: Normalization::None,
            ..model.clone()
        };
        let table = Table::try_from(model).expect("a model section has a TOML form");
        let dropout = Table::try_from(regularize.dropout).expect("numbers have a TOML form");
        let section = |key: &str, table| Table::from_iter([(key.to_string(), Value::Table(table))]);
        let mut all = section("model", table);
        all.extend(section("regularize", section("dropout", dropout)));
        Self(all)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        let (first, rest) = key.split_once('.')?;
        rest.split('.')
            .try_fold(self.0.get(first)?, |value, part| value.get(part))
    }

    fn text(&self, key: &str) -> String {
        self.get(key).map_or("none".to_string(), Value::to_string)
    }
}

impl ModelRecipe {
    /// Checks that the cell has the options that are set, and that their values are in range.
    pub(super) fn check_options(&self, regularize: &RegularizeRecipe) -> Result<(), RecipeError> {
        let values = Values::of(self, regularize);
        let defaults = Values::of(&Self::default(), &RegularizeRecipe::default());
        for (key, cells) in OPTIONS {
            if !cells.contains(&self.cell) && values.get(key) != defaults.get(key) {
                let names: Vec<String> = cells.iter().map(|cell| format!("\"{cell}\"")).collect();
                return Err(RecipeError::Option {
                    key,
                    found: values.text(key),
                    cell: self.cell,
                    cells: names.join(" or "),
                });
            }
        }
        for (key, activation) in [
            ("model.activation", self.activation),
            ("model.gate_activation", self.gate_activation),
            ("model.candidate_activation", self.candidate_activation),
            ("model.output_activation", self.output_activation),
        ] {
            let is_right = activation.validate().is_ok();
            check(is_right, key, values.text(key), "finite numbers")?;
        }
        for (key, clip) in [
            ("model.clip", self.clip),
            ("model.cell_clip", self.cell_clip),
        ] {
            if let Some(clip) = clip {
                check(clip > 0.0 && clip.is_finite(), key, clip, THRESHOLD)?;
            }
        }
        if let Some(width) = self.projected {
            let is_right = (1..self.hidden.smallest()).contains(&width);
            check(is_right, "model.projected", width, WIDTH)?;
        }
        check(
            !self.gate_recurrence || self.gates == LstmGates::All,
            "model.gate_recurrence",
            format!("true with model.gates = {}", values.text("model.gates")),
            "false, or model.gates = \"all\": it reads all three gates",
        )
    }
}
