"""Writes plateau.json: what torch.optim.lr_scheduler.ReduceLROnPlateau does on four metric series; and schedules.json,
which schedules.py describes.

Run from this folder: python generate.py
Needs PyTorch 2.15 and Keras 3.15; the versions and the seed that were used are written into the files.
A metric of null stands for NaN.
"""

import json
import math
import random
import warnings

import schedules
import torch

SEED = 20240229
OBSERVATIONS = 200

# PyTorch's name and our name of each option; only what differs from the defaults is given in CASES.
NAMES = {
    "mode": "mode",
    "factor": "factor",
    "patience": "patience",
    "threshold": "threshold",
    "threshold_mode": "threshold_mode",
    "cooldown": "cooldown",
    "min_lr": "min_lr",
    "eps": "epsilon",
}
VALUES = {"rel": "relative", "abs": "absolute"}

CASES = [
    ("falling", 0.1, {}),
    ("falling", 2.0, {"factor": 0.5, "patience": 0, "eps": 0.0}),
    ("falling", 0.01, {"factor": 0.5, "patience": 3, "threshold": 0.01, "cooldown": 4}),
    ("falling", 0.01, {"factor": 0.7, "patience": 2, "threshold": 0.05, "threshold_mode": "abs"}),
    ("falling", 0.3, {"factor": 0.6, "patience": 1, "threshold_mode": "abs", "cooldown": 2, "min_lr": 0.02}),
    ("falling", 1e-6, {"factor": 0.5, "patience": 1}),
    ("rising", 0.1, {"mode": "max"}),
    ("rising", 0.05, {"mode": "max", "factor": 0.3, "patience": 4, "threshold": 0.0, "cooldown": 1}),
    ("rising", 0.05, {"mode": "max", "factor": 0.8, "patience": 1, "threshold": 0.02, "min_lr": 0.004}),
    ("rising", 1.5, {"mode": "max", "factor": 0.9, "patience": 2, "threshold": 0.01, "threshold_mode": "abs"}),
    ("rising", 0.05, {"mode": "max", "factor": 0.5, "patience": 0, "threshold_mode": "abs", "cooldown": 7, "min_lr": 1e-3}),
    ("negative", 0.1, {"factor": 0.5, "patience": 2}),
    ("negative", 0.1, {"factor": 0.5, "patience": 2, "threshold": 0.1, "threshold_mode": "abs"}),
    ("negative", 0.1, {"mode": "max", "factor": 0.5, "patience": 5, "cooldown": 3}),
    ("broken", 0.1, {"factor": 0.5, "patience": 3}),
    ("broken", 0.1, {"mode": "max", "factor": 0.5, "patience": 3, "cooldown": 2, "threshold_mode": "abs"}),
]


def metric_series(rng):
    """Four series of metrics: a loss, an accuracy, a negative log density, a loss with NaN."""
    falling = [2.0 * math.exp(-i / 25) + 0.4 + rng.gauss(0, 0.05) for i in range(OBSERVATIONS)]
    rising = [0.97 - 0.8 * math.exp(-i / 30) + rng.gauss(0, 0.02) for i in range(OBSERVATIONS)]
    negative = [-3.0 + 2.0 * math.exp(-i / 40) + rng.gauss(0, 0.2) for i in range(OBSERVATIONS)]
    broken = [math.nan if i == 0 or rng.random() < 0.2 else value for i, value in enumerate(falling)]
    series = {"falling": falling, "rising": rising, "negative": negative, "broken": broken}
    return {name: [round(value, 5) for value in values] for name, values in series.items()}


def run(metrics, lr, options):
    """The learning rate after each observation, and the state after the last one."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for metric in metrics:
        scheduler.step(metric)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[-1] < lr, "a case that never reduces tests nothing"
    return {
        "lr_after": rates,
        "best": scheduler.best,
        "bad": scheduler.num_bad_epochs,
        "cooldown_left": scheduler.cooldown_counter,
    }


def main():
    warnings.simplefilter("error")
    series = metric_series(random.Random(SEED))
    cases = [
        {
            "series": name,
            "lr": lr,
            "plateau": {NAMES[key]: VALUES.get(value, value) for key, value in options.items()},
            **run(series[name], lr, options),
        }
        for name, lr, options in CASES
    ]
    nullable = {name: [None if math.isnan(v) else v for v in values] for name, values in series.items()}
    head = {"generator": "generate.py", "torch": torch.__version__, "seed": SEED}
    lines = [f'"{name}": {json.dumps(values, allow_nan=False)}' for name, values in nullable.items()]
    rows = [json.dumps(case, allow_nan=False) for case in cases]
    with open("plateau.json", "w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ',\n"series": {\n' + ",\n".join(lines))
        file.write('\n},\n"cases": [\n' + ",\n".join(rows) + "\n]}\n")
    schedules.write("schedules.json")


if __name__ == "__main__":
    main()
