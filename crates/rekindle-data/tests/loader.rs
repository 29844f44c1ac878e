//! Laws of the loader, for many sizes: an epoch is a permutation, and a function of seed and number.

use burn::data::dataloader::DataLoader;
use burn::data::dataloader::split::split_dataloader;
use burn::tensor::Device;
use rekindle_data::{Batch, Label, Sequence, SequenceLoader, SequenceSet, Target};
use std::sync::Arc;

/// `len` sequences of lengths from 1 to 13 in a scattered order; every value is the number of its sequence, from 1.
fn set(len: usize) -> Arc<SequenceSet> {
    let sequence = |row: usize| {
        let seq = 1 + row * 7 % 13;
        Sequence::new(
            vec![row as f32 + 1.0; 2 * seq],
            2,
            Label::Class(row % 3),
            None,
        )
    };
    let classes = Target::Classes(vec!["a".into(), "b".into(), "c".into()]);
    Arc::new(SequenceSet::new(
        vec!["x".into(), "y".into()],
        classes,
        (0..len).map(sequence).collect(),
        "law".into(),
    ))
}

fn epoch(loader: &dyn DataLoader<Batch>) -> Vec<Batch> {
    loader.iter().collect::<Result<_, _>>().unwrap()
}

fn order(loader: &dyn DataLoader<Batch>) -> Vec<Vec<usize>> {
    epoch(loader)
        .into_iter()
        .map(|batch| batch.indices)
        .collect()
}

/// Loaders of every kind, with sizes that divide and that do not.
fn loaders() -> Vec<(usize, usize, SequenceLoader)> {
    let device = Device::default();
    let mut loaders = Vec::new();
    for len in [1, 7, 16, 61] {
        for batch_size in [1, 4, 16, 100] {
            let new = || SequenceLoader::shuffled(set(len), batch_size, 3, &device);
            loaders.push((
                len,
                batch_size,
                SequenceLoader::sequential(set(len), batch_size, &device),
            ));
            loaders.push((len, batch_size, new()));
            loaders.push((len, batch_size, new().with_pool(1)));
            loaders.push((len, batch_size, new().with_pool(usize::MAX)));
        }
    }
    loaders
}

#[test]
fn every_sequence_comes_once_per_epoch() {
    for (len, batch_size, loader) in loaders() {
        assert_eq!(loader.num_items(), len);
        for _ in 0..3 {
            let order = order(&loader);
            assert_eq!(order.len(), loader.batches_per_epoch());
            assert_eq!(order.len(), len.div_ceil(batch_size));
            let short = order
                .iter()
                .filter(|batch| batch.len() != batch_size)
                .count();
            assert_eq!(short, usize::from(len % batch_size != 0));
            let mut rows = order.concat();
            rows.sort();
            assert_eq!(rows, (0..len).collect::<Vec<_>>());
        }
    }
}

/// Every value, length, label and zero of every batch.
#[test]
fn batches_hold_their_rows_and_zeros() {
    for (len, _, loader) in loaders() {
        let set = set(len);
        for batch in epoch(&loader) {
            let [rows, seq, channels] = batch.input.dims();
            assert_eq!(
                (rows, seq, channels),
                (batch.len(), *batch.lengths.iter().max().unwrap(), 2)
            );
            let input: Vec<f32> = batch.input.to_data_as::<f32>().iter().collect();
            let targets: Vec<i64> = batch.targets.to_data_as::<i64>().iter().collect();
            for (place, &row) in batch.indices.iter().enumerate() {
                let sequence = &set.sequences[row];
                assert_eq!(
                    (batch.lengths[place], batch.labels[place].clone()),
                    (sequence.len(), sequence.label.clone())
                );
                assert_eq!(targets[place], (row % 3) as i64);
                let (valid, padding) =
                    input[place * seq * 2..(place + 1) * seq * 2].split_at(2 * sequence.len());
                assert!(valid.iter().all(|&value| value == row as f32 + 1.0));
                assert!(padding.iter().all(|&value| value == 0.0));
            }
        }
    }
}

#[test]
fn an_epoch_depends_on_seed_and_number_only() {
    let device = Device::default();
    let new = |seed| SequenceLoader::shuffled(set(61), 4, seed, &device);
    let whole = new(5);
    let epochs: Vec<_> = (0..6).map(|_| order(&whole)).collect();
    assert_eq!(whole.epoch(), 6);
    for (number, expected) in epochs.iter().enumerate() {
        let resumed = new(5).from_epoch(number);
        assert_eq!(resumed.epoch(), number);
        assert_eq!(&order(&resumed), expected);
        assert!(epochs[..number].iter().all(|other| other != expected));
    }
    assert_ne!(order(&new(6)), epochs[0]);
    // An epoch that is broken off counts as well.
    let broken = new(5);
    assert!(broken.iter().next().is_some());
    assert_eq!(order(&broken), epochs[1]);
}

