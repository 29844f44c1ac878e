"""Writes keras.json: outputs and states of Keras's LSTM, GRU, SimpleRNN and Bidirectional.

Needs keras 3.15.1 on torch 2.15.0; see README.md beside this file. Two runs give the same bytes.
A case's inputs depend only on SEED and on the case's name. Outputs are Keras's in float64, its products kept
in float64 too (see double_products). Each case is stored only if Keras as it is agrees to float32's precision
and equations.py to float64's.
"""

import json
import os
import random
from contextlib import contextmanager
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE  # noqa: E402

import equations  # noqa: E402

KERAS = "3.15.1"
TORCH = "2.15.0"
SEED = 315
# Keras with products in float64 beside equations.py, and beside Keras as it is.
LIMIT = 1e-13
LIMIT_AS_IS = 1e-6
FILE = Path(__file__).with_name("keras.json")
LAYERS = {"SimpleRNN": keras.layers.SimpleRNN, "LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU}
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
STATES = {"SimpleRNN": ["h"], "LSTM": ["h", "c"], "GRU": ["h"]}
BATCH, SEQ, D_INPUT, UNITS = 3, 5, 3, 4
MERGES = ["concat", "sum", "mul", "ave"]
# Right-padded with a row of no step; and holes: at the start, in the middle, nowhere.
PADDED = [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]]
SHORT = [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0]]
HOLES = [[0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]]
KINDS = {
    "simple_rnn": ("SimpleRNN", {}),
    "lstm": ("LSTM", {}),
    "gru_after": ("GRU", {"reset_after": True}),
    "gru_before": ("GRU", {"reset_after": False}),
}
DEFAULTS = {"merge_mode": None, "mask": None, "initial": True, "config": {}}


def options():
    """What every kind of layer is run with."""
    yield "plain", {"initial": False}
    yield "initial", {}
    yield "no_bias", {"config": {"use_bias": False}}
    yield "relu", {"config": {"activation": "relu"}}
    yield "backwards", {"config": {"go_backwards": True}}
    yield "padded", {"mask": PADDED}
    yield "padded_zero_output", {"mask": PADDED, "config": {"zero_output_for_mask": True}}
    yield "padded_short_no_initial", {"mask": SHORT, "initial": False}
    yield "holes", {"mask": HOLES}
    yield "backwards_padded", {"mask": PADDED, "config": {"go_backwards": True}}
    yield (
        "backwards_padded_zero_output",
        {
            "mask": PADDED,
            "config": {"go_backwards": True, "zero_output_for_mask": True},
        },
    )
    for mode in MERGES:
        yield f"bidirectional_{mode}", {"merge_mode": mode}
        yield f"bidirectional_{mode}_padded", {"merge_mode": mode, "mask": PADDED}
    yield "bidirectional_holes", {"merge_mode": "concat", "mask": HOLES}
    yield (
        "bidirectional_relu_no_bias",
        {
            "merge_mode": "concat",
            "initial": False,
            "config": {"activation": "relu", "use_bias": False},
        },
    )


def specifications():
    """All cases, without their tensors."""
    for kind, (layer, fixed) in KINDS.items():
        base = {"activation": "tanh"}
        base |= {"recurrent_activation": "sigmoid"} if layer != "SimpleRNN" else {}
        base |= {"use_bias": True, "go_backwards": False, "zero_output_for_mask": False} | fixed
        parts = list(options())
        if layer != "SimpleRNN":
            parts.append(("hard_sigmoid", {"config": {"recurrent_activation": "hard_sigmoid"}}))
            parts.append(("relu_backwards_padded", {
                "mask": SHORT,
                "config": {"activation": "relu", "go_backwards": True},
            }))  # fmt: skip
        for name, extra in parts:
            spec = {"name": f"{kind}_{name}", "layer": layer} | DEFAULTS | extra
            yield spec | {"config": base | extra.get("config", {})}


class Draw:
    """Random multiples of 1/1024, which float32 holds exactly."""

    def __init__(self, name):
        self.random = random.Random(f"{SEED}/{name}")

    def __call__(self, shape, bound=1.0):
        """An array with entries in [-bound, bound], zero left out."""
        top = int(bound * 1024)
        count = int(np.prod(shape))
        values = [self.random.choice((-1, 1)) * self.random.randint(1, top) for _ in range(count)]
        return np.array(values, dtype=np.float64).reshape(shape) / 1024


def draw_direction(draw, spec):
    """Initial state and weights of one direction, in Keras's layout."""
    gates, config = GATES[spec["layer"]], spec["config"]
    tensors = {}
    if spec["initial"]:
        tensors |= {f"initial_{name}": draw((BATCH, UNITS)) for name in STATES[spec["layer"]]}
    tensors["kernel"] = draw((D_INPUT, gates * UNITS), bound=0.75)
    tensors["recurrent_kernel"] = draw((UNITS, gates * UNITS), bound=0.75)
    if config["use_bias"]:
        shape = (2, gates * UNITS) if config.get("reset_after") else (gates * UNITS,)
        tensors["bias"] = draw(shape, bound=0.75)
    return tensors


def parameters(tensors):
    """The weights in the order of Keras's set_weights."""
    return [tensors[name] for name in ("kernel", "recurrent_kernel", "bias") if name in tensors]


def initial(tensors):
    """The initial states in order, or none."""
    return [value for name, value in tensors.items() if name.startswith("initial_")]


@contextmanager
def double_products():
    """Keras 3 rounds every matrix product to float32 under floatx float64, except on TensorFlow.

    Its table of result types says so; within this context the table leaves float64 alone, as on TensorFlow.
    """
    rounded = BIT64_TO_BIT32_DTYPE["float64"]
    assert rounded == "float32", rounded
    BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    try:
        yield
    finally:
        BIT64_TO_BIT32_DTYPE["float64"] = rounded


