#!/usr/bin/env python3
"""PyTorch's side of the comparison of single kernels: torch_kernels_peer.py THREADS FOLDER serves each of them, eager, as a
mode, on the arrays of the folder (kernels.py). Its "loss" is the mean absolute value of what the kernel computed.
"""
import functools
import pathlib
import sys

import numpy
import torch
from torch.nn import functional

import serve

KERNELS = {
    "exp": ("normal", torch.exp),
    "tanh": ("normal", torch.tanh),
    "erf": ("normal", torch.erf),
    "gelu": ("normal", functional.gelu),
    "softmax": ("normal", lambda x: torch.softmax(x, 1)),
    "softmax_masked": ("masked", lambda x: torch.softmax(x, 1)),
    "layer_norm": ("normal", lambda x: functional.layer_norm(x, x.shape[1:])),
    "sum_rows": ("normal", lambda x: x.sum(1)),
    "sum_columns": ("normal", lambda x: x.sum(0)),
    "sum": ("normal", torch.sum),
    "transpose": ("normal", lambda x: x.t().contiguous()),
}


def kernel_run(folder, array, kernel):
    x = torch.from_numpy(numpy.load(folder / f"{array}.npy"))
    result = None

    def advance(n):
        nonlocal result
        for _ in range(n):
            result = kernel(x)

    return serve.Training(advance, lambda: result.abs().double().mean().item())


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_grad_enabled(False)
    modes = {name: functools.partial(kernel_run, pathlib.Path(sys.argv[2]), *kernel) for name, kernel in KERNELS.items()}
    serve.serve({"peer": "torch", "isa": torch.backends.cpu.get_cpu_capability(), "versions": {"PyTorch": torch.__version__}}, modes)


if __name__ == "__main__":
    main()
