"""What a reader of the page looks for, and where it leads: searches, sorted and nested tables, links, and what is said beside figures."""

import json
import subprocess

from browser import Browser

LAYERS = (1, 5, 10, 15)


def program():
    """Alike layers, called by numbers that are in shapes too: their kernels share code."""
    inputs, ops, x, n = ["  input %x: f32[5,16] at \"layers.cpp\":5"], [], "%x", 0
    def op(call, type, line, layer):
        nonlocal n
        n += 1
        ops.append(f'  %{n} = {call} : {type} at "layers.cpp":{line} "{layer}"')
        return f"%{n}"
    for layer in LAYERS:
        inputs.append(f'  input %{layer}.fc.weight: f32[16,16] parameter at "layers.cpp":2 "{layer}.fc"')
        norm, full, column = f"{layer}.norm", "f32[5,16]", "f32[5,1]"
        square = op(f"square({x})", full, 6, norm)
        mean = op(f"mean({square}) {{axes = [1], keep_dims = true}}", column, 6, norm)
        wide = op(f"broadcast({op(f'rsqrt({mean})', column, 6, norm)}) {{shape = [5,16]}}", full, 6, norm)
        x = op(f"mul({x}, {wide})", full, 6, norm)
        x = op(f"matmul({x}, %{layer}.fc.weight) {{transpose_b = true}}", "f32[5,16]", 7, f"{layer}.fc")
        x = op(f"sin({x})", "f32[5,16]", 60, str(layer))
    loss = op(f"mean({x}) {{axes = [0,1]}}", "f32[]", 8, "")
    names = ", ".join(f'"{layer}.fc.weight"' for layer in LAYERS)
    return (f'weft 1\ntrain {{loss = "loss", inputs = [{names}], optimizer = "sgd"}}\nfunc @numbered {{\n' + "\n".join(inputs + ops) +
            f"\n  output loss = {loss}\n}}\n").replace(' ""', "")


def check(so, what):
    if not so:
        raise SystemExit(f"failed: {what}")


class Reader:
    def __init__(self, page, facts):
        self.page, self.calls = page, facts["fusion"]["calls"]

    def search(self, selector, words):
        self.page.value(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(words)}; e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); }})()")

    def text(self, selector):
        return self.page.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def rows(self):
        """The calls that Kernels shows, by their numbers, as they stand."""
        return self.page.value("[...document.querySelectorAll('#calls tr.row')].map((row) => Number(row.dataset.call))")


def layers_of(call):
    return [layer for layer in call["layer"].split(", ") if layer]


def check_searches(reader):
    """A launch is found by its own layers, not by those of all that share its code; a number that names a layer is no part of a shape."""
    reader.page.click("[data-tab=calls]")
    for words, fits in (("5.norm", lambda c: "5.norm" in layers_of(c)), ("5", lambda c: any(layer.split(".")[0] == "5" for layer in layers_of(c))),
                        ("1 forward", lambda c: c["phase"] == "forward" and any(layer.split(".")[0] == "1" for layer in layers_of(c)))):
        wanted = [i for i, call in enumerate(reader.calls) if fits(call) and " more" not in call["layer"]]
        reader.search("#calls input", words)
        found = [i for i in reader.rows() if " more" not in reader.calls[i]["layer"] and "update" != reader.calls[i]["phase"]]
        check(0 < len(wanted) < len(reader.calls) / 2 and found == [i for i in wanted if reader.calls[i]["phase"] != "update"], f"'{words}' finds the calls {found}, not {wanted}")
    reader.search("#calls input", "5.fc backward")
    kept, _, all_of_them = reader.text("#calls h2").split("(")[1].rstrip(")").partition(" of ")
    check(0 < int(kept) < int(all_of_them), f"a part of the step keeps remarks of its calls: {kept} of {all_of_them}")
    reader.search("#calls input", "layers.cpp:6")
    check(all("layers.cpp:6" in reader.calls[i]["source"].split(", ") for i in reader.rows()), "layers.cpp:6 is not layers.cpp:60")
    reader.search("#calls input", "")
    layer, part = "#calls select", "#calls select:nth-of-type(2)"
    options = reader.page.value("[...document.querySelectorAll('#calls select option')].map((o) => o.value)")
    check(options.index("1") < options.index("5") < options.index("5.fc") < options.index("10"), f"layers stand in their order: {options}")
    reader.search(layer, "10"), reader.search(part, "backward")
    check(reader.rows() and all(reader.calls[i]["phase"] == "backward" and any(of.split(".")[0] == "10" for of in layers_of(reader.calls[i])) for i in reader.rows()), "a layer and a part can be chosen")
    reader.search(layer, ""), reader.search(part, "")


