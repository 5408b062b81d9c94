// The arena: time across, addresses up.
function showMemory() {
  const section = byId("memory"), plan = facts.memory;
  if (!plan || plan.arena_bytes === null) {
    section.replaceChildren(make("p", {class: "note"}, "Nothing was planned: the target keeps each value by itself."));
    return;
  }
  const tile = (value, text) => make("div", {class: "tile"}, make("b", {}, value), make("span", {}, spoken(text)));
  const canvas = make("canvas", {id: "arena", class: "plot", "aria-label": "The arena over the step"});
  section.replaceChildren(
    make("div", {class: "tiles"}, tile(bytesText(plan.arena_bytes), "arena: all intermediate values"), tile(bytesText(plan.peak_bytes), `in use at the peak, op ${plan.peak_op}`),
         ...plan.inputs.map((held) => tile(bytesText(held.bytes), `${held.role} (${held.count})`))),
    make("p", {class: "note"}, spoken("Each block is a value of the arena: from the op that makes it to the last that reads it, at its addresses. The red line is the peak, where most is in use. Point at a block to see what it is; click to find its op.")),
    canvas,
    make("h2", {id: "peak"}, `Alive at the peak: ${bytesText(plan.peak_bytes)} in ${plan.at_peak.length} values`), ...valueTable(plan.at_peak.map((i) => plan.values[i])));
  drawArena(canvas, plan);
}

const mostValues = 40;  // that are shown at first

function valueTable(all, most = mostValues) {
  const values = all.slice(0, most), table = make("table", {}, make("tr", {}, ["value", "made by", "layer", "source", "bytes"].map((t) => make("th", t === "bytes" ? {class: "n"} : {}, t))),
    values.map((v) => make("tr", {class: "row", onclick: () => goToValue(v)}, make("td", {class: "code"}, valueText(v), blocksOf(v.type) ? make("div", {class: "note why"}, blocksOf(v.type)) : null), make("td", {}, `${makerText(v)} (${v.phase})`),
                           make("td", {}, placeOfValue(v)), make("td", {class: "code"}, v.source), make("td", {class: "n"}, bytesText(v.bytes)))));
  if (all.length <= most) return [table];
  const note = make("p", {class: "note"}, `${most} of ${all.length} values, the largest. `, make("a", {onclick: () => { table.replaceWith(...valueTable(all, all.length)); note.remove(); }}, "Show all"));
  return [table, note];
}

/** The op of the last stage that makes a value. */
const makerOf = (() => {
  let all = null;
  return (value) => (all ??= new Map(stageAt(lastStage).ops.flatMap((op) => op.names.map((name) => [name, op])))).get(value.name);
})();
const isScratch = (value) => makerOf(value).scratch > 0 && makerOf(value).names.at(-1) === value.name;
/** "%a f32[64,10]"; of memory that a call works in, whose it is: "scratch of %a". */
const valueText = (value) => (isScratch(value) ? `scratch of ${makerOf(value).names[0]}` : `${value.name} ${value.type}`);
const makerText = (value) => labelOf(makerOf(value));
const placeOfValue = (value) => (updateText(makerOf(value)) ? "" : value.layer);

/** In the graph. */
function goToValue(value) {
  const op = makerOf(value);
  showTab("graph");
  goToStage(lastStage);
  reveal(op.id);
}

/** As much of a text as there is room for. */
function cutText(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let count = text.length;
  while (count > 0 && context.measureText(text.slice(0, count) + "…").width > width) --count;
  return count > 2 ? text.slice(0, count) + "…" : "";
}

function drawArena(canvas, plan) {
  const ops = plan.in_use_bytes.length, all = Math.max(1, plan.arena_bytes), left = 64, bottom = 34, top = 14;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const paint = () => {
    const width = canvas.clientWidth || 1000, height = 420, ratio = devicePixelRatio || 1;
    canvas.width = width * ratio, canvas.height = height * ratio, canvas.style.height = height + "px";
    const c = canvas.getContext("2d"), x = (op) => left + (width - left - 8) * op / ops, y = (byte) => height - bottom - (height - bottom - top) * byte / all;
    c.scale(ratio, ratio);
    c.fillStyle = color("--panel"), c.fillRect(left, top, width - left - 8, height - bottom - top);
    for (const v of plan.values) {
      const [x0, x1, y0, y1] = [x(v.first_op), x(v.last_op + 1), y(v.offset + v.bytes), y(v.offset)];
      c.fillStyle = color("--" + v.phase), c.globalAlpha = 0.55, c.fillRect(x0, y0, Math.max(0.5, x1 - x0), Math.max(0.5, y1 - y0));
      c.globalAlpha = 1;
      if (x1 - x0 > 3 && y1 - y0 > 3) c.strokeStyle = color("--paper"), c.lineWidth = 0.6, c.strokeRect(x0, y0, x1 - x0, y1 - y0);
      if (x1 - x0 > 90 && y1 - y0 > 13) c.fillStyle = color("--ink"), c.font = "11px system-ui", c.fillText(cutText(c, isScratch(v) ? valueText(v) : `${v.name} ${makerText(v)}`, x1 - x0 - 8), x0 + 4, y0 + 12);
    }
    c.strokeStyle = color("--ink"), c.lineWidth = 1.4, c.beginPath();
    plan.in_use_bytes.forEach((bytes, op) => (c.lineTo(x(op), y(bytes)), c.lineTo(x(op + 1), y(bytes))));
    c.stroke();
    const peak = x(plan.peak_op + 0.5);
    c.strokeStyle = color("--hot"), c.lineWidth = 2, c.beginPath(), c.moveTo(peak, top), c.lineTo(peak, height - bottom), c.stroke();
    c.fillStyle = color("--hot"), c.font = "600 12px system-ui", c.textAlign = peak > width / 2 ? "right" : "left";
    c.fillText(`peak ${bytesText(plan.peak_bytes)}`, peak + (peak > width / 2 ? -6 : 6), top + 12);
    c.fillStyle = color("--dim"), c.font = "11px system-ui", c.textAlign = "right";
    for (let i = 0; i <= 4; ++i) c.fillText(bytesText(all * i / 4), left - 6, y(all * i / 4) + 4);
    c.textAlign = "center";
    for (let i = 0; i <= 5; ++i) c.fillText(String(Math.round(ops * i / 5)), Math.min(width - 16, x(ops * i / 5)), height - bottom + 14);
    c.fillText("ops of the step, in order; the line is what is in use", left + (width - left) / 2, height - 4);
    canvas.at = (event) => {
      const op = (event.offsetX - left) / (width - left - 8) * ops, byte = (height - bottom - event.offsetY) / (height - bottom - top) * all;
      return plan.values.filter((v) => v.first_op <= op && op < v.last_op + 1 && v.offset <= byte && byte < v.offset + v.bytes).pop();
    };
  };
  canvas.addEventListener("mousemove", (event) => {
    const v = canvas.at(event);
    canvas.style.cursor = v ? "pointer" : "default";
    tip(event, v ? `${isScratch(v) ? valueText(v) : `${valueText(v)} of ${makerText(v)}`}\n${blocksOf(v.type) ? blocksOf(v.type) + "\n" : ""}${placeOfValue(v) ? placeOfValue(v) + ", " : ""}${v.source}\n${bytesText(v.bytes)} at ${v.offset}, ops ${v.first_op} to ${v.last_op}` : "");
  });
  canvas.addEventListener("mouseleave", (event) => tip(event, ""));
  canvas.addEventListener("click", (event) => canvas.at(event) && goToValue(canvas.at(event)));
  addEventListener("resize", paint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();
}
