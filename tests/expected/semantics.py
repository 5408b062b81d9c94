"""Values and gradients of PyTorch's ops in f64 on small inputs: the ordinary ones and the edges.

    python3 semantics.py

A case: {"name", "op", "attrs", "inputs", "outputs", "cotangent", "grads"}, tensors as stored.py describes. grads has
one entry for each input: the gradient of sum(outputs[0] * cotangent) with respect to a floating input, null for any
other; where the case is about values alone, cotangent is null and so are all of grads. The attributes carry
PyTorch's names and meanings; one that is absent has PyTorch's default. "dim": null reduces over everything.

Where a derivative does not exist (ties, corners, NaN) the gradient is PyTorch's convention. Elementwise cases are
computed once more on many copies of their inputs, so that nothing is stored that depends on whether PyTorch's vector
code or its scalar code ran; for that reason maximum(0, -0) is not here.
"""
import pathlib

import torch
import torch.nn.functional as F

import stored

INF, NAN = float("inf"), float("nan")
SPECIAL = [-INF, -1.0, -0.0, 0.0, 1.0, INF, NAN]
FLOAT, INT, BOOL = torch.float64, torch.int64, torch.bool

cases = []


def f64(data, shape=None):
    tensor = torch.tensor(data, dtype=FLOAT)
    return tensor if shape is None else tensor.reshape(shape)


def i64(data, shape=None):
    tensor = torch.tensor(data, dtype=INT)
    return tensor if shape is None else tensor.reshape(shape)


def boolean(data):
    return torch.tensor(data, dtype=BOOL)


def distinct(*shape):
    """Distinct, exactly representable values of both signs, in no order."""
    count = torch.Size(shape).numel()
    assert count <= 101
    return f64([((37 * i + 11) % 101 - 50) / 16 for i in range(count)], shape)


def tied(*shape):
    """Values of both signs that repeat after five elements."""
    return f64([(7 * i % 5 - 2) / 2 for i in range(torch.Size(shape).numel())], shape)


def weights(like):
    """The fixed cotangent: no zeros, both signs, exactly representable."""
    cycle = [1.0, -0.5, 2.0, 0.75, -1.25, 0.5, 1.5]
    return f64([cycle[i % len(cycle)] for i in range(like.numel())], like.shape)


def evaluate(function, inputs, cotangent, attrs):
    inputs = [x.clone().requires_grad_(cotangent is not None and x.is_floating_point()) for x in inputs]
    output = function(*inputs, **attrs)
    if cotangent is None:
        return output, [None] * len(inputs)
    wanted = [x for x in inputs if x.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, cotangent))
    return output, [next(found) if x.requires_grad else None for x in inputs]


def same_bits_or_nearly(a, b):
    """Equal up to rounding; the same infinities, NaNs and zeros with their signs."""
    zeros = (a == 0) & (b == 0)
    return torch.allclose(a, b, rtol=1e-13, atol=0, equal_nan=True) and torch.equal(a[zeros].signbit(), b[zeros].signbit())


def check_many_copies(name, function, inputs, cotangent, attrs, stored_results):
    """Elementwise only: the results must not depend on where an element lies in the tensor."""
    copies = 37
    tile = lambda x: None if x is None else x.flatten().repeat(copies)
    output, grads = evaluate(function, [tile(x) for x in inputs], tile(cotangent), attrs)
    for many, one in zip([output, *grads], stored_results):
        if one is not None and not same_bits_or_nearly(many.double(), tile(one).double()):
            raise AssertionError(f"{name}: depends on the position\n{many.reshape(copies, -1)}\n{one}")


def case(name, op, inputs, attrs={}, function=None, grad=True, elementwise=False):
    """Stores one case. `name` is unique within the op; `function` defaults to torch.<op>."""
    assert all(known["name"] != f"{op}/{name}" for known in cases), f"{op}/{name}"
    function = function or getattr(torch, op)
    output = function(*inputs, **attrs)
    grad = grad and output.is_floating_point() and any(x.is_floating_point() for x in inputs)
    cotangent = weights(output) if grad else None
    output, grads = evaluate(function, inputs, cotangent, attrs)
    if elementwise:
        check_many_copies(f"{op}/{name}", function, inputs, cotangent, attrs, [output, *grads])
    cases.append({
        "name": f"{op}/{name}", "op": op, "attrs": attrs, "inputs": [stored.encode(x) for x in inputs],
        "outputs": [stored.encode(output)], "cotangent": stored.encode(cotangent),
        "grads": [stored.encode(g) for g in grads]})


