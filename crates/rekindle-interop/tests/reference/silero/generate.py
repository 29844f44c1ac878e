"""Writes the LSTM of silero-vad, as ONNX and PyTorch hold it, and 200 steps of it in ONNX Runtime.

Needs silero-vad 6.2.3 (without its dependencies), onnx 1.23.2, onnxruntime 1.32.0, torch 2.15.0, numpy and
safetensors 0.8.0; see README.md beside this file. Two runs give the same bytes.
"""

import hashlib
import random
import warnings
from importlib import metadata, util
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

VERSIONS = {
    "silero-vad": "6.2.3",
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "torch": "2.15.0",
    "safetensors": "0.8.0",
}
FOLDER = Path(__file__).parent
DATA = Path(util.find_spec("silero_vad").submodule_search_locations[0]) / "data"
HASHES = {
    "silero_vad_16k_sequence.onnx": "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    "silero_vad.jit": "e1122837f4154c511485fe0b9c64455f7b929c96fbb8d79fbdb336383ebd3720",
}
PREFIX = "_model.decoder.rnn."
SEED = 623
STEPS, FRAME, CONTEXT, RATE = 200, 512, 64, 16000
# PyTorch packs i f g o, ONNX i o f c.
ONNX_ORDER = [0, 3, 1, 2]


def signal():
    """A voice-like sound in [-1, 1]: harmonics of a gliding pitch in syllables, noise bursts, silence."""
    count = STEPS * FRAME
    time = np.arange(count) / RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 0.7 * time) + 15 * np.sin(2 * np.pi * 2.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = np.array([[600, 90], [1400, 120], [2600, 160]])
    voice = np.zeros(count)
    for harmonic in range(1, 25):
        centre = formants[:, :1] * (1 + 0.25 * np.sin(2 * np.pi * 1.1 * time))
        gain = (1 / (1 + ((harmonic * pitch - centre) / formants[:, 1:]) ** 2)).sum(axis=0)
        voice += gain * np.sin(harmonic * phase) / harmonic**0.5
    syllables = np.maximum(0, np.sin(2 * np.pi * 2.5 * time)) ** 0.5
    pick = random.Random(SEED)
    noise = np.array([pick.randint(-1024, 1024) for _ in range(count)]) / 1024
    bursts = np.maximum(0, np.sin(2 * np.pi * 1.7 * time + 1)) ** 8
    speaking = (time % 3.2) < 2.2
    sound = (0.2 * voice * syllables + 0.1 * noise * bursts) * speaking + 0.002 * noise
    return sound.clip(-1, 1).astype(np.float32)


def frames():
    """Windows of the signal, each with the end of the one before: [STEPS, CONTEXT + FRAME]."""
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), signal()])
    return np.stack([padded[FRAME * k : FRAME * k + CONTEXT + FRAME] for k in range(STEPS)])


def onnx_tensors(model):
    """The node and its W, R and B."""
    (node,) = (node for node in model.graph.node if node.op_type == "LSTM")
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    assert attributes == {"hidden_size": 128} and node.input[4] == "", (attributes, node.input)
    arrays = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    return node, {name: arrays[node.input[k]] for k, name in enumerate("WRB", 1)}


def torch_tensors():
    """The cell's tensors by their names in the TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        state = torch.jit.load(DATA / "silero_vad.jit", map_location="cpu").state_dict()
    return {name: value.numpy() for name, value in state.items() if name.startswith(PREFIX)}


def reordered(tensors):
    """PyTorch's tensors in ONNX's form."""

    def order(name):
        blocks = np.split(tensors[PREFIX + name], 4)
        return np.concatenate([blocks[k] for k in ONNX_ORDER])

    bias = np.concatenate([order("bias_ih"), order("bias_hh")])
    return {"W": order("weight_ih")[None], "R": order("weight_hh")[None], "B": bias[None]}


def session(model):
    """One thread on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run_model(model, node):
    """The whole model on the signal: what goes into the LSTM, what comes out, and the probabilities."""
    names = [node.input[0], *node.output]
    known = {output.name for output in model.graph.output}
    for name in names:
        if name not in known:
            model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    zeros = np.zeros((1, 1, 128), np.float32)
    found = session(model).run([*names, "speech_probs"], {"input": frames(), "h": zeros, "c": zeros})
    return dict(zip(["X", "Y", "Y_h", "Y_c", "probabilities"], found))


