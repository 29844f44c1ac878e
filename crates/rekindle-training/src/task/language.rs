//! The next token of a text.

use std::path::Path;

use burn::tensor::Device;
use rekindle_data::{
    Chunk, ChunkLength, Streams, TokenBatch, TokenKind, TokenText, Vocabulary, read_text,
};

use super::supervised::entropy;
use super::{Lesson, Part, SharedLesson, Sizes, Targets, Task, shared};
use crate::files::Checksum;
use crate::network::{Input, Shape, valid_targets};
use crate::preprocessing::Preprocessing;
use crate::recipe::{Recipe, TextRecipe};
use crate::splits::DataError;
use crate::sums::Sums;
use crate::{Evaluation, Metric, Network, Scores};

/// The next token of a text, at each of its steps.
///
/// A text is cut into as many rows as a batch has, which are read side by side in chunks of `training.bptt`: the states go on
/// from chunk to chunk, gradients do not.
pub(crate) struct LanguageModel {
    preprocessing: Preprocessing,
    train: TokenText,
    valid: Option<TokenText>,
    test: Option<TokenText>,
    batch_size: usize,
    bptt: ChunkLength,
    seed: u64,
}

impl LanguageModel {
    /// Reads and checks the texts of a recipe.
    pub(crate) fn read(recipe: &Recipe, text: &TextRecipe) -> Result<Self, DataError> {
        let data = &recipe.data;
        let path = data.train.as_ref().expect("a checked recipe has data");
        let whole = read_text(path)?;
        let (train, held_out) = match (&data.valid, data.valid_fraction) {
            (None, fraction) if fraction > 0.0 => {
                let (train, valid) = whole.split_at(cut(&whole, fraction, text.tokens));
                (train, Some(valid))
            }
            _ => (whole.as_str(), None),
        };
        let vocabulary = Vocabulary::of(train, text.tokens, text.vocabulary);
        let mut train = TokenText::new(train, &vocabulary, path);
        let mut valid = match (held_out, &data.valid) {
            (Some(valid), _) => Some(TokenText::new(valid, &vocabulary, path)),
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
        if data.train_on_valid
            && let Some(more) = valid.take()
        {
            train.tokens.extend(more.tokens);
            train.characters += more.characters;
        }
        Ok(Self {
            preprocessing: Preprocessing::of_text(vocabulary),
            train,
            valid,
            test,
            batch_size: recipe.training.batch_size,
            bptt: recipe.chunk_length(),
            seed: recipe.seed,
        })
    }

    /// The chunks of an epoch over the training text.
    fn chunks(&self, epoch: usize) -> Vec<Chunk> {
        streams(&self.train, self.batch_size).chunks(self.bptt, self.seed, epoch)
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

/// A text in so many rows.
fn streams(text: &TokenText, rows: usize) -> Streams {
    Streams::new(&[text.tokens.len() - 1], rows)
}

fn lesson(text: &TokenText, chunk: &Chunk, device: &Device) -> Lesson {
    let batch = TokenBatch::new(&[&text.tokens], chunk, device);
    Lesson {
        input: Input::Tokens(batch.input),
        places: None,
        targets: Targets::Classes(valid_targets(batch.target, &batch.lengths)),
        fresh: Some(batch.fresh),
        lengths: batch.lengths,
        lr_factor: 1.0,
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
    let (mut sum, mut count, mut state) = (0.0, 0, None);
    let length = ChunkLength::Fixed { steps: bptt };
    for chunk in streams(text, rows).chunks(length, 0, 0) {
        let lesson = lesson(text, &chunk, device);
        let before = lesson.begin(network, state.take());
        let scored = network.score(lesson.input, &lesson.lengths, before);
        let (mean, answers) = (lesson.targets.loss(scored.scores), lesson.targets.count());
        sum += mean.into_scalar::<f64>() * answers as f64;
        count += answers;
        state = Some(scored.state);
    }
    let characters = text.characters as f64 / text.tokens.len() as f64;
    Evaluation {
        scores: scores(kind, sum / count as f64, characters),
        answers: count,
        confusion: None,
        track: None,
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
        self.chunks(0).len()
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.bptt.longest(); self.batch_size]
    }

    fn shared_lessons<'a>(
        &'a self,
        epoch: usize,
        devices: &[Device],
    ) -> Box<dyn Iterator<Item = SharedLesson> + 'a> {
        let (devices, usual) = (devices.to_vec(), self.bptt.steps() as f64);
        let is_drawn = matches!(self.bptt, ChunkLength::Random { .. });
        let lessons = move |chunk: Chunk| {
            // Short chunks would count as much as long ones.
            let lr_factor = match is_drawn {
                true => chunk.steps() as f64 / usual,
                false => 1.0,
            };
            shared(chunk.spans.len(), &devices, |rows, device| {
                let part = chunk.rows(rows);
                (part.steps() > 0).then(|| Lesson {
                    lr_factor,
                    ..lesson(&self.train, &part, device)
                })
            })
        };
        Box::new(self.chunks(epoch).into_iter().map(lessons))
    }

    fn sample(
        &self,
        data: Option<&Path>,
        rows: usize,
        device: &Device,
    ) -> Result<Lesson, DataError> {
        let vocabulary = self.preprocessing.vocabulary.as_ref();
        let read = data.map(|path| read(path, vocabulary.expect("a text has one")));
        let read = read.transpose()?;
        let text = read.as_ref().unwrap_or(&self.train);
        let length = ChunkLength::Fixed {
            steps: self.bptt.steps(),
        };
        let chunks = streams(text, rows).chunks(length, 0, 0);
        let first = chunks.first().expect("a text has at least two tokens");
        Ok(lesson(text, first, device))
    }

    fn guess(&self) -> f64 {
        let vocabulary = self.preprocessing.vocabulary.as_ref();
        let mut counts = vec![0; vocabulary.map_or(0, Vocabulary::len)];
        for &token in &self.train.tokens {
            counts[token as usize] += 1;
        }
        entropy(&counts)
    }

    fn train_scores(&self, sums: &Sums) -> Scores {
        let characters = self.train.characters as f64 / self.train.tokens.len() as f64;
        scores(self.kind(), sums.loss(), characters)
    }

    fn evaluate(&self, network: &Network, part: Part, device: &Device) -> Option<Evaluation> {
        let text = part.of(&self.valid, &self.test)?;
        let shape = [self.batch_size, self.bptt.steps()];
        Some(evaluate(network, text, self.kind(), shape, device))
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
