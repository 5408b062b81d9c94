// Where each call stands against what the machine can do: operations a second over operations a byte.
const shareText = (share) => (share > 0 ? `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %` : "");
const kindsOfArithmetic = ["f32", "f64", "bf16"];
const limitOf = (limits, kind) => limits[kind + "_gflops"] || limits.f32_gflops;

const fewOperations = 1000;  // what computes less moves bytes, or waits
const computes = (call) => call.flops >= fewOperations && call.us > 0 && call.bytes > 0;

function showRoofline() {
  const title = make("h2", {id: "roofline"}, "Against the machine's limits"), limits = facts.profile && facts.profile.limits;
  if (!limits)
    return [title, make("p", {class: "note"}, "Unknown. To see here how far each call is from what the machine does at most:"),
      make("ol", {class: "note"}, make("li", {}, make("code", {}, "weft machine"), " measures that, once."), make("li", {}, `Write the report again${facts.profile ? "" : ", of a step that was profiled"}.`)),
      facts.profile ? make("p", {class: "note"}, "Until then, ", make("a", {onclick: () => showTab("calls")}, "Kernels"), " says each call's GFLOP/s and GB/s.") : ""];
  const whole = facts.profile.step, far = calls.filter((call) => call.us > call.least_us).sort((a, b) => b.us - b.least_us - a.us + a.least_us).slice(0, 12);
  const still = calls.filter((call) => !computes(call)), moved = still.reduce((sum, call) => sum + call.us, 0), one = still.length === 1;
  const box = make("div", {class: "plot roofline"});
  const paint = () => box.replaceChildren(rooflineDrawing(box.clientWidth || 1000, limits));
  addEventListener("resize", () => box.isConnected && paint());
  requestAnimationFrame(paint);
  return [title,
    make("p", {class: "note"}, spoken(`At its limits the machine would take ${microsText(whole.least_us)} for what took ${microsText(whole.us)}: ${shareText(whole.share_of_limits)}. ` +
      "Each point is a call, the larger the more time it takes. Under the slopes a call waits for memory, under the flat line for arithmetic; its limit is the slope of the nearest memory that holds all it touches. " +
      "Above are at most convolutions that multiply less often than their sums say (Winograd)." +
      (still.length ? ` ${still.length} call${one ? "" : "s"} that compute${one ? "s" : ""} next to nothing, ${microsText(moved)}, ${one ? "is" : "are"} not drawn.` : ""))),
    box,
    make("p", {class: "note"}, `${limits.threads} thread${limits.threads === 1 ? "" : "s"}: ` +
      [...kindsOfArithmetic.filter((kind) => limits[kind + "_gflops"] > 0).map((kind) => `${kind} ${digits(limits[kind + "_gflops"])} GFLOP/s`), ...limits.memories.map((m) => `${m.name} ${digits(m.gbs)} GB/s`)].join(" · ")),
    make("h3", {}, "Most time above the limit"),
    make("table", {}, make("tr", {}, ["call", "layer", "time", "at the limit", "share"].map((t, i) => make("th", {class: i > 1 ? "n" : ""}, t))),
      far.map((call) => make("tr", {class: "row", onclick: () => goToCall(call)}, make("td", {class: "wide code"}, kernelOf(call.call)), make("td", {}, placeOfCall(call.number)),
        make("td", {class: "n"}, microsText(call.us)), make("td", {class: "n"}, microsText(call.least_us)), make("td", {class: "n"}, shareText(call.least_us / call.us)))))];
}

function goToCall(call) {
  showTab("graph");
  goToStage(lastStage);
  reveal(facts.launches[call.number]);
}

/** Powers of ten between two numbers, with those at the ends. */
function decades(low, high) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) all.push(10 ** power);
  return all;
}
const plainNumber = (n) => (n >= 0.001 && n < 1e5 ? String(Number(n.toPrecision(3))) : n.toExponential(0));

