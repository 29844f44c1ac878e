//! `rekindle evaluate`.

use rekindle::training::{Evaluation, Trained};

use crate::args::{EvaluateArgs, backend};
use crate::output;
use crate::table::{self, Table};

/// Scores a run's classifier on a file.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(args.backend)?)?;
    let set = trained.read(&args.data)?;
    let evaluation = trained.evaluate(&set)?;
    let (scores, classes) = (evaluation.scores, &trained.preprocessing.classes);
    if args.json {
        let mut result = serde_json::to_value(scores)?;
        result["sequences"] = evaluation.confusion.total().into();
        result["classes"] = classes.as_slice().into();
        result["confusion"] = serde_json::to_value(&evaluation.confusion.counts)?;
        return output::line(&result.to_string());
    }
    output::line(&format!(
        "{} sequences: {}\n\n{}",
        evaluation.confusion.total(),
        table::in_words(&scores),
        confusion_table(classes, &evaluation)
    ))
}

/// How often each class was predicted for each true class.
fn confusion_table(classes: &[String], evaluation: &Evaluation) -> Table {
    let mut header = vec!["truth \\ predicted"];
    header.extend(classes.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for (class, counts) in classes.iter().zip(&evaluation.confusion.counts) {
        let counts = counts.iter().map(ToString::to_string);
        table.row(std::iter::once(class.clone()).chain(counts).collect());
    }
    table
}
