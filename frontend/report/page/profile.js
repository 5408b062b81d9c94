// Where the time goes: as a flame of layers, and as bars.
const weightOf = (call) => (facts.profile ? call.us : call.bytes);
const weightText = (n) => (facts.profile ? microsText(n) : bytesText(n));

function flameTree() {
  const root = {label: "the whole step", value: 0, children: new Map(), phase: "forward", parent: null};
  calls.forEach((call, i) => {
    const op = opOfCall(i), at = op.place;
    const own = updateText(op) || at.layers.length !== 1 ? [placeOfCall(i)] : [];
    addTo(root, [call.phase, ...at.path, ...own, isNest(call) && !updateText(op) ? titleOfCall(i) : kernelOf(call.call)], call);
  });
  return root;
}

function addTo(root, parts, call) {
  let at = root;
  at.value += weightOf(call);
  for (const part of parts) {
    if (!at.children.has(part)) at.children.set(part, {label: part, value: 0, children: new Map(), phase: call.phase, parent: at});
    at = at.children.get(part);
    at.value += weightOf(call);
  }
}

/** The blocks from the whole step to one: [forward, blocks, 4]. */
function wayTo(block) {
  const way = [];
  for (let at = block; at.parent; at = at.parent) way.unshift(at);
  return way;
}

/** `flame`: {box, way, whole}; `from` is as wide as all of it. Where it lies stands above, to go back. */
function drawFlame(flame, from) {
  const blocks = [], {box, way, whole} = flame;
  flame.from = from;
  way.replaceChildren(...joined([whole, ...wayTo(from)].map((block) => (block === from ? make("b", {}, block.label) : make("a", {onclick: () => drawFlame(flame, block)}, block.label))), " / "));
  let deepest = 0;
  const add = (node, left, share, depth) => {
    deepest = Math.max(deepest, depth);
    if (share < 0.0012) return;
    blocks.push(make("div", {style: `left:${100 * left}%;width:${100 * share}%;top:${depth * 22}px;background:var(--${node.phase})`, onclick: () => drawFlame(flame, node === from ? whole : node),
                             ...withTip(`${wayTo(node).map((block) => block.label).join(" / ") || node.label}\n${weightText(node.value)}, ${(100 * node.value / whole.value).toFixed(1)} % of the step`)}, `${node.label} · ${weightText(node.value)}`));
    let x = left;
    for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
      const part = node.value > 0 ? share * child.value / node.value : 0;
      add(child, x, part, depth + 1);
      x += part;
    }
  };
  add(from, 0, 1, 0);
  box.style.height = (deepest + 1) * 22 + "px";
  box.replaceChildren(...blocks);
}

/** Esc goes from a block to the one around it. */
function leaveBlocks(flame) {
  addEventListener("keydown", (e) => {
    if (e.key === "Escape" && byId("time").classList.contains("shown") && flame.from.parent) drawFlame(flame, flame.from.parent);
  });
}

const groupings = {layers: "by layer", sources: "by source line", phases: "by part of the step", ops: "by op", kernels: "by kernel"};

/** Of a call, the names of the rows that it counts in, from the outermost in: ["5", "5.conv1"]. */
function rowsOfCall(kind, i) {
  const call = calls[i], parts = partsOf(call);
  if (kind === "sources") return [fewText(linesOfCall(i))];
  if (kind === "phases") return [call.phase];
  if (kind === "ops") return [titleOfCall(i)];
  if (kind === "kernels") return [parts.name + (parts.by ? ` ${parts.by}` : "")];
  const layers = layersOfCall(i), common = commonLayer(layers), way = common.map((_, n) => common.slice(0, n + 1).join("."));
  return updateText(opOfCall(i)) || layers.length !== 1 ? [...way, placeOfCall(i)] : way;
}

/** Sums of the calls: {name, calls, us, ..., inside: rows, numbers: of its own calls}. */
function sumsOf(kind) {
  const row = (name) => ({name, calls: 0, us: 0, waiting_us: 0, least_us: 0, flops: 0, bytes: 0, inside: new Map(), numbers: []}), root = row("");
  const add = (to, call) => { ++to.calls; for (const key of ["us", "waiting_us", "least_us", "flops", "bytes"]) to[key] += call[key] || 0; };
  calls.forEach((call, i) => {
    let at = root;
    add(at, call);
    for (const name of rowsOfCall(kind, i)) {
      if (at.name === name) continue;  // of several layers the outermost holds the others
      at = at.inside.get(name) || at.inside.set(name, row(name)).get(name);
      add(at, call);
    }
    at.numbers.push(i);
  });
  return root;
}