def pointwise(name, op, inputs, attrs={}, **options):
    case(name, op, inputs, attrs, elementwise=True, **options)


# ---- one operand ----------------------------------------------------------------------------------------------------

def unary():
    """Each function at ordinary points, at the special values, and where it is known to be hard."""
    ordinary = [-2.5, -1.25, -0.75, -0.125, 0.375, 0.625, 1.5, 3.0]
    positive = [0.015625, 0.375, 0.625, 1.0, 1.5, 3.0, 1e10]
    hard = {
        "neg": [1e308, 5e-324], "abs": [-1e308, -5e-324],
        "exp": [-745.0, -708.0, 709.0, 710.0, 1e-17], "log": [5e-324, 1e-308, 1e308, 1.0000000000000002],
        "log1p": [-2.0, -0.9999999999999999, 1e-20, -1e-20, 1e308], "expm1": [-800.0, -1e-20, 1e-20, 709.0, 710.0],
        "sqrt": [-1e-300, 5e-324, 1e308], "rsqrt": [-1e-300, 1e-300, 1e300],
        "reciprocal": [1e-308, 1e308, -1e308], "sin": [1e-20, 3.141592653589793, 100000.0],
        "cos": [1e-20, 1.5707963267948966, 100000.0], "tanh": [-1000.0, -20.0, 1e-20, 20.0, 1000.0],
        "erf": [-6.0, -1e-20, 1e-20, 3.0, 6.0], "sigmoid": [-1000.0, -745.0, -40.0, 40.0, 1000.0],
        "relu": [-5e-324, 5e-324], "floor": [-2.5, -0.5, 0.5, 2.0, 4503599627370497.5],
        "ceil": [-2.5, -0.5, 0.5, 2.0, 4503599627370496.5],
        "round": [-2.5, -1.5, -0.5, 0.49999999999999994, 0.5, 1.5, 2.5, 3.5],
        "sign": [-5e-324, 5e-324, -1e308], "square": [1e200, -1e200, 1e-200],
    }
    for op, points in hard.items():
        pointwise("ordinary", op, [f64(positive if op in ("log", "sqrt", "rsqrt") else ordinary)])
        pointwise("special", op, [f64(SPECIAL)])
        pointwise("hard", op, [f64(points)])
    for op in ("neg", "abs", "sign", "square"):
        pointwise("i64", op, [i64([-3, 0, 7])])
    case("empty", "exp", [f64([], (0, 3))])
    case("scalar", "exp", [f64(0.5)])

    for approximate in ("none", "tanh"):
        gelu = lambda x, approximate: F.gelu(x, approximate=approximate)
        attrs = {"approximate": approximate}
        pointwise(f"{approximate}_ordinary", "gelu", [f64(ordinary)], attrs, function=gelu)
        pointwise(f"{approximate}_special", "gelu", [f64(SPECIAL)], attrs, function=gelu)
        pointwise(f"{approximate}_far", "gelu", [f64([-100.0, -10.0, -5.0, 5.0, 10.0, 100.0])], attrs, function=gelu)

    for op in ("elu", "silu", "mish", "softplus", "hardswish", "logsigmoid"):
        pointwise("ordinary", op, [f64(ordinary)], function=getattr(F, op))
        # With nan the gradients of elu and hardswish depend on the element's position.
        pointwise("special", op, [f64(SPECIAL[:-1] if op in ("elu", "hardswish") else SPECIAL)], function=getattr(F, op))
        pointwise("hard", op, [f64([-1000.0, -40.0, -3.0, 3.0, 20.0, 20.000001, 40.0, 1000.0])], function=getattr(F, op))
    pointwise("alpha", "elu", [f64(ordinary)], {"alpha": 0.5}, function=F.elu)
    pointwise("sharp", "softplus", [f64(ordinary)], {"beta": 2.0, "threshold": 1.0}, function=F.softplus)
    pointwise("special", "prelu", [f64(SPECIAL), f64([0.25] * len(SPECIAL))],
              function=lambda x, w: F.prelu(x.reshape(1, -1), w).reshape(-1))

    for low, high in ((-1.0, 1.0), (-1.0, None), (None, 1.0), (2.0, 1.0)):
        attrs = {key: value for key, value in (("min", low), ("max", high)) if value is not None}
        points = f64([-INF, -2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0, INF, NAN])
        pointwise(f"min_{low}_max_{high}", "clamp", [points], attrs)

    to = {"f64": FLOAT, "i64": INT, "bool": BOOL}
    cast = lambda x, dtype: x.to(to[dtype])
    case("f64_to_i64", "cast", [f64([-2.7, -1.0, -0.5, -0.0, 0.5, 1.9, 3e9])], {"dtype": "i64"}, cast)
    case("f64_to_bool", "cast", [f64([-1.0, -0.0, 0.0, 5e-324, INF, NAN])], {"dtype": "bool"}, cast)
    case("i64_to_f64", "cast", [i64([-3, 0, 9007199254740993])], {"dtype": "f64"}, cast)
    case("bool_to_f64", "cast", [boolean([True, False])], {"dtype": "f64"}, cast)


