//! What a network says of a set of sequences.

mod classes;
mod values;

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use rekindle_data::{Label, SequenceLoader, SequenceSet};
use serde::{Deserialize, Serialize};

pub use classes::{ClassPrediction, ClassPredictions};
pub use values::{ValuePrediction, ValuePredictions};

use crate::preprocessing::Preprocessing;
use crate::{Confusion, Network, Scores};

/// The predictions for a set, in the order of its file.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Classes of sequences or of their steps.
    Classes(ClassPredictions),
    /// Numbers of sequences or of their steps.
    Values(ValuePredictions),
}

/// Scores over a labelled set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The scores.
    pub scores: Scores,
    /// How many answers were scored.
    pub answers: usize,
    /// The confusions of classes; `None` of numbers, and where there are too many, as of the tokens of a text.
    pub confusion: Option<Confusion>,
    /// Some true numbers beside what the network answered; `None` of classes.
    pub track: Option<Track>,
}

/// True and predicted values of one number, to be drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// The number.
    pub name: String,
    /// What the horizontal axis is: steps of a sequence, or answers from the least to the greatest truth.
    pub over: String,
    /// The truth where it is known: place and value, in rising order of place.
    pub truth: Vec<(f64, f64)>,
    /// What the network answered.
    pub predicted: Vec<(f64, f64)>,
}

/// One answer of the network: for a sequence, or for one of its steps.
struct Answer<'a> {
    /// The sequence's name.
    id: String,
    /// Which step, counted from 1; `None`: the answer is that of the sequence.
    step: Option<usize>,
    /// Scores of classes, or numbers on the scale of training.
    scores: &'a [f64],
    /// The label of the sequence.
    label: &'a Label,
}

impl Answer<'_> {
    /// Which step, counted from 0; 0 for an answer of the sequence.
    fn place(&self) -> usize {
        self.step.map_or(0, |step| step - 1)
    }
}

impl Predictions {
    /// Runs a network over a set that is ready for it, without dropout.
    ///
    /// The network should be on a device without autodiff, as `Module::valid` returns it.
    ///
    /// # Panics
    /// If the set has other channels than the network reads.
    pub fn of(
        network: &Network,
        set: &Arc<SequenceSet>,
        preprocessing: &Preprocessing,
        batch_size: usize,
        device: &Device,
    ) -> Self {
        let asked = preprocessing.asked();
        let mut rows: Vec<Vec<f64>> = vec![Vec::new(); set.len()];
        let loader = SequenceLoader::sequential(set.clone(), batch_size, device);
        for batch in loader.iter() {
            let batch = batch.expect("a set in memory yields its batches");
            let scores = network.forward(batch.input, &batch.lengths).into_data();
            let mut scores = scores.iter::<f64>();
            for (&index, &length) in batch.indices.iter().zip(&batch.lengths) {
                let answers = if asked.each_step { length } else { 1 };
                rows[index] = scores.by_ref().take(answers * asked.width).collect();
            }
        }
        let answers = rows.iter().enumerate().flat_map(|(index, rows)| {
            let (id, label) = (id(set, index), &set.sequences[index].label);
            let rows = rows.chunks(asked.width).enumerate();
            rows.map(move |(place, scores)| Answer {
                id: id.clone(),
                step: asked.each_step.then_some(place + 1),
                scores,
                label,
            })
        });
        match asked.is_class {
            true => Self::Classes(ClassPredictions::new(preprocessing, answers)),
            false => Self::Values(ValuePredictions::new(preprocessing, answers)),
        }
    }

    /// Scores over what is labelled; `None` if nothing is.
    pub fn evaluate(&self) -> Option<Evaluation> {
        match self {
            Self::Classes(classes) => classes.evaluate(),
            Self::Values(values) => values.evaluate(),
        }
    }

    /// A CSV text: see [`ClassPredictions::to_csv`] and [`ValuePredictions::to_csv`].
    pub fn to_csv(&self) -> String {
        match self {
            Self::Classes(classes) => classes.to_csv(),
            Self::Values(values) => values.to_csv(),
        }
    }
}

/// The sequence's own name, or its number in the file, counted from 1.
fn id(set: &SequenceSet, index: usize) -> String {
    let number = || (index + 1).to_string();
    set.sequences[index].id.clone().unwrap_or_else(number)
}

/// One line of CSV (RFC 4180), fields quoted where they must be.
fn csv_line(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}
