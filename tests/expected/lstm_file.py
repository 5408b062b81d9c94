"""A file of LSTM weights as PyTorch writes it, with an input and what the layer makes of it; with an argument, whether PyTorch's layer
loads a file that weft wrote and computes the same.

    python3 lstm_file.py             writes lstm.safetensors
    python3 lstm_file.py FILE        prints the largest difference

Needs the package safetensors beside torch.
"""
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

from calls import spread


def computed(tensors):
    lstm = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    lstm.load_state_dict({name: t for name, t in tensors.items() if name.split("_")[0] in ("weight", "bias")})
    with torch.no_grad():
        return lstm(tensors["x"])[0]


def main():
    path = pathlib.Path(__file__).resolve().with_name("lstm.safetensors")
    if len(sys.argv) > 1:
        tensors = load_file(path) | load_file(sys.argv[1])
        print("largest difference:", (computed(tensors) - tensors["y"]).abs().max().item())
        return
    shapes = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True).state_dict()
    tensors = {name: spread(*t.shape, start=i).float() / 4 for i, (name, t) in enumerate(shapes.items())}
    tensors["x"] = spread(5, 2, 3).float()
    tensors["y"] = computed(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


main()
