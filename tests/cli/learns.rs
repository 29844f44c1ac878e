//! Every cell can learn one batch by heart.

#[allow(dead_code)]
mod common;

use std::fs;

use common::{succeed, toy};

#[test]
fn every_cell_overfits_one_batch() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    // Labels that have nothing to do with the sequences, so that they can only be learnt by heart.
    let mut text = String::new();
    for line in toy().lines().take_while(|line| !line.starts_with("s8,")) {
        let fields: Vec<&str> = line.split(',').collect();
        let label = match fields[0] {
            "series" => "label",
            "s0" | "s3" | "s5" | "s6" => "a",
            _ => "b",
        };
        text += &format!(
            "{},{},{label},{},{}\n",
            fields[0], fields[1], fields[3], fields[4]
        );
    }
    fs::write(folder.join("batch.csv"), text).expect("data");
    for cell in ["lstm", "gru", "rnn"] {
        succeed(
            folder,
            &[
                "train",
                "--train",
                "batch.csv",
                "--cell",
                cell,
                "--out",
                cell,
                "--quiet",
                "--set",
                "data.valid_fraction=0",
                "--set",
                "training.keep=last",
                "--set",
                "training.epochs=60",
                "--set",
                "training.lr=0.03",
                "--set",
                "training.weight_decay=0",
                "--set",
                "model.hidden=16",
            ],
        );
        let metrics = fs::read_to_string(folder.join(cell).join("metrics.csv")).expect("metrics");
        let last: Vec<&str> = metrics.lines().last().expect("a row").split(',').collect();
        let loss: f64 = last[1].parse().expect("a number");
        assert!(loss < 0.05, "{cell}: loss {loss} on eight sequences");
        assert_eq!(last[2], "1", "{cell}: accuracy on eight sequences");
    }
}
