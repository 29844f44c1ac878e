//! A set of sequences with the same channels and the same kind of label.

use crate::sequence::{Label, Sequence};
use std::path::PathBuf;

/// What the labels of a set are.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Classes, by name. [`Label::Class`] is an index into this list.
    Classes(Vec<String>),
    /// Numbers, for regression.
    Values,
    /// Classes of single steps, by name.
    StepClasses(Vec<String>),
    /// Numbers of single steps, by name.
    StepValues(Vec<String>),
    /// The sequences carry no labels.
    None,
}

impl Target {
    /// Whether a label of a sequence of so many steps is of this kind, or there is none.
    fn fits(&self, label: &Label, steps: usize) -> bool {
        match (label, self) {
            (Label::None, _) | (Label::Value(_), Self::Values) => true,
            (Label::Class(class), Self::Classes(classes)) => *class < classes.len(),
            (Label::StepClasses(own), Self::StepClasses(classes)) => {
                own.len() == steps && own.iter().flatten().all(|class| *class < classes.len())
            }
            (Label::StepValues(values), Self::StepValues(names)) => {
                values.len() == steps * names.len()
            }
            _ => false,
        }
    }
}

/// Sequences that share channels and kind of label, in the order of their file.
///
/// # Examples
///
/// ```
/// use rekindle_data::{Label, Sequence, SequenceSet, Target};
///
/// let set = SequenceSet::new(
///     vec!["x".into()],
///     Target::Classes(vec!["down".into(), "up".into()]),
///     vec![
///         Sequence::new(vec![1.0, 2.0, 3.0], 1, Label::Class(1), None),
///         Sequence::new(vec![2.0, 0.0], 1, Label::Class(0), None),
///     ],
///     "by hand".into(),
/// );
/// assert_eq!((set.len(), set.n_channels(), set.max_len()), (2, 1, 3));
/// assert_eq!(set.class_counts(), [1, 1]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceSet {
    /// The names of the channels, in the order of the values of a step.
    pub channels: Vec<String>,
    /// What the labels are.
    pub target: Target,
    /// The sequences. Each has [`n_channels`](Self::n_channels) channels.
    pub sequences: Vec<Sequence>,
    /// Where the set came from, for messages.
    pub source: PathBuf,
}

/// The channels of a set that are not those expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Another number of channels.
    #[error(
        "{path}: found {} channels ({}), expected {expected}; use a file with as many channels as the training file",
        found.len(), list(found)
    )]
    Count {
        /// The file of the set.
        path: PathBuf,
        /// The channels of the set.
        found: Vec<String>,
        /// The number expected.
        expected: usize,
    },
    /// A channel with another name, or the same names in another order.
    #[error(
        "{path}: channel {position} is `{found}`, expected `{expected}`; name and order the channels as in the training file"
    )]
    Name {
        /// The file of the set.
        path: PathBuf,
        /// The place of the channel, from 1.
        position: usize,
        /// Its name in the set.
        found: String,
        /// The name expected there.
        expected: String,
    },
}

/// Labels that cannot be expressed in the given classes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A sequence of a class that is not among the known classes.
    #[error(
        "{path}: {sequence} has the label `{found}`, expected one of {}; correct the label, or train with this class",
        list(known)
    )]
    Unknown {
        /// The file of the set.
        path: PathBuf,
        /// Which sequence: its name in the file, or its number from 1.
        sequence: String,
        /// Its label.
        found: String,
        /// The classes it may have.
        known: Vec<String>,
    },
    /// The labels are numbers.
    #[error(
        "{path}: found numbers as labels, expected classes ({}); read the file with class labels",
        list(known)
    )]
    Values {
        /// The file of the set.
        path: PathBuf,
        /// The classes expected.
        known: Vec<String>,
    },
}

impl SequenceSet {
    /// A set from its parts.
    ///
    /// # Panics
    ///
    /// If there are no channels, a sequence has another number of channels, or a label is not of the kind that `target`
    /// says ([`Label::None`] is allowed in every set).
    pub fn new(
        channels: Vec<String>,
        target: Target,
        sequences: Vec<Sequence>,
        source: PathBuf,
    ) -> Self {
        assert!(
            !channels.is_empty(),
            "a set has no channels, expected at least 1"
        );
        for (index, sequence) in sequences.iter().enumerate() {
            assert!(
                sequence.n_channels() == channels.len(),
                "sequence {} has {} channels, expected {}",
                index + 1,
                sequence.n_channels(),
                channels.len()
            );
            assert!(
                target.fits(&sequence.label, sequence.len()),
                "sequence {} has the label {:?}, expected one of {target:?}",
                index + 1,
                sequence.label
            );
        }
        Self {
            channels,
            target,
            sequences,
            source,
        }
    }

    /// The number of sequences.
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Whether there is no sequence. The readers never return such a set.
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// The number of channels, at least 1.
    pub fn n_channels(&self) -> usize {
        self.channels.len()
    }

