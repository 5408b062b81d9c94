"""Functions of the tensor language: values, gradients and second derivatives in f64, on small inputs and at the edges.

    python3 language.py

A case: {"name", "inputs", "outputs", "grads", "second"}; tests/frontend/language_test.cpp calls the function of each name. With w the
numbers of WEIGHTS in turn, for each tensor from another one on, "grads" are those of the sum of all floating outputs' sum(output * w)
with respect to each input, and "second" those of the sum of all sum(grad * w); null where an input has none, or where a case is about
values alone. f32 holds all numbers that go in exactly.
"""
import pathlib

import torch

import stored
from calls import spread

INF, NAN = float("inf"), float("nan")
WEIGHTS = [1.0, -0.5, 2.0, 0.75, -1.25, 0.5, 1.5]
SPECIAL = torch.tensor([-INF, -2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, INF, NAN], dtype=torch.float64)
LEFT, RIGHT = (x.flatten() for x in torch.meshgrid(SPECIAL, SPECIAL, indexing="ij"))
F = torch.nn.functional

cases = []


def weighted(tensors):
    total = torch.zeros((), dtype=torch.float64)
    for k, x in enumerate(tensors):
        weights = torch.tensor([WEIGHTS[(i + 3 * k) % len(WEIGHTS)] for i in range(x.numel())], dtype=torch.float64)
        total = total + (x * weights.reshape(x.shape)).sum()
    return total


def gradients(tensors, inputs, create_graph=True):
    total = weighted([x for x in tensors if x.is_floating_point()])
    wanted = [x for x in inputs if x.requires_grad]
    if not wanted or not total.requires_grad:
        return [None] * len(inputs)
    found = iter(torch.autograd.grad(total, wanted, create_graph=create_graph, allow_unused=True))
    return [next(found) if x.requires_grad else None for x in inputs]


def depends(grads):
    return any(g is not None and g.requires_grad for g in grads)


def case(name, function, *inputs, values_only=False, first_only=False):
    inputs = [x.clone().requires_grad_(x.is_floating_point() and not values_only) for x in inputs]
    outputs = function(*inputs)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    grads = gradients(outputs, inputs, create_graph=not first_only)
    second = [None] * len(inputs)
    if not first_only and depends(grads):
        second = gradients([g for g in grads if g is not None], inputs)
        second = [g if g is not None and g.isfinite().all() and g.any() else None for g in second]
    encoded = {"inputs": inputs, "outputs": outputs, "grads": grads, "second": second}
    cases.append({"name": name} | {key: [stored.encode(x) for x in tensors] for key, tensors in encoded.items()})


def i64(*data):
    return torch.tensor(data, dtype=torch.int64)


def flags(*data):
    return torch.tensor(data, dtype=torch.bool)


def empty(*shape):
    return torch.zeros(shape, dtype=torch.float64)


def between(low, high, count=9):
    """Multiples of 1/32, in no order."""
    first, last = round(low * 32), round(high * 32)
    return torch.tensor([first + 37 * i % (last - first + 1) for i in range(count)], dtype=torch.float64) / 32


