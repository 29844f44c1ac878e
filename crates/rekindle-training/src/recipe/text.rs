//! The section `[text]`: with it, a run learns a language model.

use rekindle_data::TokenKind;
use rekindle_regularize::dropout::EmbeddingDropout;
use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::validate::check;

/// The section `[text]`. A recipe that has it learns to predict the next token of a text.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct TextRecipe {
    /// What the text is cut into. Default: characters.
    pub tokens: TokenKind,
    /// How many tokens are known at most; the rarest are left out. Default: 0, all.
    pub vocabulary: usize,
    /// Width of the vectors of tokens, at least 1. Default: 64.
    pub embedding: usize,
    /// Probability that all of a token's occurrences in a batch are dropped, in `[0, 1)`. Default: 0.
    pub embedding_dropout: f64,
    /// Whether the scores are taken by the embedding's own vectors (Press and Wolf, 2017,
    /// <https://arxiv.org/abs/1608.05859>). Default: no.
    pub tied: bool,
}

impl Default for TextRecipe {
    fn default() -> Self {
        Self {
            tokens: TokenKind::Character,
            vocabulary: 0,
            embedding: 64,
            embedding_dropout: 0.0,
            tied: false,
        }
    }
}

impl TextRecipe {
    /// Checks the ranges.
    pub(super) fn check(&self) -> Result<(), RecipeError> {
        check(self.embedding > 0, "text.embedding", 0, "at least 1")?;
        let dropout = EmbeddingDropout {
            prob: self.embedding_dropout,
        };
        check(
            dropout.validate().is_ok(),
            "text.embedding_dropout",
            self.embedding_dropout,
            "a probability in [0, 1)",
        )
    }
}
