//! The commands on real data, as a user gives them.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use ::rekindle::data::{LabelKind, Missing, read};
use ::rekindle::training::Backend;
use common::{json, run, succeed, toy, toy_recipe, vowels};

/// A short training on the Japanese Vowels.
fn train_vowels(folder: &Path, cell: &str, out: &str) -> serde_json::Value {
    train_vowels_on(folder, cell, out, Backend::compiled()[0].name())
}

/// The same on certain devices.
fn train_vowels_on(folder: &Path, cell: &str, out: &str, devices: &str) -> serde_json::Value {
    let (train, test) = (
        vowels("JapaneseVowels_TRAIN.ts"),
        vowels("JapaneseVowels_TEST.ts"),
    );
    let (train, test) = (train.to_str().expect("text"), test.to_str().expect("text"));
    json(&succeed(
        folder,
        &[
            "train",
            "--train",
            train,
            "--test",
            test,
            "--cell",
            cell,
            "--set",
            "model.hidden=12",
            "--set",
            "training.epochs=4",
            "--set",
            "training.lr=0.02",
            "--seed",
            "5",
            "--devices",
            devices,
            "--out",
            out,
            "--json",
        ],
    ))
}

#[test]
fn every_cell_trains_on_real_speech() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    for cell in ["lstm", "gru", "rnn"] {
        let result = train_vowels(folder, cell, cell);
        let accuracy = result["test"]["accuracy"].as_f64().expect("a number");
        assert!(accuracy > 0.6, "{cell}: accuracy {accuracy} after 4 epochs");
        for key in ["macro_f1", "loss"] {
            assert!(
                result["test"][key].is_f64() && result["valid"][key].is_f64(),
                "{key}"
            );
        }
        assert_eq!((&result["epochs"], &result["seed"]), (&4.into(), &5.into()));
        assert_eq!(result["devices"], Backend::compiled()[0].name());
        assert!(result["parameters"].as_u64().expect("a number") > 100);
        assert!(result["seconds"].as_f64().expect("a number") > 0.0);
        for file in [
            "recipe.toml",
            "model.bpk",
            "preprocessing.json",
            "metrics.csv",
            "steps.csv",
            "result.json",
            "report.html",
        ] {
            assert!(folder.join(cell).join(file).is_file(), "{cell}/{file}");
        }
        assert!(
            folder.join(cell).join("checkpoint/epoch-4").is_dir(),
            "{cell}"
        );
        let metrics = fs::read_to_string(folder.join(cell).join("metrics.csv")).expect("metrics");
        assert_eq!(metrics.lines().count(), 1 + 4, "{metrics}");
        let report = fs::read_to_string(folder.join(cell).join("report.html")).expect("a page");
        assert!(
            report.contains("Gradient norm") && !report.contains("://"),
            "{cell}"
        );
    }
}

#[test]
fn every_cell_trains_with_every_norm_and_predicts_with_what_it_kept() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let (train, test) = (
        vowels("JapaneseVowels_TRAIN.ts"),
        vowels("JapaneseVowels_TEST.ts"),
    );
    let (train, test) = (train.to_str().expect("text"), test.to_str().expect("text"));
    let settings = [
        "model.hidden=12",
        "training.epochs=2",
        "training.lr=0.03",
        "regularize.dropout.hidden=0.1",
        "regularize.activation=0.1",
    ];
    for cell in ["lstm", "gru", "rnn"] {
        for norm in ["layer", "rms", "batch", "sequence_batch"] {
            let out = format!("{cell}-{norm}");
            let norm = format!("model.normalization={norm}");
            let mut args = vec![
                "train", "--train", train, "--test", test, "--cell", cell, "--out", &out,
            ];
            for setting in settings.iter().copied().chain([norm.as_str()]) {
                args.extend(["--set", setting]);
            }
            args.push("--json");
            let result = json(&succeed(folder, &args));
            let accuracy = result["test"]["accuracy"].as_f64().expect("a number");
            assert!(accuracy > 0.35, "{out}: accuracy {accuracy} of 9 speakers");
            let evaluate = ["evaluate", &out, "--data", test, "--json"];
            let evaluated = json(&succeed(folder, &evaluate));
            assert_eq!(evaluated["loss"], result["test"]["loss"], "{out}");
        }
    }
}

#[test]
fn devices_share_a_run() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let names = Backend::compiled().into_iter().map(Backend::name);
    let devices = names.collect::<Vec<_>>().join(",");
    let result = train_vowels_on(folder, "lstm", "run", &devices);
    let accuracy = result["test"]["accuracy"].as_f64().expect("a number");
    assert!(accuracy > 0.6, "accuracy {accuracy} after 4 epochs");
    assert_eq!(result["devices"], devices);
    let shown = succeed(folder, &["inspect", "run"]);
    assert!(shown.contains(&format!("on {devices})")), "{shown}");

    // Earlier versions called it so.
    let file = folder.join("run/result.json");
    let text = fs::read_to_string(&file).expect("a result");
    fs::write(&file, text.replace("\"devices\"", "\"backend\"")).expect("written");
    assert_eq!(succeed(folder, &["inspect", "run"]), shown);
}