def shapes():
    x, y = spread(2, 3, 4), spread(2, 3)
    case("view", lambda x: x.view(4, -1), x)
    case("unsqueeze", lambda x: (x.unsqueeze(0), x.unsqueeze(-1), x.unsqueeze(-2)), y)
    case("squeeze all", lambda x: x.squeeze(), spread(1, 3, 1, 2))
    case("squeeze one", lambda x: (x.squeeze(0), x.squeeze(1), x.squeeze(-2)), spread(1, 3, 1, 2))
    case("squeeze some", lambda x: x.squeeze((0, 1)), spread(1, 3, 1, 2))
    case("squeeze an empty one", lambda x: x.squeeze(), empty(1, 0))
    case("stack", lambda a, b: torch.stack([a, b], 1), y, spread(2, 3, start=7))
    case("stack scalars", lambda a, b: torch.stack([a, b], -1), spread(1)[0], spread(1, start=3)[0])
    case("chunk", lambda x: torch.chunk(x, 3, 1), spread(2, 5))
    case("chunk into fewer", lambda x: torch.chunk(x, 4), spread(6))
    case("chunk an empty one", lambda x: torch.chunk(x, 2), empty(0, 3))
    case("split", lambda x: torch.split(x, 2, -1), spread(2, 5))
    case("split into sizes", lambda x: torch.split(x, [1, 0, 3], -1), x)
    case("split an empty one", lambda x: torch.split(x, 2), empty(0, 3))
    case("unbind", lambda x: torch.unbind(x, -2), x)
    case("expand", lambda x: x.expand(2, -1, 4), spread(3, 1))
    case("expand to nothing", lambda x: x.expand(0, 3), spread(1, 3))
    case("repeat", lambda x: x.repeat(2, 1, 3), y)
    case("repeat no time", lambda x: x.repeat(0, 2), y)
    case("repeat_interleave", lambda x: torch.repeat_interleave(x, 2), y)
    case("repeat_interleave an axis", lambda x: torch.repeat_interleave(x, 3, -2), y)
    case("flip", lambda x: torch.flip(x, (0, -1)), x)
    case("flip a long one", lambda x: torch.flip(x, (1,)), spread(3, 37))
    case("flip an empty one", lambda x: torch.flip(x, (0,)), empty(0, 2))
    case("roll", lambda x: torch.roll(x, 3, 1), spread(2, 5))
    case("roll backward", lambda x: torch.roll(x, -6, -1), spread(2, 5))
    case("roll flattened", lambda x: torch.roll(x, 2), y)
    case("roll two axes", lambda x: torch.roll(x, (1, -1), (0, 2)), x)
    case("roll an empty one", lambda x: torch.roll(x, 1, 0), empty(0, 2))
    case("tril", lambda x: (torch.tril(x), torch.tril(x, -1), torch.tril(x, 2)), x)
    case("triu", lambda x: (torch.triu(x), torch.triu(x, -1), torch.triu(x, 2)), x)
    case("tril hides nan", lambda x: torch.tril(x), torch.tensor([[1.0, NAN], [2.0, INF]], dtype=torch.float64), values_only=True)
    case("diagonal", lambda x: (torch.diagonal(x), torch.diagonal(x, 1, 0, 2), torch.diagonal(x, -1, -1, 1)), x)
    case("diagonal beyond", lambda x: (torch.diagonal(x, 3), torch.diagonal(x, -2)), y)
    case("index", lambda x: (x[1], x[-2]), x)
    case("movedim", lambda x: (torch.movedim(x, 0, -1), torch.movedim(x, (0, 2), (1, 0))), x)
    case("permute", lambda x: x.permute(2, 0, 1), x)
    case("flatten", lambda x: x.flatten(0, 1), x)
    case("unflatten", lambda x: (x.unflatten(1, (-1, 1)), x.unflatten(-1, (2, 2))), spread(2, 3, 4))
    case("meshgrid ij", lambda a, b, c: torch.meshgrid(a, b, c, indexing="ij"), spread(2), spread(3), spread(1))
    case("meshgrid xy", lambda a, b, c: torch.meshgrid(a, b, c, indexing="xy"), spread(2), spread(3), spread(1))
    case("compound assignment", lambda a, b: ((a + b - 2) * b) / 3, y, spread(3, start=5))


def creation():
    case("eye", lambda: (torch.eye(3, dtype=torch.float64), torch.eye(2, 4, dtype=torch.int64), torch.eye(0, dtype=torch.float64)))
    case("linspace", lambda: [torch.linspace(*a, dtype=torch.float64) for a in ((-1, 2, 7), (3, 3.5, 1), (2, -2, 4), (0, 1, 0))])
    case("arange", lambda: (torch.arange(2, 9, 3), torch.arange(5, -4, -2), torch.arange(3, 3), torch.arange(-2, 3)))
    case("arange of floating numbers", lambda: [torch.arange(*a, dtype=torch.float64) for a in ((0, 1, 0.25), (1.5, -1, -0.75), (0.5, 3))])
    case("like", lambda x: (torch.full_like(x, 2.5), torch.zeros_like(x), torch.ones_like(x, dtype=torch.int64)), spread(2, 3),
         values_only=True)


UNARY = {
    "tan": (-1.5, 1.5), "asin": (-1, 0.96875), "acos": (-0.96875, 0.96875), "atan": (-6, 6), "sinh": (-4, 4), "cosh": (-4, 4),
    "asinh": (-5, 5), "acosh": (1.03125, 6), "atanh": (-0.96875, 0.96875), "log2": (0.03125, 9), "log10": (0.03125, 9), "exp2": (-4, 5),
    "reciprocal": (0.25, 4), "erfc": (-3, 4.5), "trunc": (-4, 4), "frac": (-4, 4),
}


