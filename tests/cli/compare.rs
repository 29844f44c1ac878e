//! Comparing recipes, variants and seeds: the table, the files, and runs that are kept.

#[allow(dead_code)]
mod common;

use std::fs;

use common::{contents, fail, json, run, succeed, toy, toy_recipe};

/// A folder with the toy data and a recipe of two epochs.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    fs::write(folder.path().join("toy.toml"), toy_recipe(2)).expect("recipe");
    folder
}

/// Two variants with two seeds, kept in `kept`.
const KEPT: [&str; 9] = [
    "compare",
    "toy.toml",
    "--seeds=1,2",
    "--out=kept",
    "--vary",
    "plain",
    "--vary",
    "fast: training.lr=0.05, model.hidden=6",
    "--json",
];

#[test]
fn variants_have_rows_runs_and_curves_of_their_own() {
    let folder = prepared();
    let folder = folder.path();
    let recipe = toy_recipe(2).replace("gru", "lstm");
    fs::write(folder.join("other.toml"), recipe).expect("recipe");
    let files = ["--plot=a.svg", "--markdown=a.md", "other.toml"];
    let result = json(&succeed(folder, &[&KEPT[..], &files].concat()));
    let rows = result["recipes"].as_array().expect("rows");
    let name = |row: &serde_json::Value| format!("{} {}", row["recipe"], row["variant"]);
    let names: Vec<String> = rows.iter().map(name).collect();
    let expected = [
        r#""toy.toml" "plain""#,
        r#""toy.toml" "fast""#,
        r#""other.toml" "plain""#,
        r#""other.toml" "fast""#,
    ];
    assert_eq!(names, expected);
    let run = &rows[1]["runs"][1];
    assert_eq!(run["folder"], "kept/toy-gru-fast-seed2");
    assert_eq!(run["seed"], 2);
    assert!(run["grad_norm"].as_f64().is_some_and(|norm| norm > 0.0));
    let set = serde_json::json!(["training.lr=0.05", "model.hidden=6"]);
    assert_eq!(
        (&rows[1]["set"], &rows[0]["set"]),
        (&set, &serde_json::json!([]))
    );
    let recipe = fs::read_to_string(folder.join("kept/toy-gru-fast-seed2/recipe.toml"));
    let recipe = recipe.expect("a recipe");
    assert!(
        recipe.contains("lr = 0.05\n") && recipe.contains("hidden = 6\n"),
        "{recipe}"
    );

    let table = fs::read_to_string(folder.join("a.md")).expect("a table");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 6, "{table}");
    assert!(
        lines[0].starts_with("| recipe     | variant | cell | parameters |"),
        "{table}"
    );
    assert!(
        lines[5].starts_with("| other.toml | fast    | lstm |"),
        "{table}"
    );
    assert!(lines[2].contains(" ± "), "{table}");

    let picture = fs::read_to_string(folder.join("a.svg")).expect("a picture");
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert!(
        picture.contains(">test accuracy (%)</text>") && picture.contains(">other, fast</text>")
    );
    assert!(picture.contains("Validation loss") && picture.contains("Validation accuracy"));
    // Two panels, each with two runs and their mean for four rows.
    assert_eq!(picture.matches(" thin\" d=").count(), 16);
    assert!(!picture.contains("<script") && !picture.contains("href"));
}

#[test]
fn the_text_table_names_what_differs() {
    let folder = prepared();
    let args = [&KEPT[..8], &["--quiet"]].concat();
    let text = succeed(folder.path(), &args);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("variant  cell  parameters  seeds"),
        "{text}"
    );
    assert!(
        lines[2].starts_with("plain    gru ") && lines[3].starts_with("fast     gru "),
        "{text}"
    );
    assert_eq!(lines.len(), 4, "{text}");
}

