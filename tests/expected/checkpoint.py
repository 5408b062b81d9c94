"""A small file that PyTorch's safetensors writes; with an argument, whether it loads a file that weft wrote.

    python3 checkpoint.py             writes checkpoint.safetensors
    python3 checkpoint.py FILE        prints what PyTorch finds in FILE

Needs the package safetensors beside torch.
"""
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

TENSORS = {
    "fc.weight": torch.tensor([[0.5, -1, 2], [0.25, 3, -0.125]]),
    "fc.bias": torch.tensor([1, -1], dtype=torch.bfloat16),
    "bn.running_mean": torch.tensor([0.1, 1e-300], dtype=torch.float64),
    "bn.num_batches_tracked": torch.tensor(7),
    "mask": torch.tensor([True, False, True]),
}


def main():
    if len(sys.argv) < 2:
        save_file(TENSORS, pathlib.Path(__file__).resolve().with_suffix(".safetensors"), metadata={"format": "pt"})
        return
    with safe_open(sys.argv[1], framework="pt") as file:
        print("metadata:", file.metadata())
    for name, tensor in load_file(sys.argv[1]).items():
        print(f"{name}: {tensor.dtype} {list(tensor.shape)}, sum {tensor.double().sum().item():.6g}")


main()
