"""Writes optimizers.json: what torch.optim's ASGD, RAdam and NAdam, clipping and averaging do in 64-bit floats.

Run from this folder: python generate_optimizers.py
Needs PyTorch 2.15; the version and the seed that were used are written into the file.

The problem is linear regression with a weight [in, out] and a bias [out]. Step n, counted from 0, sees the rows
2 (n mod 3) and the next of `input` and `target`; its loss is half the mean over the two rows of the squared errors,
summed over outputs.
"""

import json

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SEED = 20250117
STEPS = 240
CHECKED = [1, 2, 3, 5, 6, 7, 20, 100, 239, 240]

CASES = [
    ("asgd", {"lr": 0.05}),
    ("asgd", {"lr": 0.05, "lambd": 0.0, "t0": 0, "alpha": 0.75}),
    ("asgd", {"lr": 0.1, "lambd": 1e-2, "t0": 50, "alpha": 0.6, "weight_decay": 0.02}),
    ("radam", {"lr": 0.01}),
    ("radam", {"lr": 0.03, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.05}),
    ("radam", {"lr": 0.03, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("radam", {"lr": 0.02, "betas": [0.9, 0.5]}),
    ("nadam", {"lr": 0.01}),
    ("nadam", {"lr": 0.03, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.05, "momentum_decay": 0.02}),
    ("nadam", {"lr": 0.03, "weight_decay": 0.05, "decoupled_weight_decay": True}),
]

OPTIMIZERS = {"asgd": torch.optim.ASGD, "radam": torch.optim.RAdam, "nadam": torch.optim.NAdam}

CLIPS = [
    {"kind": "norm", "max": 0.7, "p": p} for p in (1.0, 2.0, 3.0, 0.5, float("inf"))
] + [{"kind": "norm", "max": 100.0, "p": 2.0}, {"kind": "value", "max": 0.3}]


def problem():
    """Input, target, weight and bias."""
    generator = torch.Generator().manual_seed(SEED)
    shapes = [(6, 3), (6, 2), (3, 2), (2,)]
    tensors = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    return [(tensor * 1e4).round() / 1e4 for tensor in tensors]


class Regression(torch.nn.Module):
    """The network at its beginning."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight = torch.nn.Parameter(weight.clone())
        self.bias = torch.nn.Parameter(bias.clone())


def steps(module, optimizer, data):
    """Takes the steps, and yields their numbers, counted from 1."""
    for index in range(STEPS):
        rows = slice(2 * (index % 3), 2 * (index % 3) + 2)
        optimizer.zero_grad()
        error = data[0][rows] @ module.weight + module.bias - data[1][rows]
        (error.square().sum() / 4).backward()
        optimizer.step()
        yield index + 1


def numbers(tensors):
    """All values of all tensors in a row."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).tolist()


def optimize(kind, options, data):
    """The parameters after the steps that are checked; of ASGD the averages too."""
    module = Regression(*data[2:])
    parameters = [module.weight, module.bias]
    optimizer = OPTIMIZERS[kind](parameters, **options)
    after, averages = [], []
    for step in steps(module, optimizer, data):
        if step in CHECKED:
            after.append(numbers(parameters))
            averages.append(numbers(optimizer.state[p]["ax"] for p in parameters) if kind == "asgd" else [])
    return {"kind": kind, "options": options, "after": after, "averages": averages}


def average(name, options, data):
    """What AveragedModel makes of plain SGD: of every step, or from a step on of every so many."""
    module = Regression(*data[2:])
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    decay = options.get("decay")
    averaged = AveragedModel(module, multi_avg_fn=decay and get_ema_multi_avg_fn(decay))
    after = []
    for step in steps(module, optimizer, data):
        start, every = options.get("start", 1), options.get("every", 1)
        if step >= start and (step - start) % every == 0:
            averaged.update_parameters(module)
        if step in CHECKED and step >= start:
            after.append([step, numbers([averaged.module.weight, averaged.module.bias])])
    return {"average": {"kind": name, **options}, "after": after}


def clip(options, data):
    """Gradients after clipping those of the first step, and the norm before, where torch returns one."""
    module = Regression(*data[2:])
    error = data[0][:2] @ module.weight + module.bias - data[1][:2]
    (error.square().sum() / 4).backward()
    parameters, norm = [module.weight, module.bias], None
    if options["kind"] == "norm":
        norm = clip_grad_norm_(parameters, options["max"], norm_type=options["p"]).item()
    else:
        clip_grad_value_(parameters, options["max"])
    options = {key: "inf" if value == float("inf") else value for key, value in options.items()}
    return {"clip": options, "norm": norm, "gradients": numbers(p.grad for p in parameters)}


def main():
    # Otherwise torch keeps the rate of ASGD and the factors of NAdam in 32 bits, whatever the parameters are.
    torch.set_default_dtype(torch.float64)
    data = problem()
    names = ["input", "target", "weight", "bias"]
    head = {"generator": "generate_optimizers.py", "torch": torch.__version__, "seed": SEED, "checked": CHECKED}
    head |= {name: tensor.tolist() for name, tensor in zip(names, data)}
    parts = {
        "optimizers": [optimize(kind, options, data) for kind, options in CASES],
        "averages": [
            average("ema", {"decay": 0.9}, data),
            average("ema", {"decay": 0.999}, data),
            average("swa", {"start": 1, "every": 1}, data),
            average("swa", {"start": 6, "every": 7}, data),
        ],
        "clips": [clip(options, data) for options in CLIPS],
    }
    with open("optimizers.json", "w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1])
        for name, rows in parts.items():
            lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
            file.write(f',\n"{name}": [\n{lines}\n]')
        file.write("}\n")


if __name__ == "__main__":
    main()