def elementwise():
    for name, (low, high) in UNARY.items():
        inside = between(low, high, 17)
        if name == "asin":
            inside = inside[inside > -1]
        case(name, getattr(torch, name), inside, values_only=name == "trunc")
        case(f"{name} of special numbers", getattr(torch, name), SPECIAL, values_only=True)
    case("sinh and cosh far out", lambda x: (torch.sinh(x), torch.cosh(x)), torch.tensor([39.0, -41.0, 60.0, -89.0]).double(), values_only=True)
    case("erfc far out", torch.erfc, torch.tensor([0.5, 2.0, 5.0, 8.0, -9.0, 40.0]).double(), values_only=True)
    case("powers have whole logarithms", lambda x: torch.log2(x), torch.tensor([2.0**i for i in range(-5, 30)]).double(), values_only=True)
    case("small numbers", lambda x: (torch.sinh(x), torch.asinh(x), torch.atanh(x), torch.atan(x), torch.tan(x), torch.asin(x)),
         torch.tensor([2.0**-i for i in (20, 30, 40)]).double(), values_only=True)
    classes = lambda x: (torch.isnan(x), torch.isinf(x), torch.isfinite(x))
    case("classes", classes, SPECIAL, values_only=True)
    case("classes of integers", classes, i64(-1, 0, 2))
    case("nan_to_num", lambda x: torch.nan_to_num(x, 0.5, 8.0, -4.0), SPECIAL)

    a, b = between(-4, 4, 12), spread(12, start=4)
    for name in ("atan2", "hypot", "logaddexp", "fmod", "remainder", "floor_divide"):
        discrete = name == "floor_divide"
        case(name, getattr(torch, name), a, b, values_only=discrete)
        case(f"{name} of special numbers", getattr(torch, name), LEFT, RIGHT, values_only=True)
    case("hypot does not overflow", torch.hypot, torch.tensor([3.0 * 2**120, 2.0**-100, 0.0]).double(),
         torch.tensor([4.0 * 2**120, 2.0**-100, 0.0]).double(), values_only=True)
    n, d = i64(7, -7, 7, -7, 6, 0, 9), i64(3, 3, -3, -3, -3, 4, -9)
    case("division of integers", lambda n, d: (torch.fmod(n, d), torch.remainder(n, d), torch.div(n, d, rounding_mode="trunc"),
                                               torch.div(n, d, rounding_mode="floor"), n // d), n, d)
    case("div", lambda a, b: (torch.div(a, b), torch.div(a, b, rounding_mode="trunc"), torch.div(a, b, rounding_mode="floor")), a, b,
         values_only=True)
    case("quotients that rounding takes up", lambda a, b: (torch.floor_divide(a, b), torch.remainder(a, b), torch.fmod(a, b)),
         torch.tensor([1.0, 3.0, 6.0, -1.0]).double() * 49, torch.tensor([49.0, 49.0, -98.0, 147.0]).double(), values_only=True)
    case("remainder by a number", lambda x: x % 1.5, a)
    p, q = flags(True, True, False, False), flags(True, False, True, False)
    bits = lambda a, b: (a & b, a | b, a ^ b, ~a)
    case("bits of bools", bits, p, q)
    case("bits of integers", bits, i64(12, -1, 0x0F0F, -(2**62)), i64(10, 255, -16, 3))
    case("shifts", lambda a, n: (a << n, a >> n), i64(1, -1, 5, -(2**62), 2**62, -9, 7, -7), i64(3, 1, 62, 2, 1, 63, 0, 0))
    case("logical", lambda a, b: (torch.logical_and(a, b), torch.logical_or(a, b), torch.logical_xor(a, b), torch.logical_not(a)),
         SPECIAL, SPECIAL.flip(0), values_only=True)
    x, mask = spread(2, 3), flags([True, False, True], [False, False, True])
    case("masked_fill", lambda x, m: (x.masked_fill(m, -2.5), x.masked_fill(m[0], INF)), x, mask)
    case("masked_fill by a tensor", lambda x, m, v: x.masked_fill(m, v), x, mask, spread(1)[0])
    case("where", lambda m, a, b: torch.where(m, a, b), mask, x, spread(3, start=5))
    case("lerp", torch.lerp, x, spread(2, 3, start=9), between(-0.5, 1.5, 3))
    case("lerp by a number", lambda a, b: (torch.lerp(a, b, 0.25), torch.lerp(a, b, 1.0)), x, spread(2, 3, start=9))
    case("addcmul", lambda x, a, b: (torch.addcmul(x, a, b), torch.addcmul(x, a, b, value=-0.5)), x, spread(3), spread(2, 1, start=3))
    case("addcdiv", lambda x, a, b: (torch.addcdiv(x, a, b), torch.addcdiv(x, a, b, value=2.0)), x, spread(3), spread(2, 1, start=3))


def reductions():
    x = spread(2, 3, 4)
    zeros = spread(3, 4)
    zeros[0, 1] = zeros[1, 0] = zeros[1, 3] = zeros[2] = 0
    case("prod", lambda x: (torch.prod(x), torch.prod(x, 1), torch.prod(x, -1, keepdim=True)), x / 2)
    case("prod of zeros", lambda x: torch.prod(x, -1), zeros)
    case("prod of one and of none", lambda x: (torch.prod(x[:, :1], 1), torch.prod(x[:, :0], 1)), spread(2, 3))
    case("prod of integers", lambda x: (torch.prod(x), torch.prod(x, 0)), i64([3, -2], [5, 7]))
    case("logsumexp", lambda x: (torch.logsumexp(x, 1), torch.logsumexp(x, (0, -1), keepdim=True)), x)
    special = torch.tensor([[0.0, -INF, 1.0], [INF, 0.0, 1.0], [NAN, 0.0, 1.0], [900.0, 901.0, -900.0]]).double()
    case("logsumexp of special numbers", lambda x: torch.logsumexp(x, -1), special, values_only=True)
    case("logsumexp of nothing", lambda x: (torch.logsumexp(x, 0), torch.logsumexp(torch.full((2, 2), -INF, dtype=torch.float64), 0)), empty(0, 2),
         values_only=True)
    case("stddev", lambda x: (torch.std(x), torch.std(x, 1), torch.std(x, (0, 2), correction=0, keepdim=True)), x)
    case("stddev of equal numbers", lambda x: torch.std(x, 1), torch.ones(2, 3).double())
    for p in (1, 2, 3, 0.5, 1.5, INF, -INF, 0):
        size = lambda x, **o: torch.linalg.vector_norm(x, p, **o)
        case(f"norm {p}", lambda x: (size(x), size(x, dim=1), size(x, dim=(0, -1), keepdim=True)), x, values_only=p == 0)
        if p not in (-INF, 0):
            case(f"norm {p} of zeros", lambda x: size(x, dim=1), zeros * (zeros != zeros[0, 0]), values_only=p == 0.5)
    case("norm of special numbers", lambda x: (torch.linalg.vector_norm(x, 2, dim=-1), torch.linalg.vector_norm(x, INF, dim=-1)), special,
         values_only=True)
    some = torch.tensor([[0.0, NAN, 0.0], [0.0, -0.0, 0.0], [1.0, -2.0, INF]]).double()
    case("any and all", lambda x: (torch.any(x), torch.any(x, 1), torch.all(x), torch.all(x, -1, keepdim=True)), some, values_only=True)
    case("any and all of nothing", lambda x: (torch.any(x), torch.all(x), torch.any(x, 0), torch.all(x, 0)), empty(0, 2), values_only=True)
    case("count_nonzero", lambda x: (torch.count_nonzero(x), torch.count_nonzero(x, 0), torch.count_nonzero(x, (0, 1))), some, values_only=True)
    ties = torch.tensor([[2.0, 5.0, 5.0, -1.0], [NAN, 1.0, NAN, 7.0], [-INF, -INF, -2.0, -2.0]]).double()
    case("argmin", lambda x: (torch.argmin(x, 1), torch.argmin(x, 0, keepdim=True), torch.argmin(x[0])), ties, values_only=True)
    case("argmin of integers", lambda x: torch.argmin(x, 0), i64([-(2**63), 3], [5, 3]))
    case("max with indices", lambda x: torch.max(x, 1), x)
    case("max with indices, kept", lambda x: torch.max(x, -1, keepdim=True), x)
    case("max with indices of ties and nan", lambda x: torch.max(x, 1), ties, values_only=True)
    case("max with indices: ties' gradient", lambda x: torch.max(x, 1), ties[:1])
    case("min with indices", lambda x: torch.min(x, -2), x)
    case("min with indices of ties and nan", lambda x: torch.min(x, 1), ties, values_only=True)
    case("min with indices of integers", lambda x: torch.min(x, 0), i64([-(2**63), 3], [5, 3]))
    case("cumsum", lambda x: (torch.cumsum(x, 0), torch.cumsum(x, 1), torch.cumsum(x, -1)), x)
    case("cumsum of a long axis", lambda x: torch.cumsum(x, 0), spread(75))
    case("cumsum of special numbers", lambda x: torch.cumsum(x, 1), torch.tensor([[1.0, INF, 2.0], [NAN, 1.0, 2.0], [1.0, 2.0, -INF]]).double(),
         values_only=True)
    case("cumsum of little", lambda x: (torch.cumsum(x[:1], 0), torch.cumsum(x[:0], 0)), spread(3))
    case("cumsum of integers", lambda x: torch.cumsum(x, 1), i64([3, -2, 5], [1, 7, 2]))
    case("cumprod", lambda x: (torch.cumprod(x, 0), torch.cumprod(x, -1)), x / 2)
    case("cumprod of zeros", lambda x: torch.cumprod(x, 1), zeros)


def products():
    m, n, v, w = spread(3, 4), spread(4, 2, start=5), spread(4, start=3), spread(3, start=8)
    case("dot", torch.dot, v, spread(4, start=11))
    case("dot of nothing", torch.dot, empty(0), empty(0))
    case("outer", torch.outer, v, w)
    case("mv", torch.mv, m, v)
    case("mm", torch.mm, m, n)
    case("bmm", torch.bmm, spread(2, 3, 4), spread(2, 4, 2, start=5))
    case("trace", torch.trace, m)
    case("trace of integers", torch.trace, i64([1, 2], [3, 4]))
    case("cross", lambda a, b: torch.linalg.cross(a, b), spread(2, 3), spread(1, 3, start=5))
    case("cross along the first axis", lambda a, b: torch.linalg.cross(a, b, dim=0), spread(3, 2), spread(3, 2, start=5))
    a, b = spread(2, 3, 4), spread(2, 4, 5, start=7)
    for equation, operands in {
        "bij,bjk->bik": (a, b), "bij,bjk": (a, b), "ij,jk": (m, n), "ij->ji": (m,), "ij->": (m,), "ij->i": (m,), "ji": (m,),
        "ii->i": (spread(3, 3),), "ii": (spread(3, 3),), "iji->j": (spread(3, 2, 3),), "i,j->ij": (v, w), "i,i->": (v, v), "i,i->i": (v, v),
        "bij,bij->b": (a, a), "ij,ik,jl->kl": (m, spread(3, 2), spread(4, 2)), "...ij,...jk->...ik": (a, n), "...i->...": (a,),
        "b...,b->...": (a, spread(2)), "...a,...a": (a, spread(1, 4)), "ab,b,a->": (m, v, w), "ij,jk,kl->il": (m, n, spread(2, 3)),
        "abc,cd->adb": (a, n), "i,": (v, spread(1)[0]), "Ab,bA": (m, spread(4, 3)), "ij,j->i": (m, spread(1)),
        "bqhd,bkhd->bhqk": (spread(2, 3, 2, 4), spread(2, 5, 2, 4, start=3)),
    }.items():
        case(f"einsum {equation}", lambda *x: torch.einsum(equation, *x), *operands)
    case("einsum of nothing", lambda a, b: torch.einsum("ij,jk->ik", a, b), empty(2, 0), empty(0, 3))
    case("einsum of integers", lambda a, b: torch.einsum("ij,jk", a, b), i64([1, 2], [3, 4]), i64([5], [6]))
    case("tensordot", lambda a, b: (torch.tensordot(a, b, 2), torch.tensordot(a, b, 0)), spread(2, 3, 2), spread(3, 2))
    case("tensordot of axes", lambda a, b: torch.tensordot(a, b, dims=([0, -1], [2, 0])), a, spread(4, 3, 2))


def distances():
    a, b = spread(3, 4), spread(3, 4, start=7)
    with_zero = a.clone()
    with_zero[1] = 0
    case("normalize", lambda x: (F.normalize(x), F.normalize(x, 1.0, 0), F.normalize(x, INF, -1)), a)
    case("normalize zeros", lambda x: F.normalize(x), with_zero)
    case("cosine_similarity", lambda a, b: (F.cosine_similarity(a, b), F.cosine_similarity(a, b[:1], -1), F.cosine_similarity(a, b, 0)), a, b)
    case("pairwise_distance", lambda a, b: (F.pairwise_distance(a, b), F.pairwise_distance(a, b, 1.0, keepdim=True),
                                            F.pairwise_distance(a, b, 3.0, 0.5)), a, b)
    for p in (1.0, 2.0, 3.0, INF):
        case(f"cdist {p}", lambda a, b: torch.cdist(a, b, p), spread(2, 3, 4), spread(2, 2, 4, start=1) / 2)
    case("cdist of equal rows", lambda a, b: torch.cdist(a, b), a, a[1:2])
    case("cdist, values", lambda a, b: (torch.cdist(a, b, 0.0), torch.cdist(a[:0], b), torch.cdist(a, b[:0])), a, b, values_only=True)


def indices():
    x = spread(3, 4)
    case("take_along_axis", lambda x, i: torch.gather(x, 1, i), x, i64([3, 0, 0], [1, 1, 2]))
    case("take_along_axis from the front", lambda x, i: torch.gather(x, -2, i), x, i64([2, 0, 1, 1]))
    case("take_along_axis of three axes", lambda x, i: torch.gather(x, 1, i), spread(2, 3, 2), i64([[2, 0], [1, 1]], [[0, 0], [2, 1]]))
    case("take_along_axis of a vector", lambda x, i: torch.gather(x, 0, i), spread(5), i64(4, 4, 0))
    case("take_along_axis of nothing", lambda x, i: torch.gather(x, 1, i), x, torch.zeros(3, 0, dtype=torch.int64))
    case("scatter_add_along_axis", lambda x, i, u: x.scatter_add(1, i, u), x, i64([3, 0, 0], [1, 1, 2]), spread(2, 3, start=5))
    case("scatter_add_along_axis 0", lambda x, i, u: x.scatter_add(0, i, u), x, i64([2, 0, 2, 1], [2, 1, 0, 1]), spread(2, 4, start=5))
    case("scatter_along_axis", lambda x, i, u: x.scatter(1, i, u), x, i64([3, 0, 1], [1, 2, 0]), spread(2, 3, start=5))
    case("scatter_along_axis 0", lambda x, i, u: x.scatter(0, i, u), x, i64([2, 0, 1, 1], [0, 1, 0, 2]), spread(2, 4, start=5))
    case("scatter_along_axis of integers", lambda x, i, u: x.scatter(0, i, u), i64(1, 2, 3), i64(2, 0), i64(7, 8))


def images():
    row, image = spread(2, 2, 5), spread(1, 2, 4, 3)
    for mode in ("reflect", "replicate", "circular"):
        case(f"pad {mode}", lambda x: F.pad(x, (2, 1, 1, 0), mode=mode), image)
        case(f"pad {mode}, cut", lambda x: F.pad(x, (-1, 2), mode=mode), row)
    case("pad constant, cut", lambda x: (F.pad(x, (-1, 2), value=1.5), F.pad(x, (0, -5)), F.pad(x, (2, -1))), row)
    for mode in ("nearest", "nearest-exact", "area", "bilinear", "bicubic"):
        case(f"interpolate {mode}", lambda x: F.interpolate(x, size=(6, 2), mode=mode), image)
    case("interpolate aligned", lambda x: F.interpolate(x, scale_factor=1.6, mode="linear", align_corners=True), row)
    case("interpolate no batch at all", lambda x: F.interpolate(x, size=4, mode="linear"), empty(0, 2, 3))
    case("unfold and fold", lambda x: (F.unfold(x, 2), F.fold(F.unfold(x, (3, 2), padding=1, stride=2), (4, 3), (3, 2), padding=1, stride=2)), image)
    case("pixel_shuffle", lambda x: (F.pixel_shuffle(x, 2), F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2)), spread(2, 4, 1, 3))
    case("adaptive_max_pool", lambda x: F.adaptive_max_pool1d(x, 3), row)
    case("local_response_norm", lambda x: F.local_response_norm(x, 2, 0.5, 0.75, 2.0), row)
    case("glu", lambda x: (F.glu(x, 1), F.glu(x[..., :4])), row)
    case("celu and shrinks", lambda x: (F.celu(x, 0.5), F.softshrink(x), F.hardshrink(x), F.tanhshrink(x)), row)
    case("softmin and threshold", lambda x: (F.softmin(x, -1), F.threshold(x, 0.1, 7.0)), row)
    grid = torch.cat([spread(1, 3, 4, 2, start=3) / 2.7, torch.tensor([[[[-1.0, 1.0], [0.25, -3.5], [5.75, 0.5], [0.0, 0.0]]]]).double()], 1)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for aligned in (False, True):
                case(f"grid_sample {mode} {padding}{' aligned' if aligned else ''}",
                     lambda x, g: F.grid_sample(x, g, mode, padding, aligned), spread(1, 2, 4, 5), grid, first_only=True)
    for aligned in (False, True):
        case(f"affine_grid{' aligned' if aligned else ''}", lambda t: F.affine_grid(t, (2, 1, 3, 4), aligned), spread(2, 2, 3))
    case("affine_grid of one", lambda t: (F.affine_grid(t, (1, 1, 1, 1), True), F.affine_grid(t, (1, 1, 1, 2), False)), spread(1, 2, 3))


def special():
    case("erfinv", torch.erfinv, torch.tensor([-0.96875, -0.6, -0.5, -0.25, 2.0**-20, 0.125, 0.59375, 0.625, 0.75, 0.984375]).float().double())
    case("erfinv of special numbers", torch.erfinv, torch.tensor([-1.0, 1.0, -0.0, 0.0, 1.5, -2.0, NAN, INF, 1 - 2.0**-20, 1e-30]).float().double(),
         values_only=True)


def order():
    x = spread(2, 3, 4)
    pairs = lambda found: [t for one in found for t in one]
    case("sort", lambda x: pairs(torch.sort(x, dim) for dim in (0, 1, -1)), x)
    case("sort descending", lambda x: pairs(torch.sort(x, dim, descending=True) for dim in (0, -2, 2)), x)
    case("sort a long axis", lambda x: pairs([torch.sort(x), torch.sort(x, descending=True)]), spread(99))
    ties = torch.tensor([[2.0, NAN, -INF, 2.0, 0.0, -0.0, INF, NAN, -1.0, INF], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 2.0]]).double()
    stable = lambda x, dim, descending: torch.sort(x, dim=dim, descending=descending, stable=True)
    both_ways = lambda x: pairs(stable(x, 1, d) for d in (False, True))
    case("sort of ties and nan", both_ways, ties, values_only=True)
    case("sort of ties: gradient", lambda x: stable(x, -1, False), ties[1:])
    case("sort of integers", both_ways, i64([3, -2, 3, -(2**63), 2**62, 0, -2], [1, 1, 1, 0, 0, 0, 5]))
    case("sort of bools", both_ways, flags([True, False, True, False], [False, False, False, True]))
    case("sort of little", lambda x: pairs([torch.sort(x[:, :1]), torch.sort(x[:, :0]), torch.sort(x[:0], 0), torch.sort(x[0, 0])]), spread(2, 3))
    case("argsort", lambda x: (torch.argsort(x), torch.argsort(x, 0, descending=True), torch.msort(x)), x)
    case("topk", lambda x: pairs([torch.topk(x, 2), torch.topk(x, 1, 0), torch.topk(x, 3, 1), torch.topk(x, 0)]), x)
    case("topk of the smallest", lambda x: pairs([torch.topk(x, 3, largest=False), torch.topk(x, 2, 1, largest=False)]), x)
    case("topk of a long axis", lambda x: pairs([torch.topk(x, 5), torch.topk(x, 7, largest=False)]), spread(97))
    special = torch.tensor([[1.0, NAN, 3.0, -INF, 2.0], [INF, 0.5, -1.0, -2.0, NAN]]).double()
    case("topk of nan", lambda x: pairs([torch.topk(x, 2), torch.topk(x, 2, largest=False), torch.topk(x, 5, largest=False)]), special, values_only=True)
    case("topk of integers", lambda x: pairs([torch.topk(x, 2), torch.topk(x, 2, largest=False)]), i64([3, -2, 7, -(2**63), 2**62]))
    case("kthvalue", lambda x: pairs([torch.kthvalue(x, 2), torch.kthvalue(x, 3, 1, True), torch.kthvalue(x, 1, 0)]), x)
    case("kthvalue of nan", lambda x: pairs([torch.kthvalue(x, 4), torch.kthvalue(x, 5)]), special, values_only=True)
    case("median", lambda x: torch.median(x), spread(5))
    case("median of an even number", lambda x: torch.median(x), x)
    case("median of ties", lambda x: torch.median(x), torch.tensor([2.0, 1.0, 2.0, 5.0, 2.0, 0.0]).double())
    case("median of special numbers", lambda x: (torch.median(x), torch.median(x[:, :1]), torch.median(x[0, 0]), torch.median(x[:0])), special,
         values_only=True)
    case("median of integers", lambda x: (torch.median(x), *torch.median(x, 1)), i64([3, -2, 7], [5, -1, 0]))
    case("median along an axis", lambda x: pairs([torch.median(x, 1), torch.median(x, -1, True), torch.median(x, 0)]), x)
    case("median of nan along an axis", lambda x: pairs([torch.median(x, 1), torch.median(x, 0, True)]), special, values_only=True)
    case("quantile", lambda x: (torch.quantile(x, 0.5), torch.quantile(x, 0.3, 1), torch.quantile(x, 0.875, -1, True), torch.quantile(x, 1.0, 0)), x)
    case("quantiles", lambda x: (torch.quantile(x, torch.tensor([0.0, 0.25, 0.6, 1.0], dtype=torch.float64), 1, True),
                                 torch.quantile(x, torch.tensor([0.125]).double()), torch.quantile(x, 0.25, keepdim=True)), x)
    for interpolation in ("lower", "higher", "midpoint", "nearest"):
        some = lambda x, *o: torch.quantile(x, torch.tensor([0.0, 0.25, 0.5, 0.7, 1.0], dtype=torch.float64), *o, interpolation=interpolation)
        case(f"quantile {interpolation}", lambda x: (some(x), some(x, 2, True)), x)
    case("quantile of nan", lambda x: (torch.quantile(x, 0.25, 0), torch.quantile(x, 1.0), torch.quantile(x[:1, :1], 0.5)), special, values_only=True)


