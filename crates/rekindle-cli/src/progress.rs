//! Showing how a run gets on.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rekindle::training::{EpochRow, Event, Metric, Metrics, Observer, Scores, Sizes, TrainError};

use crate::interrupt;
use crate::table::cell;

/// Where progress is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error, because standard output holds the result alone.
    Error,
}

impl Stream {
    /// Where progress does not mix with the result.
    pub fn beside_result(is_json: bool) -> Self {
        if is_json { Self::Error } else { Self::Output }
    }

    /// Whether somebody sees it at once.
    fn is_terminal(self) -> bool {
        match self {
            Self::Output => std::io::stdout().is_terminal(),
            Self::Error => std::io::stderr().is_terminal(),
        }
    }

    /// Prints a line. A reader that has gone is no reason to stop a training.
    fn line(self, text: &str) {
        match self {
            Self::Output => drop(writeln!(std::io::stdout(), "{text}")),
            Self::Error => drop(writeln!(std::io::stderr(), "{text}")),
        }
    }
}

/// Whether a bar is seen beside the lines of a stream. It is drawn on standard error, which does not clutter an output that is
/// kept in a file.
pub fn has_bar(stream: Option<Stream>) -> bool {
    stream.is_some_and(Stream::is_terminal) && Stream::Error.is_terminal()
}

/// Prints a line, above the bar if there is one; nowhere without a stream.
pub fn line_above(bar: Option<&ProgressBar>, stream: Option<Stream>, text: &str) {
    let print = || {
        if let Some(stream) = stream {
            stream.line(text);
        }
    };
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// On a terminal a bar over the batches of the epoch, and above it a line for each epoch that was the best so far;
/// elsewhere a line for each epoch.
#[derive(Debug)]
pub struct Progress {
    /// What the lines of epochs show.
    metrics: Metrics,
    /// Nowhere if `None`.
    stream: Option<Stream>,
    title: Option<String>,
    bar: Option<ProgressBar>,
    /// Of the run; 0 before it starts.
    epochs: usize,
}

impl Progress {
    /// `quiet` shows nothing.
    pub fn new(quiet: bool, stream: Stream) -> Self {
        Self {
            metrics: Metrics {
                train: &[],
                valid: &[],
            },
            stream: (!quiet).then_some(stream),
            title: None,
            bar: None,
            epochs: 0,
        }
    }

    /// With a line above what is shown, once the run starts.
    pub fn with_title(mut self, title: String) -> Self {
        self.title = Some(title);
        self
    }

    fn line(&self, text: &str) {
        line_above(self.bar.as_ref(), self.stream, text);
    }

    fn start_bar(&mut self, batches: usize) {
        if has_bar(self.stream) {
            let bar =
                ProgressBar::with_draw_target(Some(batches as u64), ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template("epoch {prefix} {bar:24} {pos}/{len} batches  {msg}")
                    .expect("the template is right");
            self.bar = Some(bar.with_style(style));
        }
    }

    fn step(&self, epoch: usize, batch: usize) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{epoch}/{}", self.epochs));
            bar.set_position(batch as u64);
        }
    }

    fn epoch(&self, row: &EpochRow, best: bool) {
        if let Some(bar) = &self.bar {
            bar.set_message(figures(row));
        }
        // Without a bar, nothing else tells the figures.
        if best || self.bar.is_none() || row.epoch == self.epochs {
            self.line(&line(row, self.metrics, best));
        }
    }

    fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn observe(&mut self, event: &Event) {
        match event {
            Event::Start {
                epochs,
                first_epoch,
                batches_per_epoch,
                parameters,
                metrics,
                sizes,
            } => {
                self.epochs = *epochs;
                if let Some(title) = self.title.take() {
                    self.line(&title);
                }
                let Sizes {
                    of,
                    train,
                    valid,
                    test,
                } = sizes;
                self.line(&format!(
                    "{train} {of} to train on, {valid} to validate, {test} to test; {parameters} parameters"
                ));
                if *first_epoch > 1 {
                    self.line(&format!("{} of {epochs} epochs are done", first_epoch - 1));
                }
                self.metrics = *metrics;
                self.line(&header(*metrics));
                self.start_bar(*batches_per_epoch);
            }
            Event::Step { epoch, batch, .. } => self.step(*epoch, *batch),
            Event::LeftOut { error, lr_factor } => self.line(&left_out(error, *lr_factor)),
            Event::Epoch { row, best } => self.epoch(row, *best),
            Event::Done { .. } => {
                self.end_bar();
                // Of a run that was finished before nothing else is told.
                if let Some(title) = self.title.take() {
                    self.line(&title);
                }
                // The result follows.
                self.line(if self.epochs > 0 { "" } else { FINISHED });
            }
            _ => (),
        }
    }

    fn stops(&mut self) -> bool {
        interrupt::is_asked()
    }
}

