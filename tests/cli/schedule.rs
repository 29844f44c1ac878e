//! `rekindle schedule`: tables, CSV and pictures of learning rates.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{contents, run, succeed, toy, toy_recipe};

/// A folder with the toy recipe, and more of its section `[training]`.
fn folder(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    fs::write(folder.path().join("toy.toml"), toy_recipe(6) + more).expect("a recipe");
    folder
}

/// The numbers of a CSV text, without its header.
fn numbers(csv: &str) -> Vec<Vec<f64>> {
    let cell = |cell: &str| cell.parse().expect("a number");
    let lines = csv.lines().skip(1);
    lines
        .map(|line| line.split(',').map(cell).collect())
        .collect()
}

#[test]
fn the_rates_of_a_recipe_are_those_that_it_trains_with() {
    let more = "schedule = { kind = \"warm_up\", steps = 4, from = 0.5, next = { kind = \"cosine\", steps = 9, to = 0.1 } }\n";
    for unit in ["epoch", "step"] {
        let folder = folder(&format!("{more}schedule_unit = \"{unit}\"\n"));
        let folder = folder.path();
        let before = contents(folder);
        let csv = succeed(folder, &["schedule", "toy.toml", "--csv"]);
        assert_eq!(contents(folder), before, "nothing is written");
        assert!(csv.starts_with(&format!("{unit},rate\n")), "{csv}");
        let rates = numbers(&csv);
        succeed(folder, &["train", "toy.toml", "--out", "run", "--quiet"]);
        let steps = fs::read_to_string(folder.join("run/steps.csv")).expect("the steps");
        let header: Vec<&str> = steps.lines().next().expect("a header").split(',').collect();
        let column = |name| header.iter().position(|cell| *cell == name).expect(name);
        let (step, epoch, lr) = (column("step"), column("epoch"), column("lr"));
        let trained = numbers(&steps);
        let expected = if unit == "step" { trained.len() } else { 6 };
        assert_eq!(rates.len(), expected);
        for row in trained {
            let counted = if unit == "step" {
                row[step]
            } else {
                row[epoch]
            };
            let [n, rate] = rates[counted as usize - 1][..] else {
                panic!("two columns")
            };
            assert_eq!((n, rate), (counted - 1.0, row[lr]));
        }
    }
}

#[test]
fn the_table_says_how_many_steps_there_are() {
    let folder = folder("schedule = \"constant\"\nschedule_unit = \"step\"\n");
    let text = succeed(folder.path(), &["schedule", "toy.toml"]);
    // 18 of 24 sequences train, 8 in a batch.
    assert!(
        text.starts_with("6 epochs of 3 steps: 18 steps\n\nstep"),
        "{text}"
    );
    assert_eq!(text.matches("2.0000e-2").count(), 18, "{text}");
    let text = succeed(folder.path(), &["schedule", "toy.toml", "--steps", "100"]);
    assert!(
        text.contains("every 5 steps; --csv prints all 100"),
        "{text}"
    );
    let text = succeed(
        folder.path(),
        &["schedule", "toy.toml", "--set", "training.schedule=plateau"],
    );
    assert!(text.contains("until then"), "{text}");
}

#[test]
fn groups_have_columns_of_their_own() {
    let groups = "schedule = { kind = \"linear\", to = 0, steps = 4 }\ngroups = [{ targets = [\"weight_hh\", \"head.*\"], lr_factor = 0.5 }, { targets = \
                  [\"bias_ih\"], schedule = \"constant\" }]\n";
    let folder = folder(groups);
    let csv = succeed(
        folder.path(),
        &["schedule", "toy.toml", "--csv", "--steps", "3"],
    );
    assert_eq!(
        csv,
        "epoch,all others,\"weight_hh, head.*\",bias_ih\n0,0.02,0.01,0.02\n1,0.015,0.0075,0.02\n2,0.01,0.005,0.02\n"
    );
    // Trained, so that the names are right.
    succeed(
        folder.path(),
        &["train", "toy.toml", "--out", "run", "--quiet"],
    );
}

