// Draws what a tool found: tables, code, diffs, and the line that tells how it was found.

import { bytes, copier, count, el, icon, onward, plain, say } from "./ui.js";

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)$/;
const BYTES = new Set(["size", "bytes"]);
const LABELS = { short_hash: "commit", hash: "full hash", commit_hash: "commit", author_name: "author", commit_time: "time (UTC)",
  repo_name: "repository", hdfs_path: "in HDFS", taken_at: "taken (UTC)", requested_at: "asked (UTC)", last_snapshot_at: "last snapshot (UTC)",
  last_checked_at: "last checked (UTC)", last_commit_time: "last commit (UTC)", verified_at: "verified (UTC)", finished_at: "finished (UTC)" };

function cell(column, value) {
  if (value === null) return "–";
  if (BYTES.has(column) && typeof value === "number") return bytes(value);
  if (typeof value === "number") return value.toLocaleString("en");
  if (TIME.test(value)) return value.slice(0, 16).replace("T", " ");
  return plain(value);
}

// `next` fetches what comes after a view that was cut; null where it is whole.
export function view(data, next = null) {
  if (!data) return null;
  return { table, code: (one) => code(one, [], next), diff }[data.kind]?.(data, next) ?? null;
}

// Cells that a spreadsheet would take for a formula get an apostrophe.
function csv(columns, rows) {
  const quoted = (value) => {
    let text = value === null ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}

function save(name, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function table(data, next) {
  const all = [...data.rows];
  if (!data.rows.length || (data.rows.length === 1 && data.columns.length === 1)) return null;
  // A full hash beside its short form is left to the CSV; a repository that all rows have stands above them, once.
  const kept = data.columns.map((c, i) => i).filter((i) => !(data.columns[i] === "hash" && data.columns.includes("short_hash")));
  const number = (i) => all.every((row) => row[i] === null || typeof row[i] === "number");
  const where = data.columns.length > 3 ? data.columns.indexOf("repo_name") : -1;
  const repo = el("b");
  const body = el("tbody");
  let sorted = null;
  const fill = () => {
    const rows = [...all];
    const one = where >= 0 && all.length > 1 && all.every((row) => row[where] === all[0][where]);
    const shown = kept.filter((i) => !one || i !== where);
    if (where >= 0) heads[kept.indexOf(where)].hidden = one;
    repo.textContent = one ? plain(all[0][where]) : "";
    repo.hidden = !one;
    if (sorted) {
      const { column, down } = sorted;
      rows.sort((a, b) => (down ? -1 : 1) * ((a[column] === null) - (b[column] === null)
        || (typeof a[column] === "number" && typeof b[column] === "number" ? a[column] - b[column]
          : String(a[column]).localeCompare(String(b[column]), "en", { numeric: true }))));
    }
    const wraps = new Set(shown.filter((i) => all.some((row) => cell(data.columns[i], row[i]).length > 25)));
    body.replaceChildren(...rows.map((row) => el("tr", {}, shown.map((i) => {
      const text = cell(data.columns[i], row[i]);
      const kind = number(i) ? "num" : /hash$/.test(data.columns[i]) ? "short mono" : wraps.has(i) ? "wrap" : "short";
      return el("td", { class: kind }, /hash$/.test(data.columns[i]) && text.length === 40 ? el("span", { title: text }, text.slice(0, 10)) : text);
    }))));
  };
  const heads = kept.map((i) => {
    const head = el("th", { scope: "col", class: number(i) ? "num" : "" });
    head.append(el("button", { type: "button", onclick: () => {
      sorted = { column: i, down: sorted?.column === i && !sorted.down };
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      fill();
    } }, LABELS[data.columns[i]] || data.columns[i].replaceAll("_", " ")));
    return head;
  });
  fill();
  const text = () => csv(data.columns, all);
  const said = el("span", { class: "grow" });
  const tell = (more) => { said.textContent = count(all.length, "row") + (more ? ", and there are more" : ""); };
  tell(data.truncated);
  if (data.truncated && !next) said.textContent += ": ask for fewer or a shorter period";
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    el("table", {}, el("thead", {}, el("tr", {}, heads)), body));
  const take = (found, more) => {
    const first = all.length;
    all.push(...found.rows);
    fill();
    tell(more);
    say(count(found.rows.length, "more row"));
    if (!sorted && body.rows[first]) scroll.scrollTop = body.rows[first].offsetTop - heads[0].offsetHeight;
  };
  return el("figure", { class: "box" },
    el("figcaption", {}, repo, said, copier(text), el("button", { type: "button", class: "tiny", onclick: () => save("pivo.csv", text()) }, icon("down"), "CSV")),
    scroll, onward("More rows", next, take, scroll));
}

export function code(data, extra = [], next = null) {
  const note = data.note ? el("p", { class: "note" }, plain(data.note)) : null;
  if (!data.text) return note;
  const lines = el("div", { class: "lines" });
  const range = el("span");
  const texts = [];
  const add = (part) => {
    const own = part.text.split("\n");
    own.forEach((line, i) => {
      const text = el("code");
      // Markup that the server made of Pygments' tokens, everything else escaped.
      if (part.html && part.html[i] !== undefined) text.innerHTML = part.html[i];
      else text.textContent = plain(line);
      lines.append(el("i", {}, String(part.first_line + i)), text);
    });
    texts.push(part.text);
    const last = part.first_line + own.length - 1;
    range.textContent = part.next_line || data.first_line > 1 ? `lines ${data.first_line.toLocaleString("en")}–${last.toLocaleString("en")} of ${data.total_lines.toLocaleString("en")}` : count(data.total_lines, "line");
  };
  add(data);
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": plain(data.path) }, lines);
  const wrap = data.text.split("\n").some((line) => line.length > 90) ? el("button", { type: "button", class: "tiny", "aria-pressed": "false", onclick: () => {
    wrap.setAttribute("aria-pressed", String(lines.classList.toggle("wrap")));
  } }, "Wrap lines") : null;
  const take = (part) => {
    const end = lines.lastChild;
    add(part);
    scroll.scrollTop = end.nextSibling.offsetTop - lines.offsetTop;
    say(`On from line ${part.first_line}`);
  };
  return el("figure", { class: "box" },
    el("figcaption", {}, el("b", { class: "mono grow" }, plain(data.path)), range, wrap, copier(() => texts.join("\n")), extra), note,
    scroll, onward("More lines", next, take, scroll));
}

const KINDS = { "+": "add", "-": "del", "@": "hunk", "\\": "said" };

// One file's change; `add` takes the lines that come after those.
function change(file, open) {
  const lines = el("div", { class: "lines two wrap" });
  const note = el("p", { class: "note" });
  let [before, after] = [0, 0];
  const add = (part) => {
    for (const line of part.lines.flatMap((l) => l.split("\n"))) {
      const kind = KINDS[line[0]] || "";
      if (kind === "hunk") {
        const at = /-(\d+)(?:,\d+)? \+(\d+)/.exec(line) || [0, 1, 1];
        [before, after] = [Number(at[1]), Number(at[2])];
      }
      const [left, right] = kind === "hunk" || kind === "said" ? ["", ""] : [kind === "add" ? "" : before++, kind === "del" ? "" : after++];
      lines.append(el("i", { class: kind }, String(left)), el("i", { class: kind }, String(right)), el("code", { class: kind }, plain(line)));
    }
    note.textContent = plain(part.note);
    note.hidden = !part.note;
  };
  add(file);
  const box = el("details", { class: "box file", open },
    el("summary", {}, el("b", { class: "mono grow" }, plain(file.path)),
      { A: el("span", { class: "pill good" }, "added"), D: el("span", { class: "pill bad" }, "deleted"), T: el("span", { class: "pill" }, "type changed") }[file.status],
      el("span", { class: "plus" }, "+" + file.added), el("span", { class: "minus" }, "−" + file.removed)),
    file.lines.length ? el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Diff of ${plain(file.path)}` }, lines) : null, note);
  return { path: file.path, box, add };
}

export function diff(data, next = null) {
  const told = data.by_model ? el("p", { class: "note" }, plain(data.explanation)) : null;
  const boxes = el("div", { class: "stack" });
  const open = data.files.length < 9;
  let last = null;
  const take = (found) => {
    for (const file of found.files) {
      if (last?.path === file.path) last.add(file);
      else boxes.append((last = change(file, open)).box);
    }
    return found.more ? `More files (${found.more.toLocaleString("en")})` : "More lines";
  };
  const label = take(data);
  const rest = data.more && !next ? el("p", { class: "note" }, `${count(data.more, "more file")} changed; ask for one of them.`) : null;
  return el("div", { class: "stack" }, told, boxes, onward(label, next, take, boxes), rest);
}

const TITLES = { query_metadata: "Asked the index", read_file: "Read a file from HDFS", get_file_diff: "Compared two versions from HDFS",
  restore_repo: "Planned a restore", list_repositories: "Listed repositories", list_snapshots: "Listed snapshots", search_history: "Searched the history",
  snapshot_repo: "Planned a snapshot", verify_repo: "Planned a verification", dag_run_status: "Looked at a run" };

export function title(name) { return TITLES[name] || name.replaceAll("_", " "); }

export function tool(result, call) {
  const evidence = result.evidence;
  const list = el("dl");
  const row = (label, value, mono) => value && list.append(el("dt", {}, label),
    el("dd", {}, mono ? el("pre", { tabindex: "0", role: "region", "aria-label": label }, plain(value)) : plain(value), label === "SQL" ? copier(value) : null));
  row("Read as", evidence.read_as);
  row("Arguments", Object.entries(call ? call.arguments : {}).map(([k, v]) => `${k}: ${typeof v === "string" ? v : JSON.stringify(v)}`).join("\n"), true);
  row("SQL", evidence.sql, true);
  row("With", Object.entries(evidence.parameters || {}).map(([k, v]) => `:${k} = ${JSON.stringify(v)}`).join("\n"), true);
  row("Commit", evidence.commit, true);
  row("From", evidence.hdfs_path || evidence.snapshot, true);
  row("Run", evidence.run, true);
  row("Error", result.error);
  return el("details", { class: "tool" + (result.ok ? "" : " failed") },
    el("summary", {}, el("b", {}, title(result.name)), el("span", { class: "grow" }, evidence.read_as ? plain(evidence.read_as) : ""),
      el("span", { class: "took" }, evidence.elapsed < 1 ? `${Math.max(1, Math.round(evidence.elapsed * 1000))} ms` : `${evidence.elapsed.toFixed(1)} s`)), list);
}
