//! Ctrl-C in a training: the first lets the epoch under way come to its end, the second ends the program at once.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use rekindle::training::{TrainError, TuneError};

/// Exit code of what was interrupted, as a shell counts it: 128 and the number of the signal.
pub const INTERRUPTED: u8 = 130;

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C asks before it ends the program.
///
/// # Errors
/// If the system does not let it be heard.
pub fn listen() -> anyhow::Result<()> {
    let heard = ctrlc::set_handler(|| {
        if IS_ASKED.swap(true, Ordering::Relaxed) {
            exit(INTERRUPTED.into());
        }
        eprintln!("stopping after the epoch under way; Ctrl-C again stops at once");
    });
    heard.context("cannot listen for Ctrl-C")
}

/// What an interrupted search ends in; a run ends in [`TrainError::Stopped`].
#[derive(Debug, thiserror::Error)]
#[error("interrupted; the same command goes on with the study")]
pub struct Interrupted;

/// Whether a command has ended because it was interrupted.
pub fn is_why(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let run = match cause.downcast_ref() {
            Some(TuneError::Refit(error)) => Some(&**error),
            _ => cause.downcast_ref(),
        };
        cause.is::<Interrupted>() || matches!(run, Some(TrainError::Stopped { .. }))
    })
}

/// Whether somebody has pressed Ctrl-C since it is listened for.
pub fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}
