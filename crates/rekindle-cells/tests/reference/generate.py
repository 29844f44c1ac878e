"""Writes pytorch.json: outputs, states and gradients of PyTorch's recurrent layers.

Needs torch 2.15.0; see README.md beside this file. Two runs give the same bytes.
Everything is float64. A case's numbers depend only on SEED and on the case's name.
"""

import json
import random
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

TORCH = "2.15.0"
SEED = 215
FILE = Path(__file__).with_name("pytorch.json")

LAYERS = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn_tanh": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="tanh", **options),
    "rnn_relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
}
STEPS = {
    "lstm": nn.LSTMCell,
    "gru": nn.GRUCell,
    "rnn_tanh": lambda *sizes: nn.RNNCell(*sizes, nonlinearity="tanh"),
    "rnn_relu": lambda *sizes: nn.RNNCell(*sizes, nonlinearity="relu"),
}

# Unsorted, with a row of one step, and once with no row that reaches the end.
LENGTHS = [[5, 2, 3], [1, 5, 4], [3, 4, 2]]
DEFAULTS = {
    "kind": "sequence",
    "layers": 1,
    "bidirectional": False,
    "bias": True,
    "d_input": 3,
    "d_hidden": 4,
    "d_projected": None,
    "batch": 3,
    "seq": 5,
    "lengths": None,
}
EXTRAS = {
    "single_row": {"layers": 2, "bidirectional": True, "batch": 1, "lengths": [3]},
    "single_step": {"layers": 2, "bidirectional": True, "seq": 1},
    "single_channel": {"d_input": 1, "lengths": [4, 1, 5]},
    "cell": {"kind": "step", "seq": 1},
}
# PyTorch projects in nn.LSTM only.
D_PROJECTED = 2
PROJECTED_EXTRAS = ["single_row", "single_step"]


def grid(cell):
    """Half of layers x direction x bias x lengths: every three options meet in every combination."""
    for layers in (1, 2, 3):
        for bidirectional in (False, True):
            for bias in (True, False):
                with_lengths = (layers + bidirectional + bias) % 2 == 0
                name = f"{cell}_{layers}_layer" + ("s" if layers > 1 else "")
                name += "_bidirectional" if bidirectional else ""
                name += "_lengths" if with_lengths else ""
                name += "" if bias else "_no_bias"
                yield name, {
                    "layers": layers,
                    "bidirectional": bidirectional,
                    "bias": bias,
                    "lengths": LENGTHS[(layers + bidirectional) % 3] if with_lengths else None,
                }


def specifications():
    """All cases, without their tensors."""
    for cell in LAYERS:
        for name, options in grid(cell):
            yield {"name": name, "cell": cell} | DEFAULTS | options
        for name, options in EXTRAS.items():
            yield {"name": f"{cell}_{name}", "cell": cell} | DEFAULTS | options
    projected = {"cell": "lstm"} | DEFAULTS | {"d_projected": D_PROJECTED}
    for name, options in grid("lstm_projected"):
        yield {"name": name} | projected | options
    for name in PROJECTED_EXTRAS:
        yield {"name": f"lstm_projected_{name}"} | projected | EXTRAS[name]


class Draw:
    """Random multiples of 1/1024, which float32 holds exactly."""

    def __init__(self, name):
        self.random = random.Random(f"{SEED}/{name}")

    def __call__(self, shape, bound=1.0):
        """A tensor with entries in [-bound, bound], zero left out."""
        top = int(bound * 1024)
        count = torch.Size(shape).numel()
        values = [self.random.choice((-1, 1)) * self.random.randint(1, top) for _ in range(count)]
        return torch.tensor(values, dtype=torch.float64).reshape(shape) / 1024


def leaf(tensor):
    """The same tensor, gathering a gradient."""
    return tensor.clone().requires_grad_(True)


