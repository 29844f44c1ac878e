//! Padded batches.

use crate::chunk::{Chunk, Span};
use crate::sequence::Label;
use crate::set::SequenceSet;
use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::sync::Arc;

/// Some sequences of a set as one tensor, padded to the longest of them.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The values, `[batch, seq, channels]`. Row `b` is valid for `lengths[b]` steps and 0 after them.
    pub input: Tensor<3>,
    /// The number of valid steps of each row, at least 1; the largest is `seq`.
    pub lengths: Vec<usize>,
    /// The class index of each row, `[batch]`; −1 for a row whose label is not a class, which no loss accepts as a class.
    pub targets: Tensor<1, Int>,
    /// The label of each row.
    pub labels: Vec<Label>,
    /// The row of the set that each row of the batch is, to put predictions back in the order of the file.
    pub indices: Vec<usize>,
}

impl Batch {
    /// The steps of a chunk, with the labels of these steps. A row that is at its end has no steps, no label, and index 0.
    ///
    /// # Panics
    ///
    /// If the chunk is not one of the set's sequences.
    pub fn of_chunk(set: &SequenceSet, chunk: &Chunk, device: &Device) -> Self {
        let (lengths, channels) = (chunk.lengths(), set.n_channels());
        let seq = chunk.steps();
        let mut values = vec![0.0_f32; chunk.spans.len() * seq * channels];
        let (mut labels, mut indices) = (Vec::new(), Vec::new());
        for (row, span) in values.chunks_exact_mut(seq * channels).zip(&chunk.spans) {
            let Some(Span { sequence, steps }) = span else {
                labels.push(Label::None);
                indices.push(0);
                continue;
            };
            let read = &set.sequences[*sequence];
            let from = &read.values()[steps.start * channels..steps.end * channels];
            row[..from.len()].copy_from_slice(from);
            labels.push(read.label_of(steps.clone()));
            indices.push(*sequence);
        }
        Self::new(values, lengths, labels, indices, device)
    }

    /// From padded values, row-major `[batch, seq, channels]`.
    fn new(
        values: Vec<f32>,
        lengths: Vec<usize>,
        labels: Vec<Label>,
        indices: Vec<usize>,
        device: &Device,
    ) -> Self {
        let batch = lengths.len();
        let seq = lengths.iter().copied().max().unwrap_or_default();
        let channels = values.len() / (batch * seq);
        let classes: Vec<i64> = labels
            .iter()
            .map(|label| label.class().map_or(-1, |class| class as i64))
            .collect();
        Self {
            input: Tensor::from_data(TensorData::new(values, [batch, seq, channels]), device),
            lengths,
            targets: Tensor::from_data(TensorData::new(classes, [batch]), device),
            labels,
            indices,
        }
    }

    /// The number of rows, at least 1.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Always false: a batch has at least one row.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The regression targets, `[batch]`, on the device of the input; `None` unless every label is a number.
    pub fn values(&self) -> Option<Tensor<1>> {
        let values = self
            .labels
            .iter()
            .map(|label| label.value().map(|value| value as f32));
        let values: Vec<f32> = values.collect::<Option<_>>()?;
        Some(Tensor::from_data(
            TensorData::new(values, [self.len()]),
            &self.input.device(),
        ))
    }
}

/// Makes a [`Batch`] of the rows of a set.
///
/// The items are row numbers, so nothing is copied but the values that go to the device.
///
/// # Examples
///
/// ```
/// use burn::data::dataloader::batcher::Batcher;
/// use burn::tensor::Device;
/// use rekindle_data::{Label, Sequence, SequenceBatcher, SequenceSet, Target};
/// use std::sync::Arc;
///
/// let sequences = vec![
///     Sequence::new(vec![1.0, 2.0, 3.0], 1, Label::Value(0.5), None),
///     Sequence::new(vec![4.0], 1, Label::Value(1.5), None),
/// ];
/// let set = Arc::new(SequenceSet::new(vec!["x".into()], Target::Values, sequences, "by hand".into()));
/// let batch = SequenceBatcher::new(set).batch(vec![1, 0], &Device::default());
/// assert_eq!(batch.input.dims(), [2, 3, 1]);
/// assert_eq!(batch.input.to_data_as::<f32>(), [[[4.0_f32], [0.0], [0.0]], [[1.0], [2.0], [3.0]]].into());
/// assert_eq!(batch.lengths, [1, 3]);
/// ```
#[derive(Debug, Clone)]
pub struct SequenceBatcher {
    set: Arc<SequenceSet>,
}

impl SequenceBatcher {
    /// A batcher of the rows of a set, already scaled.
    pub fn new(set: Arc<SequenceSet>) -> Self {
        Self { set }
    }

    /// The set whose rows are batched.
    pub fn set(&self) -> &SequenceSet {
        &self.set
    }
}

