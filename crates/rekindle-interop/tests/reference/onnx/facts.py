"""Stops where a fact that README.md states of the two runtimes does not hold."""

import numpy as np

import cases
import operators
from runtimes import run_model, run_onnxruntime, run_reference, swap_batch

PROBES = (-0.5, 0.25)


def apply(op, name, value, **attributes):
    """What ONNX Runtime's operator gives for one activation of one number.

    The function stands where it alone decides: RNN's only place, GRU's new state with an update of zero,
    LSTM's candidate with open gates and the identity at the output.
    """
    count = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    bias = np.zeros((1, 2 * count))
    if op == "LSTM":
        bias[0, :2] = 100
    if op == "GRU":
        bias[0, 0] = -100
    bias[0, count - 1] = value
    names = {"RNN": [name], "GRU": ["Sigmoid", name], "LSTM": ["Sigmoid", name, "LeakyRelu"]}[op]
    if op == "LSTM":
        attributes["activation_alpha"] = [*attributes.get("activation_alpha", []), 1.0]
    inputs = {"X": np.zeros((1, 1, 1)), "W": np.zeros((1, count, 1)), "R": np.zeros((1, count, 1)), "B": bias}
    return run_onnxruntime(op, {"hidden_size": 1, "activations": names} | attributes, inputs)["Y"].item()


def refuses(run, *arguments, **options):
    """Whether the runtime raises."""
    try:
        run(*arguments, **options)
    except Exception:  # noqa: BLE001, the runtimes raise many kinds
        return True
    return False


def example(op, **options):
    """Attributes and inputs of a small case."""
    spec = {"name": f"{op}/fact", "op": op} | cases.DEFAULTS | options
    return cases.build(spec)[1:]


def same(first, second):
    """Whether two sets of outputs are equal."""
    return all(np.array_equal(first[name], second[name]) for name in first)


def check_defaults():
    """alpha and beta that ONNX Runtime takes where the lists are absent."""
    for value in PROBES:
        for op in ("RNN", "GRU"):
            assert apply(op, "Affine", value) == 0.0
            assert apply(op, "ScaledTanh", value) == 0.0
            assert apply(op, "ThresholdedRelu", value) == max(value, 0.0)
            assert np.isclose(apply(op, "LeakyRelu", value), value if value > 0 else 0.01 * value)
            assert np.isclose(apply(op, "HardSigmoid", value), 0.2 * value + 0.5)
            assert np.isclose(apply(op, "Elu", value), value if value > 0 else np.expm1(value))
    for op in ("RNN", "GRU", "LSTM"):
        assert apply(op, "ThresholdedRelu", 0.25, activation_alpha=[0.25]) == 0.0


def check_refusals():
    """What ONNX Runtime does not take."""
    assert refuses(apply, "RNN", "tanh", 0.5)
    for op in ("GRU", "LSTM"):
        assert not refuses(apply, op, "tAnH", 0.5)
    for op in ("RNN", "GRU", "LSTM"):
        assert refuses(apply, op, "Gelu", 0.5)
        _, attributes, inputs = example(op)
        for wrong in ([5, 1, 1], [-1, 1, 1]):
            assert refuses(run_onnxruntime, op, attributes, inputs | {"sequence_lens": wrong})
        assert refuses(run_onnxruntime, op, {}, inputs)
        _, both, doubled = example(op, attributes={"direction": "bidirectional"})
        names = {"activations": operators.DEFAULT_ACTIVATIONS[op]}
        assert refuses(run_onnxruntime, op, both | names, doubled)
        assert refuses(run_onnxruntime, op, attributes | {"clip": 0.0}, inputs) == (op != "RNN")
    _, attributes, inputs = example("RNN")
    first = run_onnxruntime("RNN", attributes | {"activations": ["Relu", "Tanh"]}, inputs)
    assert same(first, run_onnxruntime("RNN", attributes | {"activations": ["Relu"]}, inputs))
    assert not run_onnxruntime("RNN", attributes | {"clip": 0.0}, inputs)["Y"].any()
    assert same(
        run_onnxruntime("RNN", attributes | {"clip": -1.0}, inputs),
        run_onnxruntime("RNN", attributes, inputs),
    )


