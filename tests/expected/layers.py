"""Layers of torch.nn: forward, every gradient, and the statistics of batch normalization over several steps.

    python3 layers.py

calls.py says what a case holds.
"""
import pathlib

import torch

import calls
from calls import indices, spread


def batch_norm():
    for module, shape in (("BatchNorm1d", (5, 3)), ("BatchNorm1d", (4, 3, 2)), ("BatchNorm2d", (2, 3, 2, 3)), ("BatchNorm3d", (2, 3, 2, 1, 2))):
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
    yield calls.call("three", "Unflatten", [spread(2, 6, 3)], [1, [2, -1, 1]])
    yield calls.call("eval", "Dropout", [spread(2, 3)], [0.5], train=False)
    # The row of the padding moves the result, but has no gradient: differences say otherwise.
    for shape in ((5,), (2, 3)):
        kind = f"{len(shape)}d"
        yield calls.call(kind, "Embedding", [indices(*shape, below=4)], [4, 3])
        yield calls.call(f"{kind}_padding", "Embedding", [indices(*shape, below=4)], [4, 3], {"padding_idx": 2}, smooth=False)
    yield calls.call("padding_from_the_end", "Embedding", [indices(5, below=4)], [4, 3], {"padding_idx": -1}, smooth=False)


def convolutions():
    for module, x, shorter in (("Conv1d", [2, 4, 9], [4, 9]), ("Conv2d", [2, 4, 5, 4], [4, 5, 4])):
        def case(name, kernel, out, **options):
            return calls.call(name, module, [spread(*x)], [x[1], out, kernel], options)
        yield case("defaults", 3, out=3)
        yield case("strides", 3, out=2, stride=2, padding=1)
        yield case("same", 4, out=2, padding="same", dilation=2)
        yield case("dilated", 2, out=2, dilation=3, padding=2, stride=2)
        yield case("groups", 3, out=4, groups=2)
        yield case("depthwise", 3, out=8, groups=4, stride=2, padding=1)
        yield case("no_bias", 2, out=3, bias=False)
        yield case("point", 1, out=2, padding="valid")
        yield calls.call("unbatched", module, [spread(*shorter)], [4, 3, 3], {"padding": 1})
    yield calls.call("unequal", "Conv2d", [spread(2, 3, 7, 6)], [3, 2, [3, 2]], {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 2]})
    yield calls.call("even_same", "Conv2d", [spread(1, 2, 5, 4)], [2, 3, [2, 4]], {"padding": "same"})
    # As many channels as a vector has elements, and more than a multiple of that.
    yield calls.call("channels", "Conv2d", [spread(1, 16, 2, 3)], [16, 19, [1, 2]])


def transposed_convolutions():
    def case(name, kernel, out=4, x=(2, 4, 3, 2), **options):
        return calls.call(name, "ConvTranspose2d", [spread(*x)], [4, out, kernel], options)
    yield case("defaults", 3, out=2)
    yield case("strides", 3, out=2, stride=2, padding=1)
    yield case("output_padding", 3, out=2, stride=2, padding=1, output_padding=1)
    yield case("unequal", [3, 2], out=3, stride=[3, 2], padding=[0, 1], output_padding=[2, 0])
    yield case("more_output_padding", 2, out=1, stride=3, output_padding=2)
    yield case("dilated", 2, out=2, stride=2, dilation=3, padding=2, output_padding=2)
    yield case("groups", 3, out=4, groups=2)
    yield case("depthwise", 2, groups=4, stride=2)
    yield case("no_bias", 2, out=2, bias=False)
    yield case("unbatched", 2, out=3, x=(4, 3, 2), stride=2)
    # What output_padding adds would be whole positions of a kernel that is spread out.
    yield case("beyond_a_stride", 2, out=2, dilation=2, output_padding=1)
    yield case("beyond_strides", 2, out=2, stride=[1, 2], dilation=[3, 4], padding=[1, 0], output_padding=[2, 3])
    yield case("beyond_padding", 2, out=2, dilation=5, padding=2, output_padding=4)
    yield case("nothing_but_padding", 1, out=2, x=(2, 4, 1, 2), stride=1, dilation=[4, 2], padding=[1, 0], output_padding=[3, 1])