#[test]
fn evaluate_predict_and_inspect_agree_with_the_training() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let result = train_vowels(folder, "gru", "run");
    let test = vowels("JapaneseVowels_TEST.ts");
    let test = test.to_str().expect("text");

    let evaluated = json(&succeed(
        folder,
        &["evaluate", "run", "--data", test, "--json"],
    ));
    for key in ["accuracy", "macro_f1", "loss"] {
        assert_eq!(evaluated[key], result["test"][key], "{key}");
    }
    assert!(
        succeed(folder, &["evaluate", "run", "--data", test])
            .starts_with("370 sequences: accuracy ")
    );

    succeed(
        folder,
        &["predict", "run", "--data", test, "--output", "p.csv"],
    );
    let predictions = fs::read_to_string(folder.join("p.csv")).expect("predictions");
    assert_eq!(
        predictions,
        succeed(folder, &["predict", "run", "--data", test])
    );
    assert_eq!(
        predictions.lines().next(),
        Some("series,label,p_1,p_2,p_3,p_4,p_5,p_6,p_7,p_8,p_9")
    );
    assert_eq!(predictions.lines().count(), 371);
    for (index, line) in predictions.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields[0], (index + 1).to_string(), "order of the file");
        let shares = fields[2..].iter().map(|p| p.parse().expect("a number"));
        let shares: Vec<f64> = shares.collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{line}");
        let label: usize = fields[1].parse().expect("classes are called 1 to 9");
        assert!(shares.iter().all(|p| *p <= shares[label - 1]), "{line}");
    }

    let text = succeed(folder, &["inspect", "run"]);
    for part in [
        "gru, seed 5",
        "parameters: ",
        "Gru {",
        "[training]",
        "classes: 1, 2, 3",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let inspected = json(&succeed(folder, &["inspect", "run", "--json"]));
    assert_eq!(inspected["outcome"], result);
    assert_eq!(inspected["recipe"]["model"]["hidden"], 12);
    let epochs = inspected["metrics"].as_array().expect("epochs");
    assert_eq!(epochs.len(), 4);
    let kept = result["kept_epoch"].as_u64().expect("a number") as usize;
    let (found, expected) = (&epochs[kept - 1]["valid_loss"], &result["valid"]["loss"]);
    assert_eq!(found, expected, "the kept epoch's validation loss");
}

/// Probabilities of a file's sequences.
fn probabilities(folder: &Path, data: &str) -> Vec<Vec<f64>> {
    let text = succeed(folder, &["predict", "run", "--data", data]);
    let numbers = |line: &str| {
        line.split(',')
            .skip(2)
            .map(|p| p.parse().expect("a number"))
            .collect()
    };
    text.lines().skip(1).map(numbers).collect()
}

#[test]
fn a_sequence_is_predicted_alone_as_in_a_batch_and_without_its_label() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fs::write(folder.join("toy.csv"), toy()).expect("data");
    fs::write(folder.join("toy.toml"), toy_recipe(3)).expect("recipe");
    succeed(folder, &["train", "toy.toml", "--out", "run", "--quiet"]);
    let together = probabilities(folder, "toy.csv");
    assert_eq!(together.len(), 24);
    let names = succeed(folder, &["predict", "run", "--data", "toy.csv"]);
    let names = names.lines().skip(1).map(|line| line.split(',').next());
    let expected: Vec<String> = (0..24).map(|series| format!("s{series}")).collect();
    assert!(names.eq(expected.iter().map(|name| Some(name.as_str()))));

    let text = toy();
    for (row, together) in together.iter().enumerate() {
        let name = format!("s{row},");
        let mut alone = String::from("series,time,level,slope\n");
        for line in text.lines().filter(|line| line.starts_with(&name)) {
            let fields: Vec<&str> = line.split(',').collect();
            alone += &format!("{},{},{},{}\n", fields[0], fields[1], fields[3], fields[4]);
        }
        fs::write(folder.join("alone.csv"), alone).expect("data");
        let alone = probabilities(folder, "alone.csv");
        assert_eq!(alone.len(), 1);
        for (alone, together) in alone[0].iter().zip(together) {
            // Six decimals are printed, so that the last one may differ by rounding.
            assert!(
                (alone - together).abs() <= 1.5e-6,
                "row {row}: {alone} and {together}"
            );
        }
    }
}

