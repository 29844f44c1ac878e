//! `rekindle prune`.

use anyhow::bail;
use rekindle::regularize::Targets;
use rekindle::regularize::prune::{Criterion, Granularity, Scope, Selection};
use rekindle::regularize::units::UnitScore;
use rekindle::training::{Cut, Figures, FineTuning, Plan, RunFolder, Smaller, make_smaller};

use crate::args::{CriterionName, PruneArgs, ScopeName, backend};
use crate::output;
use crate::progress::{Progress, Stream};
use crate::table::{Table, cell, metrics_of};

/// Makes a run's network smaller and prints what became of it.
pub fn run(args: &PruneArgs) -> anyhow::Result<()> {
    let backend = backend(args.backend)?;
    let plan = Plan {
        cut: cut(args)?,
        data: args.data.clone(),
        fine_tuning: args.finetune.map(|epochs| FineTuning {
            epochs,
            lr: args.lr,
        }),
    };
    if args.lr.is_some() && args.finetune.is_none() {
        bail!("--lr without --finetune N: nothing is trained, expected both or none");
    }
    let mut progress = Progress::new(args.quiet, Stream::beside_result(args.json));
    let smaller = make_smaller(&args.dir, &args.out, &plan, backend, &mut progress)?;
    drop(progress);
    if args.json {
        return output::line(&serde_json::to_string(&smaller)?);
    }
    let folder = RunFolder::new(&args.out);
    output::line(&format!(
        "{}\n\n{}\n\nrun folder: {}\nreport: {}",
        smaller.report,
        table(&smaller),
        folder.path().display(),
        folder.report().display()
    ))
}

/// What the command line asks to prune.
fn cut(args: &PruneArgs) -> anyhow::Result<Cut> {
    let scope = match args.scope {
        ScopeName::Tensor => Scope::Tensor,
        ScopeName::Layer => Scope::Layer,
        ScopeName::Global => Scope::Global,
    };
    match (args.units, args.units_below, args.weights) {
        (Some(fraction), None, None) => Ok(Cut::Units {
            fraction,
            score: match args.criterion {
                CriterionName::Norm => UnitScore::Norm,
                CriterionName::Magnitude => UnitScore::Magnitude,
                CriterionName::Sensitivity => UnitScore::Sensitivity,
                CriterionName::Random => UnitScore::Random { seed: args.seed },
            },
            scope,
        }),
        (None, Some(norm), None) => Ok(Cut::UnitsBelow { norm }),
        (None, None, Some(sparsity)) => Ok(Cut::Weights {
            sparsity,
            selection: Selection {
                criterion: match args.criterion {
                    CriterionName::Norm | CriterionName::Magnitude => Criterion::Magnitude,
                    CriterionName::Sensitivity => Criterion::Sensitivity,
                    CriterionName::Random => Criterion::Random { seed: args.seed },
                },
                scope,
                targets: match args.targets.is_empty() {
                    true => Targets::weights(),
                    false => Targets::new(args.targets.iter().cloned()),
                },
                granularity: match args.block {
                    Some([rows, columns]) => Granularity::Blocks { rows, columns },
                    None => Granularity::Weights,
                },
            },
        }),
        _ => bail!("nothing to prune: expected one of --units, --units-below and --weights"),
    }
}

/// Before and after, side by side.
fn table(smaller: &Smaller) -> Table {
    let mut header = vec!["", "before"];
    let mut networks = vec![&smaller.before];
    match &smaller.pruned {
        Some(pruned) => {
            header.extend(["pruned", "fine-tuned"]);
            networks.extend([pruned, &smaller.after]);
        }
        None => {
            header.push("pruned");
            networks.push(&smaller.after);
        }
    }
    let mut table = Table::new(&header);
    let mut row = |name: &str, value: &dyn Fn(&Figures) -> String| {
        let cells = networks.iter().map(|figures| value(figures));
        table.row(std::iter::once(name.to_string()).chain(cells).collect());
    };
    for metric in metrics_of(&smaller.before.scores) {
        row(metric.title(), &|of| cell(&of.scores, metric));
    }
    row("parameters", &|of| of.parameters.to_string());
    row("not zero", &|of| of.nonzero.to_string());
    row("bytes", &|of| of.bytes.to_string());
    row("µs a sequence", &|of| {
        format!("{:.1}", 1e6 * of.seconds_per_sequence)
    });
    table
}
