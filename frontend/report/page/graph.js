// The graph: layers that open and close, drawn as far as they are open.
const view = {stage: lastStage, open: new Set(), chosen: null, matches: new Set(), x: 0, y: 0, scale: 1, tree: null, shown: [], elements: [], edges: [], changes: null};
const mostDirect = 60, chunk = 40;  // ops of one box; of more, so many become a box

function group(path, label, phase, parent) { return {path, label, phase, parent, children: [], ops: [], order: Infinity, groups: new Map()}; }

/** The boxes of a stage: part of the step, then layer by layer; batch inputs stand outside. */
function treeOf(stage) {
  const root = group("", "", null, null);
  const several = new Set(stage.ops.map((op) => op.phase)).size > 1;
  const inside = (parent, label, phase) => {
    if (!parent.groups.has(label)) {
      const made = group(parent.path + "/" + label, label, phase, parent);
      parent.groups.set(label, made);
      parent.children.push(made);
    }
    return parent.groups.get(label);
  };
  for (const input of stage.inputs)
    if (input.role === "batch" && input.readers.length) root.children.push({input, parent: root, order: -1, label: input.name, path: "/input " + input.name});
  const leaf = new Map();
  for (const op of stage.ops) {
    let at = root;
    if (several) at = inside(at, op.phase, op.phase);
    for (const part of op.place.path) at = inside(at, part, op.phase);
    const node = {op, parent: at, order: op.order, label: labelOf(op), path: "op" + op.id};
    leaf.set(op.id, node);
    at.children.push(node);
  }
  const finish = (g) => {
    const direct = g.children.filter((c) => c.op);
    if (direct.length > mostDirect) splitUp(g, direct);
    for (const child of g.children) {
      if (child.groups) finish(child);
      g.ops.push(...(child.op ? [child.op] : child.ops || []));
    }
    g.children = g.children.map((child) => (child.groups && child.phase && child.children.length === 1 && child.children[0].op ? alone(child) : child));
    g.order = orderOf(g);
  };
  finish(root);
  return {root, leaf};
}

/** A box of one op is that op. */
function alone(child) {
  const node = child.children[0];
  node.label = `${child.label}: ${node.label}`;
  node.parent = child.parent;
  return node;
}

/** Boxes stand in the order of the middles of what they hold; parts of the step in theirs. */
function orderOf(g) {
  if (g.parent && g.parent.parent === null && phaseNames.includes(g.label)) return phaseNames.indexOf(g.label) * 1e6;
  const places = g.ops.map((op) => op.order).sort((a, b) => a - b);
  return places.length ? places[places.length >> 1] : Infinity;
}

/** Many ops that are in no layer of their own: runs of them become boxes. */
function splitUp(parent, direct) {
  const phase = direct[0].op.phase;
  parent.children = parent.children.filter((c) => !c.op);
  for (let i = 0; i < direct.length; i += chunk) {
    const some = direct.slice(i, i + chunk);
    const label = `${some[0].op.name} to ${some[some.length - 1].op.name}`;
    const made = group(parent.path + "/" + Math.floor(i / chunk), label, phase, parent);
    for (const node of some) node.parent = made, made.children.push(node);
    parent.children.push(made);
  }
}

const isOpen = (node) => node.groups && (node.parent === null || view.open.has(node.path));

/** The box that stands for a node: itself, or the outermost closed one around it. */
function standsFor(node) {
  let shown = node;
  for (let at = node; at; at = at.parent) if (at.groups && !isOpen(at)) shown = at;
  return shown;
}

const textWidth = (() => {
  const context = document.createElement("canvas").getContext("2d");
  return (text, font) => ((context.font = font), context.measureText(text).width);
})();
const titleOf = (node) => (node.groups ? (isOpen(node) ? "− " : "+ ") + node.label : node.label);
function subtitleOf(node) {
  if (node.input) return node.input.type;
  if (node.op) {
    const types = node.op.types.slice(0, node.op.scratch ? -1 : undefined).map((t) => t.split(" @")[0]);
    return types.slice(0, 2).join(", ") + (types.length > 2 ? ", …" : "");
  }
  const us = view.stage === lastStage ? node.ops.reduce((sum, op) => sum + timeOf(op), 0) : 0;
  return `${node.ops.length} op${node.ops.length === 1 ? "" : "s"}` + (us ? " · " + microsText(us) : "");
}

