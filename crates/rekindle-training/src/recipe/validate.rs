//! The ranges of a recipe's values.

use rekindle_cells::{
    CellConfigError, Connections, Direction, Elman, Gru, Merge, Peepholes, StackConfigError,
};
use rekindle_optim::{Average, Mode, NonFinite, RangeError, Schedule, Unit};
use rekindle_regularize::prune::Criterion;

use super::{CellKind, Keep, ModelRecipe, Recipe, RecipeError, TrainingRecipe};
use crate::network::Cells;

/// A value and what it should be.
pub(crate) fn check(
    is_right: bool,
    key: &'static str,
    found: impl ToString,
    expected: &'static str,
) -> Result<(), RecipeError> {
    if is_right {
        return Ok(());
    }
    Err(RecipeError::Range {
        key,
        found: found.to_string(),
        expected,
    })
}

const POSITIVE: &str = "a positive finite number";
const COUNT: &str = "at least 1";
const PROBABILITY: &str = "a probability in [0, 1)";

/// A network beyond this is a slip of the finger, and would end in an allocation that cannot be had.
pub(super) const MOST_WEIGHTS: u128 = 1 << 28;

/// Hidden units times gates, in all layers and directions.
pub(super) fn hidden_columns(model: &ModelRecipe) -> u128 {
    let columns = model.hidden.largest() as u128 * (gates(model) * model.direction.cells()) as u128;
    columns.saturating_mul(model.layers as u128)
}

fn gates(model: &ModelRecipe) -> usize {
    let gates = match model.cell {
        CellKind::Lstm => model.gates.packed(),
        CellKind::Gru => Gru::GATES,
        CellKind::Rnn => Elman::GATES,
    };
    gates.len()
}

/// Weights between hidden units, in all layers and directions; from layer to layer only with dense connections, where
/// their number grows with the square of that of the layers.
fn recurrent_weights(model: &ModelRecipe) -> u128 {
    let hidden = model.hidden.largest();
    let output = model.projected.unwrap_or(hidden) as u128;
    let (hidden, layers) = (hidden as u128, model.layers as u128);
    let mut rows = output;
    if model.peepholes == Peepholes::Full {
        rows += hidden;
    }
    if model.gate_recurrence {
        rows += 3 * hidden;
    }
    let mut all = layers.saturating_mul(rows);
    if model.connections == Connections::Dense {
        let merged = match model.merge {
            Merge::Concat => output * model.direction.cells() as u128,
            Merge::Sum | Merge::Mean | Merge::Mul => output,
        };
        let pairs = layers * (layers - 1) / 2;
        all = all.saturating_add(pairs.saturating_mul(merged));
    }
    let columns = hidden * (gates(model) * model.direction.cells()) as u128;
    all.saturating_mul(columns)
}

impl Recipe {
    /// Checks every value.
    ///
    /// # Errors
    /// If a value is out of its range, or values contradict each other.
    pub fn validate(&self) -> Result<(), RecipeError> {
        check(!self.name.trim().is_empty(), "name", "empty", "a name")?;
        check(
            !self.name.contains(['/', '\\', '\0']),
            "name",
            format!("{:?}", self.name),
            "a name without slashes, because run folders are called after it",
        )?;
        check(
            self.seed <= i64::MAX as u64,
            "seed",
            self.seed,
            "at most 2^63 - 1",
        )?;
        self.check_data()?;
        self.regularize.check()?;
        self.check_text()?;
        self.check_model()?;
        self.training.check()?;
        check(
            self.prune.criterion != Criterion::Sensitivity
                || self.training.on_nonfinite == NonFinite::Error,
            "training.on_nonfinite",
            "a policy that leaves out steps",
            "\"error\" with prune.criterion = \"sensitivity\", which needs the gradient of certain steps",
        )?;
        self.prune.check(self.training.epochs)?;
        self.check_watched()?;
        self.check_watch()
    }

    /// Checks a language model.
    fn check_text(&self) -> Result<(), RecipeError> {
        let Some(text) = &self.text else {
            return Ok(());
        };
        text.check()?;
        check(
            self.model.direction == Direction::Forward,
            "model.direction",
            "a direction that reads from the end",
            "\"forward\" with [text]: what comes next must not be read before",
        )?;
        check(
            !text.tied || self.d_output() == Some(text.embedding),
            "text.tied",
            format!("true with text.embedding = {}", text.embedding),
            "an embedding as wide as what the last layer puts out: model.projected, or model.hidden",
        )
    }

    /// Width of what the stack of a language model puts out, if it is plain to see.
    fn d_output(&self) -> Option<usize> {
        let dense = self.model.connections == Connections::Dense;
        let last = self.model.hidden.numbers().last();
        self.model.projected.or(last).filter(|_| !dense)
    }

