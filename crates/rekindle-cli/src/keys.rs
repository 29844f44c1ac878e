//! `rekindle keys`.

use rekindle::training::{Recipe, SearchRecipe};

use crate::output;

/// Lists the keys of a recipe, and of a search for one, each with its default and meaning.
pub fn run() -> anyhow::Result<()> {
    let mut text = String::new();
    for key in Recipe::keys().iter().chain(SearchRecipe::keys()) {
        text += &format!("{} = {}\n    {}\n", key.path, key.default, key.doc);
    }
    output::all(&text)
}
