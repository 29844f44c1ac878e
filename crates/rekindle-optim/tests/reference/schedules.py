"""Writes schedules.json: learning rates of PyTorch's schedulers and of Keras' schedules, step by step.

Called by generate.py. Rates have 14 digits, so the file is right to about 1e-14. Each case holds our schedule, the base
rate, and at least 200 rates, from step 0 on.

Where the two libraries differ from the formulas, cases end before:
- CosineAnnealingLR rises again after T_max; ours stays where it is.
- OneCycleLR refuses steps beyond its last one.
"""

import json
import os
import warnings

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy
import torch
from torch.optim import lr_scheduler as pytorch

STEPS = 220

keras.config.set_floatx("float64")
decays = keras.optimizers.schedules


def of_pytorch(lr, build, steps=STEPS):
    """The rates of a PyTorch scheduler that `build` makes for an optimiser."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = build(optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def of_keras(schedule):
    """The rates of a Keras schedule."""
    return [float(schedule(step)) for step in range(STEPS)]


def drops():
    """Constant, step, multi-step and exponential."""
    held = {"kind": "constant"}
    for factor, steps in [(1 / 3, 5), (0.25, 60)]:
        ours = {"kind": "then", "first": {"kind": "constant", "factor": factor}, "steps": steps, "next": held}
        yield "ConstantLR", 0.3, ours, of_pytorch(0.3, lambda o: pytorch.ConstantLR(o, factor, steps))
    for every, gamma in [(30, 0.1), (7, 0.5), (1, 0.98), (50, 1.5)]:
        ours = {"kind": "step", "every": every, "gamma": gamma}
        yield "StepLR", 0.1, ours, of_pytorch(0.1, lambda o: pytorch.StepLR(o, every, gamma))
    for milestones, gamma in [([30, 80], 0.1), ([0, 17, 90, 150], 0.5), ([199], 0.3)]:
        ours = {"kind": "multi_step", "milestones": milestones, "gamma": gamma}
        yield "MultiStepLR", 0.1, ours, of_pytorch(0.1, lambda o: pytorch.MultiStepLR(o, milestones, gamma))
    for gamma in [0.97, 0.5, 1.01]:
        ours = {"kind": "exponential", "gamma": gamma}
        yield "ExponentialLR", 2.0, ours, of_pytorch(2.0, lambda o: pytorch.ExponentialLR(o, gamma))
    for gamma, steps in [(0.5, 30), (0.1, 200)]:
        ours = {"kind": "exponential", "gamma": gamma, "steps": steps}
        yield "ExponentialDecay", 0.1, ours, of_keras(decays.ExponentialDecay(0.1, steps, gamma))
    ours = {"kind": "step", "every": 30, "gamma": 0.5}
    yield "ExponentialDecay", 0.1, ours, of_keras(decays.ExponentialDecay(0.1, 30, 0.5, staircase=True))


def slopes():
    """Linear, polynomial and inverse time."""
    for start, end, steps in [(1 / 3, 1.0, 5), (1.0, 0.01, 150), (0.2, 0.7, 210)]:
        ours = {"kind": "linear", "from": start, "to": end, "steps": steps}
        yield "LinearLR", 0.1, ours, of_pytorch(0.1, lambda o: pytorch.LinearLR(o, start, end, steps))
    for steps, power in [(5, 1.0), (150, 2.0), (200, 0.5), (220, 1.0)]:
        ours = {"kind": "polynomial", "steps": steps, "power": power}
        yield "PolynomialLR", 0.1, ours, of_pytorch(0.1, lambda o: pytorch.PolynomialLR(o, steps, power))
    for steps, power, end, cycle in [(150, 0.5, 0.1, False), (50, 1.0, 0.05, True), (64, 2.0, 0.0, True)]:
        ours = {"kind": "polynomial", "steps": steps, "power": power, "to": end, "cycle": cycle}
        yield "PolynomialDecay", 0.2, ours, of_keras(decays.PolynomialDecay(0.2, steps, 0.2 * end, power, cycle))
    for steps, rate, staircase in [(1, 0.5, False), (40, 2.0, False), (40, 2.0, True)]:
        ours = {"kind": "inverse_time", "rate": rate, "steps": steps, "staircase": staircase}
        yield "InverseTimeDecay", 0.1, ours, of_keras(decays.InverseTimeDecay(0.1, steps, rate, staircase))


def cosines():
    """Cosines, once and again and again, with and without warm-up."""
    for steps, end in [(219, 0.0), (200, 0.02)]:
        ours = {"kind": "cosine", "steps": steps, "to": end}
        rates = of_pytorch(0.1, lambda o: pytorch.CosineAnnealingLR(o, steps, 0.1 * end), steps + 1)
        yield "CosineAnnealingLR", 0.1, ours, rates
    for steps, end in [(150, 0.1), (300, 0.0)]:
        ours = {"kind": "cosine", "steps": steps, "to": end}
        yield "CosineDecay", 0.1, ours, of_keras(decays.CosineDecay(0.1, steps, end))
    for begin, ramp, steps, end in [(0.0, 20, 150, 0.1), (0.25, 64, 100, 0.0)]:
        ours = {"kind": "warm_up", "from": begin, "steps": ramp, "next": {"kind": "cosine", "steps": steps, "to": end}}
        schedule = decays.CosineDecay(0.4 * begin, steps, end, warmup_target=0.4, warmup_steps=ramp)
        yield "CosineDecay with warm-up", 0.4, ours, of_keras(schedule)
    for first, longer, end in [(30, 1, 0.0), (10, 2, 0.01), (7, 3, 0.2)]:
        ours = {"kind": "cosine_restarts", "steps": first, "t_mult": longer, "to": end}
        build = lambda o: pytorch.CosineAnnealingWarmRestarts(o, first, longer, 0.1 * end)
        yield "CosineAnnealingWarmRestarts", 0.1, ours, of_pytorch(0.1, build)
    for first, longer, higher, end in [(10, 2.0, 0.9, 0.01), (16, 1.5, 1.0, 0.0), (25, 1.0, 0.8, 0.1), (8, 2.5, 1.2, 0.3)]:
        ours = {"kind": "cosine_restarts", "steps": first, "t_mult": longer, "m_mult": higher, "to": end}
        yield "CosineDecayRestarts", 0.1, ours, of_keras(decays.CosineDecayRestarts(0.1, first, longer, higher, end))


def cycles():
    """Cyclic and one-cycle."""
    for low, high, up, down, wave, gamma in [
        (0.1, 1.0, 20, None, "triangular", 1.0),
        (0.01, 0.3, 13, 31, "triangular", 1.0),
        (0.1, 0.5, 25, 10, "triangular2", 1.0),
        (0.02, 0.1, 11, None, "triangular2", 1.0),
        (0.1, 1.0, 20, 30, "exp_range", 0.99),
        (0.1, 0.2, 8, None, "exp_range", 1.001),
    ]:
        ours = {"kind": "cyclic", "high": high / low, "up": up, "wave": wave, "gamma": gamma}
        ours |= {} if down is None else {"down": down}
        build = lambda o: pytorch.CyclicLR(o, low, high, up, down, wave, gamma, cycle_momentum=False)
        yield "CyclicLR", low, ours, of_pytorch(low, build)
    for steps, peak_at, start, end, anneal, three in [
        (220, 0.3, 25.0, 1e4, "cos", False),
        (200, 0.1, 10.0, 100.0, "linear", False),
        (210, 0.45, 25.0, 1e3, "cos", True),
        (220, 0.25, 4.0, 50.0, "linear", True),
    ]:
        ours = {"kind": "one_cycle", "steps": steps, "peak_at": peak_at, "from": 1 / start, "to": 1 / start / end}
        ours |= {"anneal": {"cos": "cosine"}.get(anneal, anneal), "phases": "three" if three else "two"}
        options = {"pct_start": peak_at, "div_factor": start, "final_div_factor": end, "anneal_strategy": anneal}
        options |= {"three_phase": three, "cycle_momentum": False, "total_steps": steps}
        yield "OneCycleLR", 2.0, ours, of_pytorch(2.0, lambda o: pytorch.OneCycleLR(o, 2.0, **options), steps)


def functions():
    """What PyTorch leaves to functions of the step: Noam and tables."""
    for width, ramp in [(512, 40), (64, 150)]:
        ours = {"kind": "noam", "warm_up": ramp}
        paper = lambda n: width**-0.5 * min((n + 1) ** -0.5, (n + 1) * ramp**-1.5)
        yield "LambdaLR, Noam", (width * ramp) ** -0.5, ours, of_pytorch(1.0, lambda o: pytorch.LambdaLR(o, paper))
    points = [[0, 1.0], [10, 0.5], [75, 2.0], [180, 0.125]]
    steps, factors = zip(*points)
    ours = {"kind": "table", "points": points, "between": "linear"}
    line = lambda n: float(numpy.interp(n, steps, factors))
    yield "LambdaLR, table", 0.1, ours, of_pytorch(0.1, lambda o: pytorch.LambdaLR(o, line))
    for borders, rates in [([9, 74, 150], [0.3, 0.1, 0.2, 0.05]), ([100], [1.0, 0.5])]:
        ours = {"kind": "table", "points": [[0, rates[0]]] + [[b + 1, r] for b, r in zip(borders, rates[1:])]}
        yield "PiecewiseConstantDecay", 1.0, ours, of_keras(decays.PiecewiseConstantDecay(borders, rates))


def together():
    """One after another, and products."""
    exponential = {"kind": "exponential", "gamma": 0.97}
    tenth = {"kind": "constant", "factor": 0.1}
    warm_up = {"kind": "warm_up", "from": 0.1, "steps": 20, "next": {"kind": "cosine", "steps": 200, "to": 0.05}}
    build = lambda o: pytorch.SequentialLR(
        o, [pytorch.LinearLR(o, 0.1, 1.0, 20), pytorch.CosineAnnealingLR(o, 200, 0.005)], [20]
    )
    yield "SequentialLR", 0.1, warm_up, of_pytorch(0.1, build)
    ours = {"kind": "sequential", "schedules": [tenth, exponential], "milestones": [30]}
    build = lambda o: pytorch.SequentialLR(
        o, [pytorch.ConstantLR(o, 0.1, STEPS), pytorch.ExponentialLR(o, 0.97)], [30]
    )
    yield "SequentialLR", 0.1, ours, of_pytorch(0.1, build)
    parts = [exponential, {"kind": "step", "every": 25, "gamma": 0.5}, {"kind": "polynomial", "steps": 70, "power": 2}]
    ours = {"kind": "sequential", "schedules": parts, "milestones": [50, 120]}
    build = lambda o: pytorch.SequentialLR(
        o, [pytorch.ExponentialLR(o, 0.97), pytorch.StepLR(o, 25, 0.5), pytorch.PolynomialLR(o, 70, 2)], [50, 120]
    )
    yield "SequentialLR", 0.1, ours, of_pytorch(0.1, build)
    held = {"kind": "then", "first": tenth, "steps": 20, "next": {"kind": "constant"}}
    ours = {"kind": "chained", "schedules": [held, exponential]}
    build = lambda o: pytorch.ChainedScheduler([pytorch.ConstantLR(o, 0.1, 20), pytorch.ExponentialLR(o, 0.97)])
    yield "ChainedScheduler", 0.1, ours, of_pytorch(0.1, build)
    parts = [{"kind": "linear", "from": 0.2, "to": 0.9, "steps": 60}, {"kind": "multi_step", "milestones": [50, 150]}]
    ours = {"kind": "chained", "schedules": parts + [{"kind": "exponential", "gamma": 0.99}]}
    build = lambda o: pytorch.ChainedScheduler(
        [pytorch.LinearLR(o, 0.2, 0.9, 60), pytorch.MultiStepLR(o, [50, 150], 0.1), pytorch.ExponentialLR(o, 0.99)]
    )
    yield "ChainedScheduler", 0.1, ours, of_pytorch(0.1, build)


def write(path):
    """Writes the file."""
    # PyTorch warns that its own sequences call its schedulers in a deprecated way.
    warnings.simplefilter("ignore")
    head = {"generator": "generate.py", "torch": torch.__version__, "keras": keras.__version__}
    rows = []
    for family in [drops, slopes, cosines, cycles, functions, together]:
        for name, lr, schedule, rates in family():
            assert len(rates) >= 200, name
            assert max(rates) > min(rates), "a case that never changes tests nothing"
            case = {"of": name, "lr": lr, "schedule": schedule, "rates": [float(f"{rate:.14g}") for rate in rates]}
            rows.append(json.dumps(case, allow_nan=False))
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ',\n"cases": [\n' + ",\n".join(rows) + "\n]}\n")