def check_support():
    """ONNX Runtime takes neither layout 1 nor float64."""
    for op in ("RNN", "GRU", "LSTM"):
        _, attributes, inputs = example(op)
        swapped = swap_batch(inputs)
        assert not refuses(run_model, op, attributes, inputs, np.float32)
        assert refuses(run_model, op, attributes | {"layout": 1}, swapped, np.float32)
        assert refuses(run_model, op, attributes, inputs, np.float64)


def check_clip():
    """LSTM's cell is not clipped before its activation, nor is any state."""
    zeros = {"X": np.zeros((1, 1, 1)), "W": np.zeros((1, 4, 1)), "R": np.zeros((1, 4, 1))}
    inputs = zeros | {"initial_c": np.full((1, 1, 1), 4.0)}
    found = run_onnxruntime("LSTM", {"hidden_size": 1, "clip": 0.5}, inputs)
    assert np.isclose(found["Y_c"].item(), 0.5 * 4.0)
    assert np.isclose(found["Y"].item(), 0.5 * np.tanh(0.5 * 4.0))
    zeros = {"X": np.zeros((1, 1, 1)), "W": np.zeros((1, 3, 1)), "R": np.zeros((1, 3, 1))}
    inputs = zeros | {"initial_h": np.full((1, 1, 1), 4.0)}
    found = run_onnxruntime("GRU", {"hidden_size": 1, "clip": 0.5}, inputs)
    assert np.isclose(found["Y"].item(), 0.5 * 4.0)
    # The bias counts before the clip, and so do the peepholes (the vectors hold those).
    assert np.isclose(apply("RNN", "Affine", 3.0, clip=0.5, activation_alpha=[1.0]), 0.5)


def check_coupled():
    """With input_forget, nothing of the forget gate is read."""
    op, attributes, inputs = example("LSTM", peepholes=True, attributes={"input_forget": 1})
    changed = dict(inputs)
    for name, blocks in (("W", [2]), ("R", [2]), ("B", [2, 6]), ("P", [2])):
        changed[name] = inputs[name].copy()
        for block in blocks:
            changed[name][:, 4 * block : 4 * (block + 1)] = 9.0
    assert same(run_onnxruntime(op, attributes, inputs), run_onnxruntime(op, attributes, changed))


def check_reference():
    """What onnx's ReferenceEvaluator reads over, and what it refuses."""
    for op in ("RNN", "GRU", "LSTM"):
        _, attributes, inputs = example(op)
        expected = run_reference(op, attributes, inputs)
        assert same(run_reference(op, attributes | {"clip": 0.125}, inputs), expected)
        assert same(run_reference(op, attributes, inputs | {"sequence_lens": [1, 0, 2]}), expected)
    for op, names in (("GRU", ["Relu"] * 2), ("LSTM", ["Relu"] * 3)):
        _, attributes, inputs = example(op)
        expected = run_reference(op, attributes, inputs)
        assert same(run_reference(op, attributes | {"activations": names}, inputs), expected)
    _, attributes, inputs = example("LSTM")
    expected = run_reference("LSTM", attributes, inputs)
    assert same(run_reference("LSTM", attributes | {"input_forget": 1}, inputs), expected)
    _, attributes, inputs = example("RNN")
    for name in cases.NAMES:
        names = {"activations": [name], "activation_alpha": [0.5], "activation_beta": [0.5]}
        assert refuses(run_reference, "RNN", attributes | names, inputs) == (name not in ("Tanh", "Affine"))
    _, attributes, inputs = example("RNN", attributes={"direction": "bidirectional"})
    mixed = {"activations": ["Tanh", "Affine"], "activation_alpha": [1.0, 2.0], "activation_beta": [1.0, 2.0]}
    assert same(run_reference("RNN", attributes | mixed, inputs), run_reference("RNN", attributes, inputs))


def check():
    """All facts."""
    check_defaults()
    check_refusals()
    check_support()
    check_clip()
    check_coupled()
    check_reference()
