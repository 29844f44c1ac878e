//! `rekindle evaluate`.

use rekindle::training::Trained;

use crate::args::{EvaluateArgs, backend};
use crate::table::{Table, percent};
use crate::train::print_line;

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
        return print_line(&result.to_string());
    }
    let mut header = vec!["truth \\ predicted"];
    header.extend(classes.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for (class, counts) in classes.iter().zip(&evaluation.confusion.counts) {
        let counts = counts.iter().map(ToString::to_string);
        table.row(std::iter::once(class.clone()).chain(counts).collect());
    }
    print_line(&format!(
        "{} sequences: accuracy {}, macro-F1 {}, loss {:.4}\n\n{table}",
        evaluation.confusion.total(),
        percent(scores.accuracy),
        percent(scores.macro_f1),
        scores.loss
    ))
}