#[test]
fn schedules_by_themselves_have_columns_and_drawings_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = [
        "schedule",
        "--schedule",
        "half, then: { kind = 'step', every = 2, gamma = 0.5 }",
        "--schedule",
        "{ kind = 'linear', to = 0, steps = 4 }",
        "--lr",
        "2",
        "--steps",
        "5",
        "--csv",
        "--plot",
        "a.svg",
    ];
    let csv = succeed(folder.path(), &args);
    assert_eq!(
        csv,
        "step,\"half, then\",linear\n0,2,2\n1,2,1.5\n2,1,1\n3,1,0.5\n4,0.5,0\n"
    );
    let svg = fs::read_to_string(folder.path().join("a.svg")).expect("the picture");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains(">half, then</text>") && svg.contains(">linear</text>"));
    assert_eq!(svg.matches("class=\"line ").count(), 2);
}

/// The words of a command as a shell takes them, with single quotes and lines that go on.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in command.replace("\\\n", " ").split('\'').enumerate() {
        match place % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_string)),
            _ => words.push(part.to_string()),
        }
    }
    words
}

#[test]
fn the_picture_of_the_book_is_what_its_command_gives() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
    let page = fs::read_to_string(book.join("schedules.md")).expect("the page");
    let command = page
        .split("```sh\ncargo rekindle ")
        .nth(1)
        .expect("a command");
    let words = words(command.split("```").next().expect("its end"));
    let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
    let plot = args
        .iter()
        .position(|arg| *arg == "--plot")
        .expect("a picture")
        + 1;
    assert!(
        args[plot].ends_with("docs/src/images/schedules.svg"),
        "{args:?}"
    );
    args[plot] = "found.svg";
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(folder.path(), &args);
    let read = |path: &Path| fs::read_to_string(path).expect("a picture");
    let found = read(&folder.path().join("found.svg"));
    let expected = read(&book.join("images/schedules.svg"));
    assert!(
        found == expected,
        "docs/src/images/schedules.svg is another picture, expected that of the command above it"
    );
}

#[test]
fn wrong_schedules_are_refused_with_their_place() {
    let folder = folder("");
    let folder: &Path = folder.path();
    fs::create_dir(folder.join("d.svg")).expect("a folder");
    let before = contents(folder);
    for (args, expected) in [
        (&["schedule"][..], "expected one of them"),
        (
            &["schedule", "--schedule", "{kind='cosin',steps=3}"],
            "--schedule: schedule.kind: found \"cosin\", expected one of",
        ),
        (
            &["schedule", "--schedule", "{kind='cosine',stesp=3}"],
            "--schedule: unknown key schedule.stesp, did you mean schedule.steps?",
        ),
        (
            &["schedule", "--schedule", "{kind='exponential',gamma=-1}"],
            "`gamma` is -1, expected a positive finite number",
        ),
        (
            &["schedule", "--schedule", "constant", "--lr", "-1"],
            "--lr is -1, expected a positive finite number",
        ),
        (
            &["schedule", "--schedule", "constant", "--steps", "0"],
            "--steps",
        ),
        (
            &["schedule", "--schedule", "constant", "--set", "seed=1"],
            "expected a recipe",
        ),
        (&["schedule", "toy.toml", "--lr", "1"], "--lr"),
        (&["schedule", "no.toml"], "no.toml"),
        (
            &["schedule", "toy.toml", "--plot", "d.svg"],
            "--plot: cannot write d.svg",
        ),
        (
            &[
                "schedule",
                "toy.toml",
                "--set",
                "training.schedule={kind='chained',schedules=[{kind='cosine',steps=0}]}",
            ],
            "training.schedule: `schedules[0].steps` is 0, expected at least 1",
        ),
    ] {
        let output = run(folder, args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
        assert_eq!(contents(folder), before, "{args:?}");
    }
}
