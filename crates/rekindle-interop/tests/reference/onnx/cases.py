"""The cases of onnx.json: attributes and random inputs."""

import random

import numpy as np

from operators import GATES

SEED = 132
NAMES = [
    "Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu",
    "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus",
]  # fmt: skip
# Two sets of values other than the defaults; float32 holds them exactly. None: it has no such value.
PARAMETERS = [
    {
        "Affine": (0.75, 0.125),
        "LeakyRelu": (0.125, None),
        "ThresholdedRelu": (0.25, None),
        "ScaledTanh": (1.25, 0.75),
        "HardSigmoid": (0.375, 0.4375),
        "Elu": (0.625, None),
    },
    {
        "Affine": (0.5, -0.25),
        "LeakyRelu": (0.25, None),
        "ThresholdedRelu": (-0.375, None),
        "ScaledTanh": (0.875, 1.5),
        "HardSigmoid": (0.25, 0.625),
        "Elu": (1.5, None),
    },
]
INPUTS = {
    "RNN": ["X", "W", "R", "B", "sequence_lens", "initial_h"],
    "GRU": ["X", "W", "R", "B", "sequence_lens", "initial_h"],
    "LSTM": ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"],
}
DIRECTIONS = ["forward", "reverse", "bidirectional"]
LENGTHS = [4, 0, 2]
DEFAULTS = {
    "bias": True,
    "initial": "hc",
    "lengths": None,
    "peepholes": False,
    "seq": 4,
    "batch": 3,
    "input_size": 3,
    "hidden_size": 4,
    "attributes": {},
}


def with_parameters(*names, sets=None):
    """The three attributes for functions whose every alpha and beta is given."""
    values = [PARAMETERS[k].get(name, (None, None)) for k, name in zip(sets or [0] * len(names), names)]
    attributes = {"activations": list(names)}
    alphas = [alpha for alpha, _ in values if alpha is not None]
    betas = [beta for _, beta in values if beta is not None]
    attributes |= {"activation_alpha": alphas} if alphas else {}
    attributes |= {"activation_beta": betas} if betas else {}
    return attributes


def common(op):
    """What the three operators share."""
    yield "plain", {"bias": False, "initial": ""}
    yield "bias", {"initial": ""}
    yield "reverse", {"attributes": {"direction": "reverse"}}
    yield "bidirectional", {"attributes": {"direction": "bidirectional"}}
    yield "no_bias_initial", {"bias": False}
    for direction in DIRECTIONS:
        yield f"{direction}_lengths", {"lengths": LENGTHS, "attributes": {"direction": direction}}
    yield (
        "lengths_no_initial",
        {"lengths": [3, 4, 1], "initial": "", "attributes": {"direction": "bidirectional"}},
    )
    yield "lengths_short", {"lengths": [1, 3, 0], "attributes": {"direction": "bidirectional"}}
    yield "lengths_all_zero", {"lengths": [0, 0, 0], "attributes": {"direction": "bidirectional"}}
    yield "clip", {"attributes": {"clip": 0.5}}
    yield "clip_no_bias", {"bias": False, "attributes": {"clip": 0.375, "direction": "reverse"}}
    yield (
        "clip_bidirectional_lengths",
        {
            "lengths": [2, 4, 0],
            "attributes": {"clip": 0.25, "direction": "bidirectional"},
        },
    )
    for direction in DIRECTIONS:
        yield f"layout_{direction}", {"attributes": {"direction": direction, "layout": 1}}
    yield "layout_plain", {"bias": False, "initial": "", "attributes": {"layout": 1}}
    yield "layout_lengths", {"lengths": [0, 4, 3], "attributes": {"direction": "bidirectional", "layout": 1}}
    yield "single_row", {"batch": 1, "attributes": {"direction": "bidirectional"}}
    yield "single_step", {"seq": 1, "attributes": {"direction": "bidirectional"}}
    yield "single_channel", {"input_size": 1, "hidden_size": 1, "lengths": [3, 1, 4]}