/** Sizes from the inside out, then places. */
function measure(node) {
  const title = titleOf(node), small = node.parent ? subtitleOf(node) : "";
  node.w = Math.max(64, textWidth(title, "600 12px system-ui"), textWidth(small, "10.5px system-ui")) + 20;
  node.h = 40;
  if (!isOpen(node)) return;
  for (const child of node.children) measure(child);
  const number = new Map(node.children.map((child, i) => [child, i]));
  const pairs = new Set();
  const childOf = (n) => {
    while (n && n.parent !== node) n = n.parent;
    return n;
  };
  for (const child of node.children) {
    const readers = child.input ? child.input.readers : child.op ? child.op.readers : child.ops.flatMap((op) => op.readers);
    for (const reader of readers) {
      const to = childOf(view.tree.leaf.get(reader.id));
      if (to && to !== child) pairs.add(number.get(child) * 65536 + number.get(to));
    }
  }
  const size = arrange(node.children, [...pairs].map((p) => [Math.floor(p / 65536), p % 65536]));
  node.inner = size;
  node.w = Math.max(node.w, size.w + 28);
  node.h = size.h + (node.parent ? 62 : 0);
}

function settle(node, left, top) {
  node.left = left, node.top = top;
  view.shown.push(node);
  if (!isOpen(node)) return;
  const x = left + (node.w - node.inner.w) / 2, y = top + (node.parent ? 44 : 0);
  for (const child of node.children) settle(child, x + child.x - child.w / 2, y + child.y);
}

function edgesShown() {
  const all = new Map();
  const add = (from, readers) => {
    const a = standsFor(from);
    for (const reader of readers) {
      const b = standsFor(view.tree.leaf.get(reader.id));
      if (a === b) continue;
      const key = a.path + "→" + b.path;
      if (!all.has(key)) all.set(key, {a, b, count: 0});
      ++all.get(key).count;
    }
  };
  for (const child of view.tree.root.children) if (child.input) add(child, child.input.readers);
  for (const node of view.tree.leaf.values()) add(node, node.op.readers);
  return [...all.values()];
}

function drawEdge({a, b, count}) {
  const back = b.top < a.top + a.h;
  const x1 = a.left + a.w / 2, y1 = a.top + a.h, x2 = b.left + b.w / 2, y2 = b.top;
  const bend = Math.max(20, Math.abs(y2 - y1) / 2.5);
  const path = back ? `M${a.left + a.w},${a.top + a.h / 2} C${a.left + a.w + 60},${a.top + a.h / 2} ${b.left + b.w + 60},${b.top + b.h / 2} ${b.left + b.w},${b.top + b.h / 2}`
                    : `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`;
  const element = make("path", {d: path, class: "edge" + (back ? " back" : ""), "stroke-width": Math.min(5, 1 + Math.log2(count))});
  view.edges.push({a: a.path, b: b.path, element});
  return element;
}

function drawNode(node, most) {
  const phase = node.input ? "input" : node.op ? node.op.phase : node.phase || "forward";
  const ids = node.op ? [node.op.id] : node.groups ? node.ops.map((op) => op.id) : [];
  const fresh = ids.filter((id) => view.changes.fresh.has(id)).length, edited = ids.filter((id) => view.changes.edited.has(id)).length;
  const classes = ["node", phase];
  if (node.groups) classes.push("group", isOpen(node) ? "open" : "closed");
  if (!isOpen(node) && fresh) classes.push("new");
  else if (!isOpen(node) && edited) classes.push("edited");
  const g = make("g", {class: classes.join(" "), transform: `translate(${node.left},${node.top})`, "data-path": node.path, ...withTip(noteOf(node))},
                 make("rect", {class: "box", width: node.w, height: node.h}),
                 make("text", {class: "title", x: 10, y: 17}, titleOf(node)),
                 make("text", {class: "small", x: 10, y: 32}, subtitleOf(node)));
  if (!isOpen(node) && view.stage === lastStage) {
    const us = node.op ? timeOf(node.op) : (node.ops || []).reduce((sum, op) => sum + timeOf(op), 0);
    if (us > 0) g.append(make("rect", {class: "heat", x: 0, y: node.h - 4, width: Math.max(2, node.w * us / most), height: 4, rx: 2}));
  }
  view.elements.push({node, element: g});
  return g;
}

/** What is found, and what is chosen, in what is drawn: nothing is laid out again for these. */
function markMatches() {
  const found = (node) => (node.groups ? node.ops.some((op) => view.matches.has(op.id)) : view.matches.has(node.op ? node.op.id : node.input.id));
  for (const {node, element} of view.elements) element.classList.toggle("match", view.matches.size > 0 && found(node));
}
function markChosen() {
  for (const {node, element} of view.elements) element.classList.toggle("chosen", node.path === view.chosen);
  for (const {a, b, element} of view.edges) element.classList.toggle("near", a === view.chosen || b === view.chosen);
}