    /// The number of steps of the longest sequence; 0 if there is none.
    pub fn max_len(&self) -> usize {
        self.sequences.iter().map(Sequence::len).max().unwrap_or(0)
    }

    /// The class names in the order of their indices; empty unless the labels are classes.
    pub fn classes(&self) -> &[String] {
        match &self.target {
            Target::Classes(classes) | Target::StepClasses(classes) => classes,
            _ => &[],
        }
    }

    /// The names of the numbers that labels give: `value`, or those of [`Target::StepValues`]; none of classes.
    pub fn numbers(&self) -> Vec<String> {
        match &self.target {
            Target::Values => vec!["value".to_owned()],
            Target::StepValues(names) => names.clone(),
            _ => Vec::new(),
        }
    }

    /// How many sequences, or steps if these have classes, each class has, in the order of [`classes`](Self::classes).
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes().len()];
        for sequence in &self.sequences {
            match &sequence.label {
                Label::Class(class) => counts[*class] += 1,
                Label::StepClasses(classes) => {
                    (classes.iter().flatten()).for_each(|class| counts[*class] += 1);
                }
                _ => (),
            }
        }
        counts
    }

    /// How many answers the labels give: see [`Label::answers`].
    pub fn answers(&self) -> usize {
        let all = self.sequences.iter();
        all.map(|sequence| sequence.label.answers(sequence.len()))
            .sum()
    }

    /// The sequences with the given indices, in the given order, with the same channels, target and source.
    ///
    /// # Panics
    ///
    /// If an index is not below [`len`](Self::len).
    pub fn subset(&self, rows: &[usize]) -> Self {
        Self {
            sequences: rows
                .iter()
                .map(|&row| self.sequences[row].clone())
                .collect(),
            ..self.header()
        }
    }

    /// The sequences of which a label is known; `None` if there is none.
    pub fn labelled(&self) -> Option<Self> {
        let is_labelled = |&row: &usize| {
            let sequence = &self.sequences[row];
            sequence.label.answers(sequence.len()) > 0
        };
        let rows: Vec<usize> = (0..self.len()).filter(is_labelled).collect();
        (!rows.is_empty()).then(|| self.subset(&rows))
    }

    /// The same sequences with their labels as indices into `classes`, usually those of the training set.
    ///
    /// Only the classes that sequences have matter: the file may declare others. A set without labels comes back without
    /// labels.
    ///
    /// # Errors
    ///
    /// [`LabelError::Unknown`] names the first sequence whose class is not in `classes`; [`LabelError::Values`] if the
    /// labels are numbers.
    ///
    /// # Examples
    ///
    /// ```
    /// use rekindle_data::{Label, Sequence, SequenceSet, Target};
    ///
    /// let test = SequenceSet::new(
    ///     vec!["x".into()],
    ///     Target::Classes(vec!["b".into()]),
    ///     vec![Sequence::new(vec![1.0], 1, Label::Class(0), None)],
    ///     "test.csv".into(),
    /// );
    /// let aligned = test.align_classes(&["a".into(), "b".into()]).unwrap();
    /// assert_eq!(aligned.sequences[0].label, Label::Class(1));
    ///
    /// let error = test.align_classes(&["a".into()]).unwrap_err().to_string();
    /// assert!(error.starts_with("test.csv: sequence 1 has the label `b`, expected one of `a`"));
    /// ```
    pub fn align_classes(&self, classes: &[String]) -> Result<Self, LabelError> {
        let own = match &self.target {
            Target::Classes(own) | Target::StepClasses(own) => own,
            Target::Values | Target::StepValues(_) => {
                return Err(LabelError::Values {
                    path: self.source.clone(),
                    known: classes.to_vec(),
                });
            }
            Target::None => return Ok(self.clone()),
        };
        let map: Vec<Option<usize>> = own
            .iter()
            .map(|name| classes.iter().position(|known| known == name))
            .collect();
        let mut aligned = self.clone();
        for (index, sequence) in aligned.sequences.iter_mut().enumerate() {
            let renumber = |class: &mut usize| match map[*class] {
                Some(known) => {
                    *class = known;
                    Ok(())
                }
                None => Err(LabelError::Unknown {
                    path: self.source.clone(),
                    sequence: self.name(index),
                    found: own[*class].clone(),
                    known: classes.to_vec(),
                }),
            };
            match &mut sequence.label {
                Label::Class(class) => renumber(class)?,
                Label::StepClasses(all) => all.iter_mut().flatten().try_for_each(renumber)?,
                _ => (),
            }
        }
        match &mut aligned.target {
            Target::Classes(names) | Target::StepClasses(names) => *names = classes.to_vec(),
            _ => (),
        }
        Ok(aligned)
    }

    /// Whether the channels are those of `expected`, by name and in order.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Count`] if their number differs, else [`ChannelError::Name`] with the first that differs.
    pub fn check_channels(&self, expected: &[String]) -> Result<(), ChannelError> {
        let path = || self.source.clone();
        if self.channels.len() != expected.len() {
            return Err(ChannelError::Count {
                path: path(),
                found: self.channels.clone(),
                expected: expected.len(),
            });
        }
        match self
            .channels
            .iter()
            .zip(expected)
            .position(|(found, expected)| found != expected)
        {
            None => Ok(()),
            Some(index) => Err(ChannelError::Name {
                path: path(),
                position: index + 1,
                found: self.channels[index].clone(),
                expected: expected[index].clone(),
            }),
        }
    }

    /// What messages call a sequence: its name in the file, or its number from 1.
    pub fn name(&self, index: usize) -> String {
        match &self.sequences[index].id {
            Some(id) => format!("series `{id}`"),
            None => format!("sequence {}", index + 1),
        }
    }

    /// A set with everything but the sequences.
    fn header(&self) -> Self {
        Self {
            channels: self.channels.clone(),
            target: self.target.clone(),
            sequences: Vec::new(),
            source: self.source.clone(),
        }
    }
}