def functions(op):
    """Every activation in every place, then lists that differ by direction or end early."""
    places = {"RNN": [0], "GRU": [0, 4], "LSTM": [0, 4, 8]}[op]
    for k in range(len(NAMES)):
        chosen = [NAMES[(k + place) % len(NAMES)] for place in places]
        attributes = with_parameters(*chosen, sets=[k % 2] * len(chosen))
        attributes |= {"linear_before_reset": k % 2} if op == "GRU" else {}
        yield "_".join(["functions", *chosen]).lower(), {"attributes": attributes}
    both = {
        "RNN": ["Tanh", "LeakyRelu"],
        "GRU": ["HardSigmoid", "Tanh", "Sigmoid", "ScaledTanh"],
        "LSTM": ["HardSigmoid", "Tanh", "ScaledTanh", "Sigmoid", "LeakyRelu", "Elu"],
    }[op]
    yield (
        "functions_by_direction",
        {"attributes": {"direction": "bidirectional"} | with_parameters(*both, sets=[0] * len(both))},
    )
    both = {
        "RNN": ["HardSigmoid", "Affine"],
        "GRU": ["Sigmoid", "Affine", "HardSigmoid", "Elu"],
        "LSTM": ["Sigmoid", "Affine", "Tanh", "HardSigmoid", "ThresholdedRelu", "Softsign"],
    }[op]
    yield (
        "functions_by_direction_lengths",
        {
            "lengths": LENGTHS,
            "attributes": {"direction": "bidirectional", "clip": 1.5} | with_parameters(*both),
        },
    )
    each = {
        "RNN": ["ScaledTanh"],
        "GRU": ["HardSigmoid", "ScaledTanh"],
        "LSTM": ["HardSigmoid", "ScaledTanh", "Elu"],
    }[op]
    sets = [0] * len(each) + [1] * len(each)
    yield (
        "functions_same_two_values",
        {"attributes": {"direction": "bidirectional"} | with_parameters(*each, *each, sets=sets)},
    )
    each = {
        "RNN": ["HardSigmoid"],
        "GRU": ["HardSigmoid", "LeakyRelu"],
        "LSTM": ["HardSigmoid", "LeakyRelu", "Elu"],
    }[op]
    yield (
        "functions_lists_end_early",
        {
            "attributes": {
                "direction": "bidirectional",
                "activations": each * 2,
                "activation_alpha": [0.375, 0.125, 0.625][: len(each)],
                "activation_beta": [0.4375],
            }
        },
    )
    if op != "RNN":
        yield "functions_default_values", {"attributes": {"activations": each}}
        names = ["sigmoid", "TANH", "tanH"][: len(each)]
        yield "functions_any_case", {"attributes": {"activations": names}}
    else:
        for name in ("HardSigmoid", "LeakyRelu", "Elu"):
            yield f"functions_default_values_{name.lower()}", {"attributes": {"activations": [name]}}


def own(op):
    """What one operator alone has."""
    if op == "GRU":
        for direction in DIRECTIONS:
            attributes = {"direction": direction, "linear_before_reset": 1}
            yield f"linear_{direction}", {"attributes": attributes}
            yield f"linear_{direction}_lengths", {"lengths": [2, 4, 0], "attributes": attributes}
        yield "linear_no_bias", {"bias": False, "attributes": {"linear_before_reset": 1}}
        yield "linear_clip", {"attributes": {"linear_before_reset": 1, "clip": 0.25}}
        yield "linear_layout", {"attributes": {"linear_before_reset": 1, "layout": 1}}
    if op == "LSTM":
        for direction in DIRECTIONS:
            yield f"peepholes_{direction}", {"peepholes": True, "attributes": {"direction": direction}}
        yield (
            "peepholes_lengths",
            {
                "peepholes": True,
                "lengths": LENGTHS,
                "attributes": {"direction": "bidirectional"},
            },
        )
        yield "peepholes_no_bias_no_initial", {"peepholes": True, "bias": False, "initial": ""}
        yield "peepholes_clip", {"peepholes": True, "attributes": {"clip": 0.375}}
        yield (
            "peepholes_layout",
            {"peepholes": True, "attributes": {"layout": 1, "direction": "bidirectional"}},
        )
        yield "initial_h", {"initial": "h"}
        yield "initial_c", {"initial": "c"}
        coupled = {"input_forget": 1}
        yield "coupled", {"attributes": coupled}
        yield "coupled_peepholes", {"peepholes": True, "attributes": coupled}
        yield (
            "coupled_peepholes_clip_lengths",
            {
                "peepholes": True,
                "lengths": [1, 4, 0],
                "attributes": coupled | {"clip": 0.5, "direction": "bidirectional"},
            },
        )
        yield (
            "coupled_functions",
            {
                "peepholes": True,
                "attributes": coupled | with_parameters("HardSigmoid", "Softsign", "ScaledTanh"),
            },
        )
        yield "coupled_reverse_no_bias", {"bias": False, "attributes": coupled | {"direction": "reverse"}}


