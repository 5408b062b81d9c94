"""Element types that numbers are mostly stored in (f16, i8, i16, u16, u32, and u8): casts between all types, what ops give of them, and
which type two of them promote to.

A cast holds its operand's values and the result's; floats that become integers lie within i32, where PyTorch's kernels agree. Of an op
only the result is stored; its operands are a and b below."""
import operator
import pathlib
import warnings

import torch
from stored import f32, header, write

warnings.simplefilter("ignore")
TYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64, "i32": torch.int32,
         "i16": torch.int16, "i8": torch.int8, "u32": torch.uint32, "u16": torch.uint16, "u8": torch.uint8, "bool": torch.bool}
NAMES = {dtype: name for name, dtype in TYPES.items()}
INTEGERS = [0, 1, -1, 2, 100, 127, 128, -128, -129, 200, 255, 256, 300, 2047, 2049, 32767, 32768, -32768, 65535, 65536, 70000, -70000,
            2**24 + 1, 2**31 - 1, -(2**31)]
FLOATS = [0.0, -0.0, 0.5, -0.5, 0.99, -0.99, 1.5, -1.5, 1 + 2**-11, 1 + 3 * 2**-11, 2.0**-14, 2.0**-15 * 1.0009765625, 2.0**-24, 2.0**-25,
          3 * 2.0**-25, 127.9, 128.5, -128.9, 255.5, 300.25, -300.75, 32768.0, 65504.0, 65519.0, 65520.0, -70000.5, 1e6, 2e9, -2e9]
BEYOND = [1e10, float("inf"), float("-inf"), float("nan")]


def numbers(tensor):
    return [f32(x) if tensor.dtype == torch.float32 and x == x and abs(x) < 1e30 else x for x in tensor.tolist()]


def casts():
    all_of = {}
    for source, dtype in TYPES.items():
        floating = dtype.is_floating_point
        for target, to in TYPES.items():
            values = FLOATS + (BEYOND if to.is_floating_point or to == torch.bool else []) if floating else INTEGERS
            x = torch.tensor(values, dtype=torch.float64).to(dtype) if floating else torch.tensor(values).to(dtype)
            if floating and not to.is_floating_point and to != torch.bool:
                x = x[x.abs() < 2**31]  # rounded to a narrow type they may be infinite
            all_of[f"{source} {target}"] = [numbers(x), numbers(x.to(to))]
    return all_of


OPS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "floor_divide": torch.floor_divide,
    "remainder": torch.remainder, "maximum": torch.maximum, "minimum": torch.minimum, "eq": operator.eq, "lt": operator.lt,
    "ge": operator.ge, "neg": lambda a, b: -a, "abs": lambda a, b: a.abs(), "square": lambda a, b: a.square(),
    "exp": lambda a, b: torch.exp(b / 64), "and": operator.and_, "xor": operator.xor, "not": lambda a, b: ~a,
    "shift_left": lambda a, b: a << 3, "shift_right": lambda a, b: a >> 3, "plus_number": lambda a, b: a + 1,
    "times_real": lambda a, b: a * 0.5, "where": lambda a, b: torch.where(a == b, a, b), "cat": lambda a, b: torch.cat([a, b]),
    "flip": lambda a, b: a.flip(0), "index_select": lambda a, b: a.index_select(0, torch.tensor([3, 0, 3])),
    "gather": lambda a, b: a.gather(0, torch.tensor([2, 1])), "sum": lambda a, b: a.sum(), "prod": lambda a, b: a[:3].prod(),
    "cumsum": lambda a, b: a.cumsum(0), "amax": lambda a, b: a.amax(), "amin": lambda a, b: a.amin(), "argmax": lambda a, b: a.argmax(),
    "mean": lambda a, b: a.mean(), "sort": lambda a, b: a.sort()[0], "matmul": lambda a, b: a.reshape(2, 4) @ b.reshape(4, 2),
    "index_add": lambda a, b: a.index_add(0, torch.tensor([1, 1, 7]), b[:3]), "clamp": lambda a, b: a.clamp(2, 100),
}


def ops():
    all_of = {}
    for name in ["f16", "i16", "i8", "u32", "u16", "u8"]:
        a = torch.tensor([100, 3, 7, 90, 0, 100, 1, 5]).to(TYPES[name])
        b = torch.tensor([90, 3, 2, 70, 5, 7, 64, 4]).to(TYPES[name])
        if not name.startswith("u"):
            a, b = a * torch.tensor([1, -1] * 4, dtype=a.dtype), b * torch.tensor([1, 1, -1, -1] * 2, dtype=b.dtype)
        for op, f in OPS.items():
            try:
                result = f(a, b)
            except (RuntimeError, TypeError):
                continue  # not for this type
            all_of[f"{name} {op}"] = [NAMES[result.dtype], numbers(result.flatten())]
    return all_of


def promotion():
    all_of = {}
    for a in TYPES:
        for b in TYPES:
            try:
                all_of[f"{a} {b}"] = NAMES[torch.promote_types(TYPES[a], TYPES[b])]
            except RuntimeError:
                all_of[f"{a} {b}"] = ""
    return all_of


write(pathlib.Path(__file__).parent / "stored_types.json",
      {**header(), "casts": casts(), "ops": ops(), "promotion": promotion()})
