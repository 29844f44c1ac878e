"""Regrets of Optuna's samplers on three standard functions, written to optuna.json beside this file.

Regret: the least value among 100 trials minus the minimum of the function. One number for each seed.

    pip install optuna cmaes scipy
    python optuna.py            # seeds 0 to 19: optuna.json
    python optuna.py 20 120     # other seeds: only the medians, printed
    python optuna.py 20 120 4   # the same with four trials under way at once
"""

import sys
from importlib.metadata import version
from pathlib import Path

# This file has the name of the package, which must not find it instead.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import json
import math
import statistics
import warnings

import optuna

TRIALS = 100

HARTMANN_ALPHA = [1.0, 1.2, 3.0, 3.2]
HARTMANN_A = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
]
HARTMANN_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def branin(x):
    a, b = x
    c = b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6
    return c**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


def hartmann_6(x):
    total = 0.0
    for alpha, row, place in zip(HARTMANN_ALPHA, HARTMANN_A, HARTMANN_P):
        total -= alpha * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(row, x, place)))
    return total


def rosenbrock_5(x):
    return sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


# Function, bounds of each parameter, minimum.
FUNCTIONS = {
    "branin": (branin, [(-5.0, 10.0), (0.0, 15.0)], 0.397887357729738),
    "hartmann_6": (hartmann_6, [(0.0, 1.0)] * 6, -3.32236801141551),
    "rosenbrock_5": (rosenbrock_5, [(-5.0, 10.0)] * 5, 0.0),
}

SAMPLERS = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "tpe_independent": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "cma_es": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
}


def regret(function, sampler, seed, workers):
    compute, bounds, minimum = FUNCTIONS[function]
    study = optuna.create_study(sampler=SAMPLERS[sampler](seed))
    names = [f"x{i}" for i in range(len(bounds))]

    def objective(trial):
        return compute([trial.suggest_float(name, *bound) for name, bound in zip(names, bounds)])

    if workers == 1:
        study.optimize(objective, n_trials=TRIALS)
        return study.best_value - minimum

    # Trials end in their order, each when as many later ones as there are other workers have begun.
    domains = {name: optuna.distributions.FloatDistribution(*bound) for name, bound in zip(names, bounds)}
    running = []
    for _ in range(TRIALS):
        running.append(study.ask(domains))
        if len(running) == workers:
            trial = running.pop(0)
            study.tell(trial, objective(trial))
    for trial in running:
        study.tell(trial, objective(trial))
    return study.best_value - minimum


def main():
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seeds = range(*map(int, sys.argv[1:3])) if len(sys.argv) > 2 else range(20)
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    regrets = {}
    for sampler in SAMPLERS:
        for function in FUNCTIONS:
            values = [regret(function, sampler, seed, workers) for seed in seeds]
            regrets.setdefault(sampler, {})[function] = values
            print(f"{sampler:16} {function:13} {statistics.median(values):.4g}", flush=True)
    if len(sys.argv) > 2:
        return
    versions = {name: version(name) for name in ("optuna", "cmaes", "numpy", "scipy")}
    result = {"versions": versions, "trials": TRIALS, "seeds": list(seeds), "regret": regrets}
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
