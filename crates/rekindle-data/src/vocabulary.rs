//! Texts as numbers.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::read::{ReadError, read_text};

/// What a text is cut into.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Unicode characters, line ends among them. The default.
    #[default]
    Character,
    /// What stands between white space; each line end is the token `<eos>`, as in the Penn Treebank files.
    Word,
}

/// The tokens that a model knows, and their numbers.
///
/// Number 0 is the unknown token, which stands for every other one; then come the tokens of the training text, frequent ones
/// first, equally frequent ones by their letters. A text always gives the same numbers.
///
/// # Examples
/// ```
/// use rekindle_data::{TokenKind, Vocabulary};
///
/// let vocabulary = Vocabulary::of("abracadabra", TokenKind::Character, 0);
/// assert_eq!(vocabulary.len(), 6);
/// assert_eq!(vocabulary.encode("bad!"), [2, 1, 5, 0]);
/// assert_eq!(vocabulary.decode(&[2, 1, 5]), "bad");
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Vocabulary {
    kind: TokenKind,
    tokens: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// A vocabulary in a file.
#[derive(Serialize, Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Saved {
    kind: TokenKind,
    tokens: Vec<String>,
}

impl From<Vocabulary> for Saved {
    fn from(vocabulary: Vocabulary) -> Self {
        Self {
            kind: vocabulary.kind,
            tokens: vocabulary.tokens,
        }
    }
}

impl TryFrom<Saved> for Vocabulary {
    type Error = String;

    fn try_from(Saved { kind, tokens }: Saved) -> Result<Self, String> {
        let count = tokens.len();
        let vocabulary = Self::new(kind, tokens);
        match vocabulary.tokens.first() {
            Some(first) if first != kind.unknown() => Err(format!(
                "token 0 is `{first}`, expected `{}`",
                kind.unknown()
            )),
            None => Err("it has no tokens, expected at least the unknown one".into()),
            _ if vocabulary.numbers.len() < count => {
                Err("a token occurs twice, expected each once".into())
            }
            _ => Ok(vocabulary),
        }
    }
}

impl TokenKind {
    /// The token that stands for all that are not known.
    pub fn unknown(self) -> &'static str {
        match self {
            Self::Character => "\u{fffd}",
            Self::Word => "<unk>",
        }
    }

    /// The tokens of a text.
    fn tokens(self, text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Character => Box::new(text.char_indices().map(|(start, letter)| {
                let end = start + letter.len_utf8();
                &text[start..end]
            })),
            Self::Word => Box::new(text.split_inclusive('\n').flat_map(|line| {
                let end = line.ends_with('\n').then_some("<eos>");
                line.split_whitespace().chain(end)
            })),
        }
    }
}

impl Vocabulary {
    fn new(kind: TokenKind, tokens: Vec<String>) -> Self {
        let numbers = tokens.iter().enumerate();
        let numbers = numbers
            .map(|(number, token)| {
                let number = u32::try_from(number).expect("fewer than 2³² tokens");
                (token.clone(), number)
            })
            .collect();
        Self {
            kind,
            tokens,
            numbers,
        }
    }

    /// The vocabulary of a training text.
    ///
    /// `most`: how many tokens it has at most, the unknown one not counted; the rarest are left out. 0: all.
    pub fn of(text: &str, kind: TokenKind, most: usize) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for token in kind.tokens(text).filter(|&token| token != kind.unknown()) {
            *counts.entry(token).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
        if most > 0 {
            counts.truncate(most);
        }
        let known = counts.into_iter().map(|(token, _)| token);
        let tokens = std::iter::once(kind.unknown()).chain(known);
        Self::new(kind, tokens.map(String::from).collect())
    }

    /// What texts are cut into.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// How many tokens there are, the unknown one among them.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Always false: there is the unknown token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token with a number.
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self, number: u32) -> &str {
        &self.tokens[number as usize]
    }

    /// The numbers of a text's tokens; 0 for those that are not known.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let number = |token| self.numbers.get(token).copied().unwrap_or(0);
        self.kind.tokens(text).map(number).collect()
    }

    /// The text of some numbers: words with a space between two, a line end for each `<eos>`.
    ///
    /// # Panics
    /// If there is no token with one of the numbers.
    pub fn decode(&self, numbers: &[u32]) -> String {
        let mut text = String::new();
        for &number in numbers {
            let token = self.token(number);
            match self.kind {
                TokenKind::Character => text.push_str(token),
                TokenKind::Word if token == "<eos>" => text.push('\n'),
                TokenKind::Word => {
                    if !text.is_empty() && !text.ends_with('\n') {
                        text.push(' ');
                    }
                    text.push_str(token);
                }
            }
        }
        text
    }
}

/// A text as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenText {
    /// The numbers of its tokens.
    pub tokens: Vec<u32>,
    /// How many characters it has: what bits per character are taken over.
    pub characters: usize,
    /// Where it came from, for messages.
    pub source: PathBuf,
}

impl TokenText {
    /// A text that is at hand.
    pub fn new(text: &str, vocabulary: &Vocabulary, source: &Path) -> Self {
        Self {
            tokens: vocabulary.encode(text),
            characters: text.chars().count(),
            source: source.to_path_buf(),
        }
    }

    /// Reads a file of text in UTF-8.
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8, or holds nothing but white space.
    pub fn read(path: &Path, vocabulary: &Vocabulary) -> Result<Self, ReadError> {
        Ok(Self::new(&read_text(path)?, vocabulary, path))
    }

    /// The share of tokens that are not known; 0 of no tokens.
    pub fn unknown(&self) -> f64 {
        let unknown = self.tokens.iter().filter(|&&token| token == 0).count();
        unknown as f64 / self.tokens.len().max(1) as f64
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "character",
            Self::Word => "word",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_tokens_come_first_and_rare_ones_are_unknown() {
        let text = "the cat and the dog\nand the end\n";
        let vocabulary = Vocabulary::of(text, TokenKind::Word, 3);
        let tokens: Vec<&str> = (0..4).map(|number| vocabulary.token(number)).collect();
        assert_eq!(tokens, ["<unk>", "the", "<eos>", "and"]);
        assert_eq!(vocabulary.encode("and the cow\n"), [3, 1, 0, 2]);
        assert_eq!(vocabulary.decode(&[1, 3, 2, 1, 0]), "the and\nthe <unk>");
    }

    #[test]
    fn characters_come_back_as_they_were() {
        let text = "Größe: 5 µm\n\tend";
        let vocabulary = Vocabulary::of(text, TokenKind::Character, 0);
        let numbers = vocabulary.encode(text);
        assert_eq!(numbers.len(), text.chars().count());
        assert_eq!(vocabulary.decode(&numbers), text);
        let other = TokenText::new("Größe x", &vocabulary, Path::new("x"));
        assert_eq!((other.characters, other.unknown()), (7, 1.0 / 7.0));
    }

    #[test]
    fn a_saved_vocabulary_is_checked() {
        let vocabulary = Vocabulary::of("to be or not to be", TokenKind::Word, 0);
        let text = serde_json::to_string(&vocabulary).expect("it has a JSON form");
        let loaded: Vocabulary = serde_json::from_str(&text).expect("it was saved");
        assert_eq!(loaded, vocabulary);
        for (damaged, expected) in [
            (r#"{"kind":"word","tokens":[]}"#, "no tokens"),
            (r#"{"kind":"word","tokens":["be"]}"#, "token 0 is `be`"),
            (
                r#"{"kind":"word","tokens":["<unk>","be","be"]}"#,
                "occurs twice",
            ),
        ] {
            let error = serde_json::from_str::<Vocabulary>(damaged).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
