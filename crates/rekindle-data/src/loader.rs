//! The data loader: which sequences form a batch, and in which order the batches come.

use crate::batch::{Batch, SequenceBatcher};
use crate::random::{Purpose, generator, shuffle};
use crate::set::SequenceSet;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many batches of sequences are sorted by length together when a loader shuffles.
///
/// 8 saves most of the padding and still mixes widely. Of an epoch of the Japanese Vowels test set in batches of 16, 32 % is
/// padding without pools (1), 21 % with pools of 2, 12 % with 4, 7 % with 8, and 2 % if the whole set is one pool.
pub const DEFAULT_POOL: usize = 8;

/// Batches of a set for Burn's training loop: every sequence once per epoch, sequences of like length together.
///
/// - [`sequential`](Self::sequential), for evaluation: from the longest sequence to the shortest, equally long ones in the
///   order of the file. Longest first, so that a lack of memory shows in the first batch. The same in every epoch.
/// - [`shuffled`](Self::shuffled), for training: the sequences are shuffled and cut into pools of [`DEFAULT_POOL`] batches;
///   each pool is sorted by length and cut into batches; all batches are shuffled. A batch so holds sequences of like length
///   and little padding, yet its members change from epoch to epoch.
///
/// All batches have `batch_size` rows but one, which has what is left over.
///
/// # Epochs
///
/// Each call of `iter` is the next epoch, whether or not the epoch before was read to its end. The order of an epoch depends
/// on the set, the batch size, the seed and the number of the epoch, and on nothing else: a run that goes on after `n` epochs
/// with [`from_epoch(n)`](Self::from_epoch) sees the batches that an uninterrupted run sees. It is the same on every
/// platform.
///
/// A loader moved with `to_device` or cut with `slice` starts at the epoch at which the original stands, and counts on its
/// own. `slice(start, end)` takes rows of the file, not of an epoch; their [`Batch::indices`] stay those of the whole set.
///
/// # Examples
///
/// ```
/// use burn::data::dataloader::DataLoader;
/// use burn::tensor::Device;
/// use rekindle_data::{Label, Sequence, SequenceLoader, SequenceSet, Target};
/// use std::sync::Arc;
///
/// let sequences = (1..=10).map(|seq| Sequence::new(vec![1.0; seq], 1, Label::None, None)).collect();
/// let set = Arc::new(SequenceSet::new(vec!["x".into()], Target::None, sequences, "by hand".into()));
/// let order = |loader: &SequenceLoader| -> Vec<Vec<usize>> {
///     loader.iter().map(|batch| batch.unwrap().indices).collect()
/// };
///
/// let device = Device::default();
/// let evaluation = SequenceLoader::sequential(set.clone(), 4, &device);
/// assert_eq!(order(&evaluation), [vec![9, 8, 7, 6], vec![5, 4, 3, 2], vec![1, 0]]);
///
/// let training = SequenceLoader::shuffled(set.clone(), 4, 42, &device);
/// let epochs = [order(&training), order(&training), order(&training)];
/// let resumed = SequenceLoader::shuffled(set, 4, 42, &device).from_epoch(2);
/// assert_eq!(order(&resumed), epochs[2]);
/// ```
#[derive(Debug)]
pub struct SequenceLoader {
    batcher: SequenceBatcher,
    /// The rows of the set that are loaded.
    rows: Vec<usize>,
    batch_size: usize,
    order: Order,
    device: Device,
    epoch: AtomicUsize,
}

/// How an epoch is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Sequential,
    Shuffled { seed: u64, pool: usize },
}