def search():
    sequence, values = torch.tensor([-3.0, -1.0, -1.0, 0.5, 2.0, 2.0, 2.0, 7.0]).double(), torch.tensor([[2.0, -5.0, 7.5], [-1.0, 0.0, 7.0]]).double()
    sides = lambda s, v: (torch.searchsorted(s, v), torch.searchsorted(s, v, right=True))
    case("searchsorted", sides, sequence, values, values_only=True)
    case("searchsorted of special numbers", sides, torch.tensor([-INF, -1.0, 0.0, 1.0, INF]).double(), SPECIAL, values_only=True)
    case("searchsorted in rows", sides, torch.sort(spread(2, 3, 5), -1).values, spread(2, 3, 4, start=5), values_only=True)
    case("searchsorted in many", sides, (torch.arange(1000) // 3 * 2).double() / 8, torch.tensor([-1.0, 0.0, 0.25, 8.0, 20.75, 83.25, 84.0, NAN]).double(),
         values_only=True)
    long = torch.sort((torch.arange(600) * 37 % 101).double().reshape(2, 300), -1).values
    case("searchsorted in long rows", sides, long, torch.tensor([[0.0, 3.5, 100.0, 101.0], [-1.0, 50.0, 51.0, 99.0]]).double(), values_only=True)
    case("searchsorted in nothing", sides, empty(0), values, values_only=True)
    case("searchsorted of integers", sides, i64(-(2**62), -1, 0, 0, 5, 2**62), i64([0, 5, 6], [-1, 2**62, -2]))
    case("bucketize", lambda x, b: (torch.bucketize(x, b), torch.bucketize(x, b, right=True), torch.bucketize(x[0, 0], b)), values, sequence, values_only=True)


def polygamma():
    away = torch.tensor([0.25, 0.75, 1.0, 1.5, 2.25, 7.5, 12.0, -0.5, -1.25, -3.375]).double()
    for n in (2, 3, 5):
        case(f"polygamma {n}", lambda x: torch.polygamma(n, x), away)
    # Of n = 1, torch's series is exact from 10 on, or where 1 / x^2 is all that counts.
    case("derivatives of lgamma", torch.lgamma, torch.tensor([10.5, 12.0, 17.25, 40.0, 300.0]).double())
    case("derivatives of digamma", lambda x: (torch.digamma(x), torch.polygamma(0, x), torch.polygamma(1, x)),
         torch.tensor([10.5, 12.0, 17.25, 40.0, 300.0]).double(), first_only=True)
    # At infinity torch has nan for n from 2 on, where the limit is 0, and large numbers for poles of n = 1.
    case("polygamma of special numbers", lambda x: torch.polygamma(1, x), torch.tensor([0.0, -0.0, INF, NAN, 2.0**-8]).double(), values_only=True)
    case("polygamma of poles", lambda x: (torch.polygamma(2, x), torch.polygamma(3, x)), torch.tensor([0.0, -0.0, NAN, -1.0, -2.0, 2.0**-8]).double(),
         values_only=True)


def scalars():
    x, i, one = spread(1)[0] * 3, torch.tensor(0), torch.tensor([0])
    norm = torch.linalg.vector_norm
    case("a scalar's axis: reductions", lambda x: (torch.sum(x, 0), torch.mean(x, -1, keepdim=True), torch.prod(x, 0), torch.amax(x, 0, keepdim=True),
                                                   torch.amin(x, -1), torch.logsumexp(x, 0), norm(x, 2, dim=-1, keepdim=True), norm(x, -1, dim=0)), x,
         first_only=True)
    case("a scalar's axis: order", lambda x: (torch.any(x, 0), torch.all(x, -1, keepdim=True), torch.count_nonzero(x, 0), torch.argmax(x, 0, keepdim=True),
                                              torch.argmin(x, -1), *torch.max(x, 0, keepdim=True), *torch.min(x, -1),
                                              torch.std(x, 0, correction=0), torch.var(x, -1, correction=0)), x, values_only=True)
    case("a scalar's axis: functions", lambda x: (torch.softmax(x, 0) * x, torch.log_softmax(x, -1) * x, F.softmin(x, 0) * x, torch.cumsum(x, -1),
                                                  torch.cumprod(x, 0), F.normalize(x, dim=0) * x, torch.flip(x, (0,))), x)
    case("a scalar's axis: shapes", lambda x: (x.squeeze(0), x.squeeze(-1), x.flatten(), x.transpose(0, -1), torch.movedim(x, 0, -1)), x)
    case("a scalar's axis: indices", lambda x, i, one: (torch.gather(x, 0, i), torch.gather(x, -1, one), torch.index_select(x, 0, one),
                                                        x.scatter_add(0, i, x), x.scatter(0, one, x.reshape(1))), x, i, one)


def bools():
    p, q = flags(True, True, False, False), flags(True, False, True, False)
    case("numbers of bools", lambda a, b: (a + b, a * b, torch.maximum(a, b), torch.minimum(a, b)), p, q)
    table = flags([True, False, True], [False, False, False])
    case("extremes of bools", lambda x: (torch.amax(x), torch.amin(x, 1), torch.amax(x, 0, keepdim=True), *torch.max(x, 1), *torch.min(x, 0)), table)
    case("any and all of bytes", lambda x: (torch.any(x, 1), torch.all(x), torch.all(x, 0, keepdim=True)), torch.tensor([[0, 3], [2, 255]], dtype=torch.uint8))
    case("linspace of integers", lambda: [torch.linspace(*a, dtype=torch.int64) for a in ((0.5, 10.9, 7), (-3, 11, 6), (10, -7, 30), (4, 9, 1))])


def edges():
    """Where a derivative is infinite, or is none."""
    rounded = lambda a, b: (torch.div(a, b, rounding_mode="floor"), torch.div(a, b, rounding_mode="trunc"))
    case("rounded quotients have no derivative", rounded, LEFT, RIGHT, first_only=True)
    case("remainder at the edges", torch.remainder, LEFT, RIGHT, first_only=True)
    zeros, x = spread(3, 4), spread(3, 4, start=3)
    zeros[0, 1] = zeros[1] = 0
    for p in (-1, -2, -0.5):
        size = lambda x: (torch.linalg.vector_norm(x, p, dim=1), torch.linalg.vector_norm(x, p))
        case(f"norm {p}", size, x)
        case(f"norm {p} of zeros", size, zeros, first_only=True)
    case("var of too few", lambda x: (torch.var(x, 1, correction=6), torch.std(x, 1, correction=6)), x, first_only=True)
    case("softshrink of special numbers", F.softshrink, SPECIAL, first_only=True)
    far = torch.tensor([-INF, -2.0, 0.0, 1.0, INF]).double()
    case("elu and selu far out", lambda x: (F.elu(x, 0.5), F.selu(x)), far)
    case("pow at 0", torch.pow, torch.tensor([0.0, 2.0, 0.0, 3.0]).double(), torch.tensor([0.0, 0.0, 3.0, 2.0]).double())
    case("cosine_similarity of short rows", lambda a, b: F.cosine_similarity(a, b, 1, 5.0), x, spread(3, 4, start=7))
    case("adaptive pooling to nothing", lambda x: (F.adaptive_avg_pool2d(x, (0, 2)), F.adaptive_max_pool2d(x, (3, 0))), spread(1, 2, 4, 3), values_only=True)


header = stored.header()


def write(name, families):
    for family in families:
        family()
    assert len({c["name"] for c in cases}) == len(cases)
    stored.write(pathlib.Path(__file__).parent / f"{name}.json", header | {"cases": cases})


if __name__ == "__main__":
    write("language", (shapes, creation, elementwise, reductions, products, distances, indices, images, special, order, search, polygamma,
                       scalars, bools, edges))
