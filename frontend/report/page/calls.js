// Kernels and library calls in the order in which they run, and why they are not fewer. The loss.
/** What the list shows: {words, layer, part, by, down, all}, and its rows by the calls' numbers. */
const list = {by: 0, down: false, all: false, rows: new Map(), fill: () => {}};
const mostCalls = 400;

/** Title, what calls are sorted by, whether more comes first, what is shown. */
function callColumns() {
  const rate = (amount) => (i) => calls[i][amount] / calls[i].us || 0;
  const measured = [["time", (i) => calls[i].us, true, (i) => microsText(calls[i].us)], ["GFLOP/s", rate("flops"), true, (i) => rateText(calls[i].flops, calls[i].us)], ["GB/s", rate("bytes"), true, (i) => rateText(calls[i].bytes, calls[i].us)]];
  return [["#", (i) => i, false, String], ["what is called", (i) => calls[i].call, false, null], ["layer", placeOfCall, false, placeOfCall], ["part", (i) => phaseNames.indexOf(calls[i].phase), false, (i) => calls[i].phase],
          ["ops", (i) => calls[i].ops.length, true, (i) => (calls[i].ops.length > 1 ? String(calls[i].ops.length) : "")], ...(facts.profile ? measured : []),
          ["FLOP", (i) => calls[i].flops, true, (i) => (calls[i].flops ? countText(calls[i].flops) : "")], ["bytes", (i) => calls[i].bytes, true, (i) => bytesText(calls[i].bytes)]];
}

/** Numbers stand at the right; where there is little room, what is called gets it. */
const classOf = (title) => (["what is called", "layer", "part"].includes(title) ? "" : ["ops", "FLOP", "bytes", "GB/s"].filter((t) => facts.profile || !["FLOP", "bytes"].includes(t)).includes(title) ? "n hide-narrow" : "n");

function chooser(first, names) {
  return make("select", {"aria-label": first}, make("option", {value: ""}, first), names.map((name) => make("option", {value: name}, name)));
}
const isIn = (layer, outer) => layer === outer || layer.startsWith(outer + ".");

function showCalls() {
  const section = byId("calls");
  if (!facts.fusion) {
    section.replaceChildren(make("p", {class: "note"}, "There are no calls: the program was not planned for a target that makes any."));
    return;
  }
  const filter = make("input", {type: "search", placeholder: "Only those with all of these words …", title: "What is called, layer, part of the step, op, shape, line"}), count = make("output", {id: "kept"}), remarks = make("div"), table = make("table", {class: "calls"});
  const layer = chooser("any layer", withParents(calls.flatMap((_, i) => layersOfCall(i)))), part = chooser("any part", phaseNames.filter((name) => calls.some((call) => call.phase === name)));
  const fill = () => {
    const words = searchWords(filter.value), wanted = {words, layer: layer.value, part: part.value};
    const fit = calls.map((_, i) => [i, whyKept(i, wanted)]).filter(([, why]) => why !== null), narrowed = words.length || wanted.layer || wanted.part;
    fillTable(table, fit, fill);
    count.textContent = narrowed ? `${fit.length} of ${calls.length}` : "";
    remarks.replaceChildren(...remarkList(wanted, narrowed));
  };
  Object.assign(list, {fill, clear: () => { filter.value = layer.value = part.value = ""; }});
  const again = () => { list.all = false; fill(); };
  filter.addEventListener("input", again), layer.addEventListener("change", again), part.addEventListener("change", again);
  section.replaceChildren(
    make("p", {class: "note"}, spoken(`${calls.length} kernels and library calls make one step, in this order. A kernel is a loop nest that several ops were fused into; click one to see it, or a column's title to sort by it.`)),
    make("div", {class: "filter"}, filter, layer, part, count), table, remarks);
  fill();
}

