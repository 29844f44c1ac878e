//! `rekindle inspect`.

use rekindle::data::Vocabulary;
use rekindle::training::{Preprocessing, RunFolder, Trained};

use crate::args::{InspectArgs, backend};
use crate::history::History;
use crate::output;
use crate::table::scores;

/// Shows a run.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(None)?)?;
    let metrics = RunFolder::new(&args.dir).metrics();
    let history = History::read(&metrics, trained.outcome.epochs)?;
    if args.json {
        let result = serde_json::json!({
            "outcome": trained.outcome,
            "recipe": trained.recipe,
            "channels": trained.preprocessing.channels,
            "classes": trained.preprocessing.classes,
            "numbers": trained.preprocessing.values.as_ref().map(|values| &values.channels),
            "tokens": trained.preprocessing.vocabulary.as_ref().map(Vocabulary::len),
            "metrics": history.to_json(),
        });
        return output::line(&result.to_string());
    }
    output::line(&text(&trained, &history))
}

fn text(trained: &Trained, history: &History) -> String {
    let outcome = &trained.outcome;
    format!(
        "run: {} ({}, seed {}, on {})\nepochs: {}, weights of epoch {}, {:.1} s\nparameters: {}\n{}\n\nScores\n\n{}\n\nEpochs\n\n{}\n\nNetwork\n\n{}\n\nRecipe\n\n{}",
        outcome.name,
        outcome.cell,
        outcome.seed,
        outcome.devices,
        outcome.epochs,
        outcome.kept_epoch,
        outcome.seconds,
        trained.parameters(),
        data(&trained.preprocessing),
        scores(outcome),
        history.table(outcome.kept_epoch),
        trained.network,
        trained.recipe.to_toml().trim_end()
    )
}

/// What the network reads and puts out.
fn data(preprocessing: &Preprocessing) -> String {
    if let Some(vocabulary) = &preprocessing.vocabulary {
        return format!("text: {} {}s", vocabulary.len(), vocabulary.kind());
    }
    let channels = preprocessing.channels.join(", ");
    let each = match preprocessing.labels.is_of_steps() {
        true => " of each step",
        false => "",
    };
    let answers = match &preprocessing.values {
        Some(values) => format!("numbers{each}: {}", values.channels.join(", ")),
        None => format!("classes{each}: {}", preprocessing.classes.join(", ")),
    };
    format!("channels: {channels}\n{answers}")
}