def run_sequence(module, case, x, state):
    """Output and final states of a whole sequence, packed where the case has lengths."""
    state = state if case["cell"] == "lstm" else state[0]
    if case["lengths"] is None:
        output, final = module(x, state)
    else:
        lengths = torch.tensor(case["lengths"])
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        packed, final = module(packed, state)
        output, _ = pad_packed_sequence(packed, batch_first=True, total_length=case["seq"])
    return output, final if case["cell"] == "lstm" else (final,)


def compute(case):
    """The case's tensors by name."""
    draw = Draw(case["name"])
    step = case["kind"] == "step"
    batch, seq, d_hidden = case["batch"], case["seq"], case["d_hidden"]
    directions = 1 + case["bidirectional"]
    projection = {"proj_size": case["d_projected"]} if case["d_projected"] else {}
    if step:
        module = STEPS[case["cell"]](case["d_input"], d_hidden).double()
    else:
        module = LAYERS[case["cell"]](
            case["d_input"],
            d_hidden,
            num_layers=case["layers"],
            bias=case["bias"],
            bidirectional=case["bidirectional"],
            batch_first=True,
            **projection,
        ).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(parameter.shape, bound=0.75))

    rows = (batch,) if step else (case["layers"] * directions, batch)
    shapes = {"h": (*rows, case["d_projected"] or d_hidden)}
    if case["cell"] == "lstm":
        shapes["c"] = (*rows, d_hidden)
    x = leaf(draw((batch, case["d_input"]) if step else (batch, seq, case["d_input"])))
    state = tuple(leaf(draw(shape)) for shape in shapes.values())
    outputs, weights = {}, {}
    if step:
        final = module(x, state if case["cell"] == "lstm" else state[0])
        final = final if case["cell"] == "lstm" else (final,)
    else:
        outputs["output"], final = run_sequence(module, case, x, state)
        weights["output_weight"] = draw(outputs["output"].shape)
    for name, value in zip(shapes, final):
        outputs[f"{name}_n"] = value
        weights[{"h": "hidden_weight", "c": "cell_weight"}[name]] = draw(shapes[name])
    loss = sum((value * weight).sum() for value, weight in zip(outputs.values(), weights.values()))
    loss.backward()

    inputs = {"input": x} | {f"{name}_0": value for name, value in zip(shapes, state)}
    inputs |= dict(module.named_parameters())
    gradients = {f"grad.{name}": value.grad for name, value in inputs.items()}
    tensors = inputs | outputs | weights | {"loss": loss} | gradients
    check(case, tensors)
    return tensors


def check(case, tensors):
    """Stops where a fact that the tests lean on does not hold."""
    for name, value in tensors.items():
        assert value.isfinite().all() and value.any(), (case["name"], name)
    if case["kind"] == "step":
        return
    lengths = case["lengths"] or [case["seq"]] * case["batch"]
    d_output = case["d_projected"] or case["d_hidden"]
    for row, length in enumerate(lengths):
        assert not tensors["output"][row, length:].any()
        assert not tensors["grad.input"][row, length:].any()
        assert tensors["input"][row, length:].all()
        top = tensors["h_n"][-2:, row] if case["bidirectional"] else tensors["h_n"][-1:, row]
        assert torch.equal(top[0], tensors["output"][row, length - 1, :d_output])
        if case["bidirectional"]:
            assert torch.equal(top[1], tensors["output"][row, 0, d_output:])


def encode(case, tensors):
    """The case as JSON, one tensor a line."""
    head = json.dumps(case)[:-1]
    lines = []
    for name, value in tensors.items():
        # Adding zero turns -0.0 into 0.0.
        values = (value.detach() + 0.0).flatten().tolist()
        entry = {"shape": list(value.shape), "values": values}
        lines.append(f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}")
    return head + ', "tensors": {\n' + ",\n".join(lines) + "\n}}"


def main():
    """Computes every case and writes the file."""
    found = torch.__version__.split("+")[0]
    assert found == TORCH, f"torch is {found}, expected {TORCH}"
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    cases = [encode(case, compute(case)) for case in specifications()]
    head = json.dumps({"generator": Path(__file__).name, "torch": TORCH, "seed": SEED})[:-1]
    FILE.write_text(head + ', "cases": [\n' + ",\n".join(cases) + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
