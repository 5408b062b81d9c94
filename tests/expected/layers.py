"""Layers of torch.nn: forward, every gradient, and the statistics of batch normalization over several steps.

    python3 layers.py

calls.py says what a case holds.
"""
import pathlib

import calls
from calls import indices, spread


def batch_norm():
    for module, shape in (("BatchNorm1d", (5, 3)), ("BatchNorm1d", (4, 3, 2)), ("BatchNorm2d", (2, 3, 2, 3))):
        kind = f"{len(shape)}d"
        inputs = [spread(*shape)]
        batches = [spread(*shape, start=20 * i, high=70) for i in range(1, 5)]
        for name, options in (("defaults", {}), ("momentum", {"momentum": 0.25, "eps": 0.125}), ("cumulative", {"momentum": None}),
                              ("plain", {"affine": False})):
            yield calls.call(f"{kind}_{name}", module, inputs, [3], options, batches=batches)
        running = {"running_mean": spread(3, start=4), "running_var": spread(3, low=8, high=40)}
        yield calls.call(f"{kind}_eval", module, inputs, [3], train=False, buffers=running)
        yield calls.call(f"{kind}_untracked", module, inputs, [3], {"track_running_stats": False}, train=False)


def activations():
    inputs = [spread(4, 6)]
    for module in ("ReLU", "Sigmoid", "Tanh", "SELU", "SiLU", "Mish", "Hardswish", "LogSigmoid", "GELU", "LeakyReLU", "PReLU", "ELU",
                   "Softplus", "Hardtanh"):
        yield calls.call("defaults", module, inputs)
    yield calls.call("tanh", "GELU", inputs, options={"approximate": "tanh"})
    yield calls.call("steep", "LeakyReLU", inputs, [-0.5])
    yield calls.call("channels", "PReLU", [spread(2, 3, 4)], [3])
    yield calls.call("half", "ELU", inputs, [0.5])
    yield calls.call("sharp", "Softplus", inputs, [2, 1.03])
    yield calls.call("wide", "Hardtanh", inputs, [-2.03, 0.52])
    for module in ("Softmax", "LogSoftmax"):
        yield calls.call("last", module, inputs, [-1])
        yield calls.call("channels", module, [spread(2, 3, 2)], [1])


def norms():
    for shape in ((4, 6), (2, 3, 6)):
        kind = f"{len(shape)}d"
        inputs = [spread(*shape)]
        yield calls.call(f"{kind}_defaults", "LayerNorm", inputs, [[6]])
        yield calls.call(f"{kind}_plain", "LayerNorm", inputs, [[6]], {"elementwise_affine": False, "eps": 0.125})
        yield calls.call(f"{kind}_no_bias", "LayerNorm", inputs, [[6]], {"bias": False})
        yield calls.call(f"{kind}_defaults", "RMSNorm", inputs, [[6]])
        yield calls.call(f"{kind}_plain", "RMSNorm", inputs, [[6]], {"elementwise_affine": False, "eps": 0.125})
    yield calls.call("two_axes", "LayerNorm", [spread(2, 3, 4)], [[3, 4]])
    for shape in ((2, 6), (2, 6, 2), (2, 6, 1, 3)):
        kind = f"{len(shape)}d"
        yield calls.call(f"{kind}_two", "GroupNorm", [spread(*shape)], [2, 6])
        yield calls.call(f"{kind}_plain", "GroupNorm", [spread(*shape)], [1, 6], {"affine": False, "eps": 0.125})


def others():
    for shape in ((4, 3), (2, 2, 3)):
        yield calls.call(f"{len(shape)}d", "Linear", [spread(*shape)], [3, 2])
    yield calls.call("no_bias", "Linear", [spread(4, 3)], [3, 2], {"bias": False})
    yield calls.call("defaults", "Flatten", [spread(2, 3, 2)])
    yield calls.call("eval", "Dropout", [spread(2, 3)], [0.5], train=False)
    # The row of the padding moves the result, but has no gradient: differences say otherwise.
    for shape in ((5,), (2, 3)):
        kind = f"{len(shape)}d"
        yield calls.call(kind, "Embedding", [indices(*shape, below=4)], [4, 3])
        yield calls.call(f"{kind}_padding", "Embedding", [indices(*shape, below=4)], [4, 3], {"padding_idx": 2}, smooth=False)
    yield calls.call("padding_from_the_end", "Embedding", [indices(5, below=4)], [4, 3], {"padding_idx": -1}, smooth=False)


def main():
    cases = [*batch_norm(), *activations(), *norms(), *others()]
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), cases)


main()
