"""Losses of torch.nn with each reduction: values and gradients, of the targets too where PyTorch has them.

    python3 losses.py

calls.py says what a case holds.
"""
import pathlib

import torch

import calls
from calls import indices, spread

WEIGHT = spread(4, low=4, high=24)


def reductions(name, module, inputs, options={}, more=(), **rest):
    for reduction in ("mean", "sum", "none", *more):
        yield calls.call(f"{name}_{reduction}", module, inputs, options=options | {"reduction": reduction}, **rest)


def probabilities(*shape, start=0):
    """Odd multiples of 1/32 in (0, 1)."""
    return spread(*shape, start=start, low=0, high=15)


def distributions(*shape, start=0):
    """Multiples of 1/32 that add up to 1 along axis 1, of five classes or four."""
    rows = {4: [[1, 2, 5, 24], [8, 8, 8, 8], [29, 1, 1, 1], [4, 20, 6, 2]], 5: [[1, 2, 5, 20, 4], [16, 4, 4, 4, 4]]}[shape[1]]
    picked = torch.tensor([rows[(i + start) % len(rows)] for i in range(torch.Size(shape).numel() // shape[1])], dtype=torch.float64) / 32
    return picked.reshape(shape[0], *shape[2:], shape[1]).movedim(-1, 1).contiguous()


def differences():
    pair = [spread(3, 4), spread(3, 4, start=31)]
    for module in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
        yield from reductions("defaults", module, pair)
    # Differences of -1/2, 0 and 1/2, which are corners of some.
    ties = [torch.tensor([0.25, 1.0, -0.5, 3.0]), torch.tensor([0.25, 0.5, 0.0, -3.0])]
    ties = [x.double() for x in ties]
    for module, options in (("L1Loss", {}), ("SmoothL1Loss", {"beta": 0.5}), ("HuberLoss", {"delta": 0.5}), ("SmoothL1Loss", {"beta": 0.0})):
        yield from reductions("ties" + ("_l1" if options == {"beta": 0.0} else ""), module, ties, options, smooth=False)


def classes():
    shapes = {"2d": ((3, 4), (3,)), "4d": ((2, 4, 2, 1), (2, 2, 1)), "1d": ((4,), ())}
    for kind, (shape, of_target) in shapes.items():
        x, target = spread(*shape), indices(*of_target, below=4)
        for module in ("NLLLoss", "CrossEntropyLoss"):
            yield from reductions(kind, module, [x, target])
            yield from reductions(f"{kind}_weight", module, [x, target], {"weight": WEIGHT})
            if kind != "1d":
                yield from reductions(f"{kind}_ignored", module, [x, target], {"ignore_index": int(target.flatten()[1])})
        yield from reductions(f"{kind}_smoothed", "CrossEntropyLoss", [x, target], {"label_smoothing": 0.25})
    x = spread(5, 4)
    outside = torch.tensor([2, -100, 0, 3, -100])
    for module in ("NLLLoss", "CrossEntropyLoss"):
        yield from reductions("outside", module, [x, outside], {"ignore_index": -100, "weight": WEIGHT})
        yield from reductions("all_ignored", module, [x[:2], torch.tensor([1, 1])], {"ignore_index": 1}, smooth=False)
    everything = {"weight": WEIGHT, "ignore_index": -100, "label_smoothing": 0.25}
    yield from reductions("everything", "CrossEntropyLoss", [x, outside], everything)
    yield from reductions("smoothed_ignored", "CrossEntropyLoss", [x, outside], {"ignore_index": -100, "label_smoothing": 0.25})
    for name, options in (("plain", {}), ("all", {"weight": WEIGHT, "label_smoothing": 0.25})):
        yield from reductions(f"probabilities_{name}", "CrossEntropyLoss", [spread(3, 4), distributions(3, 4)], options)
        yield from reductions(f"probabilities_4d_{name}", "CrossEntropyLoss", [spread(2, 4, 2), distributions(2, 4, 2)], options)


def margins():
    x, target = spread(3, 4, low=-16, high=16), indices(3, below=4)
    for name, options in (("defaults", {}), ("squared", {"p": 2, "margin": 0.77, "weight": WEIGHT})):
        yield from reductions(name, "MultiMarginLoss", [x, target], options)
    yield from reductions("1d", "MultiMarginLoss", [x[0], target[0]])


def binary():
    x, target = probabilities(3, 4), probabilities(3, 4, start=5)
    weight, per_class = spread(3, 4, low=4, high=24), spread(4, low=4, high=24)
    yield from reductions("defaults", "BCELoss", [x, target])
    yield from reductions("weight", "BCELoss", [x, target], {"weight": weight})
    edges = [torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5]).double(), torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0]).double()]
    yield from reductions("edges", "BCELoss", edges, wanted=[0], smooth=False)
    logits = spread(3, 4)
    yield from reductions("defaults", "BCEWithLogitsLoss", [logits, target])
    yield from reductions("weights", "BCEWithLogitsLoss", [logits, target], {"weight": weight, "pos_weight": per_class})
    far = [torch.tensor([-1000.0, 1000.0, -1000.0, 1000.0, 0.0]).double(), edges[1]]
    yield from reductions("far", "BCEWithLogitsLoss", far, smooth=False)