def combined(op):
    """Random combinations of everything."""
    for k in range(6):
        pick = random.Random(f"{SEED}/{op}/combined/{k}")
        direction = DIRECTIONS[k % 3]
        count = {"RNN": 1, "GRU": 2, "LSTM": 3}[op] * (2 if direction == "bidirectional" else 1)
        chosen = [pick.choice(NAMES) for _ in range(count)]
        attributes = {"direction": direction, "clip": pick.choice([0.75, 1.0, 1.5])}
        attributes |= with_parameters(*chosen, sets=[pick.randrange(2) for _ in chosen])
        attributes |= {"layout": k // 3}
        attributes |= {"linear_before_reset": pick.randrange(2)} if op == "GRU" else {}
        attributes |= {"input_forget": pick.randrange(2)} if op == "LSTM" else {}
        yield (
            f"combined_{k}",
            {
                "bias": pick.random() < 0.75,
                "initial": pick.choice(["hc", "hc", "h", ""]),
                "lengths": pick.choice([None, [2, 0, 4], [3, 1, 2]]),
                "peepholes": pick.random() < 0.75,
                "attributes": attributes,
            },
        )


def specifications():
    """All cases, without their inputs."""
    for op in GATES:
        for part in (common, functions, own, combined):
            for name, options in part(op):
                yield {"name": f"{op.lower()}_{name}", "op": op} | DEFAULTS | options


class Draw:
    """Random multiples of 1/1024, which float32 holds exactly."""

    def __init__(self, name):
        self.random = random.Random(f"{SEED}/{name}")

    def __call__(self, shape, bound=1.0):
        """An array with entries in [-bound, bound], zero left out."""
        top = int(bound * 1024)
        values = [
            self.random.choice((-1, 1)) * self.random.randint(1, top) for _ in range(int(np.prod(shape)))
        ]
        return np.array(values, dtype=np.float64).reshape(shape) / 1024


def build(spec):
    """Name, operator, attributes as ONNX spells them, inputs by ONNX's names (None where absent)."""
    op, batch, seq, hidden = spec["op"], spec["batch"], spec["seq"], spec["hidden_size"]
    attributes = {"hidden_size": hidden} | spec["attributes"]
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    draw = Draw(spec["name"])
    state = (directions, batch, hidden)
    x = draw((seq, batch, spec["input_size"]))
    inputs = {
        "X": x,
        "W": draw((directions, GATES[op] * hidden, spec["input_size"])),
        "R": draw((directions, GATES[op] * hidden, hidden), bound=0.75),
        "B": draw((directions, 2 * GATES[op] * hidden), bound=0.5) if spec["bias"] else None,
        "sequence_lens": spec["lengths"],
        "initial_h": draw(state) if "h" in spec["initial"] else None,
        "initial_c": draw(state) if "c" in spec["initial"] else None,
        "P": draw((directions, 3 * hidden)) if spec["peepholes"] else None,
    }
    if attributes.get("layout", 0) == 1:
        for name in ("X", "initial_h", "initial_c"):
            if inputs[name] is not None:
                inputs[name] = inputs[name].swapaxes(0, 1)
    return spec["name"], op, attributes, {name: inputs[name] for name in INPUTS[op]}
