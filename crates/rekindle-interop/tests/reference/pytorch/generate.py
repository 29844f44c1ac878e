"""Writes state dicts of small PyTorch modules, as safetensors and as torch.save writes them, and what the modules compute.

Needs torch 2.15.0, safetensors 0.8.0 and numpy; see README.md beside this file. Two runs give the same tensors.
"""

import random
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

TORCH = "2.15.0"
SEED = 412
FOLDER = Path(__file__).parent
BATCH, SEQ, D_INPUT, D_HIDDEN = 2, 5, 3, 4


class Draw:
    """Random multiples of 1/256, which float32, float16 and, below 1, bfloat16 hold exactly."""

    def __init__(self, name):
        self.random = random.Random(f"{SEED}/{name}")

    def __call__(self, shape, dtype):
        """A tensor with entries in (-1, 1), zero left out."""
        count = int(torch.Size(shape).numel())
        values = [self.random.choice((-1, 1)) * self.random.randint(1, 255) for _ in range(count)]
        return (torch.tensor(values, dtype=torch.float64) / 256).reshape(shape).to(dtype)


class Tagger(nn.Module):
    """A module with a recurrent one inside, and with tensors that are not its own."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(D_INPUT)
        self.encoder = nn.Module()
        self.encoder.rnn = nn.LSTM(
            D_INPUT, D_HIDDEN, num_layers=2, bidirectional=True, proj_size=2, batch_first=True
        )
        self.out = nn.Linear(4, 3)


def fill(module, draw, dtype):
    """The module in another type, with drawn parameters."""
    module = module.to(dtype)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(parameter.shape, dtype))
    return module.eval()


def run(name, rnn, draw, dtype):
    """Input and results of a recurrent module, in the given type."""
    rnn = rnn.to(dtype)
    if isinstance(rnn, nn.LSTMCell):
        x = draw((BATCH, D_INPUT), dtype)
        h, c = rnn(x)
        results = {"input": x, "h_n": h, "c_n": c}
    else:
        x = draw((BATCH, SEQ, D_INPUT), dtype)
        output, state = rnn(x)
        results = {"input": x, "output": output}
        states = state if isinstance(state, tuple) else (state,)
        results |= dict(zip(("h_n", "c_n"), states))
    return {f"{name}.{key}": value.detach().clone().contiguous() for key, value in results.items()}


def main():
    """Writes every file."""
    found = torch.__version__.split("+")[0]
    assert found == TORCH, f"torch is {found}, expected {TORCH}"
    torch.set_num_threads(1)
    expected = {}

    draw = Draw("tagger")
    tagger = fill(Tagger(), draw, torch.float32)
    state = {key: value.contiguous() for key, value in tagger.state_dict().items()}
    save_file(state, FOLDER / "tagger.safetensors", metadata={"format": "pt"})
    expected |= run("tagger", tagger.encoder.rnn, draw, torch.float32)

    draw = Draw("checkpoint")
    gru = fill(nn.GRU(D_INPUT, D_HIDDEN, num_layers=2, batch_first=True), draw, torch.float64)
    model = nn.Sequential(gru)
    torch.save({"epoch": 7, "model": model.state_dict()}, FOLDER / "checkpoint.pt")
    expected |= run("checkpoint", gru, draw, torch.float64)

    draw = Draw("legacy")
    rnn = nn.RNN(D_INPUT, D_HIDDEN, nonlinearity="relu", bias=False, batch_first=True)
    rnn = fill(rnn, draw, torch.float32)
    path = FOLDER / "legacy.pth"
    torch.save(rnn.state_dict(), path, _use_new_zipfile_serialization=False)
    expected |= run("legacy", rnn, draw, torch.float32)

    draw = Draw("half")
    gru = fill(nn.GRU(D_INPUT, D_HIDDEN, bidirectional=True, batch_first=True), draw, torch.float16)
    save_file(gru.state_dict(), FOLDER / "half.safetensors", metadata={"format": "pt"})
    expected |= run("half", gru, draw, torch.float32)

    draw = Draw("brain")
    cell = fill(nn.LSTMCell(D_INPUT, D_HIDDEN), draw, torch.bfloat16)
    torch.save(cell.state_dict(), FOLDER / "brain.pt")
    expected |= run("brain", cell, draw, torch.float32)

    # A whole module; a view whose numbers do not lie side by side.
    draw = Draw("whole")
    whole = fill(nn.Sequential(nn.GRU(D_INPUT, D_HIDDEN, batch_first=True)), draw, torch.float32)
    gru = whole[0]
    expected |= run("whole", gru, draw, torch.float32)
    gru.weight_hh_l0 = nn.Parameter(gru.weight_hh_l0.detach().t().contiguous().t())
    assert not gru.weight_hh_l0.is_contiguous()
    torch.save(whole, FOLDER / "whole.pt")

    save_file(expected, FOLDER / "expected.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
