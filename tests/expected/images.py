"""Layers of torch.nn for images and what goes with them: padding, pooling, resampling, convolutions of other axes and paddings, and layers
and containers that stand for no image: forward and every gradient.

    python3 images.py

calls.py says what a case holds.
"""
import pathlib

import torch

import calls
from calls import indices, spread


def padding():
    for n, shape in ((1, (2, 3, 5)), (2, (2, 2, 4, 5)), (3, (1, 2, 3, 4, 3))):
        amounts = [2, 1, 1, 0, 0, 2][:2 * n]
        for kind in ("Zero", "Reflection", "Replication", "Circular"):
            module = f"{kind}Pad{n}d"
            yield calls.call("one", module, [spread(*shape)], [1])
            yield calls.call("each", module, [spread(*shape)], [amounts])
            yield calls.call("cut", module, [spread(*shape)], [[-1, 2] + [0] * (2 * n - 2)])
            yield calls.call("cut_after", module, [spread(*shape)], [[0] * (2 * n - 2) + [1, -2]])
            yield calls.call("unbatched", module, [spread(*shape[1:])], [1])
        yield calls.call("one", f"ConstantPad{n}d", [spread(*shape)], [1, 2.5])
        yield calls.call("each", f"ConstantPad{n}d", [spread(*shape)], [amounts, -1.5])
    for kind in ("Reflection", "Replication", "Circular"):
        yield calls.call("most", f"{kind}Pad1d", [spread(2, 2, 4)], [[3, 3]])
    yield calls.call("of_one", "ReplicationPad1d", [spread(2, 2, 1)], [[3, 2]])
    yield calls.call("of_one", "CircularPad1d", [spread(2, 2, 1)], [1])


def convolutions():
    for n, shape in ((1, (2, 4, 7)), (2, (2, 4, 5, 4)), (3, (1, 4, 3, 4, 3))):
        for mode in ("reflect", "replicate", "circular"):
            def case(name, **options):
                return calls.call(f"{mode}_{name}", f"Conv{n}d", [spread(*shape)], [4, 2, 3], options | {"padding_mode": mode})
            yield case("one", padding=1)
            yield case("same", padding="same")
            yield case("strides", padding=1, stride=2, groups=2)
            if n == 2:
                yield case("each", padding=[2, 1], bias=False)
                yield calls.call(f"{mode}_even_same", "Conv2d", [spread(*shape)], [4, 2, [2, 4]], {"padding": "same", "padding_mode": mode})
                yield calls.call(f"{mode}_unbatched", "Conv2d", [spread(*shape[1:])], [4, 2, 3], {"padding": 1, "padding_mode": mode})
                yield calls.call(f"{mode}_none", "Conv2d", [spread(*shape)], [4, 2, 3], {"padding_mode": mode})
    for name, options in (("defaults", {}), ("strides", {"stride": [1, 2, 1], "padding": [1, 0, 1]}), ("groups", {"groups": 2}),
                          ("same", {"padding": "same"}), ("no_bias", {"bias": False})):
        yield calls.call(name, "Conv3d", [spread(1, 4, 3, 4, 5)], [4, 2, [2, 3, 2]], options)
    for n, shape in ((1, (2, 4, 3)), (3, (1, 4, 2, 3, 2))):
        for name, options in (("defaults", {}), ("strides", {"stride": 2, "padding": 1, "output_padding": 1}), ("groups", {"groups": 2}),
                              ("dilated", {"dilation": 2, "bias": False})):
            yield calls.call(name, f"ConvTranspose{n}d", [spread(*shape)], [4, 2, 3], options)
        yield calls.call("unbatched", f"ConvTranspose{n}d", [spread(*shape[1:])], [4, 2, 2])