def pooling():
    x, small = [spread(1, 2, 7, 6)], [spread(1, 2, 5, 4)]
    ties = [torch.tensor([1.5, -0.5, 1.5, 1.5], dtype=torch.float64)[indices(1, 2, 5, 6, below=4)]]
    for module in ("MaxPool2d", "AvgPool2d"):
        yield calls.call("defaults", module, x, [2])
        yield calls.call("overlapping", module, x, [3], {"stride": 2})
        yield calls.call("padding", module, x, [3], {"stride": 2, "padding": 1})
        yield calls.call("unequal", module, x, [[3, 2]], {"stride": [1, 2], "padding": [1, 0]})
        yield calls.call("ceil_mode", module, x, [3], {"stride": 2, "ceil_mode": True})
        # The last window in the second axis would start in the padding: it is left out.
        yield calls.call("ceil_mode_padding", module, [spread(1, 2, 6, 5)], [2], {"stride": [3, 2], "padding": 1, "ceil_mode": True})
        yield calls.call("unbatched", module, [spread(3, 4, 5)], [2])
        # Windows wider than the padded axis count when less than a step is missing.
        yield calls.call("ceil_wider", module, [spread(2, 2, 1, 8)], [[4, 1]], {"stride": [2, 1], "padding": [1, 0], "ceil_mode": True})
        yield calls.call("ceil_wider_step", module, [spread(1, 2, 1, 3)], [[8, 4]], {"stride": [9, 5], "padding": [1, 0], "ceil_mode": True})
        yield calls.call("ceil_wider_twice", module, [spread(1, 2, 1, 2)], [[8, 3]], {"stride": 2, "padding": [4, 0], "ceil_mode": True})
    yield calls.call("ceil_wider_dilation", "MaxPool2d", [spread(1, 2, 2, 4)], [[3, 2]], {"stride": 2, "dilation": [2, 1], "padding": 1, "ceil_mode": True})
    yield calls.call("ceil_wider_without_padding", "AvgPool2d", [spread(2, 2, 1, 8)], [[4, 1]],
                     {"stride": [2, 1], "padding": [1, 0], "ceil_mode": True, "count_include_pad": False})
    yield calls.call("dilation", "MaxPool2d", x, [2], {"stride": 1, "dilation": 3})
    yield calls.call("dilation_padding", "MaxPool2d", x, [3], {"stride": 2, "dilation": 2, "padding": 1, "ceil_mode": True})
    for name, options in (("ties", {}), ("ties_overlapping", {"stride": 1, "padding": 1})):  # the first of the largest has the gradient
        yield calls.call(name, "MaxPool2d", ties, [3], options, smooth=False)
    yield calls.call("without_padding", "AvgPool2d", x, [3], {"stride": 2, "padding": 1, "count_include_pad": False})
    yield calls.call("divisor", "AvgPool2d", small, [2], {"padding": 1, "divisor_override": 3})
    yield calls.call("ceil_without_padding", "AvgPool2d", x, [[3, 2]], {"stride": [2, 5], "padding": 1, "ceil_mode": True, "count_include_pad": False})
    yield calls.call("ceil_divisor", "AvgPool2d", small, [3], {"ceil_mode": True, "divisor_override": 5})
    for name, extents in (("dividing", [2, 3]), ("one", 1), ("overlapping", [3, 4]), ("more", [4, 7]), ("one_axis", [2, 4])):
        yield calls.call(name, "AdaptiveAvgPool2d", [spread(2, 2, 4, 6)], [extents])
    yield calls.call("unbatched", "AdaptiveAvgPool2d", [spread(2, 5, 4)], [3])


def main():
    cases = [*batch_norm(), *activations(), *norms(), *others(), *convolutions(), *transposed_convolutions(), *pooling()]
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), cases)


main()