# ---- two and three operands -----------------------------------------------------------------------------------------

def pairs(values):
    """All pairs of `values`, as two operands."""
    return [f64([a for a in values for _ in values]), f64([b for _ in values for b in values])]


def arithmetic():
    few = [-INF, -2.0, 0.0, 3.0, INF, NAN]
    for op in ("add", "sub", "mul", "div"):
        pointwise("ordinary", op, [distinct(8), distinct(20)[12:]])
        pointwise("special", op, pairs(few))
        case("column_and_row", op, [distinct(3, 1), distinct(7)[3:]])
        case("row_and_matrix", op, [distinct(2), distinct(3, 2)])
        case("scalar_and_matrix", op, [f64(1.5), distinct(2, 3)])
        case("inner_ones", op, [distinct(2, 1, 3), distinct(1, 2, 1)])
        case("empty", op, [f64([], (0, 3)), distinct(3)])
        case("empty_and_one", op, [f64([], (0,)), f64([2.0])])
    pointwise("by_zero", "div", [f64([1, -1, 1, -1, 0, 0.0, -0.0]), f64([0.0, 0.0, -0.0, -0.0, 0.0, -0.0, 3.0])])
    pointwise("zeros", "add", [f64([0.0, 0.0, -0.0, -0.0]), f64([0.0, -0.0, 0.0, -0.0])])
    pointwise("zeros", "mul", [f64([0.0, 0.0, -0.0, -0.0]), f64([1.0, -1.0, 1.0, -1.0])])
    for op in ("add", "sub", "mul"):
        pointwise("i64", op, [i64([-3, 0, 7]), i64([5, -2, 7])])

    pointwise("ordinary", "pow", [f64([0.5, 1.5, 2.0, 3.0]), f64([2.5, -1.5, 0.5, 3.0])])
    pointwise("negative_base", "pow",
              [f64([-2.0, -2.0, -2.0, -2.0, -1.5, -1.0]), f64([3.0, 2.0, -3.0, 0.5, 1.0, 1e6])])
    pointwise("zero_base", "pow", [f64([0.0, 0.0, 0.0, 0.0, 0.0, -0.0, -0.0]), f64([0.0, 1.0, 2.0, -1.0, 0.5, -3.0, 2.0])])
    pointwise("nonfinite", "pow",
              [f64([NAN, 1.0, INF, INF, 0.5, 2.0, 2.0, 1.0, NAN]), f64([0.0, NAN, 0.0, -1.0, INF, INF, -INF, INF, 2.0])])
    case("column_and_row", "pow", [f64([[0.5], [2.0], [3.0]]), f64([-1.0, 0.0, 1.0, 2.0])])
    scalar_pow = lambda x, exponent: torch.pow(x, exponent)
    points = [-2.0, -1.0, 0.0, 0.25, 1.0, 3.0, INF, NAN]
    for exponent in (0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 2.5):
        # A constant 0.5 or -0.5 is sqrt or rsqrt in PyTorch, which pow is not at -inf and -0.
        more = [] if abs(exponent) == 0.5 else [-INF, -0.0]
        pointwise(f"scalar_exponent_{exponent}", "pow", [f64(more + points)], {"exponent": exponent}, function=scalar_pow)

    for op in ("maximum", "minimum"):
        pointwise("ordinary", op, [distinct(8), distinct(20)[12:]])
        pointwise("special", op, pairs(few))
        pointwise("ties", op, [f64([1.0, -2.0, 0.0, INF, 3.0]), f64([1.0, -2.0, 0.0, INF, 2.0])])
        case("column_and_row", op, [f64([[1.0], [2.0], [3.0]]), f64([2.0, 1.0, 2.5, 3.0])])
        pointwise("i64", op, [i64([-3, 0, 7]), i64([5, -2, 7])])


