//! Bad input: one clear message with place, found and expected, exit code 2, and nothing changed on the disk.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{contents, run, succeed, toy, toy_recipe};

/// One wrong thing: what is done to the folder, the command, and what the message must say.
type Case = (
    &'static str,
    fn(&Path),
    &'static str,
    &'static [&'static str],
);

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.join(name), bytes).expect("a file for the case");
}

/// Replaces text in a file of the folder.
fn replace(folder: &Path, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join(name)).expect("a file to change");
    assert!(text.contains(from), "{from:?} in {name}");
    write(folder, name, text.replacen(from, to, 1));
}

/// Keeps the first half of a file.
fn truncate(folder: &Path, name: &str) {
    let bytes = fs::read(folder.join(name)).expect("a file to cut");
    write(folder, name, &bytes[..bytes.len() / 2]);
}

/// Changes one byte in the middle of a file.
fn flip(folder: &Path, name: &str) {
    let mut bytes = fs::read(folder.join(name)).expect("a file to change");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    write(folder, name, bytes);
}

fn as_is(_folder: &Path) {}

const DATA: &[Case] = &[
    (
        "missing file",
        as_is,
        "train --train no.csv",
        &["no.csv", "no such file", ".csv"],
    ),
    (
        "folder instead of file",
        |f| fs::create_dir(f.join("d.csv")).expect("a folder"),
        "train --train d.csv",
        &["d.csv"],
    ),
    (
        "unknown ending",
        |f| write(f, "a.txt", "x"),
        "train --train a.txt",
        &["a.txt", ".ts", ".csv"],
    ),
    (
        "empty csv",
        |f| write(f, "a.csv", ""),
        "train --train a.csv",
        &["a.csv", "empty"],
    ),
    (
        "header alone",
        |f| write(f, "a.csv", "series,time,label,x\n"),
        "train --train a.csv",
        &["a.csv", "no "],
    ),
    (
        "no column series",
        |f| replace(f, "toy.csv", "series", "serie"),
        "train --train toy.csv",
        &["toy.csv", "series"],
    ),
    (
        "duplicate column",
        |f| replace(f, "toy.csv", "slope", "level"),
        "train --train toy.csv",
        &["toy.csv:1", "level"],
    ),
    (
        "ragged row",
        |f| replace(f, "toy.csv", "s0,1,up,", "s0,1,up,9,"),
        "train --train toy.csv",
        &["toy.csv:3", "5"],
    ),
    (
        "no number",
        |f| replace(f, "toy.csv", "s0,0,up,0", "s0,0,up,zero"),
        "train --train toy.csv",
        &["toy.csv:2", "zero", "number"],
    ),
    (
        "missing value",
        |f| replace(f, "toy.csv", "s0,0,up,0,", "s0,0,up,,"),
        "train --train toy.csv",
        &["toy.csv:2", "missing"],
    ),
    (
        "NaN",
        |f| replace(f, "toy.csv", "s0,0,up,0,", "s0,0,up,NaN,"),
        "train --train toy.csv",
        &["toy.csv:2", "missing"],
    ),
    (
        "infinity",
        |f| replace(f, "toy.csv", "s0,0,up,0,", "s0,0,up,inf,"),
        "train --train toy.csv",
        &["toy.csv:2", "inf"],
    ),
    (
        "times out of order",
        |f| replace(f, "toy.csv", "s0,1,", "s0,7,"),
        "train --train toy.csv",
        &["toy.csv:4", "time"],
    ),
    (
        "label changes",
        |f| replace(f, "toy.csv", "s0,1,up", "s0,1,down"),
        "train --train toy.csv",
        &["toy.csv:3", "down", "up"],
    ),
    (
        "not UTF-8",
        |f| write(f, "a.csv", b"series,time,label,x\n\xff,0,a,1\n"),
        "train --train a.csv",
        &["a.csv", "UTF-8"],
    ),
    (
        "one class",
        |f| write(f, "a.csv", toy().replace("down", "up")),
        "train --train a.csv",
        &["a.csv", "at least 2 classes"],
    ),
    (
        "no labels",
        |f| write(f, "a.csv", "series,time,x\na,0,1\nb,0,2\n"),
        "train --train a.csv",
        &["a.csv", "no labels"],
    ),
    (
        "ts without data",
        |f| write(f, "a.ts", "@problemName a\n@classLabel true x y\n"),
        "train --train a.ts",
        &["a.ts", "@data"],
    ),
    (
        "ts with unknown class",
        |f| write(f, "a.ts", "@classLabel true x y\n@data\n1,2:z\n"),
        "train --train a.ts",
        &["a.ts:3", "z", "x"],
    ),
    (
        "ts with ragged case",
        |f| {
            write(
                f,
                "a.ts",
                "@dimensions 2\n@classLabel true x y\n@data\n1,2:1:x\n",
            )
        },
        "train --train a.ts",
        &["a.ts:4", "2", "1"],
    ),
    (
        "ts with time stamps",
        |f| {
            write(
                f,
                "a.ts",
                "@timeStamps true\n@classLabel true x y\n@data\n(0,1):x\n",
            )
        },
        "train --train a.ts",
        &["a.ts:1", "imeStamps"],
    ),
    (
        "test set with other channels",
        |f| write(f, "t.csv", toy().replace("slope", "tilt")),
        "train toy.toml --test t.csv",
        &["t.csv", "tilt", "slope"],
    ),
    (
        "test set with an unknown class",
        |f| write(f, "t.csv", toy().replace("down", "sideways")),
        "train toy.toml --test t.csv",
        &["t.csv", "sideways", "down"],
    ),
    (
        "test set without labels",
        |f| write(f, "t.csv", "series,time,level,slope\na,0,1,1\n"),
        "train toy.toml --test t.csv",
        &["t.csv", "label"],
    ),
    (
        "class with one sequence",
        |f| write(f, "a.csv", "series,time,label,x\na,0,u,1\nb,0,v,1\n"),
        "train --train a.csv",
        &["a.csv", "valid_fraction"],
    ),
];

