// The page as a whole: its parts, keys and the pointer.
const shows = {memory: showMemory, time: showTime, calls: showCalls, words: showWords};
const made = new Set();
/** Where each part was left. */
const scrolls = new Map();

function showTab(name) {
  const main = document.querySelector("main"), left = document.querySelector("section.shown");
  if (left) scrolls.set(left.id, main.scrollTop);
  for (const button of document.querySelectorAll("nav button")) button.setAttribute("aria-selected", String(button.dataset.tab === name));
  for (const section of document.querySelectorAll("section")) section.classList.toggle("shown", section.id === name);
  if (shows[name] && !made.has(name)) made.add(name), shows[name]();
  main.scrollTop = scrolls.get(name) || 0;
  if (history.replaceState) history.replaceState(null, "", "#" + name);
}

/** What ops of a row are found by: name, shapes, attributes, layers, lines, and the ops and values of loop nests. Most stages share theirs.
 * An op is also found by what it was when it was recorded. */
const rowWords = [];
function wordsOf(op) {
  const lines = op.place.lines.map((at) => `${at.file}:${at.line}`), values = op.bodies.join("\n").matchAll(/^ +(%[^=]*)= [a-z_0-9]+\(/gm);
  return (rowWords[op.row] ??= [op.kind, ...op.types, op.attributes, ...op.place.layers, ...new Set(lines), ...kindsIn(op), ...[...values].map(([, names]) => names)].join(" ").toLowerCase());
}

/** The ids of a stage's ops and inputs that have all words. */
function matchesIn(stage, words) {
  const inputName = (o) => (o[0] < 0 ? stage.inputs[-1 - o[0]].name : ""), ids = [];
  for (const op of stage.ops) {
    op.text ??= [wordsOf(op), ...op.names, ...op.operands.map(inputName), ...op.outputs, ...op.replaces.map((input) => `new ${input.name}`), ...recordedAs(op), labelOf(op)].join(" ").toLowerCase();
    if (hasWords(words, {layers: op.place.layers, parts: [op.phase], text: op.text})) ids.push(op.id);
  }
  for (const input of stage.inputs)
    if (input.role === "batch" && hasWords(words, {layers: [], parts: [], text: `${input.name} ${input.type}`})) ids.push(input.id);
  return ids;
}

/** Other stages that have what is searched: what was recorded, and where the one shown has nothing, the nearest before it. */
function foundElsewhere(words) {
  const found = [];
  if (view.stage !== 0) found.push([0, matchesIn(stageAt(0), words)]);
  for (let n = view.stage; view.matches.size === 0 && n-- > 1;) {
    const ids = facts.graph.stages[n].ops ? matchesIn(stageAt(n), words) : [];
    if (ids.length) { found.push([n, ids]); break; }
  }
  return found.filter(([, ids]) => ids.length);
}

/** Looks for what is searched in the stage that is shown, and says where else it is. */
function findMatches() {
  const words = searchWords(byId("search").value), wanted = words.length > 0;
  view.matches = new Set(wanted ? matchesIn(stageAt(view.stage), words) : []);
  const count = view.matches.size, links = wanted ? foundElsewhere(words) : [];
  byId("found").replaceChildren(...(wanted ? [`${count} found${count ? ", Enter goes to the next" : ` in '${facts.graph.stages[view.stage].name}'`}`] : []),
    ...links.flatMap(([n, ids]) => [count ? "; " : ", ", make("a", {onclick: () => (goToStage(n), reveal(ids[0]))}, `${ids.length} in '${n ? facts.graph.stages[n].name : "as recorded"}'`)]));
}

/** From one match, or where nothing is searched one op, to another. */
function step(by) {
  const stage = stageAt(view.stage), ids = view.matches.size ? [...view.matches] : stage.ops.map((op) => op.id);
  if (ids.length === 0) return;
  const at = ids.findIndex((id) => "op" + id === view.chosen);
  reveal(ids[(at + by + ids.length + (at < 0 && by < 0 ? 1 : 0)) % ids.length]);
}

const shownByPath = (path) => view.shown.find((n) => n.path === path);

function setUpPointer() {
  const drawing = byId("drawing");
  let from = null, moved = false;
  drawing.addEventListener("pointerdown", (e) => { from = {x: e.clientX - view.x, y: e.clientY - view.y, startX: e.clientX, startY: e.clientY}; moved = false; });
  addEventListener("pointermove", (e) => {
    if (!from) return;
    if (Math.abs(e.clientX - from.startX) + Math.abs(e.clientY - from.startY) > 4) moved = true, drawing.classList.add("moving");
    if (moved) view.x = e.clientX - from.x, view.y = e.clientY - from.y, move();
  });
  addEventListener("pointerup", () => { from = null; drawing.classList.remove("moving"); });
  drawing.addEventListener("click", (e) => {
    if (moved) return;
    const element = e.target.closest(".node"), node = element && shownByPath(element.dataset.path);
    if (node && node.groups) toggle(node);
    choose(node ? shownByPath(node.path) : null);
  });
  drawing.addEventListener("wheel", (e) => {
    e.preventDefault();
    const box = drawing.getBoundingClientRect();
    zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), e.clientX - box.left, e.clientY - box.top);
  }, {passive: false});
}