/** Its columns: title, what rows are sorted by, what is shown. */
function columnsOf(root) {
  const total = weightOf(root) || 1, most = Math.max(...[...root.inside.values()].map(weightOf), 1e-9), rate = (amount) => (r) => r[amount] / r.us || 0;
  const meter = (r) => make("div", {class: "meter"}, make("i", {style: `width:${100 * weightOf(r) / most}%`})), count = ["calls", (r) => r.calls, (r) => String(r.calls)];
  const first = [["", (r) => r.name, null], [facts.profile ? "time" : "bytes", weightOf, (r) => weightText(weightOf(r))], ["share", weightOf, (r) => `${(100 * weightOf(r) / total).toFixed(1)} %`], ["", weightOf, meter]];
  if (!facts.profile) return [...first, ["FLOP", (r) => r.flops, (r) => countText(r.flops)], count];
  return [...first, ["waiting", (r) => r.waiting_us, (r) => (r.waiting_us >= 0.05 ? microsText(r.waiting_us) : "")], ["GFLOP/s", rate("flops"), (r) => rateText(r.flops, r.us)], ["GB/s", rate("bytes"), (r) => rateText(r.bytes, r.us)],
          count, ...(facts.profile.limits ? [["of limit", (r) => (r.us > 0 ? r.least_us / r.us : 0), (r) => shareText(r.us > 0 ? r.least_us / r.us : 0)]] : [])];
}

/** What is inside a row: rows, then the calls of its own. */
function insideOf(row) {
  const own = row.numbers.map((i) => ({...calls[i], name: `#${i} ${kernelOf(calls[i].call)}`, calls: 1, numbers: [i], inside: new Map(), isCall: true, call: calls[i]}));
  return [...row.inside.values(), ...own];
}
/** The one call that a row is of, to which it leads. */
const onlyCall = (row) => (row.isCall ? row.call : row.inside.size === 0 && row.numbers.length === 1 ? calls[row.numbers[0]] : null);

/** Sorted by a column: a click on its title, and again the other way. Rows with more in them open and close, the others lead to their call. */
function barTable(kind) {
  const root = sumsOf(kind), columns = columnsOf(root), table = make("table", {class: "times"}), open = new Set(), mostShown = 60;
  let by = 1, down = true, all = false;
  const classes = (i) => (i === 3 ? "hide-narrow" : i ? "n" : "code"), before = (a, b) => (typeof a === "string" ? inOrder(a, b) : a - b);
  const sorted = (rows) => rows.sort((a, b) => before(columns[by][1](a), columns[by][1](b)) * (down ? -1 : 1));
  const rowsOf = (row, path, depth) => {
    const only = onlyCall(row), key = `${path}/${row.name}`, isOpenRow = open.has(key);
    const click = only ? () => goToCall(only) : () => { open.has(key) ? open.delete(key) : open.add(key); fill(); };
    const name = make("td", {class: "name code", style: `padding-left:${depth * 18}px`}, make("span", {class: "fold"}, only ? "" : isOpenRow ? "▾" : "▸"), row.name);
    return [make("tr", {class: "row", title: only ? "To its box in the graph" : isOpenRow ? "Close" : "Open", onclick: click}, name, columns.slice(1).map(([, , shown], i) => make("td", {class: classes(i + 1)}, shown(row)))),
            ...(isOpenRow ? sorted(insideOf(row)).flatMap((inner) => rowsOf(inner, key, depth + 1)) : [])];
  };
  const fill = () => {
    const rows = sorted(insideOf(root)), shown = all ? rows : rows.slice(0, mostShown), sort = (i) => () => { down = i === by ? !down : i > 0; by = i; fill(); };
    table.replaceChildren(make("tr", {}, columns.map(([title], i) => make("th", {class: `${classes(i)} sorts`, onclick: sort(i), ...(entryByWord.has(title.toLowerCase()) ? tipOfWord(title) : {title: "Sort"})}, title + (i === by && (title || !i) ? (down ? " ▾" : " ▴") : "")))),
      ...shown.flatMap((row) => rowsOf(row, "", 0)),
      ...(rows.length > shown.length ? [make("tr", {}, make("td", {class: "note", colspan: columns.length}, `${shown.length} of ${rows.length}. `, make("a", {onclick: () => { all = true; fill(); }}, "Show all")))] : []));
  };
  fill();
  return table;
}

function showTime() {
  const section = byId("time");
  if (calls.length === 0) {
    section.replaceChildren(make("p", {class: "note"}, "There are no calls: the program was not planned for a target that makes any."));
    return;
  }
  const box = make("div", {class: "flame"}), way = make("p", {class: "note", id: "way"}), table = make("div"), choices = make("div", {class: "choices"});
  const pick = (kind) => {
    for (const button of choices.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    table.replaceChildren(barTable(kind));
  };
  choices.append(...Object.entries(groupings).map(([kind, text]) => make("button", {"data-kind": kind, onclick: () => pick(kind)}, text)));
  section.replaceChildren(
    make("p", {class: "note"}, spoken(facts.profile ? `One step takes ${microsText(facts.profile.step.us)} on the caller's thread, of which it waits ${microsText(facts.profile.step.waiting_us)} for other threads. Below, the largest blocks stand first, whatever runs first. Click one to see it alone, again to see all; Esc goes one up.`
                                             : "Nothing was measured (start_profile() before the steps, or --profile, measures). Widths are the bytes that calls read and write; the largest stand first, whatever runs first.")),
    way, box, make("h2", {}, facts.profile ? "Time" : "Bytes"), choices, table, ...showRoofline());
  const whole = flameTree(), flame = {box, way, whole, from: whole};
  drawFlame(flame, whole);
  leaveBlocks(flame);
  pick("layers");
}
