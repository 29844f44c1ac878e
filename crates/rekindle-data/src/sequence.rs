//! One sequence and its label.

/// What a sequence is labelled with.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Label {
    /// A class, as an index into the class names of the set.
    Class(usize),
    /// A finite number, for regression.
    Value(f64),
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
