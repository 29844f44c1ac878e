"""Runs one operator in ONNX Runtime and in onnx's ReferenceEvaluator."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from cases import INPUTS

OPSET = 22
ELEMENTS = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE}
OUTPUTS = {"RNN": ["Y", "Y_h"], "GRU": ["Y", "Y_h"], "LSTM": ["Y", "Y_h", "Y_c"]}


def model(op, attributes, inputs, element):
    """A model of the operator alone; absent inputs have the empty name."""
    present = [name for name in INPUTS[op] if inputs.get(name) is not None]
    names = [name if name in present else "" for name in INPUTS[op]]
    node = helper.make_node(op, names, OUTPUTS[op], **attributes)

    def describe(name):
        kind = TensorProto.INT32 if name == "sequence_lens" else element
        return helper.make_tensor_value_info(name, kind, np.shape(inputs[name]))

    outputs = [helper.make_tensor_value_info(name, element, None) for name in OUTPUTS[op]]
    graph = helper.make_graph([node], op, [describe(name) for name in present], outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def feeds(op, inputs, dtype):
    """Arrays by name for a run."""
    present = {name: inputs[name] for name in INPUTS[op] if inputs.get(name) is not None}
    return {
        name: np.asarray(v, np.int32 if name == "sequence_lens" else dtype) for name, v in present.items()
    }


def swap_batch(tensors):
    """Between the two layouts: the batch axis first, or after the others before the last."""
    swapped = {}
    for name, value in tensors.items():
        if name == "Y":
            swapped[name] = value.transpose(2, 0, 1, 3)
        elif name in ("X", "initial_h", "initial_c", "Y_h", "Y_c") and value is not None:
            swapped[name] = value.swapaxes(0, 1)
        else:
            swapped[name] = value
    return swapped


def run_model(op, attributes, inputs, dtype):
    """ONNX Runtime's outputs by name, for the operator as it is."""
    options = onnxruntime.SessionOptions()
    # Fatal errors only: facts.py provokes the others.
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    data = model(op, attributes, inputs, ELEMENTS[dtype]).SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return dict(zip(OUTPUTS[op], session.run(None, feeds(op, inputs, dtype))))


def run_onnxruntime(op, attributes, inputs):
    """Outputs by name, in float32. It refuses layout 1: there, layout 0 runs between two transpositions."""
    if attributes.get("layout", 0) == 1:
        rest = {name: value for name, value in attributes.items() if name != "layout"}
        return swap_batch(run_onnxruntime(op, rest, swap_batch(inputs)))
    return run_model(op, attributes, inputs, np.float32)


def run_reference(op, attributes, inputs):
    """Outputs by name, in float64."""
    evaluator = ReferenceEvaluator(model(op, attributes, inputs, ELEMENTS[np.float64]))
    return dict(zip(OUTPUTS[op], evaluator.run(None, feeds(op, inputs, np.float64))))


def reference_applies(op, attributes, inputs):
    """Whether the ReferenceEvaluator reads all that the case has; see README.md for what it leaves out."""
    ignored = {"clip", "input_forget", "activation_alpha", "activation_beta", "activations"}
    if op == "RNN" and attributes.get("activations") == ["Affine"]:
        ignored -= {"activation_alpha", "activation_beta", "activations"}
    return inputs.get("sequence_lens") is None and not ignored & set(attributes)