def pooling():
    for n, shape in ((1, (2, 3, 8)), (3, (1, 2, 4, 5, 4))):
        x = [spread(*shape)]
        for kind in ("Max", "Avg"):
            module = f"{kind}Pool{n}d"
            yield calls.call("defaults", module, x, [2])
            yield calls.call("padding", module, x, [3], {"stride": 2, "padding": 1})
            yield calls.call("ceil_mode", module, x, [3], {"stride": 2, "ceil_mode": True})
            yield calls.call("unbatched", module, [spread(*shape[1:])], [2])
        yield calls.call("dilation", f"MaxPool{n}d", x, [2], {"dilation": 2, "stride": 1})
        yield calls.call("without_padding", f"AvgPool{n}d", x, [3], {"padding": 1, "count_include_pad": False})
    yield calls.call("divisor", "AvgPool3d", [spread(1, 2, 4, 4, 4)], [2], {"divisor_override": 3})
    for kind in ("Avg", "Max"):
        for extent in (1, 2, 3, 5, 8):
            yield calls.call(f"to_{extent}", f"Adaptive{kind}Pool1d", [spread(2, 3, 6)], [extent])
        yield calls.call("unbatched", f"Adaptive{kind}Pool1d", [spread(3, 5)], [2])
        for extents in ([2, 2, 2], [3, 2, 4], [1, 3, 2]):
            yield calls.call("to_" + "_".join(map(str, extents)), f"Adaptive{kind}Pool3d", [spread(1, 2, 3, 4, 5)], [extents])
        yield calls.call("none", f"Adaptive{kind}Pool2d", [spread(2, 2, 4, 5)], [[None, 2]])
        yield calls.call("none_dividing", f"Adaptive{kind}Pool2d", [spread(2, 2, 4, 5)], [[2, None]])
    ties = torch.tensor([1.5, -0.5, 1.5, 1.5], dtype=torch.float64)[indices(1, 2, 5, 7, below=4)]
    for name, extents in (("dividing", [5, 1]), ("overlapping", [3, 4]), ("more", [7, 9]), ("one_axis", [2, 7]), ("ties", [2, 3])):
        yield calls.call(name, "AdaptiveMaxPool2d", [ties if name == "ties" else spread(1, 2, 5, 7)], [extents], smooth=name != "ties")


def resampling():
    shapes = {"linear": (2, 2, 5), "bilinear": (1, 2, 4, 5), "bicubic": (1, 2, 4, 5), "trilinear": (1, 2, 2, 3, 4)}
    sizes = {"linear": [8], "bilinear": [7, 3], "bicubic": [7, 3], "trilinear": [3, 2, 6]}
    for mode, shape in shapes.items():
        for aligned in (False, True):
            for name, options in (("size", {"size": sizes[mode]}), ("twice", {"scale_factor": 2}), ("factor", {"scale_factor": 1.7}),
                                  ("one", {"size": [1] * (len(shape) - 2)}), ("less", {"scale_factor": 0.5})):
                yield calls.call(f"{mode}_{name}_{'aligned' if aligned else 'edges'}", "Upsample", [spread(*shape)], [],
                                 options | {"mode": mode, "align_corners": aligned})
    for mode in ("nearest", "nearest-exact"):
        for shape in ((2, 2, 5), (1, 2, 4, 5), (1, 1, 2, 3, 4)):
            n = len(shape) - 2
            for name, options in (("size", {"size": [7, 3, 8][:n]}), ("twice", {"scale_factor": 2}), ("factor", {"scale_factor": 1.7}),
                                  ("half", {"scale_factor": 0.5}), ("same", {"size": list(shape[2:])})):
                yield calls.call(f"{n}d_{mode}_{name}", "Upsample", [spread(*shape)], [], options | {"mode": mode})
    yield calls.call("factors", "Upsample", [spread(1, 2, 4, 5)], [], {"scale_factor": (2, 0.6), "mode": "bilinear"})
    yield calls.call("of_one", "Upsample", [spread(1, 2, 1, 1)], [], {"size": [3, 2], "mode": "bicubic"})
    yield calls.call("shuffled", "PixelShuffle", [spread(2, 12, 2, 3)], [2])
    yield calls.call("no_batch", "PixelShuffle", [spread(9, 2, 1)], [3])
    yield calls.call("more_batches", "PixelShuffle", [spread(2, 1, 4, 2, 3)], [2])
    yield calls.call("unshuffled", "PixelUnshuffle", [spread(2, 3, 4, 6)], [2])
    yield calls.call("groups", "ChannelShuffle", [spread(2, 6, 2, 1)], [3])
    x, columns = [spread(2, 2, 5, 6)], lambda windows: [spread(2, 12, windows)]
    for name, options in (("defaults", {}), ("strides", {"stride": [2, 1]}), ("padding", {"padding": [1, 2]}), ("dilation", {"dilation": [2, 1]}),
                          ("all", {"stride": 2, "padding": 1, "dilation": [1, 2]})):
        yield calls.call(name, "Unfold", x, [[3, 2]], options)
        windows = torch.nn.Unfold((3, 2), **options)(x[0]).shape[-1]
        yield calls.call(name, "Fold", columns(windows), [[5, 6], [3, 2]], options)
    yield calls.call("apart", "Fold", [spread(1, 8, 6)], [[4, 6], 2], {"stride": 2})
    yield calls.call("unbatched", "Unfold", [spread(2, 4, 4)], [2])
    yield calls.call("unbatched", "Fold", [spread(8, 9)], [4, 2])