#[test]
fn what_is_finished_is_not_trained_again() {
    let folder = prepared();
    let folder = folder.path();
    let first = json(&succeed(folder, &KEPT));
    let before = contents(folder);
    let output = run(folder, &KEPT);
    assert_eq!(
        json(&String::from_utf8(output.stdout).expect("text")),
        first
    );
    assert!(contents(folder) == before, "the disk as it was");
    let progress = String::from_utf8(output.stderr).expect("text");
    let told = "run 4 of 4: toy.toml, fast (seed 2) in kept/toy-gru-fast-seed2\nthe run was finished before";
    assert!(progress.contains(told), "{progress}");

    // A run that was interrupted goes on, a new variant begins, and the others stay.
    let result = "kept/toy-gru-plain-seed1/result.json";
    fs::remove_file(folder.join(result)).expect("as if killed at the very end");
    let more = json(&succeed(
        folder,
        &[&KEPT[..], &["--vary", "model.cell=rnn"]].concat(),
    ));
    assert!(folder.join(result).exists());
    assert_eq!(
        more["recipes"][0]["runs"][0]["test"],
        first["recipes"][0]["runs"][0]["test"]
    );
    assert_eq!(more["recipes"][1], first["recipes"][1]);
    assert!(
        folder
            .join("kept/toy-rnn-model.cell=rnn-seed2/result.json")
            .exists()
    );
    let after = contents(folder);
    for (path, bytes) in before
        .iter()
        .filter(|(path, _)| !path.to_string_lossy().contains("plain-seed1"))
    {
        assert!(after.get(path) == Some(bytes), "{}", path.display());
    }
}

#[test]
fn kept_runs_of_something_else_are_refused_before_anything_is_trained() {
    let folder = prepared();
    let folder = folder.path();
    succeed(folder, &KEPT);
    fs::remove_dir_all(folder.join("kept/toy-gru-plain-seed1")).expect("a run");
    let refused = |args: &[&str], expected: &[&str]| {
        let before = contents(folder);
        let error = fail(folder, args);
        for piece in expected {
            assert!(error.contains(piece), "{piece} in {error}");
        }
        assert!(contents(folder) == before, "the disk as it was");
    };
    refused(
        &[&KEPT[..], &["--set", "training.batch_size=4"]].concat(),
        &[
            "kept/toy-gru-plain-seed2",
            "`batch_size = 8`",
            "`batch_size = 4`",
        ],
    );

    let result = folder.join("kept/toy-gru-fast-seed2/result.json");
    let text = fs::read_to_string(&result).expect("a result");
    fs::write(&result, text.replace("\"flex\"", "\"ndarray\"")).expect("another backend");
    refused(
        &[&KEPT[..], &["--backend=flex"]].concat(),
        &[
            "kept/toy-gru-fast-seed2",
            "trained on ndarray, expected flex",
            "--out",
        ],
    );
    fs::write(&result, text).expect("as it was");

    fs::write(
        folder.join("toy.csv"),
        toy().replace("s2,0,up,", "s2,0,up,1"),
    )
    .expect("data");
    refused(&KEPT, &["toy-gru-plain-seed2", "begun on other data"]);
}

#[test]
fn recipes_of_one_name_keep_their_folders() {
    let folder = prepared();
    let folder = folder.path();
    fs::write(
        folder.join("wide.toml"),
        toy_recipe(1).replace("hidden = 4", "hidden = 5"),
    )
    .expect("recipe");
    let args = ["compare", "toy.toml", "wide.toml", "--out=kept", "--json"];
    let first = json(&succeed(folder, &args));
    let wide = &first["recipes"][1]["runs"][0];
    assert_eq!(wide["folder"], "kept/toy-gru-seed0-2");
    assert_eq!(json(&succeed(folder, &args)), first);
    // Without a folder of the user's, every call makes new runs.
    let args = ["compare", "toy.toml", "--json"];
    for expected in ["runs/toy-gru-seed0", "runs/toy-gru-seed0-2"] {
        let result = json(&succeed(folder, &args));
        assert_eq!(result["recipes"][0]["runs"][0]["folder"], expected);
    }
}

#[test]
fn without_validation_and_test_the_picture_shows_the_training() {
    let folder = prepared();
    let folder = folder.path();
    let recipe = toy_recipe(2).replace(
        "test = \"toy.csv\"\nvalid_fraction = 0.25",
        "valid_fraction = 0",
    );
    fs::write(
        folder.join("bare.toml"),
        format!("{recipe}watch = \"train_loss\"\n"),
    )
    .expect("recipe");
    let text = succeed(folder, &["compare", "bare.toml", "--plot=a.svg", "--quiet"]);
    let row = text.lines().nth(2).expect("a row");
    assert_eq!(row.matches(" -  ").count(), 2, "{text}");
    let picture = fs::read_to_string(folder.join("a.svg")).expect("a picture");
    assert!(picture.contains("Training loss") && picture.contains("Training accuracy"));
    // Nothing was scored, so there are no dots.
    assert!(!picture.contains("Validation") && !picture.contains("class=\"dot "));
}