function rooflineDrawing(width, limits) {
  const drawn = calls.filter(computes), height = Math.min(520, Math.max(320, width * 0.5));
  const kinds = kindsOfArithmetic.filter((kind) => kind === "f32" || drawn.some((call) => call.computes_in === kind));
  const roof = Math.max(...kinds.map((kind) => limitOf(limits, kind))), slowest = limits.memories[limits.memories.length - 1].gbs;
  const left = 56, right = 16, top = 16, bottom = 42;
  const intensities = drawn.map((c) => c.flops / c.bytes), rates = drawn.map((c) => c.flops / c.us / 1000);
  const lowX = Math.min(0.03, ...intensities.map((x) => x / 2)), highX = Math.max(4 * roof / slowest, ...intensities.map((x) => x * 2));
  const lowY = Math.min(roof / 1000, ...rates.map((y) => y / 2)), highY = roof * 2.2;
  const span = (low, high, from, to) => (v) => from + (to - from) * (Math.log10(v) - Math.log10(low)) / (Math.log10(high) - Math.log10(low));
  const x = span(lowX, highX, left, width - right), y = span(lowY, highY, height - bottom, top);
  const grid = [
    ...decades(lowX, highX).filter((v) => v >= lowX && v <= highX).flatMap((v) => [make("line", {class: "grid", x1: x(v), x2: x(v), y1: top, y2: height - bottom}), make("text", {class: "small", x: x(v), y: height - bottom + 15, "text-anchor": "middle"}, plainNumber(v))]),
    ...decades(lowY, highY).filter((v) => v >= lowY && v <= highY).flatMap((v) => [make("line", {class: "grid", x1: left, x2: width - right, y1: y(v), y2: y(v)}), make("text", {class: "small", x: left - 6, y: y(v) + 4, "text-anchor": "end"}, plainNumber(v))]),
    make("text", {class: "small", x: (left + width) / 2, y: height - 6, "text-anchor": "middle"}, "operations for each byte (FLOP per byte)"),
    make("text", {class: "small", x: left + 2, y: top - 5}, "GFLOP/s")];
  const flat = kinds.flatMap((kind) => {
    const most = limitOf(limits, kind), nearest = limits.memories[0].gbs;
    // The name stands where the last slope ends: points are further down there.
    return [make("line", {class: "roof", x1: x(Math.max(lowX, most / nearest)), x2: width - right, y1: y(most), y2: y(most)}),
            make("text", {class: "small halo", x: x(most / slowest) + 6, y: y(most) - 5}, kind)];
  });
  const slopes = [], names = [];
  limits.memories.forEach((memory, i) => {
    const from = Math.max(lowX, lowY / memory.gbs), to = roof / memory.gbs, step = 34;
    const slope = (y(to * memory.gbs) - y(from * memory.gbs)) / (x(to) - x(from));
    // Names on their lines, side by side: the lines lie close together.
    const at = Math.min(x(from) + 10 + step * i, x(to)), height = y(from * memory.gbs) + slope * (at - x(from));
    slopes.push(make("line", {class: "roof", x1: x(from), y1: y(from * memory.gbs), x2: x(to), y2: y(to * memory.gbs)}));
    names.push(make("text", {class: "small halo", transform: `translate(${at},${height + 3.5}) rotate(${Math.atan(slope) * 180 / Math.PI})`}, memory.name));
  });
  const most = Math.max(...drawn.map((c) => c.us), 1e-9);
  const points = [...drawn].sort((a, b) => b.us - a.us).map((call) => make("circle", {
    class: "call", cx: x(call.flops / call.bytes), cy: y(call.flops / call.us / 1000), r: 3 + 11 * Math.sqrt(call.us / most), style: `fill:var(--${call.phase});stroke:var(--${call.phase})`, onclick: () => goToCall(call),
    ...withTip(`${kernelOf(call.call)}\n${[...new Set([placeOfCall(call.number), call.source])].join(", ")}\n${microsText(call.us)}, ${shareText(call.least_us / call.us)} of the limit (${microsText(call.least_us)})\n${rateText(call.flops, call.us)} GFLOP/s in ${call.computes_in}, ${rateText(call.bytes, call.us)} GB/s`)}));
  return make("svg", {width, height, role: "img", "aria-label": "Calls against the limits of the machine"}, grid, slopes, names, flat, points);
}
