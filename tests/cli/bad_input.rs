//! Bad input: one clear message with place, found and expected, exit code 2, and nothing changed on the disk.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{contents, rekindle, run, succeed, toy, toy_recipe};

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

fn remove(folder: &Path, name: &str) {
    fs::remove_file(folder.join(name)).expect("a file to remove");
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
    (
        "no column time",
        |f| replace(f, "toy.csv", "time", "when"),
        "train --train toy.csv",
        &["toy.csv:1", "`when`", "`time`"],
    ),
    (
        "no channels",
        |f| write(f, "a.csv", "series,time,label\na,0,x\n"),
        "train --train a.csv",
        &["a.csv", "no channel"],
    ),
    (
        "time without a number",
        |f| replace(f, "toy.csv", "s0,1,", "s0,later,"),
        "train --train toy.csv",
        &["toy.csv:3", "`later`", "number"],
    ),
    (
        "label missing in a row",
        |f| replace(f, "toy.csv", "s0,1,up", "s0,1,"),
        "train --train toy.csv",
        &["toy.csv:3", "label"],
    ),
    (
        "ts with numbers as labels",
        |f| write(f, "a.ts", "@targetLabel true\n@data\n1,2:0.5\n1,2:0.7\n"),
        "train --train a.ts",
        &["a.ts", "numbers as labels", "class labels"],
    ),
    (
        "ts with an empty case",
        |f| write(f, "a.ts", "@classLabel true x y\n@data\n1,2:x\n:y\n"),
        "train --train a.ts",
        &["a.ts:4"],
    ),
    (
        "missing validation file",
        as_is,
        "train toy.toml --valid no.csv",
        &["no.csv", "no such file"],
    ),
    (
        "validation set with fewer channels",
        |f| write(f, "v.csv", "series,time,label,level\na,0,up,1\n"),
        "train toy.toml --valid v.csv",
        &["v.csv", "1 channels", "expected 2"],
    ),
    (
        "missing file to predict",
        as_is,
        "predict run --data no.ts",
        &["no.ts", "no such file"],
    ),
    (
        "broken file to predict",
        |f| replace(f, "toy.csv", "s0,0,up,0", "s0,0,up,zero"),
        "predict run --data toy.csv --output p.csv",
        &["toy.csv:2", "zero", "number"],
    ),
];

