//! `rekindle evaluate`.

use rekindle::training::{Confusion, Trained};

use crate::args::{EvaluateArgs, backend};
use crate::output;
use crate::table::{self, Table};

/// Scores a run's network on a file.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(args.backend)?)?;
    let evaluation = trained.evaluate_file(&args.data)?;
    let (scores, classes) = (evaluation.scores, &trained.preprocessing.classes);
    let of = trained.preprocessing.answered();
    if args.json {
        let mut result = serde_json::to_value(scores)?;
        result[of] = evaluation.answers.into();
        if let Some(confusion) = &evaluation.confusion {
            result["classes"] = classes.as_slice().into();
            result["confusion"] = serde_json::to_value(&confusion.counts)?;
        }
        return output::line(&result.to_string());
    }
    let words = table::in_words(&scores);
    let first = format!("{} {of}: {words}", evaluation.answers);
    output::line(&match &evaluation.confusion {
        Some(confusion) => format!("{first}\n\n{}", confusion_table(classes, confusion)),
        None => first,
    })
}

/// How often each class was predicted for each true class.
fn confusion_table(classes: &[String], confusion: &Confusion) -> Table {
    let mut header = vec!["truth \\ predicted"];
    header.extend(classes.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for (class, counts) in classes.iter().zip(&confusion.counts) {
        let counts = counts.iter().map(ToString::to_string);
        table.row(std::iter::once(class.clone()).chain(counts).collect());
    }
    table
}