/** `fit`: the calls to be shown, each with why. */
function fillTable(table, fit, fill) {
  const columns = callColumns(), [, key, , ] = columns[list.by], before = (a, b) => (typeof a === "string" ? inOrder(a, b) : a - b);
  const sorted = [...fit].sort(([a], [b]) => before(key(a), key(b)) * (list.down ? -1 : 1) || a - b), shown = list.all ? sorted : sorted.slice(0, mostCalls), left = sorted.length - shown.length;
  const sort = (i) => () => { list.down = i === list.by ? !list.down : columns[i][2]; list.by = i; fill(); };
  list.rows.clear();
  table.replaceChildren(make("thead", {}, make("tr", {}, columns.map(([title], i) => make("th", {class: `${classOf(title)} sorts`, onclick: sort(i), ...tipOfWord(title)}, title + (i === list.by && (i || list.down) ? (list.down ? " ▾" : " ▴") : ""))))),
    make("tbody", {}, shown.map(([i, why]) => callRow(i, why, columns)), left ? make("tr", {}, make("td", {colspan: columns.length, class: "note"}, `${shown.length} of ${sorted.length}. `, make("a", {onclick: () => { list.all = true; fill(); }}, `Show the other ${left}`))) : null));
}

/** To the row of a call, unfolded. */
function goToRow(number) {
  showTab("calls");
  if (!list.rows.has(number)) list.clear(), list.fill();
  if (!list.rows.has(number)) (list.all = true), list.fill();
  const row = list.rows.get(number);
  if (!isUnfolded(row)) row.click();
  row.scrollIntoView({block: "center"});
  for (const other of list.rows.values()) other.classList.toggle("sought", other === row);
}

/** Why a call is kept: what of it has the words, where its row does not show that; null where it has not all of them. */
function whyKept(i, {words, layer, part}) {
  const call = calls[i], layers = layersOfCall(i), {name, by, operands, results} = partsOf(call);
  if ((part && call.phase !== part) || (layer && !layers.some((of) => isIn(of, layer)))) return null;
  const place = placeOfCall(i), visible = [name, by, sharedText(call), titleOfCall(i), place, call.phase, ...call.recorded.slice(0, isNest(call) ? 6 : 0)].join(" ");
  const behind = {of: call.recorded, op: call.ops, layer: layers, type: [...operands, ...results], from: linesOfCall(i), layout: blocksText([...operands, ...results])}, why = new Set();
  for (const {asks, fits} of words) {
    if (asks === "part" ? fits(call.phase) : asks === "layer" ? place.split(", ").some(fits) : fits(visible)) continue;
    const [kind, values] = Object.entries(asks === "part" ? {} : asks === "layer" ? {layer: layers} : behind).find(([, all]) => all.some(fits)) || [];
    if (!kind) return null;
    why.add(`${kind} ${fewText([...new Set(values.filter(fits))])}`);
  }
  return [...why].join("; ");
}

const isUnfolded = (row) => row.nextSibling && row.nextSibling.classList && row.nextSibling.classList.contains("unfolded");

function callRow(i, why, columns) {
  const call = calls[i], notes = [isNest(call) ? titleOfCall(i) : "", why].filter((text) => text);
  const what = make("td", {class: "wide"}, make("span", {class: "code"}, signatureOf(call)), notes.map((text) => make("div", {class: "note why"}, text)));
  const row = make("tr", {class: "row", "data-call": i, onclick: () => unfold()}, columns.map(([title, , , shown]) => (shown ? make("td", {class: classOf(title)}, shown(i)) : what)));
  const unfold = () => {
    if (isUnfolded(row)) return row.nextSibling.remove();
    const op = opOfCall(i), {operands, results} = partsOf(call), layers = layersOfCall(i), lines = linesOfCall(i);
    const others = isNest(call) ? launchesOfKernel.get(kernelOf(call.call)).filter((n) => n !== i) : [];
    row.after(make("tr", {class: "unfolded"}, make("td", {colspan: columns.length},
      facets([["recorded as", make("span", {}, few(call.recorded, ", ", 12))], ["ops", make("span", {}, few(call.ops, ", ", 12))], ["layer", layers.length ? make("span", {}, few(layers, ", ", 6)) : ""], ["source", make("span", {}, few(lines, ", ", 6))],
        ...layoutFacets([...operands, ...results]), ["scratch", scratchOf(call) ? bytesText(scratchOf(call)) : ""],
        ["same code", others.length ? make("span", {}, few(others.map((n) => make("a", {onclick: () => goToRow(n)}, `#${n} ${placeOfCall(n)}`)), ", ", 6)) : ""],
        ["in the graph", make("a", {onclick: () => goToCall(call)}, opText(op))]]),
      ...op.bodies.map((text) => folded("What it computes", bodyText(text), true)), codeOf(call), ...remarksOn(op, remarksOnCalls([i]), goToRow))));
  };
  list.rows.set(i, row);
  return row;
}