/// A run that ends with an error leaves no bar behind.
impl Drop for Progress {
    fn drop(&mut self) {
        self.end_bar();
    }
}

/// A step that was left out: where, why, and what is kept.
fn left_out(error: &TrainError, lr_factor: f64) -> String {
    let rate = match lr_factor {
        1.0 => String::new(),
        factor => format!("; learning rates are {factor:.3e} of the recipe's from here on"),
    };
    match error {
        TrainError::Step { at, source } => {
            format!("{at} is left out: {source}{rate}; {}", at.kept())
        }
        other => format!("a step is left out: {other}{rate}"),
    }
}

const FINISHED: &str = "the run was finished before, nothing is left to train\n";

/// The titles above the lines of epochs.
fn header(metrics: Metrics) -> String {
    let title =
        |set: &str, metric: Metric| format!("  {:>10}", format!("{set} {}", metric.short()));
    let train = metrics.train.iter().map(|&metric| title("train", metric));
    let valid = metrics.valid.iter().map(|&metric| title("valid", metric));
    let titles: String = train.chain(valid).collect();
    format!("epoch{titles}  learning rate  grad norm  seconds")
}

/// One epoch; a star marks the best so far.
fn line(row: &EpochRow, metrics: Metrics, best: bool) -> String {
    let value = |scores: &Scores, metric| format!("  {:>10}", cell(scores, metric));
    let train = metrics
        .train
        .iter()
        .map(|&metric| value(&row.train, metric));
    let valid = metrics
        .valid
        .iter()
        .map(|&metric| value(&row.valid, metric));
    let values: String = train.chain(valid).collect();
    format!(
        "{:>5}{values}  {:>13.3e}  {:>9.3}  {:>7.2}{}{}",
        row.epoch,
        row.lr,
        row.grad_norm,
        row.seconds,
        if best { " *" } else { "" },
        match row.skipped {
            0 => String::new(),
            1 => "  1 step left out".to_string(),
            steps => format!("  {steps} steps left out"),
        }
    )
}

/// An epoch in short: the loss and the main metric.
fn figures(row: &EpochRow) -> String {
    let (set, scores) = match row.valid.is_empty() {
        true => ("train", &row.train),
        false => ("valid", &row.valid),
    };
    let loss = scores.get(Metric::Loss).map(|loss| (Metric::Loss, loss));
    let beside = scores.main().filter(|(metric, _)| *metric != Metric::Loss);
    let words = loss.into_iter().chain(beside);
    let words = words.map(|(metric, value)| format!("{} {}", metric.title(), metric.show(value)));
    format!("{set} {}", words.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: Metrics = Metrics {
        train: &[Metric::Loss, Metric::Accuracy],
        valid: &[Metric::Loss, Metric::Accuracy, Metric::MacroF1],
    };

    fn row() -> EpochRow {
        EpochRow {
            epoch: 12,
            train: Scores::of(&[(Metric::Loss, 0.25), (Metric::Accuracy, 1.0)]),
            valid: Scores::default(),
            lr: 0.003,
            grad_norm: 1.5,
            grad_norm_max: 2.0,
            skipped: 0,
            seconds: 0.5,
        }
    }

    #[test]
    fn lines_stand_below_the_header() {
        let header = header(METRICS);
        let plain = line(&row(), METRICS, false);
        assert_eq!(plain.len(), header.len());
        assert_eq!(line(&row(), METRICS, true), format!("{plain} *"));
        let at = |title: &str| {
            let end = header.find(title).expect("a title") + title.len();
            plain[..end]
                .split_whitespace()
                .last()
                .expect("a cell")
                .to_string()
        };
        assert_eq!(
            (at("epoch"), at("train loss"), at("valid acc")),
            ("12".into(), "0.2500".into(), "-".into())
        );
        assert_eq!(
            (at("learning rate"), at("seconds")),
            ("3.000e-3".into(), "0.50".into())
        );
    }

    #[test]
    fn the_bar_shows_validation_if_there_is_one() {
        assert_eq!(figures(&row()), "train loss 0.2500, accuracy 100.00 %");
        let valid = EpochRow {
            valid: Scores::of(&[(Metric::Loss, 0.5), (Metric::Accuracy, 0.75)]),
            ..row()
        };
        assert_eq!(figures(&valid), "valid loss 0.5000, accuracy 75.00 %");
    }
}
