//! The next token of a text.

use std::path::Path;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::Device;
use rekindle_data::{
    Chunk, ChunkLength, Streams, TokenBatch, TokenKind, TokenText, Vocabulary, read_text,
};

use super::{Lesson, Part, Sizes, Task};
use crate::files::Checksum;
use crate::network::{Input, Shape, valid_targets};
use crate::recipe::{Recipe, TextRecipe};
use crate::splits::{DataError, Preprocessing};
use crate::sums::Sums;
use crate::{Evaluation, Metric, Network, Scores};

/// The next token of a text, at each of its steps.
///
/// A text is cut into as many rows as a batch has, which are read side by side in chunks of `bptt` steps: the states go on
/// from chunk to chunk, gradients do not.
pub(crate) struct LanguageModel {
    preprocessing: Preprocessing,
    train: TokenText,
    valid: Option<TokenText>,
    test: Option<TokenText>,
    chunks: Vec<Chunk>,
    batch_size: usize,
    bptt: usize,
}

impl LanguageModel {
    /// Reads and checks the texts of a recipe.
    pub(crate) fn read(recipe: &Recipe, text: &TextRecipe) -> Result<Self, DataError> {
        let data = &recipe.data;
        let whole = read_text(&data.train)?;
        let (train, held_out) = match (&data.valid, data.valid_fraction) {
            (None, fraction) if fraction > 0.0 => {
                let (train, valid) = whole.split_at(cut(&whole, fraction, text.tokens));
                (train, Some(valid))
            }
            _ => (whole.as_str(), None),
        };
        let vocabulary = Vocabulary::of(train, text.tokens, text.vocabulary);
        let train = TokenText::new(train, &vocabulary, &data.train);
        let valid = match (held_out, &data.valid) {
            (Some(valid), _) => Some(TokenText::new(valid, &vocabulary, &data.train)),
            (None, Some(path)) => Some(TokenText::read(path, &vocabulary)?),
            (None, None) => None,
        };
        let test = data.test.as_ref();
        let test = test.map(|path| TokenText::read(path, &vocabulary));
        let test = test.transpose()?;
        for text in [Some(&train), valid.as_ref(), test.as_ref()]
            .into_iter()
            .flatten()
        {
            check_length(text)?;
        }
        let batch_size = recipe.training.batch_size;
        Ok(Self {
            chunks: chunks(&train, batch_size, text.bptt),
            preprocessing: Preprocessing::of_text(vocabulary),
            train,
            valid,
            test,
            batch_size,
            bptt: text.bptt,
        })
    }

    fn kind(&self) -> TokenKind {
        let vocabulary = self.preprocessing.vocabulary.as_ref();
        vocabulary.expect("a text has one").kind()
    }
}

/// Where the held-out end of a text begins: at the end of a line of words, anywhere between characters.
fn cut(text: &str, fraction: f64, kind: TokenKind) -> usize {
    let at = ((1.0 - fraction) * text.len() as f64) as usize;
    let at = (at..=text.len())
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(text.len());
    match kind {
        TokenKind::Character => at,
        TokenKind::Word => text[at..].find('\n').map_or(text.len(), |end| at + end + 1),
    }
}

/// A text of one token has no next one.
pub(crate) fn check_length(text: &TokenText) -> Result<(), DataError> {
    match text.tokens.len() {
        found @ 0..2 => Err(DataError::ShortText {
            path: text.source.clone(),
            found,
        }),
        _ => Ok(()),
    }
}

/// The chunks of a text in so many rows.
fn chunks(text: &TokenText, rows: usize, bptt: usize) -> Vec<Chunk> {
    let streams = Streams::new(&[text.tokens.len() - 1], rows);
    streams.chunks(ChunkLength::Fixed { steps: bptt }, 0, 0)
}

fn lesson(text: &TokenText, chunk: &Chunk, device: &Device) -> Lesson {
    let batch = TokenBatch::new(&[&text.tokens], chunk, device);
    Lesson {
        input: Input::Tokens(batch.input),
        targets: valid_targets(batch.target, &batch.lengths),
        goes_on: !chunk.fresh.iter().all(|&fresh| fresh),
        lengths: batch.lengths,
    }
}

