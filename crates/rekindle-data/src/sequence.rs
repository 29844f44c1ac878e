//! One sequence and its label.

use std::ops::Range;

/// What a sequence is labelled with.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Label {
    /// A class, as an index into the class names of the set.
    Class(usize),
    /// A finite number, for regression.
    Value(f64),
    /// A class for each step, `[seq]`; `None` where it is not known.
    StepClasses(Vec<Option<usize>>),
    /// Numbers for each step, row-major `[seq, numbers]`; NaN where one is not known.
    StepValues(Vec<f32>),
    /// No label, as in data that is to be predicted. The default.
    #[default]
    None,
}

impl Label {
    /// The class index, if the label is a class.
    pub fn class(&self) -> Option<usize> {
        match self {
            Self::Class(class) => Some(*class),
            _ => None,
        }
    }

    /// The number, if the label is a number.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(*value),
            _ => None,
        }
    }

    /// One of the numbers that it gives, at each step if there is one for each; NaN where it is not known.
    pub(crate) fn numbers(&self, number: usize, width: usize) -> Vec<f64> {
        match self {
            Self::Value(value) => vec![*value],
            Self::StepValues(values) => {
                let of_step = values.iter().skip(number).step_by(width);
                of_step.map(|&value| f64::from(value)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How many answers it gives: 1 for a class or a number, or the steps of which something is known.
    pub fn answers(&self, steps: usize) -> usize {
        match self {
            Self::Class(_) | Self::Value(_) => 1,
            Self::StepClasses(classes) => classes.iter().flatten().count(),
            Self::StepValues(values) => {
                let rows = values.chunks((values.len() / steps.max(1)).max(1));
                rows.filter(|row| row.iter().any(|value| !value.is_nan()))
                    .count()
            }
            Self::None => 0,
        }
    }
}

/// A multivariate sequence: at least one time step, the same channels at each step.
///
/// # Examples
///
/// ```
/// use rekindle_data::{Label, Sequence};
///
/// // Three steps of two channels.
/// let sequence = Sequence::new(vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0], 2, Label::Class(0), None);
/// assert_eq!(sequence.len(), 3);
/// assert_eq!(sequence.step(1), [2.0, 20.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    values: Vec<f32>,
    channels: usize,
    /// What the sequence is labelled with.
    pub label: Label,
    /// What the file calls the sequence: the `series` of a CSV file. A `.ts` file names none.
    pub id: Option<String>,
}

impl Sequence {
    /// A sequence from its values, row-major `[seq, channels]`.
    ///
    /// # Panics
    ///
    /// If `channels` is 0, or `values` is empty or not a whole number of steps.
    pub fn new(values: Vec<f32>, channels: usize, label: Label, id: Option<String>) -> Self {
        assert!(
            channels > 0,
            "a sequence has 0 channels, expected at least 1"
        );
        let steps = values.len() / channels;
        assert!(
            steps > 0 && steps * channels == values.len(),
            "a sequence has {} values, expected a positive multiple of its {channels} channels",
            values.len()
        );
        Self {
            values,
            channels,
            label,
            id,
        }
    }

    /// The number of time steps, at least 1.
    pub fn len(&self) -> usize {
        self.values.len() / self.channels
    }

    /// Always false: a sequence has at least one step.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of channels, at least 1.
    pub fn n_channels(&self) -> usize {
        self.channels
    }

    /// The label of some steps: that of the steps themselves if they have labels, else that of the sequence.
    ///
    /// # Panics
    ///
    /// If the steps are not within the sequence.
    pub fn label_of(&self, steps: Range<usize>) -> Label {
        match &self.label {
            Label::StepClasses(classes) => Label::StepClasses(classes[steps].to_vec()),
            Label::StepValues(values) => {
                let width = values.len() / self.len();
                Label::StepValues(values[steps.start * width..steps.end * width].to_vec())
            }
            label => label.clone(),
        }
    }

    /// Its first steps, with their labels.
    ///
    /// # Panics
    ///
    /// If `steps` is 0, or more than there are.
    pub(crate) fn first(&self, steps: usize) -> Self {
        let values = self.values[..steps * self.channels].to_vec();
        Self::new(
            values,
            self.channels,
            self.label_of(0..steps),
            self.id.clone(),
        )
    }

    /// All values, row-major `[seq, channels]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values of one time step: `[channels]`.
    ///
    /// # Panics
    ///
    /// If `step` is not below [`len`](Self::len).
    pub fn step(&self, step: usize) -> &[f32] {
        &self.values[step * self.channels..][..self.channels]
    }

    /// The time steps in order, each `[channels]`.
    pub fn steps(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.channels)
    }

    /// The time steps in order, to be changed in place, each `[channels]`.
    pub fn steps_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_rows() {
        let sequence = Sequence::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, Label::None, None);
        assert_eq!(
            (sequence.len(), sequence.n_channels(), sequence.is_empty()),
            (2, 3, false)
        );
        let steps: Vec<&[f32]> = sequence.steps().collect();
        assert_eq!(steps, [&[1.0, 2.0, 3.0][..], &[4.0, 5.0, 6.0][..]]);
        assert_eq!(sequence.step(1), steps[1]);
        let label = Label::StepValues(vec![1.0, 2.0, 3.0, 4.0]);
        let labelled = Sequence::new(vec![0.0; 2], 1, label, None);
        assert_eq!(labelled.label_of(1..2), Label::StepValues(vec![3.0, 4.0]));
        assert_eq!(sequence.label_of(0..1), Label::None);
        let mut doubled = sequence.clone();
        doubled
            .steps_mut()
            .flatten()
            .for_each(|value| *value *= 2.0);
        assert_eq!(doubled.values(), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    }

    #[test]
    fn labels_answer_only_for_their_own_kind() {
        assert_eq!(
            (Label::Class(3).class(), Label::Class(3).value()),
            (Some(3), None)
        );
        assert_eq!(
            (Label::Value(0.5).class(), Label::Value(0.5).value()),
            (None, Some(0.5))
        );
        assert_eq!((Label::None.class(), Label::None.value()), (None, None));
        assert_eq!((Label::Class(3).answers(5), Label::None.answers(5)), (1, 0));
        let classes = Label::StepClasses(vec![Some(1), None, Some(0)]);
        assert_eq!((classes.class(), classes.answers(3)), (None, 2));
        let values = Label::StepValues(vec![1.0, f32::NAN, f32::NAN, f32::NAN]);
        assert_eq!((values.value(), values.answers(2)), (None, 1));
    }

    #[test]
    #[should_panic(
        expected = "a sequence has 5 values, expected a positive multiple of its 2 channels"
    )]
    fn a_ragged_sequence_is_refused() {
        Sequence::new(vec![0.0; 5], 2, Label::None, None);
    }

    #[test]
    #[should_panic(expected = "a sequence has 0 values")]
    fn an_empty_sequence_is_refused() {
        Sequence::new(Vec::new(), 2, Label::None, None);
    }
}