def comparisons():
    values = [-INF, -1.0, -0.0, 0.0, 1.0, INF, NAN]
    for op in ("eq", "ne", "lt", "le", "gt", "ge"):
        pointwise("special", op, pairs(values))
        pointwise("i64", op, [i64([-3, 0, 7, 9007199254740993]), i64([5, 0, 6, 9007199254740992])])
        case("column_and_row", op, [f64([[1.0], [2.0], [3.0]]), f64([2.0, 1.0, 2.5, 3.0])])

    both = [boolean([False, False, True, True]), boolean([False, True, False, True])]
    for op in ("logical_and", "logical_or", "logical_xor"):
        pointwise("table", op, both)
    case("column_and_row", "logical_and", [boolean([[True], [False]]), boolean([True, False, True])])
    pointwise("table", "logical_not", [boolean([False, True])])

    condition = boolean([True, False, True, False, True, False, True])
    pointwise("special", "where", [condition, f64(SPECIAL), f64(SPECIAL[::-1])])
    pointwise("nan_in_the_other_branch", "where",
              [boolean([True, False, True]), f64([1.0, NAN, 2.0]), f64([NAN, 3.0, INF])])
    case("broadcast", "where", [boolean([[True], [False]]), distinct(3), f64(0.5)])
    case("i64", "where", [boolean([True, False]), i64([1, 2]), i64([3, 4])])


# ---- reductions -----------------------------------------------------------------------------------------------------