impl SequenceLoader {
    /// A loader for evaluation: from the longest sequence to the shortest.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    pub fn sequential(set: Arc<SequenceSet>, batch_size: usize, device: &Device) -> Self {
        Self::new(set, batch_size, Order::Sequential, device)
    }

    /// A loader for training: shuffled anew in each epoch, sequences of like length together.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    pub fn shuffled(set: Arc<SequenceSet>, batch_size: usize, seed: u64, device: &Device) -> Self {
        Self::new(
            set,
            batch_size,
            Order::Shuffled {
                seed,
                pool: DEFAULT_POOL,
            },
            device,
        )
    }

    fn new(set: Arc<SequenceSet>, batch_size: usize, order: Order, device: &Device) -> Self {
        assert!(batch_size > 0, "the batch size is 0, expected at least 1");
        let rows = (0..set.len()).collect();
        let batcher = SequenceBatcher::new(set);
        Self {
            batcher,
            rows,
            batch_size,
            order,
            device: device.clone(),
            epoch: AtomicUsize::new(0),
        }
    }

    /// Sets how many batches of sequences are sorted by length together when the loader shuffles.
    ///
    /// 1 sorts nothing across batches: batches are drawn at random whatever the lengths. More means less padding and less
    /// mixing. Default: [`DEFAULT_POOL`]. A sequential loader has no pools and stays as it is.
    ///
    /// # Panics
    ///
    /// If `batches` is 0.
    pub fn with_pool(mut self, batches: usize) -> Self {
        assert!(batches > 0, "a pool has 0 batches, expected at least 1");
        if let Order::Shuffled { pool, .. } = &mut self.order {
            *pool = batches;
        }
        self
    }

    /// Goes on after `epoch` finished epochs: the next call of `iter` gives what it gives a new loader after `epoch` calls.
    pub fn from_epoch(self, epoch: usize) -> Self {
        Self {
            epoch: AtomicUsize::new(epoch),
            ..self
        }
    }

    /// How many epochs were begun: the number, from 0, of the epoch that the next call of `iter` gives.
    pub fn epoch(&self) -> usize {
        self.epoch.load(Ordering::Relaxed)
    }

    /// The number of batches of an epoch: the number of sequences over the batch size, rounded up.
    pub fn batches_per_epoch(&self) -> usize {
        self.rows.len().div_ceil(self.batch_size)
    }

    /// The rows of the set of each batch of the epoch at which the loader stands, for who makes the batches: several devices
    /// that share each of them.
    pub fn into_rows(self) -> impl Iterator<Item = Vec<usize>> {
        self.plan(self.epoch()).into_iter()
    }

    /// The rows of each batch of an epoch.
    fn plan(&self, epoch: usize) -> Vec<Vec<usize>> {
        let mut rows = self.rows.clone();
        let seq = |row: &usize| self.batcher.set().sequences[*row].len();
        match self.order {
            Order::Sequential => {
                rows.sort_by_key(|row| Reverse(seq(row)));
                rows.chunks(self.batch_size)
                    .map(<[usize]>::to_vec)
                    .collect()
            }
            Order::Shuffled { seed, pool } => {
                let mut rng = generator(Purpose::Epoch, seed, epoch as u64);
                shuffle(&mut rows, &mut rng);
                for pool in rows.chunks_mut(pool.saturating_mul(self.batch_size)) {
                    pool.sort_by_key(seq);
                }
                let mut batches: Vec<_> = rows
                    .chunks(self.batch_size)
                    .map(<[usize]>::to_vec)
                    .collect();
                shuffle(&mut batches, &mut rng);
                batches
            }
        }
    }

    /// A loader of some rows on a device that stands at the same epoch.
    fn with(&self, rows: &[usize], device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            batcher: self.batcher.clone(),
            rows: rows.to_vec(),
            batch_size: self.batch_size,
            order: self.order,
            device: device.clone(),
            epoch: AtomicUsize::new(self.epoch()),
        })
    }
}

impl DataLoader<Batch> for SequenceLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        Box::new(Epoch {
            loader: self,
            batches: self.plan(epoch).into_iter(),
            processed: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.rows.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        self.with(&self.rows, device)
    }

    /// # Panics
    ///
    /// If `start..end` does not lie within the items.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        assert!(
            start <= end && end <= self.rows.len(),
            "the slice {start}..{end} is not within the {} items of the loader",
            self.rows.len()
        );
        self.with(&self.rows[start..end], &self.device)
    }
}

/// The batches of one epoch.
struct Epoch<'a> {
    loader: &'a SequenceLoader,
    batches: std::vec::IntoIter<Vec<usize>>,
    processed: usize,
}

impl Iterator for Epoch<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.batches.next()?;
        self.processed += rows.len();
        Some(Ok(self.loader.batcher.batch(rows, &self.loader.device)))
    }
}

impl DataLoaderIterator<Batch> for Epoch<'_> {
    fn progress(&self) -> Progress {
        Progress::new(
            self.processed,
            self.loader.rows.len(),
            Some("items".to_owned()),
        )
    }
}
