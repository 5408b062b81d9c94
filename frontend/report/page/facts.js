// What the program told, and how it is put: names, numbers, elements.
/** As it stands there; of a large program packed: in zlib's format, in base64. */
async function factsText(element) {
  if (element.type === "application/json") return element.textContent;
  const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}
const facts = JSON.parse(await factsText(document.getElementById("facts")));
const strings = facts.graph.strings;
const phaseNames = ["forward", "backward", "update"];

/** Three digits that tell, and no exponent: "0.138", "23.3", "1020". */
const digits = (n) => (n >= 999.5 ? String(Math.round(n)) : n < 1e-6 ? "0" : n.toPrecision(3));
const scaled = (value, units, base) => {
  let i = 0;
  while (value >= base && i + 1 < units.length) value /= base, ++i;
  return (i === 0 ? Math.round(value) : digits(value)) + units[i];
};
const bytesText = (n) => scaled(n, [" B", " KiB", " MiB", " GiB", " TiB"], 1024);
const countText = (n) => scaled(n, ["", " k", " M", " G", " T"], 1000);
/** "4.92 µs", "612 ms", "6.94 s": of all times of the page. */
const microsText = (us) => (us < 999.5 ? digits(us) + " µs" : us < 999.5e3 ? digits(us / 1e3) + " ms" : digits(us / 1e6) + " s");
const rateText = (amount, us) => (us > 0 && amount > 0 ? digits(amount / us / 1000) : "");

/** An element: make("td", {class: "n", onclick: f}, "text", child, ...). */
function make(name, attributes, ...children) {
  const svg = ["svg", "g", "rect", "text", "path", "line", "title", "polyline", "circle"].includes(name);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) element.append(child);
  return element;
}
const byId = (id) => document.getElementById(id);

const joined = (parts, comma) => parts.flatMap((part, i) => (i ? [comma, part] : [part]));
/** The first of many texts or elements, then "+ 140 more" that opens. */
function few(parts, comma = ", ", most = 3) {
  if (parts.length <= most + 1) return joined(parts, comma);
  const more = make("a", {class: "more", onclick: (e) => { e.stopPropagation(); more.replaceWith(...joined(parts.slice(most), comma)); }}, `+ ${parts.length - most} more`);
  return [...joined(parts.slice(0, most), comma), comma, more];
}
const fewText = (parts, most = 3) => (parts.length <= most + 1 ? parts.join(", ") : `${parts.slice(0, most).join(", ")} and ${parts.length - most} more`);

/** A note at the pointer. */
function tip(event, text) {
  const box = byId("tip");
  box.style.display = text ? "block" : "none";
  if (!text) return;
  box.textContent = text;
  const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
  const below = event.clientY + 18 + box.offsetHeight < innerHeight;
  box.style.left = Math.max(4, left) + "px";
  box.style.top = (below ? event.clientY + 18 : event.clientY - box.offsetHeight - 10) + "px";
}
const hideTip = () => (byId("tip").style.display = "none");
/** "a.2" before "a.10". */
const inOrder = new Intl.Collator(undefined, {numeric: true}).compare;
const withTip = (text) => ({onmousemove: (e) => tip(e, text), onmouseleave: (e) => tip(e, "")});

/** What several layers have in common: ["encoder", "0"]. */
function commonLayer(layers) {
  if (layers.length === 0) return [];
  let common = layers[0].split(".");
  for (const layer of layers) {
    const parts = layer.split(".");
    let n = 0;
    while (n < common.length && common[n] === parts[n]) ++n;
    common = common.slice(0, n);
  }
  return common;
}

const places = facts.graph.places.map(([phases, lines]) => {
  const all = lines.map(([file, line, layer]) => ({file: strings[file], line, layer: strings[layer]}));
  const layers = [...new Set(all.map((at) => at.layer).filter((l) => l))].sort(inOrder);
  return {phases: phaseNames.filter((_, i) => phases & (1 << i)), lines: all, layers, path: commonLayer(layers)};
});

/** An op's results: "%fc1.relu", "%a, %b", and of more "%a and 2 more". */
const namesText = (names) => (names.length < 3 ? names.join(", ") : `${names[0]} and ${names.length - 1} more`);

/** How many entries a stage has of each op. */
const opStride = 5;

