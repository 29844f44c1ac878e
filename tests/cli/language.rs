//! Language models: a text is learned, scored and gone on with.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{contents, json, run, succeed};

/// A text that repeats itself, so that little of it is chance once it is learned.
fn text() -> String {
    let line = |number: usize| match number % 3 {
        0 => "the cat sat on the mat.\n",
        1 => "the dog lay on the rug.\n",
        _ => "the cow ate in the barn.\n",
    };
    (0..120).map(line).collect()
}

const RECIPE: &str = "name = \"verse\"\n[data]\ntrain = \"verse.txt\"\ntest = \"verse.txt\"\n[text]\nembedding = 8\n[model]\n\
                      cell = \"gru\"\nhidden = 16\nhead_dropout = 0.1\n[training]\nepochs = 6\nbatch_size = 4\nbptt = 16\nlr = 0.02\n";

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("verse.txt"), text()).expect("a text");
    fs::write(folder.path().join("verse.toml"), RECIPE).expect("a recipe");
    folder
}

fn train(folder: &Path, more: &[&str]) -> serde_json::Value {
    let args = ["train", "verse.toml", "--json", "--quiet"];
    json(&succeed(folder, &[&args, more].concat()))
}

#[test]
fn a_text_is_learned_scored_and_gone_on_with() {
    let temporary = prepared();
    let folder = temporary.path();
    let outcome = train(folder, &["--out", "run"]);
    let bits = outcome["test"]["bits_per_character"]
        .as_f64()
        .expect("bits");
    // A uniform guess among its 20 characters takes 4.3 bits.
    assert!(bits < 1.0, "{bits} bits per character");
    let loss = outcome["test"]["loss"].as_f64().expect("a loss");
    assert!((loss / std::f64::consts::LN_2 - bits).abs() < 1e-12);

    let args = ["evaluate", "run", "--data", "verse.txt", "--json"];
    let scores = json(&succeed(folder, &args));
    assert_eq!(scores["loss"], outcome["test"]["loss"]);
    assert_eq!(scores["characters"], text().chars().count() - 1);

    let args = ["generate", "run", "--prompt", "the cat ", "--length", "60"];
    let cold = [&args[..], &["--temperature", "0"]].concat();
    let made = succeed(folder, &cold);
    assert!(
        made.starts_with("the cat ") && made.contains("the "),
        "{made}"
    );
    assert_eq!(made.chars().count(), "the cat ".len() + 60 + 1);
    let drawn = |seed: &str| succeed(folder, &[&args[..], &["--seed", seed]].concat());
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1"), drawn("2"));

    let shown = succeed(folder, &["inspect", "run"]);
    assert!(
        shown.contains("text: ") && shown.contains("bits per character"),
        "{shown}"
    );
    let metrics = fs::read_to_string(folder.join("run/metrics.csv")).expect("metrics");
    let header = "epoch,train_loss,train_bits_per_character,valid_loss,valid_bits_per_character,";
    assert!(metrics.starts_with(header), "{metrics}");
    let report = fs::read_to_string(folder.join("run/report.html")).expect("a report");
    assert!(report.contains("language model") && report.contains("Bits per character"));
}

#[test]
fn words_have_a_perplexity_and_may_share_their_vectors() {
    let temporary = prepared();
    let outcome = train(
        temporary.path(),
        &[
            "--set",
            "text.tokens=word",
            "--set",
            "text.embedding=16",
            "--set",
            "text.tied=true",
            "--set",
            "text.embedding_dropout=0.1",
            "--set",
            "text.vocabulary=12",
            "--set",
            "training.watch=valid_perplexity",
            "--set",
            "regularize.activation=0.1",
            "--set",
            "regularize.dropout.weight=0.1",
            "--out",
            "run",
        ],
    );
    let score = |name: &str| outcome["test"][name].as_f64().expect("a score");
    assert!((score("loss").exp() / score("perplexity") - 1.0).abs() < 1e-12);
    assert!(score("perplexity") < 6.0, "{outcome}");
}

#[test]
fn a_language_model_is_examined_and_made_smaller() {
    let temporary = prepared();
    let folder = temporary.path();
    let text = succeed(folder, &["doctor", "verse.toml", "--steps", "200"]);
    assert!(text.contains("layer 0 forward"), "{text}");
    assert!(text.ends_with("No fault found.\n"), "{text}");
    let args = ["doctor", "verse.toml", "--steps", "60", "--set"];
    let slow = succeed(folder, &[&args[..], &["training.lr=1e-7"]].concat());
    assert!(
        slow.contains("1. learning_rate_too_small (fault)"),
        "{slow}"
    );

    train(folder, &["--out", "run"]);
    let args = [
        "prune",
        "run",
        "--units",
        "0.25",
        "--finetune",
        "1",
        "--out",
        "small",
        "--json",
    ];
    let result = json(&succeed(folder, &[&args[..], &["--quiet"]].concat()));
    let parameters = |network: &str| result[network]["parameters"].as_u64();
    assert!(parameters("after") < parameters("before"), "{result}");
    let bits = |network: &str| result[network]["scores"]["bits_per_character"].as_f64();
    assert!(bits("after") < bits("pruned"), "{result}");
    succeed(folder, &["evaluate", "small", "--data", "verse.txt"]);
}

#[test]
fn what_a_language_model_cannot_do_is_an_error() {
    let temporary = prepared();
    let folder = temporary.path();
    train(folder, &["--out", "run", "--set", "training.epochs=1"]);
    fs::write(folder.join("one.txt"), "x").expect("a text");
    fs::write(folder.join("bad.txt"), [b'a', b'\n', 0xff]).expect("a text");
    let before = contents(folder);
    let set = |value: &'static str| vec!["train", "verse.toml", "--out", "x", "--set", value];
    let cases: Vec<(Vec<&str>, &[&str])> = vec![
        (
            vec!["predict", "run", "--data", "verse.txt"],
            &["language model", "rekindle generate"],
        ),
        (
            vec!["evaluate", "run", "--data", "one.txt"],
            &["one.txt", "1 token", "at least 2"],
        ),
        (
            vec!["evaluate", "run", "--data", "bad.txt"],
            &["bad.txt:2", "0xff", "UTF-8"],
        ),
        (
            vec!["generate", "run", "--temperature", "-1"],
            &["--temperature is -1"],
        ),
        (
            set("model.direction=bidirectional"),
            &["model.direction", "forward"],
        ),
        (
            set("text.tied=true"),
            &["text.tied", "text.embedding = 8", "as wide as"],
        ),
        (set("training.bptt=0"), &["training.bptt.steps is 0"]),
        (
            set("text.embedding_dropout=1"),
            &["text.embedding_dropout is 1"],
        ),
        (set("text.tokens=letters"), &["text.tokens", "letters"]),
        (
            set("training.watch=valid_accuracy"),
            &[
                "training.watch",
                "valid_accuracy",
                "valid_bits_per_character",
            ],
        ),
    ];
    for (args, expected) in cases {
        let output = run(folder, &args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        for part in expected {
            assert!(
                message.contains(part),
                "{args:?}: {message}, expected {part}"
            );
        }
    }
    assert_eq!(contents(folder), before, "nothing was written");
}