impl Batcher<usize, Batch> for SequenceBatcher {
    /// The batch of the given rows, in the given order.
    ///
    /// # Panics
    ///
    /// If there are no rows, or one is not below the number of sequences.
    fn batch(&self, items: Vec<usize>, device: &Device) -> Batch {
        assert!(!items.is_empty(), "a batch has 0 rows, expected at least 1");
        let sequences = || items.iter().map(|&row| &self.set.sequences[row]);
        let lengths: Vec<usize> = sequences().map(|sequence| sequence.len()).collect();
        let labels: Vec<Label> = sequences().map(|sequence| sequence.label.clone()).collect();
        let (batch, channels) = (items.len(), self.set.n_channels());
        let seq = lengths.iter().copied().max().unwrap_or_default();
        let mut values = vec![0.0_f32; batch * seq * channels];
        for (row, sequence) in values.chunks_exact_mut(seq * channels).zip(sequences()) {
            row[..sequence.values().len()].copy_from_slice(sequence.values());
        }
        Batch::new(values, lengths, labels, items, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::Sequence;
    use crate::set::Target;

    fn batch([first, second]: [Label; 2], target: Target, rows: Vec<usize>) -> Batch {
        let sequences = vec![
            Sequence::new(vec![1.0, 2.0], 2, first, None),
            Sequence::new(vec![3.0, 4.0, 5.0, 6.0], 2, second, None),
        ];
        let set = SequenceSet::new(
            vec!["x".into(), "y".into()],
            target,
            sequences,
            "test".into(),
        );
        SequenceBatcher::new(Arc::new(set)).batch(rows, &Device::default())
    }

    #[test]
    fn rows_follow_the_items_and_are_padded_with_zeros() {
        let classes = Target::Classes(vec!["a".into(), "b".into()]);
        let batch = batch([Label::Class(1), Label::Class(0)], classes, vec![1, 0]);
        assert_eq!(
            batch.input.to_data_as::<f32>(),
            TensorData::from([[[3.0_f32, 4.0], [5.0, 6.0]], [[1.0, 2.0], [0.0, 0.0]]])
        );
        assert_eq!(
            batch.targets.to_data_as::<i64>(),
            TensorData::from([0_i64, 1])
        );
        assert_eq!(
            (batch.lengths.as_slice(), batch.indices.as_slice()),
            ([2, 1].as_slice(), [1, 0].as_slice())
        );
        assert_eq!(batch.labels, [Label::Class(0), Label::Class(1)]);
        assert!(batch.values().is_none() && batch.len() == 2 && !batch.is_empty());
    }

    #[test]
    fn a_batch_is_as_long_as_its_own_longest_row() {
        let batch = batch([Label::None, Label::None], Target::None, vec![0]);
        assert_eq!(batch.input.dims(), [1, 1, 2]);
        assert_eq!(
            batch.targets.to_data_as::<i64>(),
            TensorData::from([-1_i64])
        );
        assert!(batch.values().is_none());
    }

    #[test]
    fn numbers_become_a_tensor() {
        let batch = batch(
            [Label::Value(0.5), Label::Value(-2.0)],
            Target::Values,
            vec![0, 1],
        );
        assert_eq!(
            batch.values().unwrap().to_data_as::<f32>(),
            TensorData::from([0.5_f32, -2.0])
        );
        assert_eq!(
            batch.targets.to_data_as::<i64>(),
            TensorData::from([-1_i64, -1])
        );
    }

    #[test]
    fn chunks_carry_the_labels_of_their_steps() {
        let label = Label::StepClasses(vec![Some(0), None, Some(1)]);
        let long = Sequence::new(vec![1.0, 2.0, 3.0], 1, label, None);
        let short = Sequence::new(vec![4.0], 1, Label::StepClasses(vec![Some(1)]), None);
        let target = Target::StepClasses(vec!["a".into(), "b".into()]);
        let set = SequenceSet::new(vec!["x".into()], target, vec![long, short], "test".into());
        let streams = crate::Streams::new(&[3, 1], 2);
        let chunks = streams.chunks(crate::ChunkLength::Fixed { steps: 1 }, 0, 0);
        let batches: Vec<Batch> = (chunks.iter())
            .map(|chunk| Batch::of_chunk(&set, chunk, &Device::default()))
            .collect();
        // The second row begins with the last step of the first sequence.
        let labels: Vec<_> = batches.iter().map(|batch| batch.labels.clone()).collect();
        let step = |class| Label::StepClasses(vec![class]);
        assert_eq!(labels[0], [step(Some(0)), step(Some(1))]);
        assert_eq!(labels[1], [step(None), step(Some(1))]);
        assert_eq!(
            batches[1].input.to_data_as::<f32>(),
            TensorData::from([[[2.0_f32]], [[4.0]]])
        );
        assert_eq!(batches[1].indices, [0, 1]);
    }

    #[test]
    #[should_panic(expected = "a batch has 0 rows, expected at least 1")]
    fn an_empty_batch_is_refused() {
        batch([Label::None, Label::None], Target::None, vec![]);
    }
}