def operator():
    """A model of the LSTM operator alone, one step long."""
    shapes = {
        "X": (1, 1, 128),
        "W": (1, 512, 128),
        "R": (1, 512, 128),
        "B": (1, 1024),
        "initial_h": (1, 1, 128),
        "initial_c": (1, 1, 128),
    }
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("Y", "Y_h", "Y_c")]
    names = ["X", "W", "R", "B", "", "initial_h", "initial_c"]
    node = helper.make_node("LSTM", names, ["Y", "Y_h", "Y_c"], hidden_size=128)
    graph = helper.make_graph([node], "LSTM", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)


def run_steps(weights, x):
    """The operator step by step, its state carried: Y and Y_c of each step."""
    runner = session(operator())
    h = c = np.zeros((1, 1, 128), np.float32)
    outputs, cells = [], []
    for step in x:
        y, h, c = runner.run(None, weights | {"X": step[None], "initial_h": h, "initial_c": c})
        assert np.array_equal(y[0], h)
        outputs.append(y[0])
        cells.append(c)
    return np.stack(outputs), np.stack(cells)


def run_torch(tensors, x):
    """PyTorch's cell in float64, step by step."""
    cell = torch.nn.LSTMCell(128, 128).double()
    cell.load_state_dict({name.removeprefix(PREFIX): torch.tensor(v) for name, v in tensors.items()})
    h = c = torch.zeros(1, 128, dtype=torch.float64)
    outputs, cells = [], []
    with torch.no_grad():
        for step in torch.tensor(x).double():
            h, c = cell(step, (h, c))
            outputs.append(h.numpy()[None])
            cells.append(c.numpy()[None])
    return np.stack(outputs), np.stack(cells)


def check_sources():
    """Stops unless versions and files are the expected ones."""
    for package, expected in VERSIONS.items():
        found = metadata.version(package).split("+")[0]
        assert found == expected, f"{package} is {found}, expected {expected}"
    for name, expected in HASHES.items():
        found = hashlib.sha256((DATA / name).read_bytes()).hexdigest()
        assert found == expected, f"{name} has SHA-256 {found}, expected {expected}"


def main():
    """Reads both models, checks one against the other, writes the three files."""
    check_sources()
    torch.set_num_threads(1)
    model = onnx.load(DATA / "silero_vad_16k_sequence.onnx")
    node, weights = onnx_tensors(model)
    tensors = torch_tensors()
    for name, value in reordered(tensors).items():
        assert np.array_equal(value, weights[name]), name

    whole = run_model(model, node)
    y, cells = run_steps(weights, whole["X"])
    exact = run_torch(tensors, whole["X"])
    measures = {
        "Y, the whole model": np.abs(whole["Y"] - y).max(),
        "Y, PyTorch in float64": np.abs(exact[0] - y).max(),
        "Y_c, PyTorch in float64": np.abs(exact[1] - cells).max(),
    }
    assert np.allclose(whole["Y_c"], cells[-1], rtol=0, atol=1e-5)
    assert max(measures.values()) < 1e-5, measures
    for name, value in measures.items():
        print(f"{name}: {value:.1e}")
    print(f"|Y_c| up to {np.abs(cells).max():.2f}, X up to {whole['X'].max():.2f}")
    print(f"probabilities from {whole['probabilities'].min():.3f} to {whole['probabilities'].max():.3f}")

    zeros = np.zeros((1, 1, 128), np.float32)
    steps = {"X": whole["X"], "initial_h": zeros, "initial_c": zeros, "Y": y, "Y_c": cells}
    for name, arrays in (("onnx_lstm", weights), ("torch_lstm", tensors), ("steps", steps)):
        data = save({key: np.ascontiguousarray(value) for key, value in arrays.items()})
        (FOLDER / f"{name}.safetensors").write_bytes(data)


if __name__ == "__main__":
    main()
