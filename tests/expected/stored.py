"""How the scripts beside this file write what PyTorch computed: JSON, one case per line, exact floats.

A tensor is {"dtype": "f64" | "f32" | "i64" | "bool" | "u8", "shape": [...], "data": [...]}, data in row-major order.
Floats are printed so that they read back to the same bits (-0.0 keeps its sign); infinities and NaN are the
strings "inf", "-inf" and "nan", since JSON has no numbers for them.
"""
import json
import math

import torch

DTYPES = {torch.float64: "f64", torch.float32: "f32", torch.int64: "i64", torch.bool: "bool", torch.uint8: "u8"}


def header():
    """What every file starts with, and the settings under which it was computed."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return {"pytorch": torch.__version__}


def plain(value):
    """`value` with every non-finite float replaced by its name."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def f32(value):
    """The shortest decimal that reads back to the f32 `value`, so that the file carries no digits of its f64 image."""
    single = torch.tensor(value, dtype=torch.float32)
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if torch.tensor(short, dtype=torch.float32) == single:
            return short
    return value


def encode(tensor):
    if tensor is None:
        return None
    data = tensor.detach().flatten().tolist()
    if tensor.dtype == torch.float32:
        data = [f32(value) for value in data]
    return {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data": plain(data)}


def one_line(value):
    return json.dumps(plain(value), separators=(", ", ": "), allow_nan=False)


def block(value, spread, indent):
    """`value` as JSON, opened up to `spread` levels deep; what lies deeper, or holds only scalars, is one line."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if spread == 0 or not any(isinstance(item, (dict, list)) for item in items):
        return one_line(value)
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {block(item, spread - 1, indent + 1)}" for key, item in value.items()]
        opening, closing = "{}"
    else:
        items = [inner + block(item, spread - 1, indent + 1) for item in value]
        opening, closing = "[]"
    return opening + "\n" + ",\n".join(items) + "\n" + " " * indent + closing


def write(path, content, spread=2):
    text = block(content, spread, 0) + "\n"
    path.write_text(text)
    print(f"{path.name}: {len(text)} bytes")
