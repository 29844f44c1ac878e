"""Records learning curves for tests/recorded_curves.rs: random settings of one recipe, each trained to its end.

    python3 record.py PROGRAM REPOSITORY FOLDER [WORKERS]

PROGRAM is a release build of `rekindle`, REPOSITORY a checkout with recipes and data, FOLDER an empty one for the runs.
Given again with the same FOLDER, it trains only what is missing there. See README.md for what was recorded.
"""

import csv
import math
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TRIALS = 80
EPOCHS = 40
SEED = 1  # of the settings; the runs of curves.csv have seed 0
BEST = 5  # how many of the best settings are trained again,
AGAIN = [1, 2, 3, 4, 5]  # with these seeds

SETTINGS = ["cell", "hidden", "layers", "lr", "input_dropout", "head_dropout", "batch_size"]
KEYS = {
    "cell": "model.cell",
    "hidden": "model.hidden",
    "layers": "model.layers",
    "lr": "training.lr",
    "input_dropout": "model.input_dropout",
    "head_dropout": "model.head_dropout",
    "batch_size": "training.batch_size",
}


def settings():
    """The settings of all trials."""
    draw = random.Random(SEED)

    def logarithmic(low, high):
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    return [
        {
            "cell": draw.choice(["lstm", "gru", "rnn"]),
            "hidden": round(logarithmic(8, 128)),
            "layers": draw.choice([1, 2]),
            "lr": float(f"{logarithmic(1e-4, 1e-1):.3g}"),
            "input_dropout": round(draw.uniform(0, 0.5), 2),
            "head_dropout": round(draw.uniform(0, 0.5), 2),
            "batch_size": draw.choice([8, 16, 32, 64]),
        }
        for _ in range(TRIALS)
    ]


def split(source, folder):
    """Writes every third sequence of each class into one file, the others into another: the same split for all seeds."""
    lines = source.read_text().splitlines(keepends=True)
    begin = next(i for i, line in enumerate(lines) if line.strip().lower() == "@data") + 1
    parts = {"train": lines[:begin], "valid": lines[:begin]}
    seen = {}
    for line in lines[begin:]:
        if line.strip():
            label = line.rsplit(":", 1)[1].strip()
            seen[label] = seen.get(label, 0) + 1
            part = "valid" if seen[label] % 3 == 0 else "train"
            parts[part] = parts[part] + [line]
    for name, part in parts.items():
        (folder / f"{name}.ts").write_text("".join(part))


class Recorder:
    def __init__(self, program, repository, folder):
        self.program, self.folder = program.resolve(), folder.resolve()
        self.recipe = (repository / "recipes" / "japanese-vowels-lstm.toml").resolve()
        data = repository / "data" / "japanese-vowels" / "JapaneseVowels_TRAIN.ts"
        split(data, self.folder)

    def curve(self, trial, setting, seed):
        """The validation losses of one run, epoch by epoch; shorter than it should be if the run failed."""
        run = self.folder / f"trial{trial}-seed{seed}"
        metrics = run / "metrics.csv"
        if len(self.losses(metrics)) < EPOCHS:
            shutil.rmtree(run, ignore_errors=True)
            sets = {KEYS[name]: value for name, value in setting.items()}
            sets |= {"training.epochs": EPOCHS}
            command = [self.program, "train", self.recipe, "--quiet", "--out", run, "--seed", str(seed)]
            command += ["--train", self.folder / "train.ts", "--valid", self.folder / "valid.ts"]
            for key, value in sets.items():
                command += ["--set", f"{key}={value}"]
            threads = os.environ | {"RAYON_NUM_THREADS": "1"}
            done = subprocess.run(command, env=threads, capture_output=True, text=True)
            if done.returncode != 0:
                print(f"trial {trial}: {done.stderr.strip()}", file=sys.stderr)
        losses = self.losses(metrics)
        print(f"trial {trial} seed {seed}: {losses[-1:]}", flush=True)
        return losses

    @staticmethod
    def losses(metrics):
        if not metrics.exists():
            return []
        with metrics.open() as file:
            return [float(row["valid_loss"]) for row in csv.DictReader(file)]


def number(value):
    return f"{value:.5g}"


def main():
    program, repository, folder = map(Path, sys.argv[1:4])
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    folder.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(program, repository, folder)
    trials = list(enumerate(settings()))
    with ThreadPoolExecutor(workers) as pool:
        curves = list(pool.map(lambda trial: recorder.curve(*trial, 0), trials))
        whole = [trial for trial, _ in trials if len(curves[trial]) == EPOCHS]
        best = sorted(whole, key=lambda trial: curves[trial][-1])[:BEST]
        runs = [(trial, trials[trial][1], seed) for trial in best for seed in AGAIN]
        again = list(pool.map(lambda run: recorder.curve(*run), runs))

    here = Path(__file__).parent
    with (here / "curves.csv").open("w") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["trial", *SETTINGS, *range(1, EPOCHS + 1)])
        for (trial, setting), curve in zip(trials, curves):
            out.writerow([trial, *(setting[name] for name in SETTINGS), *map(number, curve)])
    with (here / "seeds.csv").open("w") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["trial", "seed", "valid_loss"])
        for trial in best:
            out.writerow([trial, 0, number(curves[trial][-1])])
        for (trial, _, seed), curve in zip(runs, again):
            out.writerow([trial, seed, number(curve[-1])])


main()
