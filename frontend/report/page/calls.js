// Kernels and library calls in the order in which they run, and why they are not fewer. The loss.
function showCalls() {
  const section = byId("calls");
  if (!facts.fusion) {
    section.replaceChildren(make("p", {class: "note"}, "There are no calls: the program was not planned for a target that makes any."));
    return;
  }
  const filter = make("input", {type: "search", placeholder: "Only those with …"}), body = make("tbody");
  const titles = ["#", "what is called", "layer", "part", "ops", ...(facts.profile ? ["time"] : []), "FLOP", "bytes"], mostShown = 400;
  const fill = () => {
    const wanted = filter.value.toLowerCase(), fit = calls.map((call, i) => [call, i]).filter(([call]) => !wanted || [call.call, call.layer, call.source, call.phase, ...call.ops].join(" ").toLowerCase().includes(wanted));
    body.replaceChildren(...fit.slice(0, mostShown).map(([call, i]) => callRow(call, i)), ...(fit.length > mostShown ? [make("tr", {}, make("td", {colspan: titles.length, class: "note"}, `and ${fit.length - mostShown} more: narrow the search`))] : []));
  };
  filter.addEventListener("input", fill);
  section.replaceChildren(
    make("p", {class: "note"}, `${calls.length} kernels and library calls make one step, in this order. A kernel is a loop nest that several ops were fused into; click one to see it.`), filter,
    make("table", {}, make("thead", {}, make("tr", {}, titles.map((t) => make("th", ["ops", "time", "FLOP", "bytes", "#"].includes(t) ? {class: "n"} : t === "layer" ? {class: "hide-narrow"} : {}, t)))), body),
    ...remarkList());
  fill();
}

function callRow(call, i) {
  const row = make("tr", {class: "row", onclick: () => unfold()}, make("td", {class: "n"}, String(i)), make("td", {class: "wide code"}, call.call.split("  # ")[0]), make("td", {class: "hide-narrow"}, call.layer || call.source),
    make("td", {}, call.phase), make("td", {class: "n"}, call.ops.length > 1 ? String(call.ops.length) : ""), facts.profile ? make("td", {class: "n"}, microsText(call.us)) : null,
    make("td", {class: "n"}, call.flops ? countText(call.flops) : ""), make("td", {class: "n"}, bytesText(call.bytes)));
  const unfold = () => {
    if (row.nextSibling && row.nextSibling.classList && row.nextSibling.classList.contains("unfolded")) return row.nextSibling.remove();
    const id = facts.launches ? facts.launches[i] : null, op = id === null ? null : stageAt(lastStage).byKey.get(id);
    row.after(make("tr", {class: "unfolded"}, make("td", {colspan: 8},
      facets([["ops", call.ops.join(", ")], ["source", call.source], ["in the graph", op ? make("a", {onclick: () => (showTab("graph"), goToStage(lastStage), reveal(id))}, `${op.name} = ${op.kind}`) : ""]]),
      ...(op ? op.bodies.map((text) => folded("What it computes", bodyText(text), true)) : []), codeOf(call), ...(op ? remarksOn(op.place) : []))));
  };
  return row;
}

function remarkList() {
  const all = facts.fusion.remarks;
  if (all.length === 0) return [make("h2", {}, "Remarks"), make("p", {class: "note"}, "None: nothing was left apart.")];
  const reasons = new Map();
  for (const r of all) {
    const why = `${r.what}: ${r.why.replace(/: .*/, "").replace(/ [a-z0-9]+\[[^\]]*\]/g, " …").replace(/\[[^\]]*\]/g, "[…]")}`;
    if (!reasons.has(why)) reasons.set(why, []);
    reasons.get(why).push(r);
  }
  return [make("h2", {}, `Remarks: why there are boundaries (${all.length}${facts.remarks_left_out ? `, and ${facts.remarks_left_out} that the page leaves out` : ""})`),
    ...[...reasons].map(([why, some]) => [why, some, some.reduce((sum, r) => sum + (r.bytes || 0), 0)]).sort((a, b) => b[2] - a[2] || b[1].length - a[1].length).map(([why, some, bytes]) => make("details", {}, make("summary", {}, `${some.length} × ${why}` + (bytes ? `; ${bytesText(bytes)} in all` : "")),
      make("ul", {}, some.slice(0, 100).map((r) => make("li", {}, remarkText(r), make("div", {class: "code note"}, [r.of.source, (r.to || r.beside || {}).source].filter((s) => s).join(" – ")))))))];
}

function showLoss() {
  const losses = facts.losses.filter((l) => Number.isFinite(l)), section = byId("loss");
  document.querySelector("[data-tab=loss]").hidden = losses.length === 0;
  if (losses.length === 0) return;
  const width = 1000, height = 380, left = 60, bottom = 36, low = Math.min(...losses), high = Math.max(...losses), span = high - low || 1;
  const x = (i) => left + (width - left - 10) * (losses.length > 1 ? i / (losses.length - 1) : 0.5), y = (v) => height - bottom - (height - bottom - 12) * (v - low) / span;
  const step = Math.max(1, Math.ceil(losses.length / 2000)), points = losses.map((v, i) => [i, v]).filter(([i]) => i % step === 0), calm = [];
  let mean = losses[0];
  losses.forEach((v, i) => { mean += (v - mean) * Math.min(1, 2 / (1 + Math.min(i + 1, losses.length / 20))); if (i % step === 0) calm.push([i, mean]); });
  const line = (of, color, w, o) => make("polyline", {points: of.map(([i, v]) => `${x(i)},${y(v)}`).join(" "), fill: "none", style: `stroke:var(${color})`, "stroke-width": w, "stroke-opacity": o});
  const labels = [0, 1, 2, 3, 4].flatMap((k) => [make("text", {class: "small", x: left - 8, y: y(low + span * k / 4) + 4, "text-anchor": "end"}, (low + span * k / 4).toPrecision(3)),
    make("text", {class: "small", x: Math.min(width - 20, x((losses.length - 1) * k / 4)), y: height - bottom + 16, "text-anchor": "middle"}, String(Math.round((losses.length - 1) * k / 4) + 1))]);
  section.replaceChildren(make("p", {class: "note"}, `The loss of ${losses.length} training steps, from ${losses[0].toPrecision(4)} to ${losses[losses.length - 1].toPrecision(4)}; the strong line is its moving mean.`),
    make("svg", {class: "plot", viewBox: `0 0 ${width} ${height}`}, line(points, "--forward", 1, 0.4), line(calm, "--forward", 2.4, 1), labels, make("text", {class: "small", x: width / 2, y: height - 4, "text-anchor": "middle"}, "training step")));
}
