// Where calls and ops come from, and what they are called after it.
/** Names that a text of the facts lists, in order: "a, b"; where it cuts them short, "a, b and 7 more", `all` has them. */
function listed(text, all) {
  const names = / and \d+ more$/.test(text) ? all : text.split(", ").filter((name) => name);
  return [...new Set(names)].sort(inOrder);
}
/** What is asked of calls again and again is found out once. */
function onceOfCall(find) {
  const known = [];
  return (number) => (known[number] ??= find(number));
}
/** The layers of a launch itself: a kernel's text names those of every launch that shares its code. */
const layersOfCall = onceOfCall((number) => listed(calls[number].layer, opOfCall(number).place.layers));
const linesOfCall = onceOfCall((number) => listed(calls[number].source, opOfCall(number).place.lines.map((at) => `${at.file}:${at.line}`)));

/** The layer of a call, or its lines; of an update of many layers, of how many parameters. */
const placeOfCall = onceOfCall((number) => updateText(opOfCall(number)) || fewText(layersOfCall(number)) || fewText(linesOfCall(number)));
/** What is called, without its types and how often a loop runs it: a kernel's name. */
const kernelOf = (call) => call.split(" (")[0].replace(timesBefore, "");
/** In a loop, and in one inside another: "5 x 24 x ". */
const timesBefore = /^(\d+ x )+/;
const isNest = (call) => call.op === "fused";

/** A call in its parts: what reads and writes what, and by what it is done. */
const partsOfCalls = new Map();
function partsOf(call) {
  if (partsOfCalls.has(call)) return partsOfCalls.get(call);
  const found = call.call.split("  # ")[0].replace(timesBefore, "").match(/^(\S+) \((.*)\) -> (.*?)( +by .*)?$/), [, name, operands, results, by = ""] = found || [null, call.call, "", ""];
  const parts = {name, by: by.trim(), operands: operands ? operands.split(", ") : [], results: results ? results.split(" ") : []};
  partsOfCalls.set(call, parts);
  return parts;
}
/** Launches that run the same code, by its name. */
const launchesOfKernel = new Map();
calls.forEach((call, i) => {
  if (!isNest(call)) return;
  const name = kernelOf(call.call);
  if (!launchesOfKernel.has(name)) launchesOfKernel.set(name, []);
  launchesOfKernel.get(name).push(i);
});
/** "shared by 4 layers": of code that several launches run, which bears the name of one of them. */
const sharedTexts = new Map();
function sharedText(call) {
  if (!isNest(call)) return "";
  const name = kernelOf(call.call);
  if (!sharedTexts.has(name)) {
    const launches = launchesOfKernel.get(name), places = new Set(launches.map(placeOfCall)).size;
    sharedTexts.set(name, launches.length < 2 ? "" : places > 1 ? `shared by ${places} layers` : `runs ${launches.length} times`);
  }
  return sharedTexts.get(name);
}
/** Bytes of its last result, in which a library call works. */
const scratchOf = (call) => call.scratch_bytes || 0;
/** "24 times": of what runs in a loop. */
const runsText = (call) => (call.runs > 1 ? `${call.runs} times` : "");

function signatureOf(call) {
  const {name, operands, results, by} = partsOf(call), shared = sharedText(call), scratch = scratchOf(call);
  const named = [name, runsText(call) ? make("span", {class: "shared"}, ` ${runsText(call)}`) : "", shared ? make("span", {class: "shared"}, ` ${shared}`) : ""];
  return results.length ? [...named, " (", ...few(operands), ") → ", ...few(scratch ? results.slice(0, -1) : results), by ? ` ${by}` : "", scratch ? `, with ${bytesText(scratch)} of scratch` : ""] : named;
}