const RECIPES: &[Case] = &[
    (
        "penalty on no parameter",
        as_is,
        "train toy.toml --set regularize.penalties=[{kind='l1',strength=1,targets=['weights']}]",
        &["regularize.penalties[0]", "`weights`", "head.weight"],
    ),
    (
        "norm of a product in two parts",
        as_is,
        "train toy.toml --set model.normalization=rms --set model.reset=before",
        &[
            "model.normalization is \"rms\"",
            "model.reset",
            "sequence_batch",
        ],
    ),
    (
        "zoneout of a cell state that there is not",
        as_is,
        "train toy.toml --set regularize.dropout.zoneout_cell=0.1",
        &["regularize.dropout.zoneout_cell", "\"gru\"", "\"lstm\""],
    ),
    (
        "more units than memory",
        as_is,
        "train toy.toml --set model.hidden=1000000000",
        &["model.hidden is 1000000000", "2^28"],
    ),
    (
        "more layers than memory",
        as_is,
        "train toy.toml --set model.layers=1000000000000000000",
        &["model.layers 1000000000000000000", "2^28"],
    ),
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
        "train toy.toml --set training.schedule.kind=cosinus",
        &["training.schedule", "cosinus", "exponential"],
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
        "option that the cell lacks",
        as_is,
        "train toy.toml --set model.peepholes=full",
        &["model.peepholes is \"full\"", "\"gru\"", "\"lstm\""],
    ),
    (
        "unknown activation",
        as_is,
        "train toy.toml --set model.candidate_activation=swish",
        &["model.candidate_activation", "swish", "softsign"],
    ),
    (
        "projection wider than the cell",
        as_is,
        "train toy.toml --cell lstm --set model.projected=4",
        &["model.projected is 4", "below model.hidden"],
    ),
    (
        "gate recurrence without a gate",
        as_is,
        "train toy.toml --cell lstm --set model.gate_recurrence=true --set model.gates=coupled",
        &["model.gate_recurrence is true", "\"coupled\"", "\"all\""],
    ),
    (
        "clip 0",
        as_is,
        "train toy.toml --set model.clip=0",
        &["model.clip is 0", "above 0"],
    ),
    (
        "too many dense layers",
        as_is,
        "train toy.toml --set model.layers=10000 --set model.connections=dense",
        &["model.layers 10000", "2^28"],
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
        &["rocm", "not compiled in", "--features rocm"],
    ),
    (
        "device that is not there",
        as_is,
        "train toy.toml --devices flex:1",
        &["flex:1", "1 device, flex:0"],
    ),
    (
        "device without a number",
        as_is,
        "train toy.toml --devices flex:first",
        &["flex:first", "flex:0"],
    ),
    (
        "device that is named twice",
        as_is,
        "train toy.toml --devices flex,flex:0",
        &["flex and flex:0", "leave one out, or number them"],
    ),
    (
        "devices beside a backend",
        as_is,
        "train toy.toml --devices flex --backend flex",
        &["--devices", "--backend"],
    ),
    (
        "no data",
        |f| write(f, "e.toml", "name = \"a\"\n"),
        "train e.toml",
        &["e.toml", "data"],
    ),
    (
        "name that leads elsewhere",
        as_is,
        "train toy.toml --set name=../a",
        &["name is", "../a", "without slashes"],
    ),
    (
        "section that is a value",
        as_is,
        "train toy.toml --set model=3",
        &["--set model=3", "model"],
    ),
    (
        "unknown scaling",
        as_is,
        "train toy.toml --set data.scaling=minmax",
        &["data.scaling", "minmax", "standard"],
    ),
    (
        "negative dropout",
        as_is,
        "train toy.toml --set model.input_dropout=-0.5",
        &["model.input_dropout is -0.5", "[0, 1)"],
    ),
    (
        "patience 0",
        as_is,
        "train toy.toml --set training.patience=0",
        &["training.patience is 0", "at least 1"],
    ),
    (
        "clipping to 0",
        as_is,
        "train toy.toml --set training.clip_norm=0",
        &["training.clip.max", "0", "positive"],
    ),
    (
        "seed too large",
        as_is,
        "train toy.toml --seed 9223372036854775808",
        &["--seed", "9223372036854775808", "0..=9223372036854775807"],
    ),
    (
        "seed without a number",
        as_is,
        "compare toy.toml --seeds 1,two",
        &["--seeds", "two"],
    ),
    (
        "seed given twice",
        as_is,
        "compare toy.toml --seeds 1,2,1",
        &["--seeds", "found 1 twice", "once"],
    ),
    ("compare nothing", as_is, "compare", &["RECIPES"]),
    (
        "a recipe given twice",
        as_is,
        "compare toy.toml toy.toml",
        &["recipe toy.toml twice", "--vary"],
    ),
    (
        "variant with an unknown key",
        as_is,
        "compare toy.toml --vary plain --vary long:training.epoch=9",
        &[
            "--vary long: training.epoch=9: unknown key",
            "did you mean training.epochs?",
        ],
    ),
    (
        "variant with a value out of range",
        as_is,
        "compare toy.toml --vary plain --vary none:training.epochs=0",
        &["--vary none: ", "training.epochs is 0"],
    ),
    (
        "variant without changes behind its colon",
        as_is,
        "compare toy.toml --vary plain:",
        &["--vary", "found nothing behind the colon", "KEY=VALUE"],
    ),
    (
        "variant without a label",
        as_is,
        "compare toy.toml --vary :seed=1",
        &["--vary", "found no label"],
    ),
    (
        "variant that cannot be a folder",
        as_is,
        "compare toy.toml --vary a/b",
        &["--vary", "a/b", "without slashes"],
    ),
    (
        "two variants of one label",
        as_is,
        "compare toy.toml --vary a:seed=1 --vary a:seed=2",
        &["--vary", "label \"a\" twice"],
    ),
    (
        "seeds in two places",
        as_is,
        "compare toy.toml --vary a:seed=1 --seeds 1,2",
        &["--vary a", "--seeds", "one of the two"],
    ),
    (
        "no seeds",
        as_is,
        "compare toy.toml --seeds=",
        &["--seeds", "empty string"],
    ),
    (
        "picture into a missing folder",
        as_is,
        "compare toy.toml --plot no/a.svg",
        &["--plot: cannot write no/a.svg"],
    ),
    (
        "picture of another kind",
        as_is,
        "compare toy.toml --plot a.png",
        &["--plot: found a.png", "ends in .svg"],
    ),
    (
        "table over a folder",
        as_is,
        "compare toy.toml --markdown run",
        &["--markdown: cannot write run", "found a folder"],
    ),
    (
        "picture and table in one file",
        as_is,
        "compare toy.toml --plot a.svg --markdown a.svg",
        &["--markdown: found a.svg", "another file"],
    ),
    ("unknown command", as_is, "teach toy.toml", &["teach"]),
    (
        "unknown option",
        as_is,
        "train toy.toml --epochs 3",
        &["--epochs"],
    ),
];