def keras_layer(spec, return_sequences):
    """The layer without its weights. The plain loop: use_cudnn is for GPUs."""
    config = dict(spec["config"])
    config |= {} if spec["layer"] == "SimpleRNN" else {"use_cudnn": False}
    layer = LAYERS[spec["layer"]](UNITS, return_sequences=return_sequences, return_state=True, **config)
    if spec["merge_mode"]:
        return keras.layers.Bidirectional(layer, merge_mode=spec["merge_mode"])
    return layer


def run_keras(spec, x, directions, mask, return_sequences):
    """Output and final states as Keras gives them, states in its order."""
    layer = keras_layer(spec, return_sequences)
    layer.build(x.shape)
    layer.set_weights([value for tensors in directions for value in parameters(tensors)])
    states = [torch.tensor(value) for tensors in directions for value in initial(tensors)]
    options = {"initial_state": states} if states else {}
    options |= {} if mask is None else {"mask": torch.tensor(mask)}
    with torch.no_grad():
        found = layer(torch.tensor(x), **options)
    found = [keras.ops.convert_to_numpy(value) for value in found]
    assert all(value.dtype == np.float64 for value in found)
    return found[0], found[1:]


def run_equations(spec, x, directions, mask, return_sequences):
    """The same from equations.py."""
    layer, config, mode = spec["layer"], spec["config"], spec["merge_mode"]
    zeros = return_sequences if mode else config["zero_output_for_mask"]
    outputs, finals = [], []
    for k, tensors in enumerate(directions):
        weights = parameters(tensors)
        if not config["use_bias"]:
            shape = (2, weights[0].shape[-1]) if config.get("reset_after") else (weights[0].shape[-1],)
            weights = [*weights, np.zeros(shape)]
        state = initial(tensors) or [np.zeros((BATCH, UNITS)) for _ in STATES[layer]]
        backwards = k == 1 if mode else config["go_backwards"]
        output, final = equations.run(layer, config, x, state, weights, mask, backwards, zeros)
        outputs.append(output if return_sequences else output[:, -1])
        finals.extend(final)
    if mode:
        backward = outputs[1][:, ::-1] if return_sequences else outputs[1]
        return equations.merge(mode, outputs[0], backward), finals
    return outputs[0], finals


def close(found, expected, limit=LIMIT):
    """Whether two results agree."""
    pairs = [(found[0], expected[0]), *zip(found[1], expected[1])]
    return all(a.shape == b.shape and np.abs(a - b).max() < limit for a, b in pairs)


def check_masking(spec, x, directions, mask, expected):
    """Keras's Masking layer in front gives what the mask argument gives."""
    marked = np.where(mask[:, :, None], x, -2.0)
    masking = keras.layers.Masking(mask_value=-2.0)
    computed = masking.compute_mask(torch.tensor(marked))
    assert np.array_equal(keras.ops.convert_to_numpy(computed), mask)
    assert close(run_keras(spec, marked, directions, mask, True), expected)


def compute(spec):
    """The case's tensors by name."""
    draw = Draw(spec["name"])
    x = draw((BATCH, SEQ, D_INPUT))
    directions = [draw_direction(draw, spec) for _ in range(2 if spec["merge_mode"] else 1)]
    mask = None if spec["mask"] is None else np.array(spec["mask"], bool)
    as_is = [run_keras(spec, x, directions, mask, sequences) for sequences in (True, False)]
    with double_products():
        found = [run_keras(spec, x, directions, mask, sequences) for sequences in (True, False)]
        if mask is not None:
            check_masking(spec, x, directions, mask, found[0])
    expected = [run_equations(spec, x, directions, mask, sequences) for sequences in (True, False)]
    for k in range(2):
        assert close(found[k], expected[k]), spec["name"]
        assert close(found[k], as_is[k], LIMIT_AS_IS), spec["name"]
    (output, states), (last, _) = found

    prefixes = ["forward_", "backward_"] if spec["merge_mode"] else [""]
    tensors = {"input": x}
    for prefix, part in zip(prefixes, directions):
        tensors |= {prefix + name: value for name, value in part.items()}
    tensors |= {"output": output, "last_output": last}
    names = [f"{prefix}state_{name}" for prefix in prefixes for name in STATES[spec["layer"]]]
    return tensors | dict(zip(names, states, strict=True))


def encode(spec, tensors):
    """The case as JSON, one tensor a line."""
    head = {name: spec[name] for name in ("name", "layer", "merge_mode", "config", "mask")}
    head["config"] = {"units": UNITS} | spec["config"]
    lines = []
    for name, value in tensors.items():
        # Adding zero turns -0.0 into 0.0.
        entry = {"shape": list(value.shape), "values": (value + 0.0).flatten().tolist()}
        lines.append(f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}")
    return json.dumps(head)[:-1] + ', "tensors": {\n' + ",\n".join(lines) + "\n}}"


def main():
    """Computes every case and writes the file."""
    assert keras.__version__ == KERAS, f"keras is {keras.__version__}, expected {KERAS}"
    found = torch.__version__.split("+")[0]
    assert found == TORCH, f"torch is {found}, expected {TORCH}"
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    torch.set_num_threads(1)
    cases = [encode(spec, compute(spec)) for spec in specifications()]
    versions = {"generator": Path(__file__).name, "keras": KERAS, "torch": TORCH, "seed": SEED}
    text = json.dumps(versions)[:-1] + ', "cases": [\n' + ",\n".join(cases) + "\n]}\n"
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