/** Ops of a body that compute nothing. */
const movements = ["fused", "broadcast", "reshape", "constant", "cast", "iota", "transpose", "pad", "slice", "concat", "windows"];
/** The ops in a body. */
const kindsIn = (op) => new Set([...op.bodies.join("\n").matchAll(/^ +%[^=]*= ([a-z_0-9]+)\(/gm)].map(([, kind]) => kind));
const recordedByNumber = (() => {
  let all = null;
  return (number) => (all ??= new Map(stageAt(0).ops.flatMap((o) => [...o.madeOf].map((n) => [n, o])))).get(number);
})();

/** The last part of a layer's path that is a name: "bn1", "shortcut.1", "layer 3". */
function shortLayer(layer) {
  const parts = layer.split(".");
  let from = parts.length - 1;
  while (from > 0 && /^\d+$/.test(parts[from])) --from;
  const name = parts.slice(from).join(".");
  return /^[\d.]+$/.test(name) ? `layer ${name}` : name;
}

/** Layers that other layers are in: of these an op is no part of a whole. */
const holders = (() => {
  let all = null;
  return () => (all ??= new Set(withParents(allLayers()).filter((layer) => layer.includes(".")).map((layer) => layer.slice(0, layer.lastIndexOf(".")))));
})();
/** Layers with all that they are in: "5" before "5.conv1". */
const withParents = (layers) => [...new Set(layers.flatMap((layer) => layer.split(".").map((_, i, parts) => parts.slice(0, i + 1).join("."))))].sort(inOrder);

/** Whether a call of its own does what was recorded: of a convolution a nest has at most what is around it. */
const calledOps = new Set(calls.filter((call) => !isNest(call)).flatMap((call) => call.op.split("_").map((_, i, parts) => parts.slice(0, i + 1).join("_"))));
const isCalled = (kind) => calledOps.has(kind);

/** What a loop nest computes, as it was recorded: ["bn1", "relu"]. A layer of which it has several ops stands for them, if it holds no others. */
function recordedParts(op) {
  const byLayer = new Map();
  for (const from of [...op.madeOf].sort((a, b) => a - b).map(recordedByNumber)) {
    if (!from) return recordedAs(op).filter((kind) => !isCalled(kind));
    if (isCalled(from.kind)) continue;
    const layer = from.place.layers[0] || "", kinds = byLayer.get(layer) || byLayer.set(layer, new Set()).get(layer);
    kinds.add(from.kind);
  }
  return [...new Set([...byLayer].flatMap(([layer, kinds]) => (layer && kinds.size > 1 && !holders().has(layer) ? [shortLayer(layer)] : [...kinds])))];
}

const fewParts = (parts) => parts.slice(0, 4).join(" · ") + (parts.length > 4 ? " …" : "");
/** What an op is: of a loop nest what was recorded that it computes, or how many parameters it updates; "reorder" where it only moves. */
const labels = new WeakMap();
function labelOf(op) {
  if (updateText(op)) return updateText(op);
  if (!["fused", "kernel"].includes(op.kind)) return op.kind;
  if (!labels.has(op)) {
    const kinds = [...kindsIn(op)], computing = kinds.filter((kind) => !movements.includes(kind));
    const moves = kinds.includes("transpose") ? "reorder" : kinds.find((kind) => !["fused", "constant"].includes(kind)) || kinds.find((kind) => kind !== "fused") || op.kind;
    labels.set(op, computing.length ? fewParts(recordedParts(op)) || fewParts(computing) : moves);
  }
  return labels.get(op);
}
/** What a call is; of a launch inside a loop, what of it is known: the loop has it. */
const titleOfCall = onceOfCall((number) => {
  const call = calls[number], op = opOfCall(number);
  if (!isNest(call)) return call.op;
  return ["fused", "kernel"].includes(op.kind) ? labelOf(op) : fewParts(call.recorded) || fewParts([...new Set(call.ops)].filter((kind) => !movements.includes(kind))) || "reorder";
});

/** "f32[64,4,32,32,16]" is [64,64,32,32] in blocks of 16, as libraries keep channels: of which recorded shape, and in what blocks. Null of others. */
const blockedShapes = new Map();
const dimsOf = (type) => (type.match(/\[([\d,]*)\]/)?.[1] || "").split(",").filter((d) => d).map(Number);
const recordedShapes = (() => {
  let all = null;
  return () => (all ??= new Set([...stageAt(0).ops.flatMap((op) => op.types), ...stageAt(0).inputs.map((input) => input.type)].map((type) => dimsOf(type).join())));
})();
function blocksOf(type) {
  if (!blockedShapes.has(type)) blockedShapes.set(type, findBlocks(dimsOf(type)));
  return blockedShapes.get(type);
}
function findBlocks(dims) {
  if (dims.length < 4 || recordedShapes().has(dims.join())) return null;
  for (const count of [1, 2]) {
    const plain = dims.slice(0, -count), blocks = dims.slice(-count), axes = plain.map((_, i) => i);
    if (plain.length < 3 || plain.length > 5 || blocks.some((b) => ![4, 8, 16, 32, 64].includes(b))) continue;
    const places = count === 1 ? [[1], [0]] : [[1, 0], [0, 1]];
    for (const order of places) {
      const shape = axes.map((i) => plain[i] * order.reduce((all, axis, b) => (axis === i ? all * blocks[b] : all), 1));
      if (recordedShapes().has(shape.join())) return `[${shape}] in blocks of ${[...new Set(blocks)].join(" and ")} channels`;
    }
  }
  return null;
}
/** Of several types what is to be said of each that is in blocks: "f32[64,4,32,32,16]: [64,64,32,32] in blocks of 16 channels". */
const blocksText = (types) => [...new Set(types.map((t) => t.split(" @")[0]))].filter(blocksOf).map((t) => `${t} is ${blocksOf(t)}`);

/** The words of a search: {asks, fits}. What names a part of the step asks for that part alone. Where a number names a layer, by itself or
 * with what follows it ("5", "5.bn"), it asks for layers: for no other with this in its name, as 15, and for no shape. */
function searchWords(text) {
  return text.toLowerCase().split(/\s+/).filter((w) => w).map((word) => {
    if (phaseNames.includes(word)) return {asks: "part", fits: (part) => part === word};
    const escaped = word.replace(/[^\w ]/g, "\\$&"), begins = new RegExp(`(^|\\.)${escaped}${/\d$/.test(word) ? "(?!\\d)" : ""}`, "i"), ofLayer = (layer) => begins.test(layer);
    if (/^\d+(\.|$)/.test(word) && allLayers().some(ofLayer)) return {asks: "layer", fits: ofLayer};
    const whole = /[:.]\d+$/.test(word) ? new RegExp(`${escaped}(?!\\d)`, "i") : null;  // net.cpp:6 is not net.cpp:60
    return {asks: "text", fits: whole ? (some) => whole.test(some) : (some) => some.toLowerCase().includes(word)};
  });
}
/** Whether all words are in what {layers, parts, text} says. */
const hasWords = (words, {layers, parts, text}) => words.every(({asks, fits}) => (asks === "part" ? parts : asks === "layer" ? layers : [text, ...layers]).some(fits));
const allLayers = (() => {
  let all = null;
  return () => (all ??= [...new Set(places.flatMap((place) => place.layers))].sort(inOrder));
})();