/// Not only the order of the batches changes, but who is with whom.
#[test]
fn batches_are_mixed_anew() {
    let loader = SequenceLoader::shuffled(set(61), 4, 5, &Device::default());
    let sorted = |mut order: Vec<Vec<usize>>| {
        order.iter_mut().for_each(|batch| batch.sort());
        order.sort();
        order
    };
    assert_ne!(sorted(order(&loader)), sorted(order(&loader)));
}

#[test]
fn evaluation_goes_from_long_to_short_in_every_epoch() {
    let loader = SequenceLoader::sequential(set(61), 4, &Device::default());
    let lengths: Vec<usize> = epoch(&loader)
        .into_iter()
        .flat_map(|batch| batch.lengths)
        .collect();
    assert!(lengths.is_sorted_by(|left, right| left >= right));
    let rows = order(&loader).concat();
    let set = set(61);
    let ties = rows
        .windows(2)
        .filter(|pair| set.sequences[pair[0]].len() == set.sequences[pair[1]].len());
    assert!(ties.clone().count() > 0 && ties.clone().all(|pair| pair[0] < pair[1]));
    assert_eq!(order(&loader).concat(), rows);
}

#[test]
fn a_moved_loader_goes_on_and_counts_alone() {
    let device = Device::default();
    let loader = SequenceLoader::shuffled(set(20), 4, 9, &device);
    let epochs: Vec<_> = (0..3).map(|_| order(&loader)).collect();
    let original = SequenceLoader::shuffled(set(20), 4, 9, &device).from_epoch(1);
    let moved = original.to_device(&device);
    assert_eq!(order(&*moved), epochs[1]);
    assert_eq!(order(&*moved), epochs[2]);
    assert_eq!(original.epoch(), 1);
    assert_eq!(epoch(&*moved)[0].input.device(), device);
}

#[test]
fn slices_are_rows_of_the_file() {
    let device = Device::default();
    for loader in [
        SequenceLoader::sequential(set(20), 4, &device),
        SequenceLoader::shuffled(set(20), 4, 9, &device).from_epoch(3),
    ] {
        let slice = loader.slice(5, 15);
        assert_eq!(slice.num_items(), 10);
        let mut rows = order(&*slice).concat();
        rows.sort();
        assert_eq!(rows, (5..15).collect::<Vec<_>>());
        assert_eq!(loader.slice(7, 7).iter().count(), 0);
        assert_eq!(order(&*loader.slice(0, 20)), order(&loader));
        let nested = loader.slice(5, 15).slice(1, 3);
        let mut rows = order(&*nested).concat();
        rows.sort();
        assert_eq!(rows, [6, 7]);
    }
}

#[test]
fn burn_divides_the_loader_among_devices() {
    let device = Device::default();
    let loader: Arc<dyn DataLoader<Batch>> =
        Arc::new(SequenceLoader::shuffled(set(21), 4, 9, &device));
    let parts = split_dataloader(loader, &[device.clone(), device]);
    let mut rows: Vec<usize> = parts
        .iter()
        .flat_map(|part| order(&**part).concat())
        .collect();
    rows.sort();
    assert_eq!(rows, (0..21).collect::<Vec<_>>());
}

#[test]
fn progress_counts_sequences() {
    let loader = SequenceLoader::sequential(set(10), 4, &Device::default());
    let mut epoch = loader.iter();
    let mut counts = vec![epoch.progress().items_processed];
    while epoch.next().is_some() {
        counts.push(epoch.progress().items_processed);
    }
    assert_eq!(counts, [0, 4, 8, 10]);
    assert_eq!(epoch.progress().items_total, 10);
    assert!(epoch.progress().is_completed());
}

#[test]
#[should_panic(expected = "the slice 3..11 is not within the 10 items of the loader")]
fn a_slice_beyond_the_end_is_refused() {
    SequenceLoader::sequential(set(10), 4, &Device::default()).slice(3, 11);
}

#[test]
#[should_panic(expected = "the batch size is 0, expected at least 1")]
fn a_batch_size_of_0_is_refused() {
    SequenceLoader::sequential(set(10), 0, &Device::default());
}

#[test]
#[should_panic(expected = "a pool has 0 batches, expected at least 1")]
fn a_pool_of_0_is_refused() {
    let _ = SequenceLoader::shuffled(set(10), 4, 1, &Device::default()).with_pool(0);
}