def reductions():
    axes = {"0": [0], "1": [1], "2": [2], "last": [-1], "0_2": [0, 2], "all": [0, 1, 2]}
    for op in ("sum", "mean", "amax", "amin"):
        values = tied if op in ("amax", "amin") else distinct
        for label, dim in axes.items():
            for keepdim in (False, True):
                case(f"dim_{label}{'_keepdim' if keepdim else ''}", op, [values(2, 3, 4)], {"dim": dim, "keepdim": keepdim})
        case("length_one", op, [distinct(3, 1)], {"dim": [1], "keepdim": False})
        case("nan_and_inf", op, [f64([[1, NAN, 3], [INF, 2, -INF], [INF, INF, 0], [-INF, -INF, -INF]])],
             {"dim": [1], "keepdim": False}, grad=op in ("sum", "mean"))
        case("no_rows_left", op, [f64([], (0, 3))], {"dim": [1], "keepdim": False})
    for op in ("sum", "mean"):
        case("scalar", op, [f64(2.5)])
        case("everything", op, [distinct(2, 3)], {"dim": None})
        case("empty", op, [f64([], (0, 3))], {"dim": [0], "keepdim": False})
        case("empty_all", op, [f64([], (0, 3))], {"dim": [0, 1], "keepdim": False})
    case("i64", "sum", [i64([[1, 2], [3, -9]])], {"dim": [0], "keepdim": False})
    case("bool_counts", "sum", [boolean([[True, False, True], [True, True, True]])], {"dim": [1], "keepdim": False})

    for op in ("amax", "amin"):
        case("ties_share", op, [f64([[1, 2, 2, 0], [2, 2, 2, 2], [-1, 0, 0, -1]])], {"dim": [1], "keepdim": False})
        case("ties_share_over_two", op, [f64([[1, 2, 2], [2, 1, 1]])], {"dim": [0, 1], "keepdim": False})
        case("infinite_ties", op, [f64([[INF, INF, 0], [-INF, -INF, 0], [-INF, -INF, -INF]])], {"dim": [1], "keepdim": False})
        case("nan_gradient", op, [f64([[1, NAN, 3], [NAN, NAN, 0]])], {"dim": [1], "keepdim": False})
        case("i64", op, [i64([[1, 2, 2], [3, -9, 0]])], {"dim": [1], "keepdim": False})

    for label, dim in {"0": 0, "1": 1, "2": 2, "last": -1, "all": None}.items():
        for keepdim in (False, True):
            if dim is not None or not keepdim:
                case(f"dim_{label}{'_keepdim' if keepdim else ''}", "argmax", [distinct(2, 3, 4)], {"dim": dim, "keepdim": keepdim})
    case("first_of_ties", "argmax", [f64([[1, 3, 3, 0], [2, 2, 2, 2], [-0.0, 0.0, -1, 0.0]])], {"dim": 1, "keepdim": False})
    case("first_of_ties_by_column", "argmax", [f64([[1, 3, 3], [2, 3, 1], [2, 1, 3]])], {"dim": 0, "keepdim": False})
    case("nan_is_largest", "argmax", [f64([[1, NAN, 3, NAN], [INF, 2, NAN, INF]])], {"dim": 1, "keepdim": False})
    case("infinite", "argmax", [f64([[-INF, -INF, -INF], [-INF, 0, INF], [INF, INF, 0]])], {"dim": 1, "keepdim": False})
    case("i64", "argmax", [i64([[1, 7, 7], [3, -9, 0]])], {"dim": 1, "keepdim": False})


# ---- contractions, shapes, indices ----------------------------------------------------------------------------------

def contractions():
    case("matrices", "matmul", [distinct(2, 3), distinct(3, 4)])
    case("batched", "matmul", [distinct(2, 2, 3), distinct(2, 3, 2)])
    case("batch_broadcast", "matmul", [distinct(2, 1, 2, 3), distinct(3, 3, 2)])
    case("batch_and_matrix", "matmul", [distinct(2, 2, 3), distinct(3, 2)])
    case("one_by_one", "matmul", [f64([[3.0]]), f64([[-0.5]])])
    case("outer", "matmul", [distinct(3, 1), distinct(1, 2)])
    case("nothing_to_add_up", "matmul", [f64([], (2, 0)), f64([], (0, 3))])
    case("no_rows", "matmul", [f64([], (0, 3)), distinct(3, 2)])
    case("nan_and_inf", "matmul", [f64([[1, NAN], [INF, 0], [0, 1]]), f64([[1, 0], [2, INF]])])


def take_slice(x, dim, start, end, step):
    return x[(slice(None),) * (dim % x.dim()) + (slice(start, end, step),)]


