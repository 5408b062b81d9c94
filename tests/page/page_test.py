#!/usr/bin/env python3
"""The page of `weft report` in a browser: python3 page_test.py WEFT [LESSONS]. Ends with 77, and says so, where there is no Chromium.

LESSONS is the folder of the programs that train and write a page of their step: examples/.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib

from browser import Browser, executable
from deep_program import program as deep_program
from reader import check_reader

PROGRAM = """weft 1
train {loss = "loss", inputs = ["a.weight", "b.weight"], optimizer = "adam"}
func @two_layers {
  input %x: f32[16,32] at "net.cpp":5
  input %a.weight: f32[64,32] parameter at "net.cpp":2 "net.a"
  input %b.weight: f32[8,64] parameter at "net.cpp":3 "net.b"
  %0 = matmul(%x, %a.weight) {transpose_b = true} : f32[16,64] at "net.cpp":6 "net.a"
  %1 = exp(%0) : f32[16,64] at "net.cpp":6 "net.a"
  %same = reshape(%1) {shape = [16,64]} : f32[16,64] at "net.cpp":6 "net.a"
  %2 = matmul(%same, %b.weight) {transpose_b = true} : f32[16,8] at "net.cpp":7 "net.b"
  %3 = tanh(%2) : f32[16,8] at "net.cpp":7 "net.b"
  %4 = mean(%3) {axes = [0,1]} : f32[] at "net.cpp":8
  output loss = %4 at "net.cpp":8
}
"""
SOURCE = "// A net of two layers.\nauto a = Linear(32, 64);\nauto b = Linear(64, 8);\n\n// The step.\nh = exp(a(x));\ny = tanh(b(h));\nloss = mean(y);\n"

# Four layers made by one line, the last two of the same shapes.
REPEATED = """weft 1
train {loss = "loss", inputs = ["a.weight", "b.weight", "c.weight", "d.weight"], optimizer = "sgd"}
func @repeated {
  input %x: f32[16,32] at "net.cpp":5
  input %a.weight: f32[64,32] parameter at "net.cpp":2 "net.a"
  input %b.weight: f32[24,64] parameter at "net.cpp":2 "net.b"
  input %c.weight: f32[4,24] parameter at "net.cpp":2 "net.c"
  input %d.weight: f32[4,4] parameter at "net.cpp":2 "net.d"
  %0 = matmul(%x, %a.weight) {transpose_b = true} : f32[16,64] at "net.cpp":6 "net.a"
  %1 = exp(%0) : f32[16,64] at "net.cpp":6 "net.a"
  %2 = matmul(%1, %b.weight) {transpose_b = true} : f32[16,24] at "net.cpp":6 "net.b"
  %3 = exp(%2) : f32[16,24] at "net.cpp":6 "net.b"
  %4 = matmul(%3, %c.weight) {transpose_b = true} : f32[16,4] at "net.cpp":6 "net.c"
  %5 = exp(%4) : f32[16,4] at "net.cpp":6 "net.c"
  %6 = matmul(%5, %d.weight) {transpose_b = true} : f32[16,4] at "net.cpp":6 "net.d"
  %7 = exp(%6) : f32[16,4] at "net.cpp":6 "net.d"
  %8 = mean(%7) {axes = [0,1]} : f32[] at "net.cpp":8
  output loss = %8 at "net.cpp":8
}
"""

# Twice the same layer on one line: what is remarked on one product is not on the other.
TWICE = """weft 1
func @twice {
  input %x: f32[16,16] at "net.cpp":5
  input %a.weight: f32[16,16] parameter at "net.cpp":2 "net.a"
  %0 = matmul(%x, %a.weight) : f32[16,16] at "net.cpp":6 "net.a"
  %1 = exp(%0) : f32[16,16] at "net.cpp":6 "net.a"
  %2 = matmul(%1, %a.weight) : f32[16,16] at "net.cpp":6 "net.a"
  %3 = tanh(%2) : f32[16,16] at "net.cpp":6 "net.a"
  %4 = mean(%3) {axes = [0,1]} : f32[] at "net.cpp":8
  output y = %4
}
"""


def check(so, what):
    if not so:
        sys.exit(f"failed: {what}")


def details(page):
    return page.value("document.getElementById('details').innerText")


def text(page, selector):
    return page.value(f"document.querySelector({json.dumps(selector)})?.textContent")


def check_graph(page):
    page.click('.node.closed[data-path="/forward/net"]') if page.value("!!document.querySelector('.node.closed[data-path=\"/forward/net\"]')") else None
    page.click("#open-all")
    product = page.value("[...document.querySelectorAll('.node.forward:not(.group)')].find((n) => n.textContent.includes('matmul'))?.dataset.path")
    check(product, "a product is shown")
    page.click(f'.node[data-path="{product}"]')
    check("%net.a.matmul" in details(page) and "= matmul" in details(page) and "f32[16,64]" in details(page), "a click shows what an op is")
    check("net.cpp:6" in details(page) and "h = exp(a(x));" in details(page), "and its line with its text")
    check("a.weight (parameter)" in details(page), "and what it reads")
    page.click('.node.open[data-path="/forward/net/net"], .node.open[data-path="/forward/net"]')
    check(page.value("!document.querySelector('.node[data-path=\"" + product + "\"]')"), "a click on a layer closes it")
    page.write("#search", "tanh")
    check("found" in text(page, "#found") and not text(page, "#found").startswith("0 "), "the search finds")
    check(page.value("document.querySelectorAll('.node.match').length") > 0, "and marks")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter")
    check(page.value("document.querySelector('.node.chosen')?.classList.contains('match')"), "Enter goes to what was found")
    page.value("document.getElementById('drawing').focus()")


def search(page, selector, words):
    page.value(f"document.querySelector({json.dumps(selector)}).value = ''")
    page.write(selector, words)


def check_search(page, facts):
    """What the passes took away is found where it still is; a loop nest by what it is made of, and by what was recorded of it."""
    search(page, "#search", "reshape")
    check(text(page, "#found").startswith("0 found in 'plan'") and "1 in 'as recorded'" in text(page, "#found"), f"of 'reshape' it says '{text(page, '#found')}'")
    page.click("#found a")
    check(text(page, "#pass-name").startswith("recorded") and "= reshape" in details(page), "the link goes to it")
    for stage in range(len(facts["graph"]["stages"])):
        page.value(f"document.getElementById('pass').value = {stage}; document.getElementById('pass').dispatchEvent(new Event('input'))")
        search(page, "#search", "mean")
        check(not text(page, "#found").startswith("0 "), f"'mean' finds the loop nest that it is in after '{facts['graph']['stages'][stage]['name']}'")
    page.click("#search")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter")
    check("recorded as" in details(page) and "%loss mean" in details(page), "which says that it was recorded as that")
    page.click("#search")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape")
    page.value("document.getElementById('pass').value = 99; document.getElementById('pass').dispatchEvent(new Event('input'))")
    for op in {op for call in facts["fusion"]["calls"] for op in call["ops"]}:
        search(page, "#search", op)
        check(not text(page, "#found").startswith("0 "), f"'{op}' finds the loop nest that it is in")
    for words in ("exp", "net.a", "net.cpp:6"):
        search(page, "#search", words)
        page.click("#open-all")
        check(page.value("[...document.querySelectorAll('.node.match:not(.group)')].some((n) => n.textContent.includes('exp'))"), f"'{words}' finds a loop nest made of it")
    page.click("#search")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape")


def check_tip(page):
    """The note at the pointer is gone with what it was about."""
    page.click("[data-tab=time]")
    block = page.value("(() => { const r = document.querySelector('.flame div:nth-child(3)').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
    seen = "document.getElementById('tip').style.display === 'block'"
    page.hover(*block)
    check(page.value(seen) and " / " in text(page, "#tip"), "a block of the flame says where it lies")
    page.click(".flame div:nth-child(3)")
    check(not page.value(seen), "a click hides the note")
    check(" / " in text(page, "#way"), "and says above where the block lies")
    page.value("document.activeElement.blur()")
    while page.value("!!document.querySelector('#way a')"):
        page.key("Escape")
    page.hover(block[0], block[1] + 1)
    check(page.value(seen), "the note comes again")
    page.value("document.querySelector('[data-tab=calls]').click()")
    check(not page.value(seen), "another tab hides it")


def check_filter(page, facts):
    """Of the calls those that have all words, where it can be seen."""
    page.click("[data-tab=calls]")
    all_calls = facts["fusion"]["calls"]
    kept = [call for call in all_calls if "broadcast" in call["ops"] and call["phase"] == "backward"]
    search(page, "#calls input", "backward broadcast")
    check(0 < len(kept) < len(all_calls) and text(page, "#kept") == f"{len(kept)} of {len(all_calls)}", f"the filter keeps '{text(page, '#kept')}', not {len(kept)}")
    rows = page.value("[...document.querySelectorAll('#calls tr.row')].map((row) => row.textContent)")
    check(len(rows) == len(kept) and all("backward" in row and "broadcast" in row for row in rows), "each row shows why it is kept")
    search(page, "#calls input", "broadcast zebra")
    check(text(page, "#kept") == f"0 of {len(all_calls)}", "all words must be there")
    check(f"(0 of {len(facts['fusion']['remarks'])})" in text(page, "#calls h2"), "remarks are kept by the same words")
    page.value("(() => { const i = document.querySelector('#calls input'); i.value = ''; i.dispatchEvent(new Event('input')); })()")


def check_slider(page):
    box = page.value("(() => { const r = document.getElementById('pass').getBoundingClientRect(); return [r.x, r.y + r.height / 2, r.width]; })()")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=box[0] + 2, y=box[1], button="left", clickCount=1)
    check(text(page, "#pass-name").startswith("recorded"), "the slider goes to what was recorded")
    check(text(page, "#changes") == "6 ops", "where there are the ops that were written")
    page.value("document.getElementById('drawing').focus()")
    while text(page, "#pass-name").split(" ")[0] != "autodiff":
        page.key("]")
    check("new" in text(page, "#changes") and page.value("document.querySelectorAll('.node.new').length") > 0, "what autodiff adds is marked as new")


def check_memory(page, facts):
    page.click("[data-tab=memory]")
    peak = facts["memory"]["peak_bytes"]
    shown = f"{peak / 1024:.3g} KiB" if peak >= 1024 else f"{peak} B"
    check(shown in text(page, "#peak"), f"the peak is {shown}, not '{text(page, '#peak')}'")
    # A value that is alive at the peak, under the pointer.
    value = facts["memory"]["values"][facts["memory"]["at_peak"][0]]
    place = page.value("(() => { const r = document.getElementById('arena').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()")
    ops, arena = len(facts["memory"]["in_use_bytes"]), facts["memory"]["arena_bytes"]
    x = place[0] + 64 + (place[2] - 72) * (facts["memory"]["peak_op"] + 0.5) / ops
    y = place[1] + place[3] - 34 - (place[3] - 48) * (value["offset"] + value["bytes"] / 2) / arena
    page.hover(x, y)
    check(value["name"] in text(page, "#tip") and value["source"] in text(page, "#tip"), "a value of the arena says its name and line")


def check_rest(page, facts):
    page.click("[data-tab=time]")
    check(page.value("document.querySelectorAll('.flame div').length") > 4, "there is a flame")
    for kind in ("sources", "phases", "ops", "kernels", "layers"):
        page.click(f"[data-kind={kind}]")
        check(page.value("document.querySelectorAll('#time table tr').length") > 1, f"there are bars by {kind}")
    page.click("[data-tab=calls]")
    check(page.value("document.querySelectorAll('#calls tr.row').length") == len(facts["fusion"]["calls"]), "all calls are listed")
    kernel = next(i for i, call in enumerate(facts["fusion"]["calls"]) if call["op"] == "fused")
    page.click(f"#calls tr.row:nth-of-type({kernel + 1})")
    check("define" in text(page, "#calls .unfolded"), "a kernel shows its code")
    check("Remarks" in text(page, "#calls"), "there are remarks")
    meanings = page.value("[...document.querySelectorAll('#calls .meaning')].map((p) => p.textContent)")
    check(meanings and all(len(meaning) > 20 for meaning in meanings), f"every reason is explained: {meanings}")
    dearest = max(facts["fusion"]["remarks"], key=lambda remark: remark.get("bytes", 0))
    check(dearest["why"] in text(page, "#calls") and "; costs " in text(page, "#calls"), "a remark says its reason and what it costs")


def check_words(page):
    """Words that are underlined say what they mean, and there is a list of all."""
    page.click("[data-tab=memory]")
    place = page.value("(() => { const r = [...document.querySelectorAll('#memory .word')].find((w) => w.textContent === 'arena').getBoundingClientRect(); return [r.x + 3, r.y + r.height / 2]; })()")
    page.hover(*place)
    check(text(page, "#tip").startswith("arena: ") and page.value("document.getElementById('tip').style.display === 'block'"), "an underlined word says what it means")
    page.click("[data-tab=words]")
    listed = page.value("[...document.querySelectorAll('#words dt')].map((word) => word.textContent)")
    check({"arena", "epilogue", "boundary", "launch", "heavy", "home layout"} <= set(listed), "the list has the words")
    search(page, "#words input", "written out")
    check(0 < page.value("document.querySelectorAll('#words dt').length") < len(listed), "and can be searched")


def facts_of(path):
    """What a page was told, packed or not."""
    with open(path) as file:
        kind, text = re.search('<script type="([^"]*)" id="facts">(.*?)</script>', file.read(), re.S).groups()
    return json.loads(text if kind == "application/json" else zlib.decompress(base64.b64decode(text)))


OP_STRIDE = 5  # of a stage's list


def product_of(facts, layer):
    """The forward product of a layer: its id in the last stage."""
    graph = facts["graph"]
    for i in range(0, len(graph["stages"][-1]["ops"]), OP_STRIDE):
        id, row, phase, *_ = graph["stages"][-1]["ops"][i:i + OP_STRIDE]
        kind, _, _, _, place = graph["rows"][row][:5]
        if graph["strings"][kind] == "matmul" and phase == 0 and layer in [graph["strings"][line[2]] for line in graph["places"][place][1]]:
            return id
    return None


def remarks_on(facts, calls):
    """How many there are on these calls."""
    ends = [[end for end in (r["of"], r.get("to"), r.get("beside")) if end] for r in facts["fusion"]["remarks"]]
    return sum(any(set(end["calls"]) & set(calls) for end in both) for both in ends)


def shown_remarks(page):
    return page.value("[...document.querySelectorAll('#details li')].map((item) => item.textContent)")


def check_twice(weft, folder):
    """Of two products of one line and layer each has its own remarks, in the end and as it was recorded."""
    with open(f"{folder}/twice.weft", "w") as file:
        file.write(TWICE)
    subprocess.run([weft, "report", f"{folder}/twice.weft", "-o", f"{folder}/twice.html"], check=True)
    facts = facts_of(f"{folder}/twice.html")
    products = [i for i, call in enumerate(facts["fusion"]["calls"]) if call["op"] == "matmul"]
    check(len(products) == 2 and max(remarks_on(facts, [p]) for p in products) < remarks_on(facts, products), "the two have remarks of their own")
    page = Browser(1400, 900)
    try:
        page.open(f"{folder}/twice.html")
        page.wait_for("document.querySelector('#moved .node')", "a graph")
        for stage in (len(facts["graph"]["stages"]) - 1, 0):
            page.value(f"document.getElementById('pass').value = {stage}; document.getElementById('pass').dispatchEvent(new Event('input'))")
            page.click("#open-all")
            boxes = page.value("[...document.querySelectorAll('.node:not(.group)')].filter((n) => n.textContent.startsWith('matmul')).map((n) => n.dataset.path)")
            check(len(boxes) == 2, f"there are two products: {boxes}")
            seen = []
            for box in boxes:
                page.click(f'.node[data-path="{box}"]')
                seen.append(len(shown_remarks(page)))
            check(sorted(seen) == sorted(remarks_on(facts, [p]) for p in products), f"each has the remarks on it: {seen}")
        check(page.complaints == [], f"the page complains: {page.complaints}")
    finally:
        page.close()


def check_remarks(weft, folder):
    """Of layers that one line made, each has the remarks on itself, with times and lines as they should be."""
    with open(f"{folder}/repeated.weft", "w") as file:
        file.write(REPEATED)
    subprocess.run([weft, "report", f"{folder}/repeated.weft", "-o", f"{folder}/repeated.html"], check=True)
    facts = facts_of(f"{folder}/repeated.html")
    times = {"plan": (6936.4, "6.94 s"), "fuse": (999.7, "1.00 s"), "autodiff": (0.0042, "4.20 µs"), "simplify": (23.26, "23.3 ms")}
    for stage in facts["graph"]["stages"]:
        stage["ms"] = times.get(stage["name"], (stage["ms"],))[0]
    with open(f"{folder}/repeated.html") as file:
        page_text = file.read()
    with open(f"{folder}/repeated.html", "w") as file:
        head, rest = page_text.split(' id="facts">', 1)
        file.write(head + ' id="facts">' + json.dumps(facts).replace("<", "\\u003c") + "</script>" + rest.split("</script>", 1)[1])
    page = Browser(1400, 900)
    try:
        page.open(f"{folder}/repeated.html")
        page.wait_for("document.querySelector('#moved .node')", "a graph")
        page.click("#open-all")
        for layer, own in (("net.a", "f32[16,64]"), ("net.c", "f32[16,4]")):
            search(page, "#search", layer)
            page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter")
            page.click(f'.node[data-path="op{product_of(facts, layer)}"]')
            count, items = remarks_on(facts, [facts["launches"].index(product_of(facts, layer))]), shown_remarks(page)
            check(0 < count == len(items) and all(f"matmul {own}" in item for item in items), f"the product of {layer} has the {count} remarks on it: {items}")
            small = page.value("document.querySelector('#details details.small')?.textContent || ''")
            check(layer != "net.c" or "less than 1 KiB" in small, "what costs little is folded")
        for stage, (_, shown) in times.items():
            number = next(i for i, s in enumerate(facts["graph"]["stages"]) if s["name"] == stage)
            page.value(f"document.getElementById('pass').value = {number}; document.getElementById('pass').dispatchEvent(new Event('input'))")
            check(text(page, "#pass-name") == f"{stage} took {shown} to compile", f"a time is '{text(page, '#pass-name')}', not {shown}")
        check(page.complaints == [], f"the page complains: {page.complaints}")
    finally:
        page.close()


def check_large(weft, folder):
    """5,000 recorded ops with their gradients and updates: small enough to be sent, soon there, and usable."""
    with open(f"{folder}/deep.weft", "w") as file:
        file.write(deep_program(5000))
    subprocess.run([weft, "report", f"{folder}/deep.weft", "-o", f"{folder}/deep.html"], check=True)
    facts = facts_of(f"{folder}/deep.html")
    check(len(facts["graph"]["stages"][0]["ops"]) / OP_STRIDE > 4950, "the graph is large")
    size = os.path.getsize(f"{folder}/deep.html")
    check(size < 15e6, f"the page has {size} bytes")
    page = Browser(1400, 900)
    try:
        # Of the page's own thread, whatever else the machine does.
        page.call("Performance.enable", timeDomain="threadTicks")
        page.open(f"{folder}/deep.html")
        page.wait_for("document.querySelector('#moved .node')", "a graph")
        seconds = {metric["name"]: metric["value"] for metric in page.call("Performance.getMetrics")["metrics"]}["TaskDuration"]
        check(seconds < 2, f"the graph stands after {seconds:.2f} seconds of work")
        check(0 < page.value("document.querySelectorAll('.node').length") < 300, "as much is open as can be seen")
        page.write("#search", "net.stage3.block4.fc1")
        check(not text(page, "#found").startswith("0 "), "the search finds")
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter")
        check(page.value("!!document.querySelector('.node.chosen')"), "Enter goes to what was found")
        for tab in ("memory", "time", "calls"):
            page.click(f"[data-tab={tab}]")
            check(page.value(f"document.getElementById('{tab}').children.length") > 1, f"{tab} is shown")
        check("weft machine" in text(page, "#time"), "it says how limits are measured")
        check(page.complaints == [], f"the page complains: {page.complaints}")
    finally:
        page.close()
    return size, seconds


def check_loop(weft, folder):
    """What runs in a loop is listed as what runs once is, with all of its runs' work."""
    text_of_loop = ("weft 1\nfunc @f {\n  input %h: f32[4,16]\n  input %xs: f32[24,4,16]\n  input %w: f32[16,16]\n"
                    "  %0 = scan(%h, %xs, %w) {carried = 1, sliced = 1, length = 24} : f32[4,16] {\n"
                    "    input %h: f32[4,16]\n    input %x: f32[4,16]\n    input %w: f32[16,16]\n"
                    "    %0 = matmul(%h, %w) : f32[4,16] at \"net.cpp\":3 \"cell\"\n    %1 = add(%0, %x) : f32[4,16] at \"net.cpp\":3 \"cell\"\n"
                    "    %2 = tanh(%1) : f32[4,16] at \"net.cpp\":3 \"cell\"\n    output %2 aliases %h\n  } at \"net.cpp\":4 \"cell\"\n  output y = %0\n}\n")
    with open(f"{folder}/loop.weft", "w") as file:
        file.write(text_of_loop)
    subprocess.run([weft, "report", f"{folder}/loop.weft", "-o", f"{folder}/loop.html"], check=True)
    facts = facts_of(f"{folder}/loop.html")
    product = next(i for i, call in enumerate(facts["fusion"]["calls"]) if call["op"] == "matmul")
    call = facts["fusion"]["calls"][product]
    check(call["runs"] == 24 and call["flops"] == 24 * 2 * 4 * 16 * 16, "a call in a loop has the work of all of its runs")
    page = Browser(1400, 900)
    try:
        page.open(f"{folder}/loop.html")
        page.wait_for("document.querySelector('#moved .node')", "a graph")
        page.click("[data-tab=calls]")
        for i, runs in enumerate(call["runs"] for call in facts["fusion"]["calls"]):
            shown = page.value(f"document.querySelector('#calls tr[data-call=\"{i}\"] .code').textContent")
            check(re.match(r"\S+ 24 times.* → f32\[4,16\]" if runs > 1 else r"\S+ \(.* → f32\[4,16\]", shown) and "->" not in shown and "#" not in shown and "u8[" not in shown, f"'{shown}' is put as other calls are")
        nest = next(i for i, call in enumerate(facts["fusion"]["calls"]) if call["op"] == "fused" and call["runs"] > 1)
        page.click(f"#calls tr[data-call='{nest}']")
        name = facts["fusion"]["calls"][nest]["call"].split(" x ")[-1].split(" (")[0]
        check(name in facts["kernels"], "the kernel has code")
        check(page.value(f"[...document.querySelectorAll('#calls tr.unfolded details pre')].some((e) => e.textContent.includes('{name}'))"), "the code of a kernel in a loop is found")
        check(page.complaints == [], f"the page complains: {page.complaints}")
    finally:
        page.close()


