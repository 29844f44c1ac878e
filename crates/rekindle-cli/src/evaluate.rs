//! `rekindle evaluate`.

use rekindle::training::{Evaluation, Trained};

use crate::args::{EvaluateArgs, backend};
use crate::output;
use crate::table::{Table, percent};

/// Scores a run's classifier on a file.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(args.backend)?)?;
    let set = trained.read(&args.data)?;
    let evaluation = trained.evaluate(&set)?;
    let (scores, classes) = (evaluation.scores, &trained.preprocessing.classes);
    if args.json {
        let result = serde_json::json!({
            "accuracy": scores.accuracy,
            "macro_f1": scores.macro_f1,
            "loss": scores.loss,
            "sequences": evaluation.confusion.total(),
            "classes": classes,
            "confusion": evaluation.confusion.counts,
        });
        return output::line(&result.to_string());
    }
    output::line(&format!(
        "{} sequences: accuracy {}, macro-F1 {}, loss {:.4}\n\n{}",
        evaluation.confusion.total(),
        percent(scores.accuracy),
        percent(scores.macro_f1),
        scores.loss,
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