def shapes():
    case("matrix", "transpose", [distinct(2, 3)], {"dim0": 0, "dim1": 1})
    case("outer_pair", "transpose", [distinct(2, 3, 4)], {"dim0": 0, "dim1": 2})
    case("negative", "transpose", [distinct(2, 3, 2)], {"dim0": -1, "dim1": -2})
    case("three", "permute", [distinct(2, 3, 4)], {"dims": [2, 0, 1]})
    case("merge", "reshape", [distinct(2, 3, 2)], {"shape": [2, 6]})
    case("inferred", "reshape", [distinct(2, 3, 2)], {"shape": [-1, 4]})
    expand = lambda x, shape: x.expand(shape)
    case("column", "expand", [distinct(3, 1)], {"shape": [2, 3, 4]}, expand)

    matrix = distinct(4, 5)
    for name, attrs in {
            "rows": (0, 1, 3, 1), "columns": (1, 2, 5, 1), "stride_2": (1, 0, 5, 2), "stride_3_from_1": (1, 1, 5, 3),
            "from_the_end": (1, -2, 5, 1), "to_before_the_end": (0, 0, -1, 1), "end_too_large": (0, 2, 100, 1),
            "nothing": (0, 2, 2, 1), "last_dim": (-1, 1, 4, 2)}.items():
        case(name, "slice", [matrix], dict(zip(("dim", "start", "end", "step"), attrs)), take_slice)

    concat = lambda *xs, dim: torch.cat(xs, dim)
    case("rows", "concat", [distinct(2, 3), distinct(1, 3)], {"dim": 0}, concat)
    case("columns", "concat", [distinct(2, 1), distinct(2, 3), distinct(2, 2)], {"dim": 1}, concat)
    case("negative", "concat", [distinct(2, 1), distinct(2, 2)], {"dim": -1}, concat)
    case("an_empty_piece", "concat", [distinct(2, 3), f64([], (0, 3))], {"dim": 0}, concat)
    case("one", "concat", [distinct(2, 2)], {"dim": 0}, concat)

    pad = lambda x, pad, value=0.0: F.pad(x, pad, mode="constant", value=value)
    case("last_dim", "pad", [distinct(2, 3)], {"pad": [1, 2]}, pad)
    case("two_dims", "pad", [distinct(2, 3)], {"pad": [1, 0, 2, 1], "value": 0.5}, pad)
    case("minus_infinity", "pad", [distinct(2, 2)], {"pad": [1, 1], "value": -INF}, pad)
    case("negative_crops", "pad", [distinct(2, 4)], {"pad": [-1, 2]}, pad)
    case("empty", "pad", [f64([], (0, 2))], {"pad": [0, 0, 1, 1], "value": 3.0}, pad)


def indices():
    select = lambda x, index, dim: torch.index_select(x, dim, index)
    case("rows_repeated", "index_select", [distinct(4, 3), i64([2, 0, 2, 2])], {"dim": 0}, select)
    case("columns", "index_select", [distinct(2, 4), i64([3, 3, 1])], {"dim": 1}, select)
    case("vector", "index_select", [distinct(5), i64([4, 0, 4])], {"dim": 0}, select)
    case("nothing", "index_select", [distinct(4, 3), i64([], (0,))], {"dim": 0}, select)
    case("special", "index_select", [f64(SPECIAL), i64([6, 0, 2, 6])], {"dim": 0}, select)

    gather = lambda x, index, dim: torch.gather(x, dim, index)
    case("along_0_repeated", "gather", [distinct(3, 2), i64([[0, 2], [0, 1], [2, 2], [0, 0]])], {"dim": 0}, gather)
    case("along_1", "gather", [distinct(2, 3), i64([[2], [0]])], {"dim": 1}, gather)
    case("index_smaller", "gather", [distinct(3, 3), i64([[1, 2]])], {"dim": 0}, gather)

    add = lambda x, index, source, dim, alpha=1.0: torch.index_add(x, dim, index, source, alpha=alpha)
    case("rows_repeated", "index_add", [distinct(3, 2), i64([2, 0, 2, 2]), tied(4, 2)], {"dim": 0}, add)
    case("columns_scaled", "index_add", [distinct(2, 3), i64([1, 1]), tied(2, 2)], {"dim": 1, "alpha": -2.0}, add)
    case("nothing", "index_add", [distinct(3, 2), i64([], (0,)), f64([], (0, 2))], {"dim": 0}, add)

    scatter = lambda x, index, source, dim: torch.scatter_add(x, dim, index, source)
    case("along_0_repeated", "scatter_add", [distinct(3, 2), i64([[0, 2], [0, 1], [0, 2]]), tied(3, 2)], {"dim": 0}, scatter)

    one_hot = lambda x, num_classes: F.one_hot(x, num_classes)
    case("vector", "one_hot", [i64([2, 0, 2])], {"num_classes": 4}, one_hot)
    case("matrix", "one_hot", [i64([[0, 1], [2, 2]])], {"num_classes": 3}, one_hot)
    case("empty", "one_hot", [i64([], (0,))], {"num_classes": 3}, one_hot)


