//! `rekindle inspect` and `rekindle keys`.

use rekindle::training::{Recipe, Trained};

use crate::args::{InspectArgs, backend};
use crate::table::{Table, percent};
use crate::train::print_line;

/// Shows a run.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(None)?)?;
    let outcome = &trained.outcome;
    if args.json {
        let result = serde_json::json!({
            "outcome": outcome,
            "recipe": trained.recipe,
            "channels": trained.preprocessing.channels,
            "classes": trained.preprocessing.classes,
        });
        return print_line(&result.to_string());
    }
    let mut scores = Table::new(&["set", "accuracy", "macro-F1", "loss"]);
    for (name, set) in [("validation", outcome.valid), ("test", outcome.test)] {
        if let Some(set) = set {
            scores.row(vec![
                name.to_string(),
                percent(set.accuracy),
                percent(set.macro_f1),
                format!("{:.4}", set.loss),
            ]);
        }
    }
    print_line(&format!(
        "run: {} ({}, seed {}, backend {})\nepochs: {}, weights of epoch {}, {:.1} s\nparameters: {}\nchannels: {}\n\
         classes: {}\n\n{scores}\n{}\n\n{}",
        outcome.name,
        outcome.cell,
        outcome.seed,
        outcome.backend,
        outcome.epochs,
        outcome.kept_epoch,
        outcome.seconds,
        trained.parameters(),
        trained.preprocessing.channels.join(", "),
        trained.preprocessing.classes.join(", "),
        trained.classifier,
        trained.recipe.to_toml().trim_end()
    ))
}

/// Lists the keys of a recipe.
pub fn keys() -> anyhow::Result<()> {
    let mut table = Table::new(&["key", "default", "meaning"]);
    for key in Recipe::keys() {
        table.row(vec![
            key.path.to_string(),
            key.default.to_string(),
            key.doc.to_string(),
        ]);
    }
    print_line(table.to_string().trim_end())
}
