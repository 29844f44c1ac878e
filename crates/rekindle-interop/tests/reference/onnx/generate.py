"""Writes onnx.json: what the ONNX operators RNN, GRU and LSTM give, for every attribute.

Needs onnx 1.23.2, onnxruntime 1.32.0 and numpy; see README.md beside this file. Two runs give the same bytes.
The stored outputs are those of operators.py in float64. Each case is stored only if ONNX Runtime agrees in
float32; where onnx's ReferenceEvaluator knows the case's attributes, it must agree in float64.
"""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import cases
import facts
import operators
from runtimes import reference_applies, run_onnxruntime, run_reference

ONNX = "1.23.2"
ONNXRUNTIME = "1.32.0"
FILE = Path(__file__).with_name("onnx.json")
# Of max(1, |value|), in float32 and float64.
LIMITS = {"onnxruntime": 1e-5, "reference_evaluator": 1e-12}


def difference(found, expected):
    """The largest difference, relative where values are above one."""
    pairs = [(np.asarray(found[name], np.float64), value) for name, value in expected.items()]
    assert all(a.shape == b.shape for a, b in pairs)
    return max((np.abs(a - b) / np.maximum(1, np.abs(b))).max() for a, b in pairs)


def rounded_up(value):
    """To one digit."""
    if value == 0:
        return 0.0
    scale = 10.0 ** math.floor(math.log10(value))
    return float(f"{math.ceil(value / scale) * scale:.0e}")


def check_gates(name, op, attributes, inputs, expected):
    """Stops unless swapping any two gates of W, R and B is seen in the outputs."""
    if not any(value.any() for value in expected.values()):
        return
    count = operators.GATES[op]
    for pair in combinations(range(count), 2):
        order = list(range(count))
        order[pair[0]], order[pair[1]] = order[pair[1]], order[pair[0]]
        swapped = dict(inputs)
        for key, halves in (("W", 1), ("R", 1), ("B", 2)):
            if inputs[key] is not None:
                blocks = np.split(inputs[key], halves * count, axis=1)
                order_of_blocks = [k + count * half for half in range(halves) for k in order]
                swapped[key] = np.concatenate([blocks[k] for k in order_of_blocks], axis=1)
        assert difference(operators.run(op, attributes, swapped), expected) > 1e-2, (name, pair)


def check_values(name, inputs, expected):
    """Stops where values would hide a fault: not finite, large, or nothing but zeros after a step."""
    assert all(np.isfinite(value).all() and np.abs(value).max() < 50 for value in expected.values()), name
    lengths = inputs["sequence_lens"]
    assert lengths == [0, 0, 0] or np.count_nonzero(expected["Y_h"]), name


def compute(spec):
    """The case as an object for JSON, its arrays apart."""
    name, op, attributes, inputs = cases.build(spec)
    expected = operators.run(op, attributes, inputs)
    check_values(name, inputs, expected)
    check_gates(name, op, attributes, inputs, expected)
    differences = {"onnxruntime": difference(run_onnxruntime(op, attributes, inputs), expected)}
    if reference_applies(op, attributes, inputs):
        differences["reference_evaluator"] = difference(run_reference(op, attributes, inputs), expected)
    for source, value in differences.items():
        assert value <= LIMITS[source], (name, source, value)
    batchwise = attributes.get("layout", 0) == 1
    source = "reference_evaluator" if batchwise and "reference_evaluator" in differences else "onnxruntime"
    differences = {key: rounded_up(value) for key, value in differences.items()}
    head = {"name": name, "op": op, "source": source, "differences": differences, "attributes": attributes}
    return head, inputs, expected


def tensor(value):
    """An array as JSON."""
    if value is None or isinstance(value, list):
        return json.dumps(value, separators=(",", ":"))
    # Adding zero turns -0.0 into 0.0.
    entry = {"shape": list(value.shape), "values": (value + 0.0).flatten().tolist()}
    return json.dumps(entry, separators=(",", ":"))


def encode(head, inputs, outputs):
    """The case as JSON, one tensor a line."""
    parts = []
    for title, tensors in (("inputs", inputs), ("outputs", outputs)):
        lines = [f"{json.dumps(name)}: {tensor(value)}" for name, value in tensors.items()]
        parts.append(f'"{title}": {{\n' + ",\n".join(lines) + "\n}")
    return json.dumps(head)[:-1] + ", " + ", ".join(parts) + "}"


def main():
    """Computes every case and writes the file."""
    for package, expected in ((onnx, ONNX), (onnxruntime, ONNXRUNTIME)):
        assert package.__version__ == expected, (
            f"{package.__name__} is {package.__version__}, expected {expected}"
        )
    facts.check()
    computed = [compute(spec) for spec in cases.specifications()]
    names = [head["name"] for head, _, _ in computed]
    assert len(set(names)) == len(names)
    head = {"generator": Path(__file__).name, "onnx": ONNX, "onnxruntime": ONNXRUNTIME, "seed": cases.SEED}
    text = (
        json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(encode(*case) for case in computed) + "\n]}\n"
    )
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