def check_roofline(weft, lesson, folder):
    """A step that was profiled, against the limits of the machine."""
    environment = os.environ | {"WEFT_CACHE": f"{folder}/cache"}
    subprocess.run([weft, "machine"], check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [lesson, "--epochs", "1", "--report", f"{folder}/lesson.html"]
    subprocess.run(command, check=True, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    facts = facts_of(f"{folder}/lesson.html")
    limits = facts["profile"]["limits"]
    for width, dark in ((1400, False), (800, True)):
        page = Browser(width, 900, dark)
        try:
            page.open(f"{folder}/lesson.html")
            page.wait_for("document.querySelector('#moved .node')", "a graph")
            page.click("[data-tab=time]")
            page.wait_for("document.querySelector('.roofline circle')", "a roofline")
            drawn = [i for i, call in enumerate(facts["fusion"]["calls"]) if call["flops"] >= 1000]
            check(page.value("document.querySelectorAll('.roofline circle').length") == len(drawn), "each call that computes something is a point")
            lines = page.value("[...document.querySelectorAll('.roofline text')].map((t) => t.textContent)")
            for memory in limits["memories"]:
                check(memory["name"] in lines, f"{memory['name']} has a line")
            check("f32" in lines, "so has f32")
            page.value("document.querySelector('#roofline').scrollIntoView()")
            x, y = page.value("(() => { const r = [...document.querySelectorAll('.roofline circle')].pop().getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
            page.hover(x, y)
            check("of the limit" in text(page, "#tip") and "GFLOP/s in f32" in text(page, "#tip"), "a point says what it is")
            check(re.search(r"\w+\.cpp:\d+", text(page, "#tip")), "with its line")
            # No part of it is off the page.
            outside = page.value("(() => { const box = document.querySelector('.roofline svg').getBoundingClientRect(); "
                                 "return [...document.querySelectorAll('.roofline circle, .roofline text')].filter((e) => { const r = e.getBoundingClientRect(); "
                                 "return r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1; }).length; })()")
            check(outside == 0, f"{outside} parts of the roofline are off it")
            check(page.complaints == [], f"the page complains: {page.complaints}")
        finally:
            page.close()


def check_net(lessons, lesson, options, layer, folder):
    """The page of a large net's step, a large page: its graph after every pass, its memory, times and calls."""
    path = f"{folder}/{lesson}.html"
    command = [f"{lessons}/{lesson}", *options, "--batch", "4", "--overfit", "4", "--max-steps", "1", "--epochs", "1", "--log", "none", "--report", path]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    facts = facts_of(path)
    page = Browser(1400, 900)
    try:
        page.open(path)
        page.wait_for("document.querySelector('#moved .node')", "a graph")
        for number, stage in enumerate(facts["graph"]["stages"]):
            page.value(f"document.getElementById('pass').value = {number}; document.getElementById('pass').dispatchEvent(new Event('input'))")
            page.wait_for("document.querySelector('#moved .node')", "a graph")
            check(text(page, "#pass-name").startswith(stage["name"]), f"the slider stands at '{stage['name']}'")
        search(page, "#search", layer)
        check(not text(page, "#found").startswith("0 "), f"the search finds '{layer}'")
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter")
        check(page.value("!!document.querySelector('.node.chosen')"), "Enter goes to what was found")
        for tab in ("memory", "time", "calls"):
            page.click(f"[data-tab={tab}]")
            check(page.value(f"document.getElementById('{tab}').children.length") > 1, f"{tab} is shown")
        check(page.complaints == [], f"the page complains: {page.complaints}")
    finally:
        page.close()


def main():
    if executable() is None:
        print("skipped: there is no Chromium")
        sys.exit(77)
    weft = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("net.weft", PROGRAM), ("net.cpp", SOURCE)):
            with open(f"{folder}/{name}", "w") as file:
                file.write(content)
        subprocess.run([weft, "report", f"{folder}/net.weft", "-o", f"{folder}/net.html"], check=True)
        facts = facts_of(f"{folder}/net.html")
        for width, dark in ((1400, False), (800, True)):
            page = Browser(width, 900, dark)
            try:
                page.open(f"{folder}/net.html")
                page.wait_for("document.querySelector('#moved .node')", "a graph")
                check_search(page, facts)
                check_graph(page)
                check_slider(page)
                check_memory(page, facts)
                check_tip(page)
                check_filter(page, facts)
                check_rest(page, facts)
                check_words(page)
                check(page.complaints == [], f"the page complains: {page.complaints}")
            finally:
                page.close()
        check_remarks(weft, folder)
        check_twice(weft, folder)
        check_loop(weft, folder)
        check_reader(weft, folder, facts_of)
        size, seconds = check_large(weft, folder)
        if len(sys.argv) > 2:
            lessons = os.path.abspath(sys.argv[2])
            check_roofline(weft, f"{lessons}/02_fashion_mnist", folder)
            check_net(lessons, "04_cifar10", ["--net", "challenge"], "conv", folder)
            check_net(lessons, "11_resnet_cifar", ["--width", "64", "--blocks", "2"], "convolution", folder)
    print(f"ok; a page of 5,000 ops: {size / 1e6:.1f} MB, {seconds:.2f} s")


main()
