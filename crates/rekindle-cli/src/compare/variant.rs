//! `--vary`: a label, and what it changes in every recipe.

use std::collections::HashSet;
use std::str::FromStr;

use anyhow::{bail, ensure};

/// One variant of every recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// In tables, pictures and names of run folders.
    pub label: String,
    /// `key=value`, as for `--set`; none leaves the recipe as it is.
    pub overrides: Vec<String>,
}

impl Variant {
    /// Whether the variant sets this very key.
    pub fn sets(&self, key: &str) -> bool {
        self.overrides.iter().any(|text| key_of(text) == key)
    }
}

/// `LABEL: KEY=VALUE, KEY=VALUE`; or `KEY=VALUE, …`, which is its own label; or `LABEL` alone, which changes nothing.
///
/// A comma inside brackets, braces or quotes belongs to the value.
impl FromStr for Variant {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (label, changes) = match text.split_once(':') {
            // A colon behind the first `=` is part of a value.
            Some((label, changes)) if !label.contains('=') => (label, Some(changes)),
            _ if text.contains('=') => (text, Some(text)),
            _ => (text, None),
        };
        let label = label.trim();
        ensure!(
            !label.is_empty(),
            "found no label, expected LABEL: KEY=VALUE, …"
        );
        ensure!(
            !label.contains(['/', '\\']) && !label.contains(char::is_control),
            "found the label {label:?}, expected one without slashes, because run folders are called after it; \
             write LABEL: KEY=VALUE, …"
        );
        let overrides = match changes {
            None => Vec::new(),
            Some(changes) if changes.trim().is_empty() => bail!(
                "found nothing behind the colon, expected KEY=VALUE, …; leave the colon out for the recipe as it is"
            ),
            Some(changes) => overrides(changes)?,
        };
        Ok(Self {
            label: label.to_string(),
            overrides,
        })
    }
}

fn overrides(changes: &str) -> anyhow::Result<Vec<String>> {
    let mut known = HashSet::new();
    let mut overrides = Vec::new();
    for change in split(changes) {
        let change = change.trim();
        ensure!(
            change.contains('='),
            "found {change:?}, expected KEY=VALUE; a comma inside a value needs quotes or brackets around it"
        );
        let key = key_of(change);
        ensure!(
            known.insert(key),
            "found {key} twice, expected each key once; remove one"
        );
        overrides.push(change.to_string());
    }
    Ok(overrides)
}

fn key_of(change: &str) -> &str {
    change.split('=').next().unwrap_or_default().trim()
}

/// The pieces between commas, except those inside brackets, braces and quotes.
fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    let mut is_escaped = false;
    for (at, symbol) in text.char_indices() {
        match (quote, symbol) {
            (Some('"'), '\\') => {
                is_escaped = !is_escaped;
                continue;
            }
            (Some(open), symbol) if symbol == open && !is_escaped => quote = None,
            (Some(_), _) => (),
            (None, '"' | '\'') => quote = Some(symbol),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            (None, _) => (),
        }
        is_escaped = false;
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Vec<String>) {
        let variant: Variant = text.parse().expect(text);
        (variant.label, variant.overrides)
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_label_and_its_changes() {
        let expected = ("wide".to_string(), strings(&["model.hidden=96", "seed=1"]));
        assert_eq!(parsed("wide: model.hidden=96, seed=1"), expected);
        assert_eq!(parsed(" wide :model.hidden=96,seed=1 "), expected);
        assert_eq!(parsed("as it is"), ("as it is".to_string(), Vec::new()));
    }

    #[test]
    fn changes_without_a_label_are_their_own() {
        let text = "model.cell=gru, model.hidden=8";
        let changes = strings(&["model.cell=gru", "model.hidden=8"]);
        assert_eq!(parsed(text), (text.to_string(), changes));
        let text = "data.test=C:toy.csv";
        assert_eq!(parsed(text), (text.to_string(), strings(&[text])));
    }

    #[test]
    fn commas_inside_values_stay() {
        let changes = [
            r#"training.schedule={ kind = "exponential", gamma = 0.9 }"#,
            r#"name="a, \" b""#,
            "data.train='c, d'",
            "x=[1, [2, 3], 4]",
        ];
        let text = format!("all: {}", changes.join(","));
        assert_eq!(parsed(&text).1, strings(&changes));
    }

    #[test]
    fn what_is_no_variant_is_refused_with_what_was_expected() {
        for (text, expected) in [
            ("", "found no label"),
            (": seed=1", "found no label"),
            ("a:", "found nothing behind the colon"),
            ("a: ", "leave the colon out"),
            ("a: seed=1,", "found \"\", expected KEY=VALUE"),
            ("a: seed=1,2", "found \"2\", expected KEY=VALUE"),
            ("a: seed=1, seed = 2", "found seed twice"),
            ("a/b: seed=1", "without slashes"),
            ("data.train=a/b.csv", "write LABEL: KEY=VALUE"),
        ] {
            let error = text.parse::<Variant>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_key_is_found_whatever_stands_around_it() {
        let variant: Variant = "a: training.lr = 0.1, seed =2".parse().expect("a variant");
        assert!(variant.sets("seed") && variant.sets("training.lr"));
        assert!(!variant.sets("training"));
    }
}
