#!/usr/bin/env python3
"""The page of `weft report` in a browser: python3 page_test.py WEFT. Ends with 77, and says so, where there is no Chromium."""

import json
import os
import subprocess
import sys
import tempfile

from browser import Browser, executable

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
        with open(f"{folder}/net.html") as file:
            facts = json.loads(file.read().split('id="facts">')[1].split("</script>")[0])
        for width, dark in ((1400, False), (800, True)):
            page = Browser(width, 900, dark)
            try:
                page.open(f"{folder}/net.html")
                check_graph(page)
                check_slider(page)
                check_memory(page, facts)
                check_rest(page, facts)
                check(page.complaints == [], f"the page complains: {page.complaints}")
            finally:
                page.close()
    print("ok")


main()