const FOLDERS: &[Case] = &[
    (
        "channels that the scaler does not have",
        |f| replace(f, "run/preprocessing.json", "\"level\"", "\"height\""),
        "predict run --data toy.csv",
        &["preprocessing.json", "scaler", "level", "height"],
    ),
    (
        "a class twice",
        |f| replace(f, "run/preprocessing.json", "\"down\"", "\"up\""),
        "predict run --data toy.csv",
        &["preprocessing.json", "classes", "distinct"],
    ),
    (
        "a best epoch that never was",
        |f| {
            replace(
                f,
                "half/checkpoint/epoch-1/state.json",
                "\"best\": {\n    \"epoch\": 1",
                "\"best\": {\n    \"epoch\": 9",
            );
        },
        "train toy.toml --out half --resume",
        &["state.json", "best epoch is 9", "expected 1 to 1"],
    ),
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
                "\"format\": 2",
                "\"format\": 9",
            )
        },
        "train toy.toml --out half --resume",
        &["state.json", "format 9", "format 2"],
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
        |f| remove(f, "run/model.bpk"),
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
    (
        "out is a file",
        as_is,
        "train toy.toml --out toy.csv",
        &["toy.csv"],
    ),
    (
        "output below a file",
        as_is,
        "predict run --data toy.csv --output toy.csv/p.csv",
        &["toy.csv/p.csv", "cannot write"],
    ),
    (
        "weights of another run",
        |f| {
            let weights = fs::read(f.join("wide/model.bpk")).expect("weights");
            write(f, "run/model.bpk", weights);
        },
        "predict run --data toy.csv",
        &["run/model.bpk", "damaged", "checksum", "expected"],
    ),
    (
        "missing preprocessing",
        |f| remove(f, "run/preprocessing.json"),
        "evaluate run --data toy.csv",
        &["preprocessing.json", "cannot read"],
    ),
    (
        "preprocessing without a class",
        |f| replace(f, "run/preprocessing.json", "\"down\",", ""),
        "predict run --data toy.csv",
        &["run", "damaged"],
    ),
    (
        "preprocessing with unknown keys",
        |f| replace(f, "run/preprocessing.json", "\"mean\"", "\"means\""),
        "predict run --data toy.csv",
        &["preprocessing.json", "damaged", "means"],
    ),
    (
        "result of another format",
        |f| replace(f, "run/result.json", "\"format\": 1", "\"format\": 3"),
        "evaluate run --data toy.csv",
        &["result.json", "format 3", "format 1"],
    ),
    (
        "run without its recipe",
        |f| remove(f, "run/recipe.toml"),
        "evaluate run --data toy.csv",
        &["run", "recipe.toml"],
    ),
    (
        "truncated metrics",
        |f| truncate(f, "run/metrics.csv"),
        "inspect run",
        &["run/metrics.csv", "damaged", "found", "expected"],
    ),
    (
        "metrics with text",
        |f| replace(f, "run/metrics.csv", "\n1,", "\none,"),
        "inspect run",
        &[
            "run/metrics.csv",
            "line 2",
            "one",
            "expected epoch,train_loss",
        ],
    ),
    (
        "missing metrics",
        |f| remove(f, "run/metrics.csv"),
        "inspect run",
        &["run/metrics.csv", "cannot read"],
    ),
    (
        "missing steps",
        |f| remove(f, "half/steps.csv"),
        "train toy.toml --out half --resume",
        &["steps.csv", "cannot read"],
    ),
    (
        "missing part of a checkpoint",
        |f| remove(f, "half/checkpoint/epoch-1/lr.bpk"),
        "train toy.toml --out half --resume",
        &["lr.bpk", "cannot read"],
    ),
    (
        "checkpoint under another number",
        |f| {
            fs::rename(
                f.join("half/checkpoint/epoch-1"),
                f.join("half/checkpoint/epoch-2"),
            )
            .expect("another name")
        },
        "train toy.toml --out half --resume",
        &["epoch-2", "1 epochs", "expected 2"],
    ),
    (
        "checkpoint that is a file",
        |f| {
            fs::remove_dir_all(f.join("half/checkpoint")).expect("gone");
            write(f, "half/checkpoint", "x");
        },
        "train toy.toml --out half --resume",
        &["half/checkpoint", "cannot read"],
    ),
    (
        "compare with missing data",
        |f| write(f, "e.toml", toy_recipe(1).replace("toy.csv", "no.csv")),
        "compare toy.toml e.toml",
        &["no.csv", "no such file"],
    ),
    (
        "compare below a file",
        as_is,
        "compare toy.toml --out toy.csv",
        &["toy.csv/toy-gru-seed0"],
    ),
];