def divergences():
    x, target = -probabilities(3, 4) * 4, distributions(3, 4)
    yield from reductions("defaults", "KLDivLoss", [x, target], more=["batchmean"])
    yield from reductions("log_target", "KLDivLoss", [x, -probabilities(3, 4, start=5)], {"log_target": True}, more=["batchmean"])
    zeros = torch.tensor([[0.0, 0.5, 0.5, 0.0]]).double()
    yield from reductions("zeros", "KLDivLoss", [x[:1], zeros], more=["batchmean"], wanted=[0])


def pairs():
    inputs = [spread(4, 3), spread(4, 3, start=17), torch.tensor([1, -1, -1, 1])]
    yield from reductions("defaults", "CosineEmbeddingLoss", inputs)
    yield from reductions("margin", "CosineEmbeddingLoss", inputs, {"margin": -0.5})
    yield from reductions("1d", "CosineEmbeddingLoss", [x[0] for x in inputs])


def ranking():
    triple = [spread(4, 3), spread(4, 3, start=17), spread(4, 3, start=31)]
    for name, options in (("defaults", {}), ("swap", {"swap": True, "margin": 4.0}), ("p_1", {"p": 1.0, "eps": 0.125, "margin": 8.0})):
        yield from reductions(name, "TripletMarginLoss", triple, options)
    yield from reductions("broadcast", "TripletMarginLoss", [triple[0], triple[1], triple[2][:1]])
    yield from reductions("1d", "TripletMarginLoss", [x[0] for x in triple])
    sides = torch.tensor([1.0, -1.0, -1.0, 1.0]).double()
    pair = [spread(4), spread(4, start=31)]
    for name, options in (("defaults", {}), ("margin", {"margin": 2.5})):
        yield from reductions(name, "MarginRankingLoss", [*pair, sides], options, wanted=[0, 1])
        yield from reductions(name, "HingeEmbeddingLoss", [spread(4, low=-4, high=40), sides], options, wanted=[0])
    yield from reductions("neither", "HingeEmbeddingLoss", [spread(3, low=4, high=40), torch.tensor([0.0, 1.0, 2.0]).double()], wanted=[0])


def labels():
    x, signs = spread(3, 4), torch.tensor([[1, -1, -1, 1], [-1, -1, 1, 1], [1, 1, 1, -1]]).double()
    yield from reductions("defaults", "SoftMarginLoss", [x, signs], wanted=[0])
    yield from reductions("defaults", "MultiLabelSoftMarginLoss", [x, probabilities(3, 4)])
    yield from reductions("weight", "MultiLabelSoftMarginLoss", [x, probabilities(3, 4)], {"weight": WEIGHT})
    yield from reductions("1d", "MultiLabelSoftMarginLoss", [x[0], probabilities(4)])
    near = spread(4, 4, low=-16, high=16)
    some = torch.tensor([[3, 0, -1, 1], [-1, 2, 0, 1], [0, 1, 2, 3], [2, 2, -1, 2]])
    yield from reductions("defaults", "MultiLabelMarginLoss", [near, some])
    yield from reductions("1d", "MultiLabelMarginLoss", [near[0], some[0]])


