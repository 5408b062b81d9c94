// What is known of the box that was chosen.
const linesText = (place) => place.lines.slice(0, 4).map((at) => `${at.file}:${at.line}${at.layer ? ` (${at.layer})` : ""}`).join(", ") + (place.lines.length > 4 ? `, and ${place.lines.length - 4} more` : "");

function sourceText(at) {
  const text = facts.sources[at.file];
  if (!text) return null;
  const lines = text.split("\n"), from = Math.max(0, at.line - 3), pre = make("pre");
  pre.append(make("div", {class: "lines"}, lines.slice(from, at.line + 2).map((line, i) => {
    const number = from + i + 1;
    return make(number === at.line ? "mark" : "div", {}, `${String(number).padStart(4)}  ${line}`);
  })));
  return pre;
}

function sourcesOf(place) {
  const all = [make("h3", {}, place.lines.length === 1 ? "Source line" : "Source lines")];
  if (place.lines.length === 0) all.push(make("p", {class: "note"}, "unknown"));
  const byLine = new Map();  // a line that several layers share stands once
  for (const at of place.lines) {
    const key = `${at.file}:${at.line}`;
    if (!byLine.has(key)) byLine.set(key, {at, layers: []});
    if (at.layer) byLine.get(key).layers.push(at.layer);
  }
  const lines = [...byLine], shown = lines.slice(0, 6);
  for (const [text, {at, layers}] of shown) all.push(make("div", {class: "code"}, text, layers.length ? [" (", ...few(layers.sort(inOrder), ", ", 6), ")"] : ""), sourceText(at));
  if (lines.length > 6) all.push(make("p", {class: "note"}, `and ${lines.length - 6} more`));
  for (const file of new Set(shown.map(([, {at}]) => at.file).filter((file) => facts.no_sources?.[file]))) all.push(make("p", {class: "note"}, `The text of ${file} is not in this page: ${facts.no_sources[file]}.`));
  return all;
}

const facets = (pairs) => make("dl", {}, pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined).flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, value)]));
const folded = (title, text, open) => make("details", open ? {open: ""} : {}, make("summary", {}, title), make("pre", {}, text));

function linkTo(id, text) { return make("a", {onclick: () => reveal(id)}, text); }

/** "%a relu"; of an op of many results "bn1 · relu of %a and 6 more"; "update of 62 parameters". */
const opText = (op) => updateText(op) || (op.names.length - (op.scratch ? 1 : 0) < 3 ? `${op.name} ${labelOf(op)}` : `${labelOf(op)} of ${op.name}`);

function operandLinks(op, stage) {
  return few(op.operands.map((operand) => {
    if (operand[0] >= 0) {
      const from = stage.byKey.get(operand[0]);
      return linkTo(from.id, `${from.names[operand[1]]} ${labelOf(from)}`);
    }
    const input = stage.inputs[-1 - operand[0]];
    return input.role === "batch" ? linkTo(input.id, input.name) : `${input.name} (${input.role})`;
  }), ", ", 8);
}

/** To the recorded ops that it is made of; those of a loop's body are not in the graph. */
function recordedLinks(op) {
  return [...op.madeOf].map((number) => {
    const from = recordedByNumber(number);
    return from ? make("a", {onclick: () => (goToStage(0), reveal(from.id))}, opText(from)) : facts.recorded[number];
  });
}

/** Those that there are: "166 GFLOP/s, 2.10 GB/s". */
const ratesText = (call) => [[call.flops, "GFLOP/s"], [call.bytes, "GB/s"]].map(([amount, unit]) => [rateText(amount, call.us), unit]).filter(([rate]) => rate).map((both) => both.join(" ")).join(", ");

const callFacets = (call) => facets([
  ["call", make("span", {class: "code"}, signatureOf(call))],
  ["time", facts.profile ? `${microsText(call.us)} a step${call.waiting_us > 0.005 ? `, of which ${microsText(call.waiting_us)} waiting for other threads` : ""}` : ""],
  ["rates", call.us > 0 ? ratesText(call) : ""],
  ["of the limit", call.us > 0 && call.least_us > 0 ? `${shareText(call.least_us / call.us)}: the machine would take ${microsText(call.least_us)}` : ""],
]);

function codeOf(call) {
  const kernel = facts.kernels[kernelOf(call.call)];
  if (!kernel) return null;
  return folded(kernel.kind, kernel.text ?? "left out: the page would be too large. compile(…, {.dump_ir = DIR}) writes it into files.", false);
}

