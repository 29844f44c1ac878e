"""Writes keras.json: outputs, states and gradients of Keras's ConvLSTM1D to ConvLSTM3D.

Needs keras 3.15.1 and torch 2.15.0; see README.md beside this file. Two runs give the same bytes.
Everything is float64. A case's numbers depend only on SEED and on the case's name.
"""

import json
import os
import random
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import torch

KERAS = "3.15.1"
TORCH = "2.15.0"
SEED = 1506
FILE = Path(__file__).with_name("keras.json")

LAYERS = [None, keras.layers.ConvLSTM1D, keras.layers.ConvLSTM2D, keras.layers.ConvLSTM3D]
DEFAULTS = {
    "kernel": None,
    "stride": 1,
    "dilation": 1,
    "padding": "same",
    "bias": True,
    "go_backwards": False,
    "lengths": None,
    "d_input": 2,
    "d_hidden": 2,
    "batch": 2,
    "seq": 3,
}
# Sizes are even and odd, and differ from axis to axis.
CASES = {
    "1d": {"space": [6], "kernel": [3]},
    "1d_valid": {"space": [7], "kernel": [3], "padding": "valid", "bias": False},
    "1d_stride": {"space": [6], "kernel": [5], "stride": 2},
    "1d_dilation": {"space": [6], "kernel": [3], "dilation": 2, "lengths": [1, 3]},
    "1d_backwards": {"space": [4], "kernel": [3], "go_backwards": True},
    "2d": {"space": [3, 4], "kernel": [3, 3]},
    "2d_lengths": {"space": [2, 3], "kernel": [3, 1], "lengths": [3, 2], "d_input": 1},
    "2d_stride": {"space": [4, 5], "kernel": [3, 3], "stride": 2, "d_input": 1},
    "2d_valid_dilation": {"space": [5, 5], "kernel": [1, 3], "padding": "valid", "dilation": 2, "d_input": 1},
    "2d_backwards": {"space": [3, 2], "kernel": [3, 3], "go_backwards": True, "bias": False, "d_input": 1},
    "3d": {"space": [2, 2, 3], "kernel": [1, 3, 3], "batch": 1, "seq": 2, "d_input": 1},
    "3d_stride": {"space": [4, 3, 2], "kernel": [3, 3, 1], "stride": 2, "seq": 2, "lengths": [2, 1], "d_input": 1},
}


def drawn(name, shape):
    """Multiples of 1/1024 in [-1, 1], the same in float32."""
    generator = random.Random(f"{SEED} {name}")
    count = 1
    for size in shape:
        count *= size
    values = [generator.randint(-1024, 1024) / 1024 for _ in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(list(shape))


def frames_shape(case):
    return [case["batch"], case["seq"], case["d_input"], *case["space"]]


def layer_of(case):
    """A built layer with drawn weights."""
    layer = LAYERS[len(case["space"])](
        case["d_hidden"],
        case["kernel"],
        strides=case["stride"],
        dilation_rate=case["dilation"],
        padding=case["padding"],
        use_bias=case["bias"],
        go_backwards=case["go_backwards"],
        data_format="channels_first",
        return_sequences=True,
        return_state=True,
        dtype="float64",
    )
    layer.build(tuple(frames_shape(case)))
    layer.set_weights([drawn(f"{case['name']} {w.name}", w.shape).numpy() for w in layer.weights])
    return layer


def run(name, options):
    """All tensors of a case: what goes in, what comes out, and the gradient of a weighted sum."""
    case = {"name": name, **DEFAULTS, **options}
    layer = layer_of(case)
    lengths = case["lengths"]
    mask = None
    if lengths:
        mask = torch.tensor([[t < length for t in range(case["seq"])] for length in lengths])

    x = drawn(f"{name} input", frames_shape(case)).requires_grad_()
    space = layer.compute_output_shape(tuple(frames_shape(case)))[0][3:]
    states = [case["batch"], case["d_hidden"], *space]
    h_0 = drawn(f"{name} h_0", states).requires_grad_()
    c_0 = drawn(f"{name} c_0", states).requires_grad_()
    output, h_n, c_n = layer(x, initial_state=[h_0, c_0], mask=mask)
    if case["go_backwards"]:
        # Keras puts outputs out in the order of its visits.
        output = torch.flip(output, [1])
    if mask is not None:
        # Keras repeats the last output in padding.
        output = output * mask.reshape(*mask.shape, *[1] * (output.dim() - 2))

    weights = {part: drawn(f"{name} {part}", like.shape) for part, like in
               (("output_weight", output), ("hidden_weight", h_n), ("cell_weight", c_n))}
    loss = ((output * weights["output_weight"]).sum() + (h_n * weights["hidden_weight"]).sum()
            + (c_n * weights["cell_weight"]).sum())
    parameters = {w.name: w.value for w in layer.weights}
    leaves = {"input": x, "h_0": h_0, "c_0": c_0, **parameters}
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    tensors = {**leaves, "output": output, "h_n": h_n, "c_n": c_n, **weights,
               **{f"grad.{leaf}": gradient for leaf, gradient in zip(leaves, gradients)}}
    return {**case, "tensors": {key: packed(value) for key, value in tensors.items()}}


def packed(tensor):
    values = tensor.detach().flatten().tolist()
    return {"shape": list(tensor.shape), "values": values}


def main():
    found = (keras.__version__, torch.__version__.split("+")[0])
    if found != (KERAS, TORCH):
        raise SystemExit(f"keras and torch are {found}, expected {(KERAS, TORCH)}")
    torch.set_num_threads(1)
    cases = [run(name, options) for name, options in CASES.items()]
    top = {"generator": "generate.py", "keras": KERAS, "torch": TORCH, "seed": SEED}
    lines = ",\n".join(json.dumps(case) for case in cases)
    FILE.write_text(json.dumps(top)[:-1] + ', "cases": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