def check_kernels(reader):
    """Sorting, code that is shared, and links from remarks to rows."""
    reader.page.click("[data-tab=calls]")
    title = "[...document.querySelectorAll('#calls th')].find((t) => t.textContent.startsWith('bytes'))"
    reader.page.value(f"{title}.click()")
    sizes = [reader.calls[i]["bytes"] for i in reader.rows()]
    check(sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1], "a click on a column sorts by it")
    reader.page.value(f"{title}.click()")
    check([reader.calls[i]["bytes"] for i in reader.rows()] == sorted(sizes), "and another the other way")
    reader.page.value("document.querySelector('#calls th').click()")
    check(reader.rows() == list(range(len(reader.calls))), "as they run they can stand again")
    names = [call["call"].split(" (")[0] for call in reader.calls]
    shared = next((i for i, name in enumerate(names) if reader.calls[i]["op"] == "fused" and names.count(name) > 1), None)
    check(shared is not None, "a kernel is shared")
    row = reader.text(f"#calls tr[data-call='{shared}']")
    check(f"shared by {names.count(names[shared])} layers" in row, f"which its row says: {row}")
    reader.page.value("document.querySelectorAll('#calls details').forEach((d) => d.open = true)")
    number = reader.page.value("(() => { const a = document.querySelector('#calls details li a'); a.click(); return a.textContent; })()")
    check(reader.page.value("document.querySelector('#calls tr.sought').dataset.call") == number[1:] and reader.page.value("document.getElementById('calls').classList.contains('shown')"), f"{number} leads to its row")
    check(reader.page.value("document.querySelector('#calls tr.sought').nextSibling.classList.contains('unfolded')"), "which opens")
    check(reader.page.value("document.querySelectorAll('#calls summary .word').length") > 0, "reasons are underlined")


def check_tree(reader):
    """By layer: what is inside one is summed in it, and unfolds; its calls lead to the graph."""
    reader.page.click("[data-tab=time]")
    def names():
        return reader.page.value("[...document.querySelectorAll('table.times tr.row td.name')].map((t) => t.textContent)")
    open_row = "[...document.querySelectorAll('table.times tr.row')].find((r) => r.querySelector('td.name').textContent === %s).click()"
    before = names()
    check("▸5" in before and not any(name.endswith("5.fc") for name in before), f"layers are closed at first: {before}")
    reader.page.value(open_row % "'▸5'")
    check("▸5.fc" in names(), f"and open: {names()}")
    calls_of = reader.page.value("Object.fromEntries([...document.querySelectorAll('table.times tr.row')].map((r) => [r.querySelector('td.name').textContent.slice(1), Number(r.lastChild.textContent)]))")
    fives = [call for call in reader.calls if call["layer"] and all(layer.split(".")[0] == "5" for layer in layers_of(call))]
    check(calls_of["5"] == len(fives), f"5 has its {len(fives)} calls: {calls_of}")
    reader.page.value("document.querySelector('table.times th').click()")
    check([n for n in names() if n in ("▸1", "▾5", "▸10", "▸15")] == ["▸1", "▾5", "▸10", "▸15"], f"by name they stand as numbers do: {names()}")
    reader.page.value(open_row % "'▸5.fc'")
    reader.page.value("[...document.querySelectorAll('table.times tr.row')].find((r) => /#\\d+ matmul/.test(r.textContent)).click()")
    check(reader.page.value("document.getElementById('graph').classList.contains('shown')") and "= matmul" in reader.text("#details"), "a call leads to its box")
    reader.page.click("[data-tab=time]")
    reader.page.click("[data-kind=ops]")
    check("fused" not in names() and any("norm" in name for name in names()), f"kernels are called after what they compute: {names()}")