def norms():
    for n, shape in ((1, (3, 2, 5)), (2, (2, 2, 3, 2)), (3, (2, 2, 2, 1, 3))):
        module, inputs = f"InstanceNorm{n}d", [spread(*shape)]
        batches = [spread(*shape, start=20 * i, high=70) for i in range(1, 4)]
        yield calls.call("defaults", module, inputs, [2])
        yield calls.call("affine", module, inputs, [2], {"affine": True, "eps": 0.125})
        yield calls.call("tracked", module, inputs, [2], {"track_running_stats": True, "momentum": 0.25}, batches=batches)
        yield calls.call("tracked_affine", module, inputs, [2], {"track_running_stats": True, "affine": True}, batches=batches)
        yield calls.call("eval", module, inputs, [2], train=False)
        yield calls.call("unbatched", module, [spread(*shape[1:])], [2], {"affine": True})
    for shape in ((2, 5, 3), (2, 5, 2, 2), (1, 5, 2, 1, 2)):
        kind = f"{len(shape)}d"
        yield calls.call(f"{kind}_defaults", "LocalResponseNorm", [spread(*shape)], [2])
        yield calls.call(f"{kind}_odd", "LocalResponseNorm", [spread(*shape)], [3], {"alpha": 0.5, "beta": 0.5, "k": 2.0})
        yield calls.call(f"{kind}_wide", "LocalResponseNorm", [spread(*shape)], [8], {"alpha": 0.25})


class Exact:
    """PyTorch's gradient of hardsigmoid is off by f32's rounding of 1/6, in f64 too."""

    class Hardsigmoid(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.relu6(x + 3) / 6


def activations():
    inputs = [spread(4, 6)]
    for module in ("Tanhshrink", "CELU", "Softshrink", "Hardshrink", "GLU"):
        yield calls.call("defaults", module, inputs)
    yield calls.call("steep", "CELU", inputs, [0.5])
    yield calls.call("wide", "Softshrink", inputs, [1.03])
    yield calls.call("wide", "Hardshrink", inputs, [1.03])
    yield calls.call("some", "Threshold", inputs, [0.1, -2.5])
    yield calls.call("first", "GLU", inputs, [0])
    yield calls.call("last", "Softmin", inputs, [-1])
    for shape in ((2, 3, 2, 2), (3, 2, 2)):
        yield calls.call(f"{len(shape)}d", "Softmax2d", [spread(*shape)])
    corners = [torch.tensor([-3.0, 3.0, -0.5, 0.5, 0.0, -4.0, 4.0, 1.0]).double()]
    yield calls.call("defaults", "Hardsigmoid", inputs, of=Exact)
    yield calls.call("corners", "Hardsigmoid", corners, smooth=False, of=Exact)
    for module in ("Softshrink", "Hardshrink"):
        yield calls.call("corners", module, corners, smooth=False)
    yield calls.call("corners", "Threshold", corners, [0.5, 0.25], smooth=False)


def pairs():
    for name, options in (("defaults", {}), ("no_bias", {"bias": False})):
        yield calls.call(name, "Bilinear", [spread(4, 3), spread(4, 2, start=7)], [3, 2, 5], options)
    yield calls.call("3d", "Bilinear", [spread(2, 2, 3), spread(2, 2, 2, start=7)], [3, 2, 4])
    yield calls.call("vectors", "Bilinear", [spread(3), spread(2, start=7)], [3, 2, 4])
    a, b = spread(3, 4), spread(3, 4, start=7)
    yield calls.call("defaults", "CosineSimilarity", [a, b])
    yield calls.call("first", "CosineSimilarity", [a, b], [0, 0.5])
    yield calls.call("defaults", "PairwiseDistance", [a, b])
    yield calls.call("one", "PairwiseDistance", [a, b], [1.0, 0.125, True])


def bags():
    index = torch.tensor([[1, 3, 0], [2, 2, 3], [3, 3, 3], [0, 1, 4]])
    flat, offsets = torch.tensor([4, 1, 0, 3, 3, 2, 0]), torch.tensor([0, 2, 2, 5])
    for mode in ("sum", "mean", "max"):
        yield calls.call(f"{mode}_rows", "EmbeddingBag", [index], [5, 3], {"mode": mode})
        yield calls.call(f"{mode}_padding", "EmbeddingBag", [index], [5, 3], {"mode": mode, "padding_idx": 3}, smooth=False)
        yield calls.call(f"{mode}_padding_from_the_end", "EmbeddingBag", [index], [5, 3], {"mode": mode, "padding_idx": -1}, smooth=False)
        if mode != "max":
            yield calls.call(f"{mode}_offsets", "EmbeddingBag", [flat, offsets], [5, 3], {"mode": mode})
            yield calls.call(f"{mode}_offsets_padding", "EmbeddingBag", [flat, offsets], [5, 3], {"mode": mode, "padding_idx": 3}, smooth=False)
            yield calls.call(f"{mode}_last_offset", "EmbeddingBag", [flat, torch.cat([offsets, torch.tensor([7])])], [5, 3],
                             {"mode": mode, "include_last_offset": True})


def main():
    cases = [*padding(), *convolutions(), *pooling(), *resampling(), *norms(), *activations(), *pairs(), *bags()]
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), cases)


main()