/** The op, or of a kernel those of its nests, as remarks name them: ["mul", "f32[64]"]. */
function holds(op) {
  if (op.bodies.length === 0) return op.types.map((type) => [op.kind, type.split(" @")[0]]);
  return op.bodies.flatMap((body) => [...body.matchAll(/^ +%[^=]*= ([a-z_0-9]+)\(.* : (.*)$/gm)].map(([, kind, type]) => [kind, type]));
}

const endsOf = (remark) => [remark.of, remark.to, remark.beside].filter((end) => end);
/** What was remarked on calls, by their numbers. */
const remarksOnCalls = (numbers) => (facts.fusion ? facts.fusion.remarks.filter((r) => endsOf(r).some((end) => end.calls.some((n) => numbers.includes(n)))) : []);

/**
 * What was remarked on an op: in the end on its calls. Before that on what was made of the same recorded ops as it, or as an op that it
 * holds, and is of the same name and type; where no type fits, for passes may still change them, of the same name.
 */
function remarksAbout(op, stage) {
  if (!facts.fusion) return [];
  if (stage.number === lastStage) return remarksOnCalls(callNumbersByOp.get(op.id) || []);
  const made = holds(op), kinds = new Set(made.map(([kind]) => kind)), typed = new Set(made.map((both) => both.join(" ")));
  const on = (is) => facts.fusion.remarks.filter((r) => endsOf(r).some((end) => is(end) && end.recorded.some((number) => op.madeOf.has(number))));
  const exact = on((end) => typed.has(`${end.op} ${end.type}`));
  return exact.length ? exact : on((end) => kinds.has(end.op));
}

/** `about`: remarks on an op or a call. `go`: where their calls' numbers lead, if not into the graph. */
function remarksOn(op, about, go = null) {
  about = [...about].sort((a, b) => (b.bytes || 0) - (a.bytes || 0));
  return about.length ? [make("h3", {}, `Remarks on this ${op.bodies.length ? "kernel" : "op"} (${about.length})`), ...remarkItems(about, 12, (r) => [...remarkShown(r), make("span", {class: "code"}, callsOfRemark(r, go ? (call) => go(call.number) : goToCall))])] : [];
}

/** Remarks as a list, of so many at most; those that hardly cost anything are folded. `shown`: what a remark has to say there. */
function remarkItems(remarks, most, shown) {
  const small = remarks.filter((r) => r.bytes < 1024), dear = remarks.filter((r) => !(r.bytes < 1024));
  const list = (some) => make("ul", {class: "note"}, some.map((r) => make("li", {}, shown(r))));
  const first = list(dear.slice(0, most)), rest = make("p", {class: "note"}, `${most} of ${dear.length}, the dearest. `, make("a", {onclick: () => { first.replaceWith(list(dear)); rest.remove(); }}, "Show all"));
  return [dear.length ? first : null, dear.length > most ? rest : null,
          small.length ? make("details", {class: "small"}, make("summary", {}, `${dear.length ? "and " : ""}${small.length} that cost${small.length === 1 ? "s" : ""} less than 1 KiB`), list(small)) : null];
}

/** A body without the lines that its ops come from. */
const bodyText = (body) => body.replace(/^func @\S* \{$/gm, "{");

const remarkParts = (r) => [`${r.what}: ${r.of.op} ${r.of.type}` + (r.to || r.beside ? ` ${r.to ? "→" : "beside"} ${(r.to || r.beside).op} ${(r.to || r.beside).type}` : ` (${r.of.source})`) + ": ",
  r.why, (r.bytes ? `; costs ${bytesText(r.bytes)}` : "") + (r.unless ? `, unless ${r.unless}` : "")];
const remarkText = (r) => remarkParts(r).join("");
/** The same, its reason explained. */
const remarkShown = (r) => remarkParts(r).map((text, i) => (i === 1 ? explained(text, r) : text));

const layoutFacets = (types) => (blocksText(types).length ? [["layout", make("span", {}, few(blocksText(types), "; ", 2))]] : []);

/** Bytes that an op reads and writes, its scratch memory aside: in the end those of its calls, as Kernels has them. */
function movedBy(op) {
  const called = view.stage === lastStage ? callsByOp.get(op.id) || [] : [];
  return called.length ? called.reduce((sum, call) => sum + call.bytes, 0) : op.read + op.written;
}
function movesText(op) {
  const moved = movedBy(op);
  return moved === 0 ? "" : moved === op.read + op.written ? `${bytesText(moved)}: ${bytesText(op.read)} read, ${bytesText(op.written)} written` : bytesText(moved);
}

function detailsOfOp(op) {
  const stage = stageAt(view.stage), calls = view.stage === lastStage ? callsByOp.get(op.id) || [] : [];
  return [
    make("h2", {}, `${op.name} = ${op.kind}`),
    facets([
      ["is", labelOf(op) === op.kind ? "" : labelOf(op)],
      ["result", make("span", {class: "code"}, few(op.scratch ? op.types.slice(0, -1) : op.types))], ...layoutFacets(op.types), ["layer", op.place.layers.length ? make("span", {}, few(op.place.layers, ", ", 6)) : ""],
      ["runs in", op.phase + (op.place.phases.length > 1 ? ` (made for ${op.place.phases.join(" and ")})` : "")],
      ["attributes", op.attributes.length > 400 ? op.attributes.slice(0, 400) + " …" : op.attributes], ["reads", op.operands.length ? make("span", {}, operandLinks(op, stage)) : ""],
      ["is read by", op.readers.length ? make("span", {}, few([...new Set(op.readers)].map((r) => linkTo(r.id, opText(r))), ", ", 8)) : ""],
      ["recorded as", view.stage > 0 && op.madeOf.size ? make("span", {}, few(recordedLinks(op), ", ", 8)) : ""], ["output", op.outputs.length ? make("span", {}, few(op.outputs, ", ", 8)) : ""],
      ...[...new Set(op.replaces.map((input) => input.role))].map((role) => { const all = updatedBy(op, role); return ["updates", make("span", {}, `${all.length} ${role}${all.length > 1 ? "s" : ""}: `, few(all, ", ", 4))]; }), ["work", op.flops ? countText(op.flops) + "FLOP" : ""], ["moves", movesText(op)], ["scratch", op.scratch ? bytesText(op.scratch) : ""],
    ]),
    ...calls.slice(0, 8).flatMap((call) => [callFacets(call)]),
    ...sourcesOf(op.place),
    ...op.bodies.map((body, i) => folded(op.bodies.length > 1 ? `Body ${i + 1}` : "What it computes", bodyText(body), true)),
    ...[...new Set(calls.map((c) => kernelOf(c.call)))].slice(0, 4).map((name) => codeOf(calls.find((c) => kernelOf(c.call) === name))),
    ...remarksOn(op, remarksAbout(op, stage)),
  ];
}

function detailsOfGroup(node) {
  const sum = (of) => node.ops.reduce((s, op) => s + of(op), 0), us = view.stage === lastStage ? sum(timeOf) : 0, kinds = new Map();
  for (const op of node.ops) kinds.set(op.kind, (kinds.get(op.kind) || 0) + 1);
  return [
    make("h2", {}, node.path.slice(1).replaceAll("/", " / ")),
    make("p", {}, make("button", {onclick: () => toggle(view.shown.find((n) => n.path === node.path) || node)}, isOpen(node) ? "Close" : "Open")),
    facets([["ops", [...kinds].sort((a, b) => b[1] - a[1]).map(([kind, n]) => (n > 1 ? `${n} ${kind}` : kind)).join(", ")], ["work", countText(sum((op) => op.flops)) + "FLOP"],
            ["moves", bytesText(sum(movedBy))], ["time", us ? `${microsText(us)} a step (${(100 * us / facts.profile.step.us).toFixed(1)} %)` : ""]]),
    make("h3", {}, "Inside"),
    make("p", {}, few([...node.children].sort((a, b) => inOrder(a.label, b.label)).map((c) => (c.op ? linkTo(c.op.id, c.label) : make("a", {onclick: () => { view.open.add(node.path); draw(true); choose(view.shown.find((n) => n.path === c.path)); }}, c.label))), ", ", 60)),
  ];
}

function showDetails(node) {
  const box = byId("details");
  if (!node) {
    box.replaceChildren(
      make("h2", {}, "How to read this"),
      make("p", {}, "Boxes are layers and ops, from the top down in the order of what they read. Click a layer to open it, an op to see its line, shapes, code and time."),
      make("p", {}, "The slider goes through the compiler's passes: from what was recorded to what runs. Ops that the pass made have a green edge, those that it changed a yellow one."),
      make("p", {class: "note"}, "Drag to move, turn the wheel to zoom. Keys: / searches, [ and ] go through the passes, arrows move, + and − zoom, 0 shows all, n and p go from op to op, Enter opens a layer, Esc lets go."));
    return;
  }
  box.replaceChildren(...(node.op ? detailsOfOp(node.op) : node.input ? [make("h2", {}, node.input.name), facets([["input", node.input.role], ["type", node.input.type]]), ...sourcesOf(node.input.place)] : detailsOfGroup(node)).filter((e) => e));
  box.scrollTop = 0;
}
