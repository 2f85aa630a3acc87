// Draws what the agent sends. Text out of repositories is only ever set as text, never as markup.

export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// Control, format and direction-changing characters become visible escapes.
export function plain(value) {
  return String(value).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)$/;
const BYTES = new Set(["size", "bytes"]);
const LABELS = { short_hash: "commit", hash: "full hash", author_name: "author", commit_time: "time (UTC)",
  repo_name: "repository", hdfs_path: "in HDFS", taken_at: "taken (UTC)", requested_at: "asked (UTC)", who: "who" };

function cell(column, value) {
  if (value === null) return "–";
  if (BYTES.has(column) && typeof value === "number") return bytes(value);
  if (typeof value === "number") return value.toLocaleString("en");
  if (TIME.test(value)) return value.slice(0, 16).replace("T", " ");
  return plain(value);
}

export function bytes(count) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (count < 1000) return (unit === "B" ? count : count.toFixed(1)) + " " + unit;
    count /= 1000;
  }
  return count.toFixed(1) + " TB";
}

export function view(data) {
  if (!data) return null;
  if (data.kind === "table") return table(data);
  if (data.kind === "code") return code(data);
  if (data.kind === "diff") return diff(data);
  return null;
}

function table(data) {
  if (!data.rows.length || (data.rows.length === 1 && data.columns.length === 1)) return null;
  // A full hash beside its short form is left to the tool's line.
  const kept = data.columns.map((c, i) => i).filter((i) => !(data.columns[i] === "hash" && data.columns.includes("short_hash")));
  const number = (i) => data.rows.every((row) => row[i] === null || typeof row[i] === "number");
  const head = el("tr", {}, ...kept.map((i) =>
    el("th", { scope: "col", class: number(i) ? "num" : "" }, LABELS[data.columns[i]] || data.columns[i].replaceAll("_", " "))));
  const rows = data.rows.map((row) => el("tr", {}, ...kept.map((i) => {
    const text = cell(data.columns[i], row[i]);
    const kind = number(i) ? "num" : text.length < 26 ? "short" : "";
    const hash = /hash$/.test(data.columns[i]);
    return el("td", { class: kind + (hash ? " mono" : "") }, text);
  })));
  const more = data.truncated ? el("p", { class: "note" }, "There are more rows; ask for fewer or a shorter period.") : null;
  return el("div", { class: "box" }, el("div", { class: "scroll", tabindex: "0" },
    el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))), more);
}

function code(data) {
  const note = data.note ? el("p", { class: "note" }, plain(data.note)) : null;
  if (!data.text) return note;
  const lines = el("div", { class: "lines" });
  data.text.split("\n").forEach((line, i) => {
    lines.append(el("i", {}, String(data.first_line + i)), el("code", {}, plain(line)));
  });
  const more = data.next_line
    ? el("p", { class: "note" }, `There is more, from line ${data.next_line} of ${data.total_lines}.`) : null;
  return el("div", { class: "box" }, el("h3", {}, plain(data.path)), note,
    el("div", { class: "scroll", tabindex: "0" }, lines), more);
}

function diff(data) {
  const boxes = data.files.map((file) => {
    const lines = el("div", { class: "lines" });
    let number = 0;
    for (const line of file.lines) {
      const kind = { "+": "add", "-": "del", "@": "hunk" }[line[0]] || "";
      if (kind === "hunk") number = Number((/\+(\d+)/.exec(line) || [0, 1])[1]) - 1;
      else if (kind !== "del" && line[0] !== "\\") number += 1;
      lines.append(el("i", { class: kind }, kind === "hunk" || kind === "del" ? "" : String(number)),
        el("code", { class: kind }, plain(line)));
    }
    const head = el("h3", {}, plain(file.path), el("span", { class: "plus" }, "+" + file.added),
      el("span", { class: "minus" }, "−" + file.removed),
      el("span", {}, { A: "added", D: "deleted", T: "type changed" }[file.status] || ""));
    return el("div", { class: "box" }, head,
      file.lines.length ? el("div", { class: "scroll", tabindex: "0" }, lines) : null,
      file.note ? el("p", { class: "note" }, plain(file.note)) : null);
  });
  const more = data.more ? el("p", { class: "note" }, `${data.more} more files changed; ask for one of them.`) : null;
  return el("div", { class: "answer" }, ...boxes, more);
}

const TITLES = { query_metadata: "Asked the index", read_file: "Read a file from HDFS",
  get_file_diff: "Compared two versions from HDFS", restore_repo: "Planned a restore" };

export function tool(result, call) {
  const evidence = result.evidence;
  const list = el("dl");
  const row = (label, value, mono) => value && list.append(el("dt", {}, label),
    el("dd", {}, mono ? el("pre", {}, plain(value)) : plain(value)));
  row("Arguments", Object.entries(call ? call.arguments : {}).map(([k, v]) => `${k}: ${v}`).join("\n"), true);
  row("Read as", evidence.read_as);
  row("SQL", evidence.sql, true);
  row("With", Object.entries(evidence.parameters || {}).map(([k, v]) => `:${k} = ${JSON.stringify(v)}`).join("\n"), true);
  row("Commit", evidence.commit, true);
  row("From", evidence.hdfs_path || evidence.snapshot, true);
  row("Error", result.error);
  const time = ` · ${Math.max(1, Math.round(evidence.elapsed * 1000))} ms`;
  return el("details", { class: "tool" + (result.ok ? "" : " failed") },
    el("summary", {}, el("b", {}, TITLES[result.name] || result.name),
      (evidence.read_as ? ": " + plain(evidence.read_as) : "") + time), list);
}