#[test]
fn compare_prints_a_table_and_leaves_run_folders() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fs::write(folder.join("toy.csv"), toy()).expect("data");
    fs::write(folder.join("a.toml"), toy_recipe(2)).expect("recipe");
    fs::write(folder.join("b.toml"), toy_recipe(2).replace("gru", "lstm")).expect("recipe");
    let text = succeed(
        folder,
        &["compare", "a.toml", "b.toml", "--seeds", "1,2", "--quiet"],
    );
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].starts_with("recipe  cell  parameters"), "{text}");
    assert!(rows[2].starts_with("a.toml  gru "), "{text}");
    assert!(rows[3].starts_with("b.toml  lstm "), "{text}");
    for run in [
        "toy-gru-seed1",
        "toy-gru-seed2",
        "toy-lstm-seed1",
        "toy-lstm-seed2",
    ] {
        assert!(
            folder.join("runs").join(run).join("result.json").is_file(),
            "{run}"
        );
    }
    let result = json(&succeed(folder, &["compare", "a.toml", "--json"]));
    assert_eq!(result["recipes"][0]["runs"][0]["cell"], "gru");
}

/// Two forms of the same images, written by one script, give the same pixels; and their recipes learn them.
#[test]
fn the_shipped_digits_are_rows_and_pixels_of_the_same_images() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (split, sequences) in [("TRAIN", 1157), ("TEST", 640)] {
        let set = |form: &str| {
            let path = root.join(format!("data/digits/Digits{form}_{split}.ts"));
            read(&path, Missing::Error, LabelKind::Class).expect("a set")
        };
        let (rows, pixels) = (set("Rows"), set("Pixels"));
        assert_eq!((rows.len(), pixels.len()), (sequences, sequences));
        for (row, pixel) in rows.sequences.iter().zip(&pixels.sequences) {
            assert_eq!((row.len(), pixel.len()), (8, 64));
            assert_eq!((row.values(), &row.label), (pixel.values(), &pixel.label));
            assert!(row.values().iter().all(|ink| (0.0..=16.0).contains(ink)));
        }
    }
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (recipe, epochs, expected) in [("digits-lstm", "4", 0.8), ("digits-pixels-lstm", "1", 0.15)]
    {
        let recipe = root.join(format!("recipes/{recipe}.toml"));
        let recipe = recipe.to_str().expect("text");
        let epochs = format!("training.epochs={epochs}");
        let args = ["train", recipe, "--set", &epochs, "--json", "--quiet"];
        let outcome = json(&succeed(temporary.path(), &args));
        let accuracy = outcome["test"]["accuracy"].as_f64().expect("a number");
        assert!(accuracy > expected, "{recipe}: {accuracy}");
    }
}

#[test]
fn a_second_training_goes_to_a_folder_of_its_own() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fs::write(folder.join("toy.csv"), toy()).expect("data");
    fs::write(folder.join("toy.toml"), toy_recipe(1)).expect("recipe");
    for out in [
        "runs/toy-gru-seed0",
        "runs/toy-gru-seed0-2",
        "runs/toy-gru-seed0-3",
    ] {
        assert!(!folder.join(out).exists());
        let text = succeed(folder, &["train", "toy.toml"]);
        assert!(text.contains(&format!("run folder: {out}")), "{text}");
    }
}

#[test]
fn the_keys_are_listed() {
    let text = succeed(Path::new("."), &["keys"]);
    assert!(text.contains("\ntraining.lr = 0.003\n    "), "{text}");
}

/// What is printed where, for the options of a command.
#[test]
fn progress_keeps_out_of_the_way_of_the_result() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fs::write(folder.join("toy.csv"), toy()).expect("data");
    fs::write(folder.join("toy.toml"), toy_recipe(3)).expect("recipe");
    let streams = |options: &[&str]| {
        let output = run(folder, &[&["train", "toy.toml"], options].concat());
        assert!(output.status.success(), "{options:?}");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (text(output.stdout), text(output.stderr))
    };
    let epochs = |text: &str| {
        let first = |line: &str| line.split_whitespace().next().map(str::to_string);
        let rows = text
            .lines()
            .skip_while(|line| !line.starts_with("epoch  train loss"));
        rows.skip(1).take(3).filter_map(first).collect::<Vec<_>>()
    };

    let (output, error) = streams(&[]);
    assert_eq!(epochs(&output), ["1", "2", "3"], "{output}");
    assert!(
        output.contains("\nreport: runs/toy-gru-seed0/report.html\n"),
        "{output}"
    );
    assert_eq!(error, "");

    let (output, error) = streams(&["--json"]);
    assert_eq!(output.lines().count(), 1, "{output}");
    assert_eq!(json(&output)["name"], "toy");
    assert_eq!(epochs(&error), ["1", "2", "3"], "{error}");

    let (output, error) = streams(&["--quiet"]);
    assert!(output.starts_with("set "), "{output}");
    assert_eq!(error, "");

    let (output, error) = streams(&["--json", "--quiet"]);
    assert_eq!((output.lines().count(), error.as_str()), (1, ""));
}
