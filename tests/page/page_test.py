#!/usr/bin/env python3
"""The page of `weft report` in a browser: python3 page_test.py WEFT [LESSON]. Ends with 77, and says so, where there is no Chromium.

LESSON is a program that trains and writes a page of its step: examples/02_fashion_mnist.
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

PROGRAM = """weft 1
train {loss = "loss", inputs = ["a.weight", "b.weight"], optimizer = "adam"}
func @two_layers {
  input %x: f32[16,32] at "net.cpp":5
  input %a.weight: f32[64,32] parameter at "net.cpp":2 "net.a"
  input %b.weight: f32[8,64] parameter at "net.cpp":3 "net.b"
  %0 = matmul(%x, %a.weight) {transpose_b = true} : f32[16,64] at "net.cpp":6 "net.a"
  %1 = exp(%0) : f32[16,64] at "net.cpp":6 "net.a"
  %2 = matmul(%1, %b.weight) {transpose_b = true} : f32[16,8] at "net.cpp":7 "net.b"
  %3 = tanh(%2) : f32[16,8] at "net.cpp":7 "net.b"
  %4 = mean(%3) {axes = [0,1]} : f32[] at "net.cpp":8
  output loss = %4 at "net.cpp":8
}
"""
SOURCE = "// A net of two layers.\nauto a = Linear(32, 64);\nauto b = Linear(64, 8);\n\n// The step.\nh = exp(a(x));\ny = tanh(b(h));\nloss = mean(y);\n"


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


def check_slider(page):
    box = page.value("(() => { const r = document.getElementById('pass').getBoundingClientRect(); return [r.x, r.y + r.height / 2, r.width]; })()")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=box[0] + 2, y=box[1], button="left", clickCount=1)
    check(text(page, "#pass-name").startswith("recorded"), "the slider goes to what was recorded")
    check(text(page, "#changes") == "5 ops", "where there are the ops that were written")
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
    dearest = max(facts["fusion"]["remarks"], key=lambda remark: remark.get("bytes", 0))
    check(dearest["why"] in text(page, "#calls") and "; costs " in text(page, "#calls"), "a remark says its reason and what it costs")


def facts_of(path):
    """What a page was told, packed or not."""
    with open(path) as file:
        kind, text = re.search('<script type="([^"]*)" id="facts">(.*?)</script>', file.read(), re.S).groups()
    return json.loads(text if kind == "application/json" else zlib.decompress(base64.b64decode(text)))


def check_large(weft, folder):
    """5,000 recorded ops with their gradients and updates: small enough to be sent, soon there, and usable."""
    with open(f"{folder}/deep.weft", "w") as file:
        file.write(deep_program(5000))
    subprocess.run([weft, "report", f"{folder}/deep.weft", "-o", f"{folder}/deep.html"], check=True)
    facts = facts_of(f"{folder}/deep.html")
    check(len(facts["graph"]["stages"][0]["ops"]) / 4 > 4950, "the graph is large")
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
                check_graph(page)
                check_slider(page)
                check_memory(page, facts)
                check_rest(page, facts)
                check(page.complaints == [], f"the page complains: {page.complaints}")
            finally:
                page.close()
        size, seconds = check_large(weft, folder)
        if len(sys.argv) > 2:
            check_roofline(weft, os.path.abspath(sys.argv[2]), folder)
    print(f"ok; a page of 5,000 ops: {size / 1e6:.1f} MB, {seconds:.2f} s")


main()
