// Where the time goes: as a flame of layers, and as bars.
const weightOf = (call) => (facts.profile ? call.us : call.bytes);
const weightText = (n) => (facts.profile ? microsText(n) : bytesText(n));

function flameTree() {
  const root = {label: "the whole step", value: 0, children: new Map(), phase: "forward"};
  calls.forEach((call, i) => {
    const at = stageAt(lastStage).byKey.get(facts.launches[i]).place;
    const own = at.layers.length > 1 ? [call.layer] : at.layers.length ? [] : [call.source];
    addTo(root, [call.phase, ...at.path, ...own, kernelOf(call.call)], call);
  });
  return root;
}

function addTo(root, parts, call) {
  let at = root;
  at.value += weightOf(call);
  for (const part of parts) {
    if (!at.children.has(part)) at.children.set(part, {label: part, value: 0, children: new Map(), phase: call.phase});
    at = at.children.get(part);
    at.value += weightOf(call);
  }
}

function drawFlame(box, from, whole) {
  const blocks = [];
  let deepest = 0;
  const add = (node, left, share, depth) => {
    deepest = Math.max(deepest, depth);
    if (share < 0.0012) return;
    blocks.push(make("div", {style: `left:${100 * left}%;width:${100 * share}%;top:${depth * 22}px;background:var(--${node.phase})`, onclick: () => drawFlame(box, node === from ? whole : node, whole),
                             ...withTip(`${node.label}\n${weightText(node.value)}, ${(100 * node.value / whole.value).toFixed(1)} % of the step`)}, `${node.label}  ${weightText(node.value)}`));
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

function barTable(kind) {
  const rows = sumsOf(kind), total = rows.reduce((sum, r) => sum + weightOf(r), 0) || 1, most = Math.max(...rows.map(weightOf), 1e-9), shown = rows.slice(0, 60);
  const titles = facts.profile ? ["", "time", "share", "", "waiting", "GFLOP/s", "GB/s", "calls", ...(facts.profile.limits ? ["of limit"] : [])] : ["", "bytes", "share", "", "", "FLOP", "", "calls"];
  return make("table", {}, make("tr", {}, titles.map((t, i) => make("th", {class: i === 3 ? "hide-narrow" : i ? "n" : ""}, t))),
    shown.map((r) => make("tr", {}, make("td", {class: "wide code"}, r.name), make("td", {class: "n"}, weightText(weightOf(r))), make("td", {class: "n"}, `${(100 * weightOf(r) / total).toFixed(1)} %`),
      make("td", {class: "hide-narrow"}, make("div", {class: "meter"}, make("i", {style: `width:${100 * weightOf(r) / most}%`}))), make("td", {class: "n"}, facts.profile && r.waiting_us >= 0.05 ? microsText(r.waiting_us) : ""),
      make("td", {class: "n"}, facts.profile ? rateText(r.flops, r.us) : countText(r.flops)), make("td", {class: "n"}, facts.profile ? rateText(r.bytes, r.us) : ""), make("td", {class: "n"}, String(r.calls)), facts.profile && facts.profile.limits ? make("td", {class: "n"}, shareText(r.share_of_limits)) : null)),
    rows.length > shown.length ? make("tr", {}, make("td", {class: "note"}, `and ${rows.length - shown.length} more`)) : null);
}

function showTime() {
  const section = byId("time");
  if (calls.length === 0) {
    section.replaceChildren(make("p", {class: "note"}, "There are no calls: the program was not planned for a target that makes any."));
    return;
  }
  const flame = make("div", {class: "flame"}), table = make("div"), choices = make("div", {class: "choices"});
  const pick = (kind) => {
    for (const button of choices.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    table.replaceChildren(barTable(kind));
  };
  choices.append(...Object.entries(groupings).map(([kind, text]) => make("button", {"data-kind": kind, onclick: () => pick(kind)}, text)));
  section.replaceChildren(
    make("p", {class: "note"}, facts.profile ? `One step takes ${microsText(facts.profile.step.us)} on the caller's thread, of which it waits ${microsText(facts.profile.step.waiting_us)} for other threads. Click a block to see it alone, again to see all.`
                                             : "Nothing was measured (start_profile() before the steps, or --profile, measures). Widths are the bytes that calls read and write."),
    flame, make("h2", {}, facts.profile ? "Time" : "Bytes"), choices, table, ...showRoofline());
  const tree = flameTree();
  drawFlame(flame, tree, tree);
  pick("layers");
}