/// Scores a network over a text that is cut into rows.
///
/// Each row begins without memory, which the scores of long rows hardly show.
pub(crate) fn evaluate(
    network: &Network,
    text: &TokenText,
    kind: TokenKind,
    [rows, bptt]: [usize; 2],
    device: &Device,
) -> Evaluation {
    let loss = CrossEntropyLossConfig::new().init(device);
    let (mut sum, mut count, mut state) = (0.0, 0, None);
    for chunk in chunks(text, rows, bptt) {
        let lesson = lesson(text, &chunk, device);
        let before = state.take().filter(|_| lesson.goes_on);
        let scored = network.score(lesson.input, &lesson.lengths, before);
        let [answers] = lesson.targets.dims();
        let mean = loss.forward(scored.scores, lesson.targets);
        sum += mean.into_scalar::<f64>() * answers as f64;
        count += answers;
        state = Some(scored.state);
    }
    let characters = text.characters as f64 / text.tokens.len() as f64;
    Evaluation {
        scores: scores(kind, sum / count as f64, characters),
        answers: count,
        confusion: None,
    }
}

/// The scores of a mean loss, for tokens of so many characters.
fn scores(kind: TokenKind, loss: f64, characters: f64) -> Scores {
    let bits = loss / std::f64::consts::LN_2 / characters;
    let mut scores = Scores::of(&[(Metric::Loss, loss), (Metric::BitsPerCharacter, bits)]);
    if kind == TokenKind::Word {
        scores.set(Metric::Perplexity, loss.exp());
    }
    scores
}

impl Task for LanguageModel {
    fn shape(&self) -> Shape {
        self.preprocessing.shape()
    }

    fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    fn checksum(&self) -> String {
        let mut checksum = Checksum::new();
        let texts = [Some(&self.train), self.valid.as_ref(), self.test.as_ref()];
        for text in texts.into_iter().flatten() {
            checksum = checksum.and(&(text.tokens.len() as u64).to_le_bytes());
            for token in &text.tokens {
                checksum = checksum.and(&token.to_le_bytes());
            }
        }
        checksum.to_hex()
    }

    fn sizes(&self) -> Sizes {
        let size = |text: &Option<TokenText>| text.as_ref().map_or(0, |text| text.tokens.len());
        Sizes {
            of: match self.kind() {
                TokenKind::Character => "characters",
                TokenKind::Word => "words",
            },
            train: self.train.tokens.len(),
            valid: size(&self.valid),
            test: size(&self.test),
        }
    }

    fn steps_per_epoch(&self) -> usize {
        self.chunks.len()
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.bptt; self.batch_size]
    }

    fn lessons<'a>(
        &'a self,
        _epoch: usize,
        device: &Device,
    ) -> Box<dyn Iterator<Item = Lesson> + 'a> {
        let device = device.clone();
        let lesson = move |chunk| lesson(&self.train, chunk, &device);
        Box::new(self.chunks.iter().map(lesson))
    }

    fn train_scores(&self, sums: &Sums) -> Scores {
        let characters = self.train.characters as f64 / self.train.tokens.len() as f64;
        scores(self.kind(), sums.loss(), characters)
    }

    fn evaluate(&self, network: &Network, part: Part, device: &Device) -> Option<Evaluation> {
        let text = match part {
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        };
        let shape = [self.batch_size, self.bptt];
        Some(evaluate(
            network,
            text.as_ref()?,
            self.kind(),
            shape,
            device,
        ))
    }
}

/// A text of a file, as numbers of a run's tokens.
///
/// # Errors
/// If the file cannot be read, or has no two tokens.
pub(crate) fn read(path: &Path, vocabulary: &Vocabulary) -> Result<TokenText, DataError> {
    let text = TokenText::read(path, vocabulary)?;
    check_length(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_between_lines() {
        let text = "äöü one\ntwo three\nfour\n";
        let at = cut(text, 0.99, TokenKind::Character);
        assert_eq!(text.split_at(at).0, "ä".repeat(0));
        let at = cut(text, 0.5, TokenKind::Word);
        assert_eq!(text.split_at(at).1, "four\n");
        assert_eq!(cut("no line end", 0.5, TokenKind::Word), 11);
    }

    #[test]
    fn bits_and_perplexity_by_hand() {
        let loss = 8.0_f64.ln();
        let of_characters = scores(TokenKind::Character, loss, 1.0);
        assert!((of_characters.get(Metric::BitsPerCharacter).expect("bits") - 3.0).abs() < 1e-12);
        assert_eq!(of_characters.get(Metric::Perplexity), None);
        let of_words = scores(TokenKind::Word, loss, 6.0);
        assert!((of_words.get(Metric::BitsPerCharacter).expect("bits") - 0.5).abs() < 1e-12);
        assert!((of_words.get(Metric::Perplexity).expect("it") - 8.0).abs() < 1e-12);
    }
}