function noteOf(node) {
  if (node.input) return `${node.input.name}: ${node.input.type}\ninput of the step`;
  if (node.op) return [`${node.op.name} = ${node.op.kind}`, fewText(node.op.types), ...blocksText(node.op.types).slice(0, 2), linesText(node.op.place)].join("\n");
  return `${node.path.slice(1).replaceAll("/", " / ")}\n${node.ops.length} ops. Click to ${isOpen(node) ? "close" : "open"}.`;
}

/** Draws the stage as far as it is open. `keep`: the view stays where it is. */
function draw(keep) {
  const stage = stageAt(view.stage);
  view.changes = changesOf(view.stage);
  view.tree = treeOf(stage);
  view.shown = [], view.elements = [], view.edges = [];
  measure(view.tree.root);
  settle(view.tree.root, 0, 0);
  const most = Math.max(1e-9, facts.profile ? facts.profile.step.us : 0);
  const nodes = view.shown.filter((n) => n.parent);
  const layer = make("g", {id: "moved"}, nodes.filter(isOpen).map((n) => drawNode(n, most)), edgesShown().map(drawEdge),
                     nodes.filter((n) => !isOpen(n)).map((n) => drawNode(n, most)));
  byId("drawing").replaceChildren(layer);
  markMatches(), markChosen();
  saySlider();  // its words may take another line, and so leave less room
  if (!keep) fit(true);
  move();
}

function saySlider() {
  const stage = stageAt(view.stage), info = facts.graph.stages[view.stage];
  byId("pass").value = view.stage;
  byId("pass-name").replaceChildren(info.name, ...(view.stage && info.ms > 0 ? [make("small", {}, ` took ${microsText(1000 * info.ms)} to compile`)] : []));
  const c = view.changes, parts = [];
  if (view.stage === 0) parts.push(`${stage.ops.length} ops`);
  else if (!info.changed) parts.push(`${stage.ops.length} ops, nothing changed`);
  else parts.push(`${stage.ops.length} ops: `, make("span", {}, make("b", {class: "new"}, `${c.fresh.size} new`), ", ", make("b", {class: "edited"}, `${c.edited.size} changed`), ", ", make("b", {class: "gone"}, `${c.gone} gone`)));
  byId("changes").replaceChildren(...parts);
}

/** All at once, however small. `readable`: what would be too small to read starts at its top. */
function fit(readable) {
  const box = byId("drawing").getBoundingClientRect(), root = view.tree.root;
  const width = box.width || 1000, height = (box.height || 700) - 30;
  view.scale = Math.min(1.25, (width - 30) / root.w, (height - 30) / root.h);
  if (readable && view.scale < 0.75) view.scale = Math.min(1, Math.max(view.scale, Math.min(0.75, (width - 30) / root.w)));
  view.x = (width - root.w * view.scale) / 2;
  view.y = Math.max(15, (height - root.h * view.scale) / 2);
}

function move() { byId("moved").setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`); }

function zoom(factor, cx, cy) {
  const box = byId("drawing").getBoundingClientRect();
  const x = cx ?? box.width / 2, y = cy ?? box.height / 2, scale = Math.min(4, Math.max(Math.min(0.02, view.scale), view.scale * factor));
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  move();
}

/** Opens or closes a box; its title stays where it is on the screen. */
function toggle(node) {
  const x = view.x + node.left * view.scale, y = view.y + node.top * view.scale;
  if (!view.open.delete(node.path)) view.open.add(node.path);
  draw(true);
  const again = view.shown.find((n) => n.path === node.path);
  view.x = x - again.left * view.scale, view.y = y - again.top * view.scale;
  move();
}

function choose(node) {
  view.chosen = node ? node.path : null;
  markChosen();
  showDetails(node);
}

/** Opens all boxes around an op, and brings it to the middle. */
function reveal(id) {
  const node = id < 0 ? view.tree.root.children.find((c) => c.input && c.input.id === id) : view.tree.leaf.get(id);
  if (!node) return;
  const open = view.open.size;
  for (let at = node.parent; at && at.parent; at = at.parent) view.open.add(at.path);
  if (view.open.size > open) draw(true);
  const again = view.shown.find((n) => n.path === node.path), box = byId("drawing").getBoundingClientRect();
  view.scale = Math.max(view.scale, 0.7);
  view.x = box.width / 2 - (again.left + again.w / 2) * view.scale;
  view.y = box.height / 2 - (again.top + again.h / 2) * view.scale;
  move();
  choose(again);
}

function goToStage(number) {
  view.stage = Math.min(lastStage, Math.max(0, number));
  findMatches();
  draw(false);
  const kept = view.shown.find((n) => n.path === view.chosen);
  choose(kept || null);
}
