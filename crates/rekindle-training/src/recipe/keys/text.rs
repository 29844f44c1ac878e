//! The keys of language models.

use super::{Key, key};

pub(super) const KEYS: &[Key] = &[
    key(
        "text.tokens",
        "\"character\"",
        "what the text is cut into: \"character\" or \"word\", between white space, with \"<eos>\" for line ends",
    ),
    key(
        "text.vocabulary",
        "0",
        "how many tokens are known at most, the frequent ones; 0 for all of the training text",
    ),
    key(
        "text.embedding",
        "64",
        "width of the vectors of tokens, at least 1",
    ),
    key(
        "text.embedding_dropout",
        "0.0",
        "probability that all of a token's occurrences in a batch are dropped, in [0, 1)",
    ),
    key(
        "text.tied",
        "false",
        "whether scores are taken by the embedding's own vectors, which must be as wide as the last layer's output",
    ),
];