    fn check_model(&self) -> Result<(), RecipeError> {
        let model = &self.model;
        let probability = |p: f64| (0.0..1.0).contains(&p);
        let is_right = model.hidden.smallest() > 0;
        check(is_right, "model.hidden", &model.hidden, COUNT)?;
        check(model.layers > 0, "model.layers", model.layers, COUNT)?;
        for (key, value) in [
            ("model.input_dropout", model.input_dropout),
            ("model.dropout", model.dropout),
            ("model.head_dropout", model.head_dropout),
        ] {
            check(probability(value), key, value, PROBABILITY)?;
        }
        model.check_options(&self.regularize)?;
        model.check_normalization(self.training.batch_size)?;
        model.check_lsuv()?;
        check(
            recurrent_weights(model) <= MOST_WEIGHTS,
            "model.hidden",
            format!("{} with model.layers {}", model.hidden, model.layers),
            "fewer units or layers: at most 2^28 recurrent weights, which take 4 GiB in training",
        )?;
        // The width of the input and the lengths of sequences are not known yet; any will do.
        let model = &model.with_max_steps(1);
        Cells::new(model, &self.regularize, 1)
            .validate(model)
            .map_err(|error| match error {
                StackConfigError::Cell(CellConfigError::Init { source }) => source.into(),
                StackConfigError::Units { layers, cells, .. } => RecipeError::Range {
                    key: "model.hidden",
                    found: format!(
                        "{} with model.layers {layers} and {cells} cells a layer",
                        model.hidden
                    ),
                    expected: "a number, or one for each layer, or in each layer one for each direction",
                },
                error => error.into(),
            })
    }

    /// Whether what is decided by the watched metric can be decided.
    fn check_watch(&self) -> Result<(), RecipeError> {
        let training = &self.training;
        let plateau = match &training.schedule {
            Schedule::Plateau(plateau) => Some(plateau),
            _ => None,
        };
        if let Some(plateau) = plateau {
            let is_min = plateau.mode == Mode::Min;
            check(
                is_min == (training.watch.mode() == Mode::Min),
                "training.schedule.mode",
                if is_min { "\"min\"" } else { "\"max\"" },
                "\"min\" if training.watch is a loss, \"max\" if it is an accuracy or F1",
            )?;
        }
        let decides = plateau.is_some()
            || training.patience.is_some()
            || training.keep == Keep::Best
            || matches!(training.average, Average::NonMonotone { .. });
        let data = &self.data;
        let is_drawn = data.problem.is_some();
        let has_valid = is_drawn || data.valid.is_some() || data.valid_fraction > 0.0;
        check(
            !decides || has_valid || !training.watch.valid,
            "training.watch",
            "a metric of a validation set that there is not",
            "data.valid or a positive data.valid_fraction, or training.watch = \"train_loss\", or training.keep = \"last\" \
             without plateau, patience and \"non_monotone\"",
        )
    }
}

impl TrainingRecipe {
    fn check(&self) -> Result<(), RecipeError> {
        check(self.epochs > 0, "training.epochs", self.epochs, COUNT)?;
        check(
            self.batch_size > 0,
            "training.batch_size",
            self.batch_size,
            COUNT,
        )?;
        check(
            self.lr > 0.0 && self.lr.is_finite(),
            "training.lr",
            self.lr,
            POSITIVE,
        )?;
        check(
            self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
            "training.weight_decay",
            self.weight_decay,
            "a finite number of at least 0",
        )?;
        let patience = self.patience.unwrap_or(1);
        check(
            patience > 0,
            "training.patience",
            patience,
            "at least 1; leave it out to never stop early",
        )?;
        self.optimizer.check()?;
        let at = |place| move |source: RangeError| RecipeError::Optim { place, source };
        (self.clip.validate()).map_err(at("training.clip"))?;
        (self.on_nonfinite.validate()).map_err(at("training.on_nonfinite"))?;
        (self.average.validate()).map_err(at("training.average"))?;
        self.check_average()?;
        (self.schedule.validate()).map_err(|source| RecipeError::Schedule {
            key: "training.schedule".into(),
            source,
        })?;
        let mut groups = self.groups.iter().enumerate();
        groups.try_for_each(|(index, group)| group.check(index))
    }

    fn check_average(&self) -> Result<(), RecipeError> {
        check(
            self.average == Average::None || self.optimizer.average().is_none(),
            "training.average",
            "a mean beside that of the optimizer",
            "none with training.optimizer = \"asgd\", or the optimizer \"sgd\"",
        )?;
        let start = match self.average {
            Average::Swa {
                start,
                unit: Unit::Epoch,
                ..
            } => start,
            _ => 0,
        };
        check(
            start <= self.epochs,
            "training.average.start",
            start,
            "an epoch of the run: at most training.epochs",
        )
    }

    /// The mean that is validated and kept: that of the recipe, or that of the optimiser.
    pub(crate) fn mean(&self) -> Average {
        self.optimizer.average().unwrap_or(self.average)
    }
}
