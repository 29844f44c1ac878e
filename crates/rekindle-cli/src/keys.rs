//! `rekindle keys`.

use rekindle::training::Recipe;

use crate::output;

/// Lists the keys of a recipe, each with its default and meaning.
pub fn run() -> anyhow::Result<()> {
    let mut text = String::new();
    for key in Recipe::keys() {
        text += &format!("{} = {}\n    {}\n", key.path, key.default, key.doc);
    }
    output::all(&text)
}
