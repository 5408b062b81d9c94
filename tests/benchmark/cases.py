"""The benchmark's cases: the table in cases.json, what follows from it, and its numbers as files for the peers.

A case names a net, and each peer knows how to build it. A new kind of net is one function per peer and one class here.
"""
import dataclasses
import json
import math
import pathlib

BATCHES = 16  # distinct batches that a training cycles over
FLOAT = 4     # bytes

# Values kept per parameter: itself, and what its optimizer adds. All are read and written once a step.
STATES = {"sgd": 1, "adam": 3, "adamw": 3}


class Line:
    """w t + b; parameters and readings as the lesson has them."""
    TEMPERATURES = [0.5, 14, 15, 28, 11, 8, 3, -4, 6, 13, 21]
    READINGS = [3.57, 5.59, 5.82, 8.19, 5.63, 4.89, 3.39, 2.18, 4.84, 6.04, 6.84]

    def __init__(self, case):
        self.shapes = {"w": (), "b": ()}
        self.flops = None  # no products

    def initial(self, numpy, random):
        return {"w": numpy.float32(1), "b": numpy.float32(0)}

    def batches(self, numpy, random):
        return numpy.array([self.READINGS], numpy.float32), numpy.array([self.TEMPERATURES], numpy.float32)


class Layers:
    """Layers in a row, named as in torch.nn.Sequential: "0.weight" ... Each is a word and its sizes:

        linear inputs outputs
        conv inputs outputs kernel padding      of channels; square, stride 1
        batch_norm features                     in training mode; its buffers start as PyTorch's
        max_pool size                           square, of as large a stride
        relu, flatten
    """

    def __init__(self, case):
        self.batch, self.input, self.loss = case["batch"], case["input"], case.get("loss")
        self.shapes, self.fan_in, self.flops = {}, {}, 0
        sample = tuple(self.input)  # the shape of one, as it goes through the layers
        for i, (kind, *sizes) in enumerate(map(str.split, case["layers"])):
            sizes = list(map(int, sizes))
            weight = None
            if kind == "linear":
                weight, sample = (sizes[1], sizes[0]), (sizes[1],)
            elif kind == "conv":
                inputs, outputs, kernel, padding = sizes
                weight = (outputs, inputs, kernel, kernel)
                sample = (outputs, *(extent + 2 * padding - kernel + 1 for extent in sample[1:]))
            elif kind == "batch_norm":
                weight = (sizes[0],)
            elif kind == "max_pool":
                sample = (sample[0], *(extent // sizes[0] for extent in sample[1:]))
            elif kind == "flatten":
                sample = (math.prod(sample),)
            if weight:
                if len(weight) > 1:
                    # Each weight meets each position of a channel, forward and once for each gradient; before the first
                    # parameters nothing needs a gradient.
                    passes = 3 if self.shapes else 2
                    self.flops += passes * 2 * self.batch * math.prod(weight) * math.prod(sample[1:])
                    self.fan_in[f"{i}.weight"] = self.fan_in[f"{i}.bias"] = math.prod(weight[1:])
                self.shapes |= {f"{i}.weight": weight, f"{i}.bias": weight[:1]}
        self.classes = sample[0]

    def initial(self, numpy, random):
        return initial_layers(self.shapes, self.fan_in, numpy, random)

    def batches(self, numpy, random):
        x, values = taught(self.input, self.batch, self.classes, numpy, random)
        return x, numpy.argmax(values, axis=2).astype(numpy.int64) if self.loss == "cross_entropy" else values.astype(numpy.float32)


def initial_layers(shapes, fan_in, numpy, random):
    """As torch.nn's layers start: U(-k, k) with k = 1 / sqrt(fan in), and 1 and 0 for batch norm's weight and bias."""
    numbers = {}
    for name, shape in shapes.items():
        if name in fan_in:
            bound = 1 / math.sqrt(fan_in[name])
            numbers[name] = random.uniform(-bound, bound, shape).astype(numpy.float32)
        else:
            numbers[name] = numpy.full(shape, name.endswith("weight"), numpy.float32)
    return numbers


def taught(shape, batch, outputs, numpy, random):
    """Noise in [-1, 1) as images, and what a random linear map makes of them, so that there is something to learn."""
    x = 2 * random.random((BATCHES, batch, *shape), numpy.float32) - 1
    teacher = random.standard_normal((math.prod(shape), outputs))
    return x, x.reshape(BATCHES, batch, -1) @ teacher


class ResNet:
    """He et al.'s: a convolution (`stem`), max pooling where the case has it (`pool`), for each of `channels` so many `blocks`
    around which the input is added, the mean over all places, a linear layer. Every convolution has a batch norm behind it and
    no bias, and is padded by half its kernel."""

    def __init__(self, case):
        self.batch, self.input, self.classes = case["batch"], case["input"], case["classes"]
        self.shapes, self.fan_in, self.flops = {}, {}, 0
        stem, blocks = stem_of(case), blocks_of(case)
        extent = self.conv(stem, self.input[1])
        if "pool" in case:
            extent = halved(extent, case["pool"]["stride"])
        for block in blocks:
            before = extent
            for conv in block.convs:
                extent = self.conv(conv, extent)
            if block.around:
                self.conv(block.around, before)
        before = blocks[-1].outputs
        self.shapes |= {"head.weight": (self.classes, before), "head.bias": (self.classes,)}
        self.fan_in |= {"head.weight": before, "head.bias": before}
        self.flops += 3 * 2 * self.batch * self.classes * before

    def conv(self, conv, extent):
        """The extent of what it makes of images of an extent."""
        passes = 3 if self.shapes else 2  # as for the layers above
        weight = (conv.outputs, conv.inputs, conv.kernel, conv.kernel)
        extent = halved(extent, conv.stride)
        self.flops += passes * 2 * self.batch * math.prod(weight) * extent ** 2
        self.fan_in[f"{conv.name}.weight"] = math.prod(weight[1:])
        self.shapes |= {f"{conv.name}.weight": weight, f"{conv.name}_norm.weight": (conv.outputs,), f"{conv.name}_norm.bias": (conv.outputs,)}
        return extent

    def initial(self, numpy, random):
        return initial_layers(self.shapes, self.fan_in, numpy, random)

    def batches(self, numpy, random):
        x, values = taught(self.input, self.batch, self.classes, numpy, random)
        return x, numpy.argmax(values, axis=2).astype(numpy.int64)


def halved(extent, stride):
    """Places that a kernel of odd extent, padded by half of it, takes in steps of `stride`."""
    return (extent - 1) // stride + 1


@dataclasses.dataclass
class Conv:
    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int


@dataclasses.dataclass
class Block:
    """Convolutions in a row, and the one on the way around them where the input must change its shape to be added."""
    convs: list
    around: Conv | None

    @property
    def outputs(self):
        return self.convs[-1].outputs


def stem_of(case):
    return Conv("stem", case["input"][0], case["channels"][0], case["stem"]["kernel"], case["stem"]["stride"])


def blocks_of(case):
    """The blocks of a ResNet: two 3x3 convolutions, or with `bottleneck` a 1x1 convolution, a 3x3 one and a 1x1 one to four times as many
    channels. The first block of all channels but the first takes every second place, by its (first) 3x3 convolution."""
    blocks, inputs = [], case["channels"][0]
    for i, (channels, count) in enumerate(zip(case["channels"], case["blocks"])):
        for b in range(count):
            stride = 2 if i > 0 and b == 0 else 1
            outputs = 4 * channels if case.get("bottleneck") else channels
            sizes = ([(inputs, channels, 1, 1), (channels, channels, 3, stride), (channels, outputs, 1, 1)] if case.get("bottleneck") else
                     [(inputs, channels, 3, stride), (channels, channels, 3, 1)])
            name = f"blocks.{len(blocks)}"
            convs = [Conv(f"{name}.conv{k + 1}", *size) for k, size in enumerate(sizes)]
            changes = stride > 1 or inputs != outputs
            blocks.append(Block(convs, Conv(f"{name}.around", inputs, outputs, 1, stride) if changes else None))
            inputs = outputs
    return blocks


class Gpt:
    """GPT-2's form with a head of its own: tokens and positions are embedded, then `layers` blocks of causal attention with
    `heads` heads and of a perceptron with 4 `width` units, each behind its layer norm; a last norm, and the head. Linear
    layers of `width` have biases, the head has none. The net gives [batch tokens, vocabulary]."""

    def __init__(self, case):
        self.batch, self.tokens, self.vocabulary = case["batch"], case["tokens"], case["vocabulary"]
        width = case["width"]
        norm = lambda name: {f"{name}.weight": (width,), f"{name}.bias": (width,)}
        linear = lambda name, inputs, outputs: {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
        self.shapes = {"token.weight": (self.vocabulary, width), "position.weight": (self.tokens, width)}
        for block in (f"blocks.{i}" for i in range(case["layers"])):
            self.shapes |= (norm(f"{block}.norm1") | linear(f"{block}.qkv", width, 3 * width) | linear(f"{block}.out", width, width) |
                            norm(f"{block}.norm2") | linear(f"{block}.up", width, 4 * width) | linear(f"{block}.down", 4 * width, width))
        self.shapes |= norm("norm") | {"head.weight": (self.vocabulary, width)}
        # Every token meets every weight of the linear layers, and in each block the queries and weights of the tokens up to
        # it; forward and once for each gradient.
        weights = case["layers"] * 12 * width ** 2 + self.vocabulary * width
        attention = case["layers"] * 2 * width * (self.tokens + 1) / 2
        self.flops = int(3 * 2 * self.batch * self.tokens * (weights + attention))

    def initial(self, numpy, random):
        """As GPT-2 starts: N(0, 0.02), biases 0, norms 1."""
        numbers = {}
        for name, shape in self.shapes.items():
            numbers[name] = (0.02 * random.standard_normal(shape, numpy.float32) if len(shape) > 1 else
                             numpy.full(shape, name.endswith("weight"), numpy.float32))
        return numbers

    def batches(self, numpy, random):
        return followed(self, numpy, random)


def followed(net, numpy, random):
    """Tokens of which each is followed by one of its own three times in four, else by any; labels are the followers."""
    follower = random.permutation(net.vocabulary)
    text = random.integers(net.vocabulary, size=(BATCHES, net.batch, net.tokens + 1))
    for t in range(net.tokens):
        follows = random.random((BATCHES, net.batch)) < 0.75
        text[..., t + 1] = numpy.where(follows, follower[text[..., t]], text[..., t + 1])
    return numpy.ascontiguousarray(text[..., :-1]), text[..., 1:].reshape(BATCHES, -1)


class Recurrent:
    """Tokens are embedded, then go through `layers` layers of torch.nn.LSTM or GRU and a linear layer, all of `width`. The net gives
    [batch tokens, vocabulary]."""

    def __init__(self, case):
        kind, gates = case["net"], {"lstm": 4, "gru": 3}[case["net"]]
        self.batch, self.tokens, self.vocabulary, self.width = case["batch"], case["tokens"], case["vocabulary"], case["width"]
        width = self.width
        self.shapes = {"token.weight": (self.vocabulary, width)}
        for l in range(case["layers"]):
            self.shapes |= {f"{kind}.weight_{of}_l{l}": (gates * width, width) for of in ("ih", "hh")}
            self.shapes |= {f"{kind}.bias_{of}_l{l}": (gates * width,) for of in ("ih", "hh")}
        self.shapes |= {"head.weight": (self.vocabulary, width), "head.bias": (self.vocabulary,)}
        # Every token meets every weight but the embedding's, forward and once for each gradient.
        self.flops = 3 * 2 * self.batch * self.tokens * (case["layers"] * 2 * gates * width ** 2 + self.vocabulary * width)

    def initial(self, numpy, random):
        bound = self.width ** -0.5
        return {name: (random.standard_normal(shape, numpy.float32) if name == "token.weight" else
                       random.uniform(-bound, bound, shape).astype(numpy.float32)) for name, shape in self.shapes.items()}

    def batches(self, numpy, random):
        return followed(self, numpy, random)


NETS = {"line": Line, "layers": Layers, "resnet": ResNet, "gpt": Gpt, "lstm": Recurrent, "gru": Recurrent}


class Case:
    def __init__(self, name, spec):
        self.name, self.spec, self.autocast = name, spec, spec.get("autocast")
        self.net = NETS[spec["net"]](spec)
        self.parameters = sum(math.prod(shape) for shape in self.net.shapes.values())
        self.flops = self.net.flops
        self.state_bytes = FLOAT * self.parameters * STATES[spec["optimizer"]]

    def write(self, folder):
        """case.json, x.npy and y.npy [batches, batch, ...], and a file for each parameter."""
        import numpy  # only the peers' interpreter has it for certain
        random = numpy.random.default_rng(0)
        folder = pathlib.Path(folder) / self.name
        folder.mkdir()
        (folder / "case.json").write_text(json.dumps(self.spec | {"name": self.name, "parameters": list(self.net.shapes)}))
        x, y = self.net.batches(numpy, random)
        for name, array in ({"x": x, "y": y} | self.net.initial(numpy, random)).items():
            numpy.save(folder / f"{name}.npy", array)
        return folder


def table():
    """A case may be one that is like another, but for what it says itself."""
    specs = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())
    for spec in specs.values():
        if other := spec.pop("like", None):
            if "autocast" in spec:
                spec.setdefault("about", f"`{other}` with its products in {spec['autocast']} by autocast; parameters and their update stay f32.")
            spec |= specs[other] | spec
    return [Case(name, spec) for name, spec in specs.items()]