/** A remark with its calls: where they run, and their layers. */
function isRemarkKept(remark, {words, layer, part}) {
  const numbers = [...new Set(endsOf(remark).flatMap((end) => end.calls))], layers = [...new Set([...numbers.flatMap(layersOfCall), ...endsOf(remark).flatMap((end) => [...end.source.matchAll(/\(([^()]*)\)/g)].map(([, name]) => name))])];
  const parts = numbers.map((n) => calls[n].phase), where = endsOf(remark).map((end) => end.source).join(" ");
  return (!part || parts.includes(part)) && (!layer || layers.some((of) => isIn(of, layer))) && hasWords(words, {layers, parts, text: `${remarkText(remark)} ${where}`});
}

/** A reason with what differs from remark to remark left out. */
const reasonOf = (r) => r.why.replace(/: .*/, "").replace(/ [a-z0-9]+\[[^\]]*\]/g, " …").replace(/\[[^\]]*\]/g, "[…]");

/** By their reasons, the dearest first. `wanted`: as whyKept() has it. */
function remarkList(wanted, narrowed) {
  const all = facts.fusion.remarks, kept = all.filter((r) => isRemarkKept(r, wanted)), left = facts.remarks_left_out;
  if (all.length === 0) return [make("h2", {}, "Remarks"), make("p", {class: "note"}, "None: nothing was left apart.")];
  const reasons = new Map();
  for (const r of kept) {
    const why = `${r.what}: ${reasonOf(r)}`;
    if (!reasons.has(why)) reasons.set(why, []);
    reasons.get(why).push(r);
  }
  const cost = (some) => some.reduce((sum, r) => sum + (r.bytes || 0), 0), remark = (r) => [...remarkShown(r), make("div", {class: "code note"}, sourcesOfRemark(r), callsOfRemark(r, (call) => goToRow(call.number)))];
  return [make("h2", {}, spoken(`Remarks: why there are boundaries, how values lie and what runs calls (${narrowed ? `${kept.length} of ` : ""}${all.length})`)),
    left ? make("p", {class: "note"}, `${left} more, which cost the least, are left out so that the page stays small; `, make("code", {}, "weft opt --remarks-json FILE.json"), " writes all.") : null,
    ...[...reasons].map(([why, some]) => [why, some, cost(some)]).sort((a, b) => b[2] - a[2] || b[1].length - a[1].length).map(([why, some, bytes]) => make("details", {}, make("summary", {}, `${some.length} × `, explained(why, some[0]), bytes ? `; ${bytesText(bytes)} in all` : ""),
      make("p", {class: "meaning"}, meaningOfRemark(some[0])), remarkItems([...some].sort((a, b) => (b.bytes || 0) - (a.bytes || 0)), 100, remark)))].filter((e) => e);
}
/** "· 12 → 15": the calls that it is about, by their numbers in the list, each a link that does `go` with the call. */
function callsOfRemark(remark, go) {
  const links = (end) => few(end.calls.map((number) => make("a", {onclick: () => go(calls[number])}, `#${number}`))), ends = endsOf(remark).filter((end) => end.calls.length);
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
  const quarters = [0, 1, 2, 3, 4], steps = [...new Set(quarters.map((k) => Math.round((losses.length - 1) * k / 4)))];
  const labels = [...quarters.map((k) => make("text", {class: "small", x: left - 8, y: y(low + span * k / 4) + 4, "text-anchor": "end"}, (low + span * k / 4).toPrecision(3))),
    ...steps.map((step) => make("text", {class: "small", x: Math.min(width - 20, x(step)), y: height - bottom + 16, "text-anchor": "middle"}, String(step + 1)))];
  section.replaceChildren(make("p", {class: "note"}, `The loss of ${losses.length} training steps, from ${losses[0].toPrecision(4)} to ${losses[losses.length - 1].toPrecision(4)}; the strong line is its moving mean.`),
    make("svg", {class: "plot", viewBox: `0 0 ${width} ${height}`}, line(points, "--forward", 1, 0.4), line(calm, "--forward", 2.4, 1), labels, make("text", {class: "small", x: width / 2, y: height - 4, "text-anchor": "middle"}, "training step")));
}
