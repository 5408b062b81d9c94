"""Functions that pick and place elements by index, and transforms: in the form of language.py.

    python3 picking.py

What is complex stands as torch.view_as_real shows it.
"""
import torch

import language
from calls import spread
from language import F, case, i64


def slices():
    x = spread(3, 4, 5)
    case("x[1:3, 0]", lambda x: (x[1:3, 0], x[..., ::2], x[:, None, -1], x[-1, 1:-1, 3]), x)
    case("x[None]", lambda x: (x[None], x[..., None], x[1, ..., 2:], x[5:2, 1], x[-100:2, :, 4]), x)


def tensors_of_indices():
    x, i, j = spread(3, 4, 2), i64([0, 2, 2], [1, 0, 2]), i64(3, 0, 3)
    case("index", lambda x, i, j: (x[i], x[i, j], x[i[0], j, i[1] // 2]), x, i, j)
    case("index_put", lambda x, v: x.index_put((i64(2, 0), i64(1, 3)), v), x, spread(2, 2, start=5))
    case("index_put of one number", lambda x, v: x.index_put((i64([2], [0]),), v), x, spread(2, start=5))
    case("index_put accumulate", lambda x, v: x.index_put((i64(2, 0, 2), i64(1, 3, 1)), v, accumulate=True), x, spread(3, 2, start=5))
    case("index_put of integers", lambda x, i: x.index_put((i,), i64(7, 8, 7), accumulate=True), i64(1, 2, 3, 4), i64(3, 0, 3))


def scatters():
    x, source = spread(3, 5), spread(2, 6, start=3)
    index = i64([0, 4, 4, 0, 4, 1], [3, 3, 3, 3, 0, 2])
    tied, equal = torch.tensor([1.0, -2.0, 3.0, 0.5]).double(), torch.tensor([3.0, 3.0, 1.0, 2.0, 2.0, 0.5, -7.0, 0.5]).double()
    at = i64(2, 2, 0, 0, 0, 3, 1, 3)
    zeros = torch.tensor([0.0, 2.0, 3.0, 0.0, 5.0, -1.5]).double()
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for own in (True, False):
            name = f"scatter_reduce {reduce}" + ("" if own else " without self")
            run = lambda x, i, s: x.scatter_reduce(1, i, s, reduce, include_self=own)
            shift = 0 if own else 1 / 64  # torch would share the gradient with an element of self that is no part, where it is equal
            case(name, run, x + shift, index, source, first_only=reduce in ("amax", "amin", "prod"))
            along = lambda x, i, s: x.scatter_reduce(0, i, s, reduce, include_self=own)
            case(name + " of integers", along, i64(5, -7, 2, 9), at, i64(3, 4, -5, 2, 2, 6, 1, -9))
            if reduce in ("amax", "amin"):
                case(name + " with ties", along, tied + shift, at, equal, first_only=True)
    case("scatter_reduce prod of zeros", lambda x, i, s: x.scatter_reduce(0, i, s, "prod"), torch.tensor([2.0, 3.0, 0.0]).double(),
         i64(0, 0, 1, 1, 2, 2), zeros, first_only=True)


def pools():
    x = spread(2, 3, 7)
    case("max_pool1d_with_indices", lambda x: F.max_pool1d(x, 3, 2, 1, return_indices=True), x, first_only=True)
    x = spread(2, 2, 6, 7)
    case("max_pool2d_with_indices", lambda x: F.max_pool2d(x, (2, 3), (2, 1), (1, 0), (1, 2), return_indices=True), x, first_only=True)
    case("max_pool2d_with_indices ceil", lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True, return_indices=True), x, first_only=True)
    case("max_pool2d_with_indices of one", lambda x: F.max_pool2d(x, 2, return_indices=True), spread(2, 4, 4), first_only=True)
    flat = torch.full((1, 1, 4, 4), -float("inf")).double()
    case("max_pool2d_with_indices of -inf", lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True), flat, values_only=True)
    case("max_pool3d_with_indices", lambda x: F.max_pool3d(x, 2, return_indices=True), spread(1, 2, 4, 4, 5), first_only=True)


def unpools():
    torch.use_deterministic_algorithms(False)  # where several elements name one place, they are equal
    back = lambda pool, unpool, *options, **more: lambda x: unpool(*pool(x, *options, return_indices=True), *options, **more)
    case("max_unpool1d", back(F.max_pool1d, F.max_unpool1d, 2, 2), spread(2, 3, 8), first_only=True)
    case("max_unpool2d", back(F.max_pool2d, F.max_unpool2d, 2, 2), spread(2, 2, 4, 6), first_only=True)
    case("max_unpool2d to a size", back(F.max_pool2d, F.max_unpool2d, 2, 2, output_size=(5, 7)), spread(2, 2, 5, 7), first_only=True)
    case("max_unpool2d that overlaps", back(F.max_pool2d, F.max_unpool2d, 3, 2, 1, output_size=(6, 7)), spread(2, 6, 7), first_only=True)
    case("max_unpool3d", back(F.max_pool3d, F.max_unpool3d, 2, 2), spread(1, 2, 4, 4, 6), first_only=True)


def powers():
    base, exponent = torch.meshgrid(i64(-3, -2, -1, 0, 1, 2, 3, 7), i64(-3, -2, -1, 0, 1, 2, 3, 5, 40, 63), indexing="ij")
    case("pow of integers", torch.pow, base, exponent)
    case("pow of a number by integers", lambda n: (torch.pow(2, n), torch.pow(-3, n)), i64(0, 1, 5, 30))


def transforms():
    real, view = torch.view_as_real, torch.view_as_complex
    for name in ("fft", "ifft"):
        f = getattr(torch.fft, name)
        for n in (1, 2, 5, 8):
            case(f"{name} {n}", lambda x: real(f(view(x))), spread(2, n, 2))
        case(f"{name} to a size", lambda x: (real(f(view(x), 4)), real(f(view(x), 9, norm="ortho")), real(f(view(x), norm="forward"))), spread(6, 2))
    for n in (1, 2, 7, 8):
        case(f"rfft {n}", lambda x: real(torch.fft.rfft(x)), spread(3, n))
        case(f"irfft {n}", lambda x: torch.fft.irfft(view(x), n), spread(3, n // 2 + 1, 2))
    case("rfft to a size", lambda x: (real(torch.fft.rfft(x, 4)), real(torch.fft.rfft(x, 9, norm="ortho")), real(torch.fft.rfft(x, norm="forward"))), spread(6))
    case("irfft to a size", lambda x: (torch.fft.irfft(view(x)), torch.fft.irfft(view(x), 12, norm="ortho"), torch.fft.irfft(view(x), 5, norm="forward")), spread(5, 2))


language.write("picking", (slices, tensors_of_indices, scatters, pools, unpools, powers, transforms))