def check_graph(reader):
    """The search marks without laying out again; figures are those of Kernels; why the text of a line is missing is said."""
    reader.page.click("[data-tab=graph]")
    reader.page.click("#open-all")
    reader.page.value("document.querySelector('#moved').dataset.same = 'yes'")
    reader.search("#search", "5.fc forward")
    reader.page.click("#search")
    for _ in range(2):
        reader.page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter")
    check(reader.page.value("document.querySelector('#moved').dataset.same") == "yes", "what is open is not drawn again")
    call = next(call for call in reader.calls if call["op"] == "matmul" and call["layer"] == "5.fc" and call["phase"] == "forward")
    panel = reader.text("#details")
    size = call["bytes"]
    shown = f"{size / 1024 + 1e-6:.3g}" if size >= 1024 else f"{size:.0f}"
    check("= matmul" in panel and "5.fc" in panel and f"moves\n{shown}" in panel, f"the panel says {shown}, as Kernels does: {panel}")
    check("The text of layers.cpp is not in this page: no such file was found" in panel, "and why it has no text")
    check(reader.page.value("[...document.querySelectorAll('#moved text.title')].some((t) => t.textContent.includes('norm') && !/^[+−]/.test(t.textContent))"), "a kernel's box is called after what it computes")


def check_places(reader):
    """Each part of the page stays where it was left."""
    reader.page.click("[data-tab=calls]")
    reader.page.value("document.querySelector('main').scrollTop = 200")
    left = reader.page.value("document.querySelector('main').scrollTop")
    reader.page.click("[data-tab=words]")
    check(left > 0 and reader.page.value("document.querySelector('main').scrollTop") == 0, "another part begins at its top")
    reader.page.click("[data-tab=calls]")
    check(reader.page.value("document.querySelector('main').scrollTop") == left, "and the first is where it was")
    overlap = "(() => { const l = document.getElementById('legend').getBoundingClientRect(), d = document.getElementById('drawing').getBoundingClientRect(); return l.top < d.bottom - 1; })()"
    reader.page.click("[data-tab=graph]")
    check(not reader.page.value(overlap), "the legend covers no box")
    at = []
    for stage in (0, 3, 99):
        reader.page.value(f"document.getElementById('pass').value = {stage}; document.getElementById('pass').dispatchEvent(new Event('input'))")
        at.append(reader.page.value("(() => { const r = document.getElementById('search').getBoundingClientRect(); return [r.x, r.y]; })()"))
    check(at[0] == at[1] == at[2], f"the search stays where it is, whatever the slider shows: {at}")


def check_reader(weft, folder, facts_of):
    path = f"{folder}/numbered"
    with open(path + ".weft", "w") as file:
        file.write(program())
    subprocess.run([weft, "report", path + ".weft", "-o", path + ".html"], check=True)
    facts = facts_of(path + ".html")
    for width in (1400, 800):
        page = Browser(width, 900)
        try:
            page.open(path + ".html")
            page.wait_for("document.querySelector('#moved .node')", "a graph")
            reader = Reader(page, facts)
            for part in (check_searches, check_kernels, check_tree, check_graph, check_places):
                part(reader)
            check(page.complaints == [], f"the page complains: {page.complaints}")
        finally:
            page.close()