const RECIPES: &[Case] = &[
    (
        "nothing to train",
        as_is,
        "train",
        &["RECIPE.toml", "--train"],
    ),
    (
        "missing recipe",
        as_is,
        "train no.toml",
        &["no.toml", "cannot read"],
    ),
    (
        "recipe is a folder",
        |f| fs::create_dir(f.join("d.toml")).expect("a folder"),
        "train d.toml",
        &["d.toml", "folder"],
    ),
    (
        "empty recipe",
        |f| write(f, "e.toml", ""),
        "train e.toml",
        &["e.toml", "empty"],
    ),
    (
        "recipe not UTF-8",
        |f| write(f, "e.toml", b"name = \"a\"\n# \xff\n"),
        "train e.toml",
        &["e.toml:2", "UTF-8"],
    ),
    (
        "no TOML",
        |f| write(f, "e.toml", "name = \"a\"\nseed = = 3\n"),
        "train e.toml",
        &["e.toml:2"],
    ),
    (
        "unknown key",
        |f| replace(f, "toy.toml", "lr =", "lerning_rate ="),
        "train toy.toml",
        &[
            "toy.toml:13",
            "training.lerning_rate",
            "did you mean training.",
        ],
    ),
    (
        "unknown section",
        |f| replace(f, "toy.toml", "[training]", "[trainin]"),
        "train toy.toml",
        &["toy.toml:10", "unknown key trainin, did you mean training?"],
    ),
    (
        "key at the top",
        |f| replace(f, "toy.toml", "[data]", "lr = 1\n[data]"),
        "train toy.toml",
        &["toy.toml:2", "unknown key lr", "training.lr"],
    ),
    (
        "no name",
        |f| replace(f, "toy.toml", "name", "seed = 1 #"),
        "train toy.toml",
        &["toy.toml", "name"],
    ),
    (
        "wrong type",
        |f| replace(f, "toy.toml", "epochs = 1", "epochs = \"one\""),
        "train toy.toml",
        &["toy.toml:11", "training.epochs", "\"one\"", "usize"],
    ),
    (
        "negative count",
        as_is,
        "train toy.toml --set model.hidden=-1",
        &["--set model.hidden=-1", "model.hidden", "-1"],
    ),
    (
        "unknown cell",
        as_is,
        "train toy.toml --cell lstmm",
        &["model.cell", "lstmm", "lstm"],
    ),
    (
        "hidden 0",
        as_is,
        "train toy.toml --set model.hidden=0",
        &["model.hidden is 0", "at least 1"],
    ),
    (
        "batch size 0",
        as_is,
        "train toy.toml --set training.batch_size=0",
        &["training.batch_size is 0"],
    ),
    (
        "epochs 0",
        as_is,
        "train toy.toml --set training.epochs=0",
        &["training.epochs is 0"],
    ),
    (
        "negative learning rate",
        as_is,
        "train toy.toml --set training.lr=-0.1",
        &["training.lr is -0.1", "positive"],
    ),
    (
        "learning rate NaN",
        as_is,
        "train toy.toml --set training.lr=nan",
        &["training.lr is NaN", "positive"],
    ),
    (
        "dropout 1",
        as_is,
        "train toy.toml --set model.head_dropout=1.0",
        &["model.head_dropout is 1", "[0, 1)"],
    ),
    (
        "valid_fraction 1",
        as_is,
        "train toy.toml --set data.valid_fraction=1.0",
        &["data.valid_fraction is 1"],
    ),
    (
        "no validation to watch",
        as_is,
        "train toy.toml --set data.valid_fraction=0",
        &["training.watch", "data.valid"],
    ),
    (
        "schedule of unknown kind",
        as_is,
        "train toy.toml --set training.schedule.kind=cosine",
        &["training.schedule", "cosine", "exponential"],
    ),
    (
        "unknown field of a kind",
        as_is,
        "train toy.toml --set training.schedule={kind='exponential',gama=0.9}",
        &["training.schedule.gama", "training.schedule.gamma"],
    ),
    (
        "field of a kind without fields",
        as_is,
        "train toy.toml --set model.init.bias={kind='zeros',value=1}",
        &["model.init.bias.value", "unknown key"],
    ),
    (
        "schedule out of range",
        as_is,
        "train toy.toml --set training.schedule={kind='exponential',gamma=-1.0}",
        &["training.schedule", "gamma", "-1"],
    ),
    (
        "plateau the wrong way",
        as_is,
        "train toy.toml --set training.schedule={kind='plateau',mode='max'}",
        &["training.schedule.mode", "max", "min"],
    ),
    (
        "initialisation that the cell lacks",
        as_is,
        "train toy.toml --set model.init.gates=[{gate='forget'}]",
        &["forget", "gates[0]"],
    ),
    (
        "override without =",
        as_is,
        "train toy.toml --set training.lr",
        &["--set training.lr", "key=value"],
    ),
    (
        "override of nothing",
        as_is,
        "train toy.toml --set training.lr=",
        &["--set training.lr=", "no TOML value"],
    ),
    (
        "override of an unknown key",
        as_is,
        "train toy.toml --set model.hiden=3",
        &["--set model.hiden=3", "model.hidden"],
    ),
    (
        "unknown backend",
        as_is,
        "train toy.toml --backend tpu",
        &["tpu", "flex"],
    ),
    (
        "backend not compiled in",
        as_is,
        "train toy.toml --backend rocm",
        &["rocm", "--features rocm", "flex"],
    ),
];

