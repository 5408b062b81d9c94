// Where the time goes: as a flame of layers, and as bars.
const weightOf = (call) => (facts.profile ? call.us : call.bytes);
const weightText = (n) => (facts.profile ? microsText(n) : bytesText(n));

function flameTree() {
  const root = {label: "the whole step", value: 0, children: new Map(), phase: "forward", parent: null};
  calls.forEach((call, i) => {
    const op = opOfCall(i), at = op.place;
    const own = updateText(op) || at.layers.length > 1 ? [placeOfCall(i)] : at.layers.length ? [] : [call.source];
    addTo(root, [call.phase, ...at.path, ...own, kernelOf(call.call)], call);
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

/** Sums of the calls where nothing was measured: by bytes. */
function sumsOf(kind) {
  if (facts.profile) return facts.profile[kind];
  const key = {layers: (c) => c.layer || c.source, sources: (c) => c.source, phases: (c) => c.phase, ops: (c) => c.op, kernels: (c) => kernelOf(c.call)}[kind], rows = new Map();
  for (const call of calls) {
    const name = key(call);
    if (!rows.has(name)) rows.set(name, {name, calls: 0, us: 0, waiting_us: 0, flops: 0, bytes: 0});
    const row = rows.get(name);
    ++row.calls, row.flops += call.flops, row.bytes += call.bytes;
  }
  return [...rows.values()].sort((a, b) => b.bytes - a.bytes);
}

/** Its columns: title, what rows are sorted by, what is shown. */
function columnsOf(rows) {
  const total = rows.reduce((sum, r) => sum + weightOf(r), 0) || 1, most = Math.max(...rows.map(weightOf), 1e-9), rate = (amount) => (r) => r[amount] / r.us || 0;
  const meter = (r) => make("div", {class: "meter"}, make("i", {style: `width:${100 * weightOf(r) / most}%`})), count = ["calls", (r) => r.calls, (r) => String(r.calls)];
  const first = [["", (r) => r.name, (r) => r.name], [facts.profile ? "time" : "bytes", weightOf, (r) => weightText(weightOf(r))], ["share", weightOf, (r) => `${(100 * weightOf(r) / total).toFixed(1)} %`], ["", weightOf, meter]];
  if (!facts.profile) return [...first, ["FLOP", (r) => r.flops, (r) => countText(r.flops)], count];
  return [...first, ["waiting", (r) => r.waiting_us, (r) => (r.waiting_us >= 0.05 ? microsText(r.waiting_us) : "")], ["GFLOP/s", rate("flops"), (r) => rateText(r.flops, r.us)], ["GB/s", rate("bytes"), (r) => rateText(r.bytes, r.us)],
          count, ...(facts.profile.limits ? [["of limit", (r) => r.share_of_limits, (r) => shareText(r.share_of_limits)]] : [])];
}

/** Sorted by a column: a click on its title, and again the other way. */
function barTable(kind, by = 1, down = true) {
  const rows = [...sumsOf(kind)], columns = columnsOf(rows), key = columns[by][1], mostShown = 60;
  rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (down ? -1 : 1));
  const classes = (i) => (i === 3 ? "hide-narrow" : i ? "n" : "wide code"), again = (i) => () => table.replaceWith(barTable(kind, i, i === by ? !down : i > 0));
  const table = make("table", {}, make("tr", {}, columns.map(([title], i) => make("th", {class: `${classes(i).replace("wide code", "")} sorts`, onclick: again(i), ...(entryByWord.has(title.toLowerCase()) ? tipOfWord(title) : {title: "Sort"})}, title + (i === by && title ? (down ? " ▾" : " ▴") : "")))),
    rows.slice(0, mostShown).map((r) => make("tr", {}, columns.map(([, , shown], i) => make("td", {class: classes(i)}, shown(r))))),
    rows.length > mostShown ? make("tr", {}, make("td", {class: "note"}, `${mostShown} of ${rows.length}`)) : null);
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
    make("p", {class: "note"}, spoken(facts.profile ? `One step takes ${microsText(facts.profile.step.us)} on the caller's thread, of which it waits ${microsText(facts.profile.step.waiting_us)} for other threads. Click a block to see it alone, again to see all; Esc goes one up.`
                                             : "Nothing was measured (start_profile() before the steps, or --profile, measures). Widths are the bytes that calls read and write.")),
    way, box, make("h2", {}, facts.profile ? "Time" : "Bytes"), choices, table, ...showRoofline());
  const whole = flameTree(), flame = {box, way, whole, from: whole};
  drawFlame(flame, whole);
  leaveBlocks(flame);
  pick("layers");
}