/** What the note was about may be gone or elsewhere after any of these. */
function setUpTip() {
  for (const kind of ["pointerdown", "click", "wheel", "scroll", "keydown"]) addEventListener(kind, hideTip, {capture: true, passive: true});
}

function setUpKeys() {
  const keys = {
    "[": () => goToStage(view.stage - 1), "]": () => goToStage(view.stage + 1), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": () => (fit(), move()),
    ArrowLeft: () => ((view.x += 60), move()), ArrowRight: () => ((view.x -= 60), move()), ArrowUp: () => ((view.y += 60), move()), ArrowDown: () => ((view.y -= 60), move()),
    n: () => step(1), p: () => step(-1), "/": () => byId("search").focus(), Escape: () => choose(null),
    Enter: () => { const node = shownByPath(view.chosen); if (node && node.groups) toggle(node), choose(shownByPath(node.path)); },
  };
  addEventListener("keydown", (e) => {
    if (!byId("graph").classList.contains("shown") || e.ctrlKey || e.metaKey || e.altKey) return;
    if (["INPUT", "BUTTON", "SUMMARY"].includes(e.target.tagName) || !keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  });
  byId("search").addEventListener("input", () => (findMatches(), markMatches()));
  byId("search").addEventListener("keydown", (e) => {
    if (e.key === "Enter" && view.matches.size) step(e.shiftKey ? -1 : 1);
    else if (e.key === "Enter") byId("found").querySelector("a")?.click();
    if (e.key === "Escape") e.target.value = "", findMatches(), markMatches(), byId("drawing").focus();
  });
}

function openAll(open) {
  view.open.clear();
  const visit = (node) => { if (node.groups) { if (open && node.parent) view.open.add(node.path); node.children.forEach(visit); } };
  visit(view.tree.root);
  draw(false);
  choose(null);
}

/** At first as much is open as can be seen at once. */
function openSome() {
  for (let round = 0; round < 4; ++round) {
    const closed = view.shown.filter((n) => n.groups && n.parent && !isOpen(n)), next = closed.filter((n) => n.children.length <= 24);
    const count = view.shown.length + next.reduce((sum, n) => sum + n.children.length, 0);
    if (next.length === 0 || count > (round === 0 ? 45 : 28)) return;
    for (const node of next) view.open.add(node.path);
    draw(false);
  }
}

function showLegend() {
  const entry = (mark, text) => make("span", {}, mark, text), edge = (style, text) => entry(make("i", {class: "line", style}), text);
  byId("legend").replaceChildren(...["forward", "backward", "update", "input"].map((name) => entry(make("i", {style: `background:var(--${name})`}), name)),
    ...(facts.profile ? [entry(make("i", {style: "background:var(--hot)"}), "share of the step's time")] : []),
    edge("border-top: 4px solid var(--dim); opacity: .5", "many values"), edge("border-top: 1.5px dashed var(--dim)", "to a box above"), edge("border-top: 2px solid var(--link)", "of the chosen box"),
    entry(make("i", {class: "frame", style: "border: 1px dashed var(--dim)"}), "open layer"),
    entry(make("i", {class: "frame", style: "border: 2px solid var(--new)"}), "new in this pass"), entry(make("i", {class: "frame", style: "border: 2px solid var(--edited)"}), "changed"));
}

function start() {
  const last = stageAt(lastStage), parts = [`target ${facts.target}`, `${facts.graph.stages.length > 1 ? `${stageAt(0).ops.length} ops recorded, ` : ""}${last.ops.length} as it runs`];
  if (facts.fusion) parts.push(`${facts.fusion.calls.length} kernels and library calls`);
  if (facts.memory && facts.memory.arena_bytes !== null) parts.push(`arena ${bytesText(facts.memory.arena_bytes)}`);
  if (facts.profile) parts.push(`${microsText(facts.profile.step.us)} a step`);
  byId("summary").textContent = parts.join(" · ");
  byId("pass").max = lastStage;
  byId("pass").addEventListener("input", (e) => goToStage(Number(e.target.value)));
  showLegend();
  document.querySelectorAll("nav button").forEach((button) => button.addEventListener("click", () => showTab(button.dataset.tab)));
  byId("open-all").onclick = () => openAll(true), byId("close-all").onclick = () => openAll(false);
  byId("zoom-in").onclick = () => zoom(1.25), byId("zoom-out").onclick = () => zoom(0.8), byId("fit").onclick = () => (fit(), move());
  setUpPointer();
  setUpTip();
  setUpKeys();
  showLoss();
  const wanted = location.hash.slice(1);
  showTab("graph");
  showDetails(null);
  draw(false);
  openSome();
  if (wanted && document.querySelector(`nav [data-tab="${CSS.escape(wanted)}"]`)) showTab(wanted);
  addEventListener("beforeprint", () => Object.keys(shows).forEach((name) => { if (!made.has(name)) made.add(name), shows[name](); }));
}
start();