const FOLDERS: &[Case] = &[
    (
        "folder in use",
        as_is,
        "train toy.toml --out run",
        &["run", "not empty", "--resume"],
    ),
    (
        "folder with something else",
        |f| {
            fs::create_dir(f.join("x")).expect("a folder");
            write(f, "x/mine", "mine");
        },
        "train toy.toml --out x --resume",
        &["x", "mine"],
    ),
    (
        "out below a file",
        as_is,
        "train toy.toml --out toy.csv/run",
        &["toy.csv/run"],
    ),
    (
        "resume without out",
        as_is,
        "train toy.toml --resume",
        &["--out"],
    ),
    (
        "resume with another recipe",
        as_is,
        "train toy.toml --set model.hidden=5 --out half --resume",
        &["half", "hidden = 4", "hidden = 5"],
    ),
    (
        "resume on changed data",
        |f| replace(f, "toy.csv", "s0,0,up,0,", "s0,0,up,0.125,"),
        "train toy.toml --out half --resume",
        &["half", "checksum", "data"],
    ),
    (
        "truncated checkpoint weights",
        |f| truncate(f, "half/checkpoint/epoch-1/model.bpk"),
        "train toy.toml --out half --resume",
        &["model.bpk", "damaged", "checksum"],
    ),
    (
        "flipped optimiser state",
        |f| flip(f, "half/checkpoint/epoch-1/optimizer.bpk"),
        "train toy.toml --out half --resume",
        &["optimizer.bpk", "damaged"],
    ),
    (
        "truncated checkpoint state",
        |f| truncate(f, "half/checkpoint/epoch-1/state.json"),
        "train toy.toml --out half --resume",
        &["state.json", "damaged"],
    ),
    (
        "checkpoint of another format",
        |f| {
            replace(
                f,
                "half/checkpoint/epoch-1/state.json",
                "\"format\": 1",
                "\"format\": 9",
            )
        },
        "train toy.toml --out half --resume",
        &["state.json", "format 9", "format 1"],
    ),
    (
        "truncated steps",
        |f| truncate(f, "half/steps.csv"),
        "train toy.toml --out half --resume",
        &["steps.csv", "bytes"],
    ),
    (
        "damaged recipe of a run",
        |f| replace(f, "half/recipe.toml", "hidden = ", "hiden = "),
        "train --out half --resume",
        &["recipe.toml", "hiden"],
    ),
    (
        "no run folder",
        as_is,
        "evaluate no --data toy.csv",
        &["no", "recipe.toml"],
    ),
    (
        "file instead of run folder",
        as_is,
        "inspect toy.csv",
        &["toy.csv", "no run folder"],
    ),
    (
        "empty run folder",
        |f| fs::create_dir(f.join("x")).expect("a folder"),
        "predict x --data toy.csv",
        &["x", "no run folder"],
    ),
    (
        "unfinished run",
        as_is,
        "evaluate half --data toy.csv",
        &["half", "not finished", "--resume"],
    ),
    (
        "truncated weights",
        |f| truncate(f, "run/model.bpk"),
        "evaluate run --data toy.csv",
        &["model.bpk", "damaged", "checksum"],
    ),
    (
        "flipped weights",
        |f| flip(f, "run/model.bpk"),
        "predict run --data toy.csv",
        &["model.bpk", "damaged"],
    ),
    (
        "missing weights",
        |f| fs::remove_file(f.join("run/model.bpk")).expect("gone"),
        "predict run --data toy.csv",
        &["model.bpk", "cannot read"],
    ),
    (
        "weights of another shape",
        |f| replace(f, "run/recipe.toml", "hidden = 4", "hidden = 5"),
        "predict run --data toy.csv",
        &["model.bpk", "does not fit", "[2, 15]", "[2, 12]"],
    ),
    (
        "truncated preprocessing",
        |f| truncate(f, "run/preprocessing.json"),
        "predict run --data toy.csv",
        &["preprocessing.json", "damaged"],
    ),
    (
        "preprocessing of another format",
        |f| {
            replace(
                f,
                "run/preprocessing.json",
                "\"format\": 1",
                "\"format\": 2",
            )
        },
        "predict run --data toy.csv",
        &["preprocessing.json", "format 2"],
    ),
    (
        "scaler that divides by zero",
        |f| replace(f, "run/preprocessing.json", "\"std\": [", "\"std\": [0.0,"),
        "predict run --data toy.csv",
        &["preprocessing.json", "damaged"],
    ),
    (
        "truncated result",
        |f| truncate(f, "run/result.json"),
        "inspect run",
        &["result.json", "damaged"],
    ),
    (
        "other channels",
        |f| write(f, "o.csv", "series,time,label,x\na,0,up,1\n"),
        "evaluate run --data o.csv",
        &["o.csv", "channel"],
    ),
    (
        "unknown label",
        |f| write(f, "o.csv", toy().replace("down", "left")),
        "evaluate run --data o.csv",
        &["o.csv", "left"],
    ),
    (
        "nothing to compare with",
        |f| write(f, "o.csv", "series,time,level,slope\na,0,1,1\n"),
        "evaluate run --data o.csv",
        &["o.csv", "no sequence has a label"],
    ),
    (
        "output into a missing folder",
        as_is,
        "predict run --data toy.csv --output no/p.csv",
        &["no/p.csv", "cannot write"],
    ),
    (
        "output over a folder",
        as_is,
        "predict run --data toy.csv --output run",
        &["run", "cannot write"],
    ),
    (
        "compare with one wrong recipe",
        |f| write(f, "e.toml", "name = 3"),
        "compare toy.toml e.toml",
        &["e.toml"],
    ),
];

