//! Readers, scaling, splits and padded batches of sequences.
//!
//! A [`SequenceSet`] holds labelled sequences of any length with a fixed list of channels. It is read from a `.ts` file
//! ([`read_ts`]) or a long-format CSV file ([`read_csv`]), scaled with a [`Standardizer`] fitted on the training set
//! only, divided with [`stratified_split`], and fed to Burn in padded batches by a [`SequenceLoader`].
//!
//! Series are labelled with what comes next in them by a [`Forecast`]; a [`Problem`] draws sequences that need long memory.
//!
//! A text becomes numbers by a [`Vocabulary`]. Texts and other long sequences are read as [`Streams`]: side by side in the
//! rows of a batch, chunk by chunk, for truncated backpropagation through time.
//!
//! # Examples
//!
//! ```
//! use burn::data::dataloader::DataLoader;
//! use burn::tensor::Device;
//! use rekindle_data::{LabelKind, Missing, SequenceLoader, Standardizer, read, stratified_split};
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/japanese-vowels"));
//! let set = read(&folder.join("JapaneseVowels_TRAIN.ts"), Missing::Error, LabelKind::Class)?;
//! let (train, valid) = stratified_split(&set, 0.2, 42)?;
//! let scaler = Standardizer::fit(&train);
//! let (train, valid) = (scaler.apply(&train), scaler.apply(&valid));
//! assert_eq!((train.len(), valid.len(), train.n_channels()), (216, 54, 12));
//!
//! let loader = SequenceLoader::shuffled(Arc::new(train), 16, 42, &Device::default());
//! for batch in loader.iter() {
//!     let batch = batch?;
//!     let [rows, seq, channels] = batch.input.dims();
//!     assert_eq!((rows, channels), (batch.len(), 12));
//!     assert_eq!(batch.lengths.iter().max(), Some(&seq));
//! }
//! # Ok(())
//! # }
//! ```

mod batch;
mod chunk;
mod forecast;
mod loader;
mod problem;
mod random;
mod read;
mod scale;
mod sequence;
mod set;
mod split;
mod vocabulary;

pub use batch::{Batch, SequenceBatcher};
pub use chunk::{Chunk, ChunkLength, ChunkLengthError, Span, Streams, TokenBatch};
pub use forecast::{Forecast, ForecastError};
pub use loader::{DEFAULT_POOL, SequenceLoader};
pub use problem::{Problem, ProblemError};
pub use read::{LabelKind, Missing, ReadError, ReadProblem, read, read_csv, read_text, read_ts};
pub use scale::{ScaleError, Scaling, Standardizer};
pub use sequence::{Label, Sequence};
pub use set::{ChannelError, LabelError, SequenceSet, Target};
pub use split::{SplitError, stratified_split};
pub use vocabulary::{TokenKind, TokenText, Vocabulary};