/// Names in backticks, the first 12 of them.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// Four sequences of two channels, of classes `b`, `a`, `b` and one without a label.
    fn set() -> SequenceSet {
        let sequence = |steps: usize, label, id: Option<&str>| {
            Sequence::new(vec![0.0; 2 * steps], 2, label, id.map(str::to_owned))
        };
        SequenceSet::new(
            names("x y"),
            Target::Classes(names("b a c")),
            vec![
                sequence(2, Label::Class(0), None),
                sequence(5, Label::Class(1), Some("second")),
                sequence(1, Label::Class(0), None),
                sequence(3, Label::None, None),
            ],
            "folder/set.csv".into(),
        )
    }

    #[test]
    fn counts_and_lengths() {
        let set = set();
        assert_eq!(
            (set.len(), set.n_channels(), set.max_len(), set.is_empty()),
            (4, 2, 5, false)
        );
        assert_eq!(set.class_counts(), [2, 1, 0]);
        assert_eq!(set.classes(), names("b a c"));
        let empty = set.subset(&[]);
        assert_eq!(
            (empty.len(), empty.max_len(), empty.is_empty()),
            (0, 0, true)
        );
    }

    #[test]
    fn a_subset_keeps_the_given_order() {
        let subset = set().subset(&[3, 1]);
        let lengths: Vec<usize> = subset.sequences.iter().map(Sequence::len).collect();
        assert_eq!(lengths, [3, 5]);
        assert_eq!(subset.source, PathBuf::from("folder/set.csv"));
    }

    #[test]
    fn labels_move_to_the_given_classes() {
        let aligned = set().align_classes(&names("a z b")).unwrap();
        let labels: Vec<Label> = aligned
            .sequences
            .iter()
            .map(|sequence| sequence.label.clone())
            .collect();
        assert_eq!(
            labels,
            [
                Label::Class(2),
                Label::Class(0),
                Label::Class(2),
                Label::None
            ]
        );
        assert_eq!(aligned.target, Target::Classes(names("a z b")));
        assert_eq!(aligned.class_counts(), [1, 0, 2]);
    }

    #[test]
    fn an_unknown_label_names_its_sequence() {
        let error = set().align_classes(&names("b z")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "folder/set.csv: series `second` has the label `a`, expected one of `b`, `z`; correct the label, or train \
             with this class"
        );
    }

    #[test]
    fn numbers_are_not_classes_and_no_labels_stay_none() {
        let mut set = set().subset(&[3]);
        set.target = Target::None;
        assert_eq!(set.align_classes(&names("b")).unwrap(), set);
        set.target = Target::Values;
        assert_eq!(
            set.align_classes(&names("b c")).unwrap_err().to_string(),
            "folder/set.csv: found numbers as labels, expected classes (`b`, `c`); read the file with class labels"
        );
    }

    #[test]
    fn channels_are_compared_by_number_name_and_order() {
        let set = set();
        set.check_channels(&names("x y")).unwrap();
        assert_eq!(
            set.check_channels(&names("x")).unwrap_err().to_string(),
            "folder/set.csv: found 2 channels (`x`, `y`), expected 1; use a file with as many channels as the training \
             file"
        );
        assert_eq!(
            set.check_channels(&names("y x")).unwrap_err().to_string(),
            "folder/set.csv: channel 1 is `x`, expected `y`; name and order the channels as in the training file"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let many: Vec<String> = (0..15).map(|index| index.to_string()).collect();
        assert!(list(&many).ends_with("`11` and 3 more"));
        assert_eq!(list(&many[..12]).matches('`').count(), 24);
    }

    #[test]
    #[should_panic(expected = "sequence 1 has 2 channels, expected 1")]
    fn other_channels_are_refused() {
        SequenceSet::new(names("x"), Target::None, set().sequences, PathBuf::new());
    }

    #[test]
    #[should_panic(expected = "sequence 1 has the label Class(0), expected one of Values")]
    fn labels_of_another_kind_are_refused() {
        SequenceSet::new(
            names("x y"),
            Target::Values,
            set().sequences,
            PathBuf::new(),
        );
    }
}
