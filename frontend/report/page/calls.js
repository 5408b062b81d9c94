// Kernels and library calls in the order in which they run, and why they are not fewer. The loss.
function showCalls() {
  const section = byId("calls");
  if (!facts.fusion) {
    section.replaceChildren(make("p", {class: "note"}, "There are no calls: the program was not planned for a target that makes any."));
    return;
  }
  const filter = make("input", {type: "search", placeholder: "Only those with all of these words …"}), body = make("tbody"), count = make("output", {id: "kept"}), remarks = make("div");
  const measured = facts.profile ? ["time", "GFLOP/s", "GB/s"] : [], titles = ["#", "what is called", "layer", "part", "ops", ...measured, "FLOP", "bytes"], mostShown = 400;
  const fill = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter((w) => w), fit = calls.map((call, i) => [call, i, whyKept(call, i, words)]).filter(([, , why]) => why);
    body.replaceChildren(...fit.slice(0, mostShown).map((kept) => callRow(...kept)), ...(fit.length > mostShown ? [make("tr", {}, make("td", {colspan: titles.length, class: "note"}, `and ${fit.length - mostShown} more: narrow the search`))] : []));
    count.textContent = words.length ? `${fit.length} of ${calls.length}` : "";
    remarks.replaceChildren(...remarkList(words));
  };
  filter.addEventListener("input", fill);
  section.replaceChildren(
    make("p", {class: "note"}, spoken(`${calls.length} kernels and library calls make one step, in this order. A kernel is a loop nest that several ops were fused into; click one to see it.`)),
    make("div", {class: "filter"}, filter, count),
    make("table", {}, make("thead", {}, make("tr", {}, titles.map((t) => make("th", {class: classOf(t), ...tipOfWord(t)}, t)))), body), remarks);
  fill();
}

const isNest = (call) => call.op === "fused";

/** Numbers stand at the right; where there is little room, the rates tell more than what they are made of. */
const classOf = (title) => (["what is called", "layer", "part"].includes(title) ? "" : facts.profile && ["FLOP", "bytes"].includes(title) ? "n hide-narrow" : "n");

/** Whether all words are in what a row shows, or else in what is behind it: that, to be shown too. Null where a word is in neither. */
function whyKept(call, i, words) {
  const {name, by, operands, results, lines} = partsOf(call), shown = [name, by, placeOfCall(i), call.phase, ...(isNest(call) ? call.recorded.slice(0, 6) : [])].join(" ").toLowerCase();
  const behind = {of: call.recorded, layer: [call.layer, ...opOfCall(i).place.layers], op: call.ops, type: [...operands, ...results], from: [...lines, call.source]}, why = new Set();
  for (const word of words.filter((w) => !shown.includes(w))) {
    const [kind, values] = Object.entries(behind).find(([, all]) => all.some((v) => v.toLowerCase().includes(word))) || [];
    if (!kind) return null;
    why.add(`${kind} ${fewText([...new Set(values.filter((v) => v.toLowerCase().includes(word)))])}`);
  }
  return [...why].join("; ") || " ";
}

function callRow(call, i, why) {
  const rates = facts.profile ? [microsText(call.us), rateText(call.flops, call.us), rateText(call.bytes, call.us)] : [];
  const row = make("tr", {class: "row", onclick: () => unfold()}, make("td", {class: "n"}, String(i)),
    make("td", {class: "wide"}, make("span", {class: "code"}, signatureOf(call)), isNest(call) && call.recorded.length ? make("div", {class: "note why"}, `of ${fewText(call.recorded, 6)}`) : null, why.trim() ? make("div", {class: "note why"}, why) : null), make("td", {}, placeOfCall(i)),
    make("td", {}, call.phase), make("td", {class: "n"}, call.ops.length > 1 ? String(call.ops.length) : ""), rates.map((text) => make("td", {class: "n"}, text)),
    make("td", {class: classOf("FLOP")}, call.flops ? countText(call.flops) : ""), make("td", {class: classOf("bytes")}, bytesText(call.bytes)));
  const unfold = () => {
    if (row.nextSibling && row.nextSibling.classList && row.nextSibling.classList.contains("unfolded")) return row.nextSibling.remove();
    const op = opOfCall(i);
    row.after(make("tr", {class: "unfolded"}, make("td", {colspan: row.children.length},
      facets([["recorded as", make("span", {}, few(call.recorded, ", ", 12))], ["ops", make("span", {}, few(call.ops, ", ", 12))], ["source", call.source], ["in the graph", make("a", {onclick: () => goToCall(call)}, `${op.name} = ${op.kind}`)]]),
      ...op.bodies.map((text) => folded("What it computes", bodyText(text), true)), codeOf(call), ...remarksOn(op, remarksOnCalls([i])))));
  };
  return row;
}

/** By their reasons, the dearest first; only those that have all words. */
function remarkList(words) {
  const all = facts.fusion.remarks, kept = all.filter((r) => words.every((w) => `${remarkText(r)} ${sourcesOfRemark(r)}`.toLowerCase().includes(w)));
  if (all.length === 0) return [make("h2", {}, "Remarks"), make("p", {class: "note"}, "None: nothing was left apart.")];
  const reasons = new Map();
  for (const r of kept) {
    const why = `${r.what}: ${r.why.replace(/: .*/, "").replace(/ [a-z0-9]+\[[^\]]*\]/g, " …").replace(/\[[^\]]*\]/g, "[…]")}`;
    if (!reasons.has(why)) reasons.set(why, []);
    reasons.get(why).push(r);
  }
  return [make("h2", {}, spoken(`Remarks: why there are boundaries (${words.length ? `${kept.length} of ` : ""}${all.length}${facts.remarks_left_out ? `, and ${facts.remarks_left_out} that the page leaves out` : ""})`)),
    ...[...reasons].map(([why, some]) => [why, some, some.reduce((sum, r) => sum + (r.bytes || 0), 0)]).sort((a, b) => b[2] - a[2] || b[1].length - a[1].length).map(([why, some, bytes]) => make("details", {}, make("summary", {}, `${some.length} × ${why}` + (bytes ? `; ${bytesText(bytes)} in all` : "")),
      make("p", {class: "meaning"}, meaningOfRemark(some[0])), remarkItems([...some].sort((a, b) => (b.bytes || 0) - (a.bytes || 0)), 100, (r) => [remarkText(r), make("div", {class: "code note"}, sourcesOfRemark(r), callsOfRemark(r))])))];
}
/** "· 12 → 15": links to the calls that it is about, by their numbers in the list. */
function callsOfRemark(remark) {
  const links = (end) => few(end.calls.map((number) => make("a", {onclick: () => goToCall(calls[number])}, `#${number}`))), ends = endsOf(remark).filter((end) => end.calls.length);
  return ends.length ? [" · ", ...joined(ends.map((end) => make("span", {}, links(end))), remark.beside ? " beside " : " → ")] : [];
}
const sourcesOfRemark = (r) => [r.of.source, (r.to || r.beside || {}).source].filter((s) => s).join(" – ");

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
