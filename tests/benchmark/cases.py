"""The benchmark's cases: the table in cases.json, what follows from it, and its numbers as files for the peers.

A case names a net, and each peer knows how to build it. A new kind of net is one function per peer and one class here.
"""
import json
import math
import pathlib

BATCHES = 16  # distinct batches that a training cycles over
FLOAT = 4     # bytes

# Values kept per parameter: itself, and what its optimizer adds. All are read and written once a step.
STATES = {"sgd": 1, "adam": 3}


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
        relu, flatten
    """

    def __init__(self, case):
        self.batch, self.input = case["batch"], case["input"]
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
        """As torch.nn's layers start: U(-k, k) with k = 1 / sqrt(fan in), and 1 and 0 for batch norm's weight and bias."""
        numbers = {}
        for name, shape in self.shapes.items():
            if name in self.fan_in:
                bound = 1 / math.sqrt(self.fan_in[name])
                numbers[name] = random.uniform(-bound, bound, shape).astype(numpy.float32)
            else:
                numbers[name] = numpy.full(shape, name.endswith("weight"), numpy.float32)
        return numbers

    def batches(self, numpy, random):
        """Noise in [-1, 1) as images, labelled by a random linear map, so that there is something to learn."""
        x = 2 * random.random((BATCHES, self.batch, *self.input), numpy.float32) - 1
        teacher = random.standard_normal((math.prod(self.input), self.classes))
        return x, numpy.argmax(x.reshape(BATCHES, self.batch, -1) @ teacher, axis=2).astype(numpy.int64)


NETS = {"line": Line, "layers": Layers}


class Case:
    def __init__(self, name, spec):
        self.name, self.spec = name, spec
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
    specs = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())
    return [Case(name, spec) for name, spec in specs.items()]
