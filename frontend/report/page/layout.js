// Where boxes stand: in rows, each below all that it reads.

/**
 * Nodes {w, h, order} get x and y (of their middle, top); edges are [from, to] by place in the list. Returns {w, h} of it all. An edge
 * against the order of the program, which there is between layers that read each other, does not count.
 */
function arrange(nodes, edges, gapX = 18, gapY = 34) {
  if (nodes.length === 0) return {w: 0, h: 0};
  const above = nodes.map(() => []), below = nodes.map(() => []);
  for (const [a, b] of edges) if (nodes[a].order < nodes[b].order) above[b].push(a), below[a].push(b);
  const rank = new Array(nodes.length).fill(0);
  const inOrder = nodes.map((_, i) => i).sort((a, b) => nodes[a].order - nodes[b].order);
  for (const i of inOrder) for (const a of above[i]) rank[i] = Math.max(rank[i], rank[a] + 1);
  // What reads nothing here stands right above its first reader.
  for (const i of [...inOrder].reverse())
    if (above[i].length === 0 && below[i].length > 0) rank[i] = Math.max(0, Math.min(...below[i].map((b) => rank[b])) - 1);
  let rows = [];
  for (const i of inOrder) (rows[rank[i]] = rows[rank[i]] || []).push(i);
  rows = rows.filter((row) => row);
  sortRows(rows, above, below);
  rows = rows.flatMap((row) => wrapped(row, nodes, gapX));
  return place(rows, nodes, above, below, gapX, gapY);
}

/** Neighbours in other rows near each other: each row by the mean place of what it reads, then of what reads it, some times. */
function sortRows(rows, above, below) {
  const at = new Map();
  const note = (row) => row.forEach((i, k) => at.set(i, (k + 0.5) / row.length));
  rows.forEach(note);
  const sweep = (row, next) => {
    const mean = new Map(row.map((i) => [i, next[i].length ? next[i].reduce((s, n) => s + at.get(n), 0) / next[i].length : at.get(i)]));
    row.sort((a, b) => mean.get(a) - mean.get(b));
    note(row);
  };
  for (let round = 0; round < 4; ++round) {
    for (const row of rows) sweep(row, above);
    for (const row of [...rows].reverse()) sweep(row, below);
  }
}

/** A row that is too wide to be seen becomes several. */
function wrapped(row, nodes, gap) {
  const widest = 1500, all = [[]];
  let width = 0;
  for (const i of row) {
    if (width > 0 && width + nodes[i].w > widest) all.push([]), (width = 0);
    all[all.length - 1].push(i);
    width += nodes[i].w + gap;
  }
  return all;
}

function place(rows, nodes, above, below, gapX, gapY) {
  for (const row of rows) {
    let x = -row.reduce((sum, i) => sum + nodes[i].w + gapX, -gapX) / 2;
    for (const i of row) (nodes[i].x = x + nodes[i].w / 2), (x += nodes[i].w + gapX);
  }
  const pull = (row, next) => {
    const wish = row.map((i) => (next[i].length ? next[i].reduce((s, n) => s + nodes[n].x, 0) / next[i].length : nodes[i].x));
    // Left to right no closer than the gap; then the whole row to where it wants to be on average.
    let edge = -Infinity;
    row.forEach((i, k) => {
      nodes[i].x = Math.max(wish[k], edge + nodes[i].w / 2);
      edge = nodes[i].x + nodes[i].w / 2 + gapX;
    });
    const shift = row.reduce((s, i, k) => s + wish[k] - nodes[i].x, 0) / row.length;
    for (const i of row) nodes[i].x += shift;
  };
  for (let round = 0; round < 3; ++round) {
    for (const row of rows) pull(row, above);
    for (const row of [...rows].reverse()) pull(row, below);
  }
  let y = 0;
  for (const row of rows) {
    for (const i of row) nodes[i].y = y;
    y += Math.max(...row.map((i) => nodes[i].h)) + gapY;
  }
  const left = Math.min(...nodes.map((n) => n.x - n.w / 2)), right = Math.max(...nodes.map((n) => n.x + n.w / 2));
  for (const node of nodes) node.x -= left;
  return {w: right - left, h: y - gapY};
}