def likelihoods():
    x, counts = spread(3, 4) / 4, spread(3, 4, low=-8, high=50).abs().floor()
    for name, options in (("defaults", {}), ("full", {"full": True})):
        yield from reductions(name, "PoissonNLLLoss", [x, counts], options, wanted=[0])
        yield from reductions(f"rate_{name}", "PoissonNLLLoss", [x.abs(), counts], options | {"log_input": False, "eps": 0.125}, wanted=[0])
    inputs = [spread(3, 4), spread(3, 4, start=31)]
    variances = {"each": spread(3, 4, low=2, high=40), "of_rows": spread(3, low=2, high=40), "of_columns": spread(1, 4, low=2, high=40)}
    for name, variance in variances.items():
        for full in (False, True):
            yield from reductions(f"{name}{'_full' if full else ''}", "GaussianNLLLoss", [*inputs, variance], {"full": full})
    yield from reductions("clamped", "GaussianNLLLoss", [*inputs, variances["each"]], {"eps": 1.0}, smooth=False)


class OfScores:
    """CTCLoss of scores, through the log_softmax that its gradient takes for granted."""

    class CTCLoss(torch.nn.CTCLoss):
        def forward(self, scores, *rest):
            return super().forward(torch.log_softmax(scores, -1), *rest)


def alignments():
    def batch(targets, of_inputs, of_targets, steps=6, classes=5, start=0):
        targets = torch.tensor(targets, dtype=torch.int64).reshape(len(of_targets), len(targets[0]))
        return [spread(steps, len(of_targets), classes, start=start) / 2, targets, torch.tensor(of_inputs), torch.tensor(of_targets)]

    # Repeated labels, no label at all, and -1 behind targets, which nobody reads.
    several = batch([[1, 2, 3], [2, 2, 2], [4, -1, -1], [-1, -1, -1], [1, 1, -1]], [6, 5, 4, 6, 3], [3, 3, 1, 0, 2])
    yield from reductions("several", "CTCLoss", several, of=OfScores)
    yield from reductions("blank", "CTCLoss", batch([[0, 4, 0], [1, 3, 3]], [6, 6], [3, 3], start=9), {"blank": 2}, of=OfScores)
    yield from reductions("one_label", "CTCLoss", batch([[3]], [1], [1], steps=1), of=OfScores)
    yield from reductions("no_labels", "CTCLoss", batch([[], []], [4, 2], [0, 0], steps=4), of=OfScores)
    # Three equal labels need five inputs, and have four.
    narrow = batch([[2, 2, 2], [1, 2, 3]], [4, 4], [3, 3], steps=4)
    yield from reductions("does_not_fit", "CTCLoss", narrow, of=OfScores, wanted=[])
    yield from reductions("does_not_fit_zero", "CTCLoss", narrow, {"zero_infinity": True}, of=OfScores)
    long = batch([[1 + (3 * i) % 4 for i in range(12)], [1 + i // 2 % 4 for i in range(12)]], [40, 31], [12, 9], steps=40)
    yield from reductions("long", "CTCLoss", long, of=OfScores, smooth=False)
    single = [spread(5, 4, start=3) / 2, torch.tensor([1, 3, 3]), torch.tensor(5), torch.tensor(3)]
    yield from reductions("no_batch", "CTCLoss", single, of=OfScores)


def main():
    cases = [*differences(), *classes(), *margins(), *binary(), *divergences(), *pairs(), *ranking(), *labels(), *likelihoods(), *alignments()]
    calls.write(pathlib.Path(__file__).resolve().with_suffix(".json"), cases)


main()
