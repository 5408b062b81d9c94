"""The text of a training step of many ops, in layers within layers."""

OPS_OF_A_BLOCK = 14


def program(count, width=32, batch=16):
    """Of so many recorded ops, or a few less."""
    inputs, ops, trained, n = [], [], [], 0
    def op(call, type, line, layer):
        nonlocal n
        n += 1
        ops.append(f'  %{n} = {call} : {type} at "net.cpp":{line} "{layer}"')
        return f"%{n}"
    def parameter(name, type, line):
        inputs.append(f'  input %{name}: {type} parameter at "net.cpp":{line} "{name.rpartition(".")[0]}"')
        trained.append(name)
        return f"%{name}"
    x, full, column = "%x", f"f32[{batch},{width}]", f"f32[{batch},1]"
    for b in range((count - 1) // OPS_OF_A_BLOCK):
        at = f"net.stage{b // 8}.block{b % 8}"
        square = op(f"square({x})", full, 10, at + ".norm")
        mean = op(f"mean({square}) {{axes = [1], keep_dims = true}}", column, 10, at + ".norm")
        scale = op(f"rsqrt({mean})", column, 11, at + ".norm")
        wide = op(f"broadcast({scale}) {{shape = [{batch},{width}]}}", full, 11, at + ".norm")
        h = op(f"mul({x}, {wide})", full, 12, at + ".norm")
        for fc in ("fc1", "fc2"):
            w, bias = parameter(f"{at}.{fc}.weight", f"f32[{width},{width}]", 20), parameter(f"{at}.{fc}.bias", f"f32[{width}]", 21)
            h = op(f"matmul({h}, {w}) {{transpose_b = true}}", full, 22, f"{at}.{fc}")
            wide = op(f"broadcast({bias}) {{shape = [{batch},{width}]}}", full, 22, f"{at}.{fc}")
            h = op(f"add({h}, {wide})", full, 22, f"{at}.{fc}")
            h = op(f"tanh({h})", full, 23, f"{at}.{fc}")
        x = op(f"add({x}, {h})", full, 30, at)
    loss = op(f"mean({x}) {{axes = [0,1]}}", "f32[]", 40, "net")
    names = ", ".join(f'"{t}"' for t in trained)
    return (f'weft 1\ntrain {{loss = "loss", inputs = [{names}], optimizer = "adam"}}\nfunc @deep {{\n  input %x: {full}\n' + "\n".join(inputs + ops) +
            f"\n  output loss = {loss}\n}}\n")