/// A folder with the toy data, a recipe, a finished run, one with a wider network, and one that was stopped after its
/// epoch.
fn prepare(folder: &Path) {
    write(folder, "toy.csv", toy());
    write(folder, "toy.toml", toy_recipe(1));
    for run in ["run", "half"] {
        succeed(folder, &["train", "toy.toml", "--out", run, "--quiet"]);
    }
    remove(folder, "half/result.json");
    let wider = ["--set", "model.hidden=5", "--out", "wide", "--quiet"];
    succeed(folder, &[&["train", "toy.toml"], &wider[..]].concat());
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

/// Cases for users whom the system may refuse a file; root may read everything.
#[cfg(unix)]
#[test]
fn unreadable_files() {
    use std::os::unix::fs::PermissionsExt;

    fn close(folder: &Path, name: &str) {
        let path = folder.join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("a file of ours");
    }

    const CASES: &[(&str, &str)] = &[
        ("toy.csv", "train toy.toml"),
        ("toy.toml", "train toy.toml"),
        ("run/model.bpk", "predict run --data toy.csv"),
        (
            "half/checkpoint/epoch-1/state.json",
            "train toy.toml --out half --resume",
        ),
    ];
    for (name, command) in CASES {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = temporary.path();
        prepare(folder);
        close(folder, name);
        if fs::read(folder.join(name)).is_ok() {
            return;
        }
        let output = run(folder, &command.split(' ').collect::<Vec<_>>());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {error}");
        assert!(
            error.starts_with("error: ") && error.contains(name),
            "{name}: {error}"
        );
    }
}

/// A run that diverges keeps what it had, and says where it stopped.
#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    write(folder, "toy.csv", toy());
    write(folder, "toy.toml", toy_recipe(3));
    let output = run(
        folder,
        &[
            "train",
            "toy.toml",
            "--set",
            "training.lr=1e30",
            "--out",
            "run",
            "--quiet",
        ],
    );
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    for piece in ["epoch 1", "step ", "finite", "training.lr"] {
        assert!(error.contains(piece), "{piece} in {error}");
    }
    let files = contents(&folder.join("run"));
    let endings =
        |path: &&std::path::PathBuf| path.extension().is_some_and(|ending| ending == "tmp");
    assert_eq!(files.keys().filter(endings).count(), 0);
    assert!(!folder.join("run/result.json").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;

    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    prepare(folder);
    for command in ["predict run --data toy.csv", "keys", "inspect run"] {
        let args: Vec<&str> = command.split(' ').collect();
        let mut child = rekindle(folder, &args);
        let mut child = child
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && error.is_empty(),
            "{command}: {} {error}",
            output.status
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_with_its_cause() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let full = fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("the device that is always full");
    let output = rekindle(folder, &["keys"])
        .stdout(full)
        .output()
        .expect("it starts");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "error: cannot write to standard output");
    assert!(
        lines[1].starts_with("  caused by: No space left on device"),
        "{error}"
    );
}