# ---- normalized exponentials and losses -----------------------------------------------------------------------------

def softmaxes():
    for op in ("softmax", "log_softmax"):
        for dim in (0, 1, -1):
            case(f"dim_{dim}", op, [distinct(2, 3)], {"dim": dim})
        case("middle", op, [distinct(2, 3, 2)], {"dim": 1})
        case("large", op, [f64([[1000, 1001, 999], [-1000, -1001, -999], [1e30, 0, -1e30]])], {"dim": 1})
        case("some_minus_infinity", op, [f64([[-INF, 0, 1], [-INF, -INF, 2]])], {"dim": 1})
        case("undefined", op, [f64([[-INF, -INF, -INF], [INF, 0, 1], [NAN, 0, 1]])], {"dim": 1})
        case("length_one", op, [f64([[3.0], [-INF], [0.0]])], {"dim": 1}, grad=False)
        case("empty", op, [f64([], (0, 3))], {"dim": 1})


def losses():
    mse = lambda x, y, reduction: F.mse_loss(x, y, reduction=reduction)
    entropy = lambda x, y, **attrs: F.cross_entropy(x, y, **attrs)
    for reduction in ("mean", "sum", "none"):
        attrs = {"reduction": reduction}
        case(reduction, "mse_loss", [distinct(2, 3), tied(2, 3)], attrs, mse)
        case(f"{reduction}_special", "mse_loss", [f64([INF, 1.0, NAN, INF]), f64([0.0, 1.0, 2.0, INF])], attrs, mse)
        case(f"{reduction}_empty", "mse_loss", [f64([], (0, 3)), f64([], (0, 3))], attrs, mse)

        case(reduction, "cross_entropy", [distinct(3, 4), i64([2, 0, 3])], attrs, entropy)
        case(f"{reduction}_one_class", "cross_entropy", [distinct(2, 1), i64([0, 0])], attrs, entropy)
        case(f"{reduction}_large", "cross_entropy",
             [f64([[1000, 0, -1000], [1000, 0, -1000], [1e5, 1e5, 1e5]]), i64([0, 2, 1])], attrs, entropy)
        case(f"{reduction}_minus_infinity", "cross_entropy", [f64([[-INF, 0, 1], [-INF, 2, -INF]]), i64([1, 1])], attrs, entropy)
        case(f"{reduction}_impossible_class", "cross_entropy", [f64([[-INF, 0, 1], [0, 1, 2]]), i64([0, 1])], attrs, entropy)
        case(f"{reduction}_nan", "cross_entropy", [f64([[NAN, 0, 1], [0, 1, 2]]), i64([1, 1])], attrs, entropy)
        case(f"{reduction}_empty", "cross_entropy", [f64([], (0, 3)), i64([], (0,))], attrs, entropy)
        case(f"{reduction}_positions", "cross_entropy", [distinct(2, 3, 2), i64([[0, 2], [1, 1]])], attrs, entropy)
        case(f"{reduction}_ignore_index", "cross_entropy", [distinct(3, 4), i64([2, -100, 3])],
             attrs | {"ignore_index": -100}, entropy)
        case(f"{reduction}_all_ignored", "cross_entropy", [distinct(2, 3), i64([1, 1])], attrs | {"ignore_index": 1}, entropy)
        case(f"{reduction}_label_smoothing", "cross_entropy", [distinct(3, 4), i64([2, 0, 3])],
             attrs | {"label_smoothing": 0.1}, entropy)


def main():
    content = stored.header()
    for family in (unary, arithmetic, comparisons, reductions, contractions, shapes, indices, softmaxes, losses):
        family()
    print(f"{len(cases)} cases of {len({c['op'] for c in cases})} ops")
    stored.write(pathlib.Path(__file__).resolve().with_suffix(".json"), content | {"cases": cases})


main()