/// A folder with the toy data, a recipe, a finished run, and one that was stopped after its epoch.
fn prepare(folder: &Path) {
    write(folder, "toy.csv", toy());
    write(folder, "toy.toml", toy_recipe(1));
    for run in ["run", "half"] {
        succeed(folder, &["train", "toy.toml", "--out", run, "--quiet"]);
    }
    fs::remove_file(folder.join("half/result.json")).expect("the run was finished");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// What is wrong with how the command treats a case, if anything.
fn judge(folder: &Path, (name, break_it, command, pieces): &Case) -> Vec<String> {
    break_it(folder);
    let before = contents(folder);
    let args: Vec<&str> = command.split(' ').collect();
    let output = run(folder, &args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut wrong = Vec::new();
    let mut expect = |is_right: bool, what: &str| {
        if !is_right {
            wrong.push(format!("{name} (`{command}`): {what}\n{error}"));
        }
    };
    expect(
        output.status.code() == Some(2),
        &format!("{}, expected exit code 2", output.status),
    );
    expect(
        error.matches("error: ").count() == 1,
        "expected one `error: `",
    );
    expect(
        output.stdout.is_empty(),
        "expected nothing on standard output",
    );
    expect(
        !error.contains("panicked") && !error.contains("defect"),
        "expected no panic",
    );
    for piece in *pieces {
        expect(
            error.contains(piece),
            &format!("expected {piece:?} in the message"),
        );
    }
    expect(contents(folder) == before, "expected the disk as it was");
    wrong
}

fn assert_all(cases: &[Case]) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let template = temporary.path().join("template");
    fs::create_dir(&template).expect("a folder");
    prepare(&template);
    let wrong: Vec<String> = cases
        .iter()
        .enumerate()
        .flat_map(|(index, case)| {
            let folder = temporary.path().join(index.to_string());
            copy(&template, &folder);
            judge(&folder, case)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn data_files() {
    assert_all(DATA);
}

#[test]
fn recipes_and_options() {
    assert_all(RECIPES);
}

#[test]
fn run_folders() {
    assert_all(FOLDERS);
}
