"""lgamma and digamma over their whole domain, in f64, of numbers that f32 holds.

    python3 gamma.py

"x", and what torch.lgamma and torch.digamma make of it. tests/frontend/gamma_test.cpp compares element by element, so none lies so near
to a zero between poles that torch's own digits are used up.
"""
import pathlib

import torch

import stored

INF, NAN = float("inf"), float("nan")


def numbers():
    yield from (i / 16 for i in range(-120, 320) if i != 0)                       # poles among them
    for whole in range(-12, 13):                                                  # beside poles, and beside the zeros 1 and 2 of lgamma
        yield from (whole + side * 2.0**-k for side in (-1, 1) for k in (6, 12, 18))
    yield from (1.4615, 1.4618, -0.504, -1.573, -2.4570, -2.7475, -3.143, -3.9552)  # beside zeros
    yield from (side * 10.0**e for side in (-1, 1) for e in (-35, -20, -7, -3))
    yield from (1e2, 12345.678, 1e7, 1e15, 1e30, -30.25, -100.75, -2000.5, -40000.125)
    yield from (0.0, -0.0, INF, -INF, NAN, -1e10, -1e30)


header = stored.header()
x = torch.tensor(list(numbers()), dtype=torch.float32).double()
functions = {"x": x, "lgamma": torch.lgamma(x), "digamma": torch.digamma(x)}
stored.write(pathlib.Path(__file__).with_suffix(".json"), header | {name: stored.encode(values) for name, values in functions.items()}, 1)
