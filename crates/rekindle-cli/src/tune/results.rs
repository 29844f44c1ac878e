//! What came of a search.

use rekindle::training::{Done, Refit, Search};
use rekindle::tune::{State, Trial};
use serde_json::json;

use crate::table::{Table, scores};

/// The best trial, and where things are.
pub fn summary(search: &mut Search, done: Done, refit: Option<&Refit>) -> anyhow::Result<String> {
    let history = search.study.history()?.clone();
    let mut text = format!(
        "{}: {} complete, {} pruned, {} failed, {} under way; {} epochs\n",
        why(done),
        history.count(State::Complete),
        history.count(State::Pruned),
        history.count(State::Failed),
        history.count(State::Running),
        search.recipe.tune().epochs_of(&history)
    );
    match history.best() {
        Some((trial, value)) => {
            text += &format!(
                "best: trial {}, {} {value:.6}\n\n{}\n\nbest recipe: {}\n",
                trial.number,
                search.recipe.watch(),
                settings(trial),
                search.best_recipe().display()
            );
        }
        None => text += "no trial has come to its end yet, so none is best\n",
    }
    text += &format!("page: {}", search.page().display());
    if let Some(Refit { outcome, folder }) = refit {
        text += &format!("\n\n{}\nrun folder: {}", scores(outcome), folder.display());
    }
    Ok(text)
}

/// The same for programs.
pub fn json(
    search: &mut Search,
    done: Done,
    refit: Option<&Refit>,
) -> anyhow::Result<serde_json::Value> {
    let history = search.study.history()?.clone();
    let best = history.best().map(|(trial, value)| {
        json!({
            "trial": trial.number,
            "value": value,
            "values": trial.point,
            "recipe": search.best_recipe(),
        })
    });
    Ok(json!({
        "study": search.study.name(),
        "watch": search.recipe.watch().to_string(),
        "done": why(done),
        "complete": history.count(State::Complete),
        "pruned": history.count(State::Pruned),
        "failed": history.count(State::Failed),
        "running": history.count(State::Running),
        "epochs": search.recipe.tune().epochs_of(&history),
        "best": best,
        "page": search.page(),
        "refit": refit.map(|refit| json!({ "folder": refit.folder, "outcome": refit.outcome })),
    }))
}

fn why(done: Done) -> &'static str {
    match done {
        Done::Trials => "all trials have ended",
        Done::Epochs => "the epochs are used up",
        Done::Time => "the time is used up",
        Done::Stopped => "stopped before the budget was used up",
    }
}

fn settings(trial: &Trial) -> Table {
    let mut table = Table::new(&["key", "value"]);
    for (name, value) in trial.point.iter() {
        table.row(vec![name.to_string(), value.to_string()]);
    }
    table
}
