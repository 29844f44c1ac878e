//! Running the command `rekindle` in tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command, in a folder.
pub fn rekindle(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(args).current_dir(folder);
    command
}

/// Runs the command to its end.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    rekindle(folder, args).output().expect("the command starts")
}

/// Runs the command, which must succeed, and returns its standard output.
pub fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(
        output.status.success(),
        "{args:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Runs the command, which must end with an error that is no panic, and returns what it says.
pub fn fail(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
    assert!(output.stdout.is_empty(), "{args:?}");
    message
}

/// A file of the repository.
pub fn shipped(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("the repository");
    root.join(path).to_str().expect("a path in UTF-8").into()
}

/// The JSON object in the last line of a text.
pub fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text.lines().last().expect("a line")).expect("a JSON object")
}

/// The shipped data.
pub fn vowels(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../data/japanese-vowels")
        .join(name)
}

/// Two classes of short sequences: rising and falling ramps with a wobble.
pub fn toy() -> String {
    let mut text = String::from("series,time,label,level,slope\n");
    for series in 0..24 {
        let (name, sign) = if series % 2 == 0 {
            ("up", 1.0)
        } else {
            ("down", -1.0)
        };
        for time in 0..4 + series % 5 {
            let wobble = f64::from((series * 7 + time * 13) % 10) / 20.0;
            let level = sign * f64::from(time) / 4.0 + wobble;
            text += &format!("s{series},{time},{name},{level},{}\n", sign * wobble);
        }
    }
    text
}

/// A recipe for the toy data that trains in a moment.
pub fn toy_recipe(epochs: usize) -> String {
    format!(
        "name = \"toy\"\n[data]\ntrain = \"toy.csv\"\ntest = \"toy.csv\"\nvalid_fraction = 0.25\n[model]\ncell = \"gru\"\n\
         hidden = 4\nhead_dropout = 0.2\n[training]\nepochs = {epochs}\nbatch_size = 8\nlr = 0.02\n"
    )
}

/// Every file below a folder with its bytes.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path.clone());
                found.insert(path, None);
            } else {
                let bytes = fs::read(&path).expect("a file");
                found.insert(path, Some(bytes));
            }
        }
    }
    found
}
