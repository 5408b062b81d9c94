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


class Dense:
    """Linear layers with ReLU between, named as in torch.nn.Sequential."""

    def __init__(self, case):
        self.batch, self.widths = case["batch"], case["widths"]
        self.layers = list(zip(self.widths, self.widths[1:]))
        self.shapes = {}
        for i, (inputs, outputs) in enumerate(self.layers):
            self.shapes[f"{2 * i}.weight"] = (outputs, inputs)
            self.shapes[f"{2 * i}.bias"] = (outputs,)
        # A product forward and one for each gradient; the first layer's input needs none.
        product = [2 * self.batch * inputs * outputs for inputs, outputs in self.layers]
        self.flops = 3 * sum(product) - product[0]

    def initial(self, numpy, random):
        """As torch.nn.Linear starts: U(-k, k) with k = 1 / sqrt(inputs)."""
        numbers = {}
        for i, (inputs, _) in enumerate(self.layers):
            for name in (f"{2 * i}.weight", f"{2 * i}.bias"):
                bound = 1 / math.sqrt(inputs)
                numbers[name] = random.uniform(-bound, bound, self.shapes[name]).astype(numpy.float32)
        return numbers

    def batches(self, numpy, random):
        """Noise in [-1, 1) as images, labelled by a random linear map, so that there is something to learn."""
        x = 2 * random.random((BATCHES, self.batch, self.widths[0]), numpy.float32) - 1
        teacher = random.standard_normal((self.widths[0], self.widths[-1]))
        return x, numpy.argmax(x @ teacher, axis=2).astype(numpy.int64)


NETS = {"line": Line, "dense": Dense}


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
