//! Showing how a run gets on.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rekindle::training::{EpochRow, Event, Observer};

use crate::table::percent;

/// Where progress is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error, because standard output holds the result alone.
    Error,
}

/// A bar over the epoch's batches on a terminal, one line an epoch everywhere.
#[derive(Debug)]
pub struct Progress {
    stream: Option<Stream>,
    bar: Option<ProgressBar>,
    epochs: usize,
}

impl Progress {
    /// `quiet` shows nothing.
    pub fn new(quiet: bool, stream: Stream) -> Self {
        Self {
            stream: (!quiet).then_some(stream),
            bar: None,
            epochs: 0,
        }
    }

    /// A line before a run.
    pub fn title(&self, text: &str) {
        self.line(text);
    }

    /// Prints a line above the bar. A reader that has gone is no reason to stop a training.
    fn line(&self, text: &str) {
        let print = || match self.stream {
            Some(Stream::Output) => drop(writeln!(std::io::stdout(), "{text}")),
            Some(Stream::Error) => drop(writeln!(std::io::stderr(), "{text}")),
            None => (),
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn start(&mut self, epochs: usize, batches: usize) {
        self.epochs = epochs;
        let is_terminal = match self.stream {
            Some(Stream::Output) => std::io::stdout().is_terminal(),
            Some(Stream::Error) => std::io::stderr().is_terminal(),
            None => false,
        };
        if is_terminal {
            let bar = ProgressBar::with_draw_target(
                Some((epochs * batches) as u64),
                ProgressDrawTarget::stderr(),
            );
            let style = ProgressStyle::with_template("{bar:30} epoch {msg}, {eta} left")
                .expect("the template is right");
            self.bar = Some(bar.with_style(style));
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
                train_len,
                valid_len,
                test_len,
            } => {
                self.line(&format!(
                    "{train_len} sequences to train on, {valid_len} to validate, {test_len} to test; {parameters} parameters"
                ));
                if *first_epoch > 1 {
                    self.line(&format!("continued at epoch {first_epoch} of {epochs}"));
                }
                self.line(HEADER);
                self.start(*epochs, *batches_per_epoch);
                if let Some(bar) = &self.bar {
                    bar.set_position(((first_epoch - 1) * batches_per_epoch) as u64);
                }
            }
            Event::Step { epoch, loss, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{epoch} of {}, loss {loss:.4}", self.epochs));
                    bar.inc(1);
                }
            }
            Event::Epoch { row, best } => self.line(&line(row, *best)),
            Event::Done { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => (),
        }
    }
}

/// A run that ends with an error leaves no bar behind.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const HEADER: &str = "epoch  train loss  train acc  valid loss  valid acc    valid F1  learning rate  grad norm  seconds";

/// One epoch; a star marks the best so far.
fn line(row: &EpochRow, best: bool) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
    let share = |value: Option<f64>| value.map_or("-".into(), percent);
    format!(
        "{:>5}  {:>10.4}  {:>9}  {:>10}  {:>9}  {:>10}  {:>13.3e}  {:>9.3}  {:>7.2}{}",
        row.epoch,
        row.train_loss,
        percent(row.train_accuracy),
        number(row.valid_loss),
        share(row.valid_accuracy),
        share(row.valid_macro_f1),
        row.lr,
        row.grad_norm,
        row.seconds,
        if best { " *" } else { "" }
    )
}
