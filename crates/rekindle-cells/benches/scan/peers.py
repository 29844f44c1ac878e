# The peers of the bench `scan` that live in Python: PyTorch and ONNX Runtime.
#
#     python peers.py torch|onnxruntime THREADS
#
# Reads one request per line from stdin and answers each with one line on stdout, all in JSON:
#
#     (at the start)                                -> {"versions": {"torch": "2.15.0"}}
#     {"prepare": {"cell", "mode", "shape", "calls"}} -> "ready"
#     {"turn": 20}                                  -> {"seconds": [0.0123, …]}
#     "memory"                                      -> {"bytes": 1234567}, or null where the system does not tell
#     (whatever fails)                              -> {"error": "what"}
#
# A sample is the mean of `calls` calls. What a call leaves behind, gradients for example, goes outside of its time.

import gc
import json
import os
import sys
from time import perf_counter


class Torch:
    """`nn.LSTM`, `nn.GRU` and `nn.RNN`, batch first, with biases."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        torch.manual_seed(0)
        self.torch = torch
        self.versions = {"torch": torch.__version__}

    def prepare(self, cell, mode, seq, batch, d_input, d_hidden):
        self.torch.set_grad_enabled(mode == "train")
        nn = self.torch.nn
        kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell]
        self.module = kind(d_input, d_hidden, batch_first=True)
        self.module.train(mode == "train")
        self.x = self.torch.rand(batch, seq, d_input) * 2 - 1
        self.x.requires_grad_(mode == "train")
        self.ones = self.torch.ones(batch, seq, d_hidden)
        self.left = None
        self.call = {"infer": self.infer, "train": self.train, "step": self.step}[mode]

    def infer(self):
        self.left = self.module(self.x)

    def train(self):
        output, _ = self.module(self.x)
        output.backward(self.ones)
        self.left = output

    def step(self):
        state = None if self.left is None else self.left[1]
        self.left = self.module(self.x, state)

    def clean(self):
        if self.call != self.step:
            self.left = None
        self.x.grad = None
        self.module.zero_grad(set_to_none=True)


class OnnxRuntime:
    """The operators LSTM, GRU (`linear_before_reset=1`, PyTorch's equations) and RNN; they only run forward.

    Over a sequence, input and outputs are bound, so that nothing is copied into arrays of Python. A step feeds the
    state back through `session.run`.
    """

    def __init__(self, threads):
        import numpy
        import onnx
        import onnxruntime

        self.numpy, self.onnx, self.runtime = numpy, onnx, onnxruntime
        self.random = numpy.random.default_rng(0)
        self.threads = threads
        modules = [onnxruntime, onnx, numpy]
        self.versions = {module.__name__: module.__version__ for module in modules}

    def prepare(self, cell, mode, seq, batch, d_input, d_hidden):
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        self.states = {"lstm": ["h", "c"], "gru": ["h"], "rnn": ["h"]}[cell]
        model = self.model(cell, seq, batch, d_input, d_hidden)
        self.session = self.runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        x = self.uniform(1.0, seq, batch, d_input)
        zero = self.numpy.zeros((1, batch, d_hidden), self.numpy.float32)
        self.feeds = {"x": x} | {f"{state}_0": zero for state in self.states}
        self.binding = self.session.io_binding()
        for name, value in self.feeds.items():
            self.binding.bind_cpu_input(name, value)
        self.bind_outputs()
        self.call = {"infer": self.infer, "step": self.step}[mode]

    def uniform(self, bound, *shape):
        return self.random.uniform(-bound, bound, shape).astype(self.numpy.float32)

    def bind_outputs(self):
        self.binding.clear_binding_outputs()
        for name in ["y", *self.states]:
            self.binding.bind_output(name)

    def model(self, cell, seq, batch, d_input, d_hidden):
        from onnx import TensorProto, helper, numpy_helper

        def value(name, *shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        rows = {"lstm": 4, "gru": 3, "rnn": 1}[cell] * d_hidden
        bound = d_hidden**-0.5
        weights = {
            "w": self.uniform(bound, 1, rows, d_input),
            "r": self.uniform(bound, 1, rows, d_hidden),
            "b": self.uniform(bound, 1, 2 * rows),
        }
        node = helper.make_node(
            cell.upper(),
            # The empty name leaves out the lengths.
            ["x", "w", "r", "b", ""] + [f"{state}_0" for state in self.states],
            ["y", *self.states],
            hidden_size=d_hidden,
            **({"linear_before_reset": 1} if cell == "gru" else {}),
        )
        state = (1, batch, d_hidden)
        graph = helper.make_graph(
            [node],
            cell,
            [value("x", seq, batch, d_input)] + [value(f"{name}_0", *state) for name in self.states],
            [value("y", seq, 1, batch, d_hidden)] + [value(name, *state) for name in self.states],
            [numpy_helper.from_array(array, name) for name, array in weights.items()],
        )
        # The format of 2022, which every ONNX Runtime of today reads.
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        self.onnx.checker.check_model(model)
        return model

    def infer(self):
        self.session.run_with_iobinding(self.binding)

    def step(self):
        _, *states = self.session.run(None, self.feeds)
        for name, state in zip(self.states, states):
            self.feeds[f"{name}_0"] = state

    def clean(self):
        self.bind_outputs()


def sample(peer, calls):
    """The seconds of one call."""
    start = perf_counter()
    for _ in range(calls):
        peer.call()
    seconds = (perf_counter() - start) / calls
    peer.clean()
    return seconds


def turn(peer, calls, count):
    """The seconds of `count` samples, without pauses of the garbage collector."""
    gc.collect()
    gc.disable()
    seconds = [sample(peer, calls) for _ in range(count)]
    gc.enable()
    return seconds


def resident(name):
    """A line of /proc/self/status that counts kibibytes, in bytes."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no line {name}")


def growth(peer, calls):
    """How far the greatest resident set of one iteration exceeds the one before it, in bytes."""
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
        before = resident("VmRSS:")
        sample(peer, calls)
        return max(resident("VmHWM:") - before, 0)
    except OSError:
        return None


def answer(peer, state, request):
    """The reply to one request."""
    if request == "memory":
        return {"bytes": growth(peer, state["calls"])}
    if "turn" in request:
        return {"seconds": turn(peer, state["calls"], request["turn"])}
    case = request["prepare"]
    state["calls"] = case["calls"]
    peer.prepare(case["cell"], case["mode"], **case["shape"])
    return "ready"


def main():
    # Replies have stdout for themselves: whatever libraries print goes to stderr.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def reply(value):
        replies.write(json.dumps(value) + "\n")

    name, threads = sys.argv[1:]
    try:
        peer = {"torch": Torch, "onnxruntime": OnnxRuntime}[name](int(threads))
    except ImportError as error:
        reply({"error": str(error)})
        return
    reply({"versions": peer.versions})
    state = {}
    for line in sys.stdin:
        try:
            reply(answer(peer, state, json.loads(line)))
        except Exception as error:
            reply({"error": f"{type(error).__name__}: {error}"})


main()