/** A stage as it is looked at: made when it is first asked for. */
const stageCache = [];
function stageAt(number) {
  if (stageCache[number]) return stageCache[number];
  const info = facts.graph.stages[number];
  if (!info.ops) return (stageCache[number] = {...stageAt(number - 1), name: info.name, changed: false, ms: info.ms, number});
  const ops = [], byKey = new Map();
  for (let i = 0; i < info.ops.length; i += opStride) {
    const [id, row, phase, results, made] = info.ops.slice(i, i + opStride), names = results.map((n) => strings[n]);
    const [kind, types, attributes, operands, place, bodies, flops, read, written, scratch] = facts.graph.rows[row];
    const op = {id, row, phase: phaseNames[phase], kind: strings[kind], types: types.map((t) => strings[t]), attributes: strings[attributes],
                operands, madeOf: new Set(facts.graph.made_of[made]), place: places[place], bodies: bodies.map((lines) => lines.map((l) => strings[l]).join("\n")), flops, read, written, scratch, order: ops.length, readers: [],
                outputs: [], replaces: [], name: namesText(scratch ? names.slice(0, -1) : names), names};
    ops.push(op);
    byKey.set(id, op);
  }
  for (const op of ops)
    for (const operand of op.operands) if (operand[0] >= 0) byKey.get(operand[0]).readers.push(op);
  const inputs = info.inputs.map(([name, role, type, place], i) => ({id: -1 - i, name, role, type: strings[type], place: places[place], readers: []}));
  for (const op of ops)
    for (const operand of op.operands) if (operand[0] < 0) inputs[-1 - operand[0]].readers.push(op);
  for (const [name, operand, alias] of info.outputs) {
    if (operand[0] < 0) continue;
    if (alias < 0) byKey.get(operand[0]).outputs.push(name);
    else byKey.get(operand[0]).replaces.push(inputs[alias]);
  }
  return (stageCache[number] = {name: info.name, changed: true, ms: info.ms, ops, byKey, inputs, number});
}

/** Of a stage against the one before: ids of new ops, of edited ones, and how many are gone. */
function changesOf(number) {
  const changes = {fresh: new Set(), edited: new Set(), gone: 0}, now = facts.graph.stages[number].ops;
  if (number === 0 || !now) return changes;
  let earlier = number - 1;
  while (!facts.graph.stages[earlier].ops) --earlier;
  const before = facts.graph.stages[earlier].ops, rows = new Map();
  for (let i = 0; i < before.length; i += opStride) rows.set(before[i], before[i + 1]);
  for (let i = 0; i < now.length; i += opStride) {
    const row = rows.get(now[i]);
    if (row === undefined) changes.fresh.add(now[i]);
    else if (row !== now[i + 1]) changes.edited.add(now[i]);
    rows.delete(now[i]);
  }
  changes.gone = rows.size;
  return changes;
}

/** The names of the inputs of a role that an op writes anew. */
const updatedBy = (op, role = "parameter") => op.replaces.filter((input) => input.role === role).map((input) => input.name);
/** "update of 62 parameters": what an optimizer's kernel is; null for what writes one or none. */
const updateText = (op) => (updatedBy(op).length > 1 ? `update of ${updatedBy(op).length} parameters` : null);

const lastStage = facts.graph.stages.length - 1;
/** What an op was when it was recorded: ["relu", "cross_entropy"]. */
const recordedAs = (op) => [...new Set([...op.madeOf].map((number) => facts.recorded[number]))];
/** By the id of an op of the last stage, its launches, their numbers and their time. */
const callsByOp = new Map();
const callNumbersByOp = new Map();
const timeByOp = new Map();
/** The launches in order, each with its times if there are any. */
const calls = facts.fusion ? facts.fusion.calls : [];
calls.forEach((call, i) => {
  const id = facts.launches[i];
  call.number = i;
  if (facts.profile) [call.us, call.waiting_us, call.least_us, call.computes_in] = facts.profile.calls[i];
  if (!callsByOp.has(id)) callsByOp.set(id, []), callNumbersByOp.set(id, []);
  callsByOp.get(id).push(call), callNumbersByOp.get(id).push(i);
  timeByOp.set(id, (timeByOp.get(id) || 0) + (call.us || 0));
});
const timeOf = (op) => timeByOp.get(op.id) || 0;
/** The op of the last stage that makes a call. */
const opOfCall = (number) => stageAt(lastStage).byKey.get(facts.launches[number]);
