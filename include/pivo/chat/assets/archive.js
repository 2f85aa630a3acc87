// The archive page: repositories, and one of them with its snapshots, files, commits and checks. The hash says where.

import { card, current } from "./card.js";
import { code, diff } from "./draw.js";
import { ago, bytes, count, el, icon, onward, plain, request, svg, time, utc } from "./ui.js";

const page = document.getElementById("page");
const dialog = document.getElementById("dialog");
const TABS = { snapshots: "Snapshots", files: "Files", commits: "Commits", compare: "Compare", lost: "Lost commits", checks: "Checks and restores" };
let me = { why_not: { pivo_restore: "One moment." } };
let turn = 0; // of drawing: what comes late for a page that was left is dropped

const here = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const to = (where) => "#" + new URLSearchParams(Object.entries(where).filter(([, v]) => v !== undefined && v !== "")).toString();
const api = (what, query) => request(`api/archive/${what}?${new URLSearchParams(Object.entries(query).filter(([, v]) => v !== undefined && v !== ""))}`);
const short = (hash) => el("span", { class: "mono", title: hash }, String(hash || "").slice(0, 10));
const link = (where, ...children) => el("a", { href: to(where) }, ...children);
const pill = (text, kind = "") => el("span", { class: `pill ${kind}` }, text);

function chart(points, big = false) {
  if (points.length < 2) return el("span", { class: "soft" }, points.length ? "one snapshot" : "–");
  const [width, height] = big ? [640, 120] : [120, 28];
  const top = Math.max(...points.map((p) => p.bytes)) || 1;
  // A step for each snapshot: its size stands until the next one.
  const at = points.map((p, i) => [(i / points.length) * width, height - 2 - (p.bytes / top) * (height - 6)].map((n) => n.toFixed(1)));
  const line = at.map(([x, y], i) => (i ? `H${x}V${y}` : `M${x} ${y}`)).join("") + `H${width}`;
  const said = `From ${bytes(points[0].bytes)} to ${bytes(points.at(-1).bytes)} over the last ${count(points.length, "snapshot")}`;
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: big ? "chart big" : "chart", role: "img", "aria-label": said, preserveAspectRatio: "none" },
    svg("path", { class: "area", d: `${line}V${height}H0Z` }), svg("path", { class: "line", d: line }));
  return el("span", { title: said }, drawn);
}

function verified(row) {
  if (!row.last_verified_at) return pill("not verified");
  const when = ` ${ago(row.last_verified_at)}`;
  return row.verified_ok ? pill("verified" + when, "good") : pill("damage found" + when, "bad");
}

// Its age against its promise; told when it is known, which nothing else waits for.
let promises = null;
function promise(row) {
  promises ??= request("api/health").then((found) => new Map(found.repositories.map((one) => [one.name, one]))).catch(() => new Map());
  const place = el("span", { hidden: true });
  promises.then((known) => {
    const one = known.get(row.repo_name);
    if (!one || one.promise === null) return;
    const hours = `${one.promise.toLocaleString("en")} h`;
    place.replaceWith(one.late ? pill(`late: promised every ${hours}`, "bad") : pill(`within its ${hours}`, "good"));
  });
  return place;
}

// ---- all repositories

async function repositories(where, mine) {
  const search = el("input", { type: "search", value: where.text || "", placeholder: "Find a repository", "aria-label": "Find a repository" });
  const sort = el("select", { "aria-label": "Order" }, [["name", "By name"], ["oldest", "Oldest first"], ["newest", "Newest snapshot"], ["size", "Largest"], ["commits", "Most commits"]]
    .map(([value, label]) => el("option", { value, selected: value === (where.sort || "name") }, label)));
  const go = () => { location.hash = to({ text: search.value.trim(), sort: sort.value === "name" ? "" : sort.value }); };
  search.addEventListener("change", go);
  sort.addEventListener("change", go);
  const data = await api("repositories", { text: where.text, sort: where.sort });
  if (mine !== turn) return;
  const t = data.totals;
  const body = el("tbody");
  const add = (rows) => body.append(...rows.map(repositoryRow));
  add(data.rows);
  page.replaceChildren(
    el("div", { class: "head" }, el("div", { class: "grow" }, el("h1", {}, "Archive"),
      el("p", { class: "soft" }, [count(t.repositories, "repository", "repositories"), count(t.commits, "commit"), count(t.snapshots, "snapshot"), bytes(t.bytes)].join(" · "))),
    el("div", { class: "filters" }, search, sort)),
    data.rows.length ? el("div", { class: "box" }, el("div", { class: "scroll free", tabindex: "0", role: "region", "aria-label": "Repositories" },
      el("table", { class: "rows wide" }, el("thead", {}, el("tr", {}, ["Repository", "Last snapshot", "Snapshots", "Commits", "Size", "Growth", "State"]
        .map((name) => el("th", { scope: "col", class: ["Snapshots", "Commits", "Size"].includes(name) ? "num" : "" }, name)))), body)))
      : el("p", { class: "soft" }, where.text ? `No repository has “${plain(where.text)}” in its name.` : ["Nothing is archived yet: ", el("code", {}, "pivo ingest"), " takes the first snapshot."]),
    more(data, (next) => api("repositories", { text: where.text, sort: where.sort, offset: next }), add));
}

function repositoryRow(row) {
  return el("tr", {}, el("td", {}, link({ repo: row.repo_name }, el("b", {}, plain(row.repo_name)))),
    el("td", { class: "short" }, time(row.last_checked_at || row.last_snapshot_at)),
    el("td", { class: "num" }, row.snapshots.toLocaleString("en")), el("td", { class: "num" }, row.commits.toLocaleString("en")),
    el("td", { class: "num" }, bytes(row.size || 0)), el("td", {}, chart(row.growth)),
    el("td", {}, el("span", { class: "pills" }, promise(row), verified(row), row.rewritten ? pill("rewritten", "warn") : null)));
}

function more(data, fetchNext, add) {
  const next = (at) => (at == null ? null : async () => {
    const found = await fetchNext(at);
    return { data: found.rows, next: next(found.next) };
  });
  return onward("More", next(data.next), add, page) || "";
}

// ---- one repository

async function repository(where, mine) {
  const data = await api("repository", { repo: where.repo });
  if (mine !== turn) return;
  const facts = data.facts;
  const tab = TABS[where.tab] ? where.tab : "snapshots";
  const panel = el("div", { class: "panel" }, el("p", { class: "wait" }, "Reading"));
  const fact = (label, ...value) => el("div", {}, el("dt", {}, label), el("dd", {}, ...value));
  page.replaceChildren(
    el("p", { class: "crumbs" }, el("a", { href: "#" }, "Archive"), " /"),
    el("div", { class: "head" }, el("h1", { class: "grow" }, plain(where.repo)), el("span", { class: "pills" }, promise(facts), verified(facts), facts.rewritten ? pill("rewritten", "warn") : null),
      restoreButton(where.repo, "HEAD", "Restore…")),
    tab !== "snapshots" ? "" : el("div", { class: facts.growth.length > 1 ? "facts" : "facts alone" },
      el("dl", {}, fact("Last snapshot", time(facts.last_snapshot_at)), fact("Last looked at", time(facts.last_checked_at)), fact("Last commit", time(facts.last_commit_time)),
        fact("Head", short(facts.last_commit_hash), " ", plain((facts.head_ref || "").replace("refs/heads/", ""))),
        fact("Commits", facts.commits.toLocaleString("en")), fact("Size in the archive", bytes(facts.size || 0)), fact("Source", el("span", { class: "mono" }, plain(facts.source || "–")))),
      facts.growth.length > 1 ? el("figure", { class: "growth" }, chart(facts.growth, true), el("figcaption", {}, `Size after each of the last ${facts.growth.length} snapshots`)) : null),
    el("nav", { class: "tabs", "aria-label": "Views of the repository" }, Object.entries(TABS).map(([name, label]) =>
      el("a", { href: to({ repo: where.repo, tab: name }), "aria-current": name === tab ? "page" : null }, label,
        name === "checks" && data.findings.length ? pill(String(data.findings.length), "bad") : null))),
    panel);
  const drawn = await { snapshots, files, commits, compare, lost, checks }[tab](where, data);
  if (mine === turn) panel.replaceChildren(...[drawn].flat().filter(Boolean));
}

function actions(repo, commit, label, parent) {
  return el("span", { class: "actions" }, link({ repo, tab: "files", ref: commit }, "Browse"),
    parent === null ? null : link({ repo, tab: "compare", old: parent, new: commit }, "Changes"), restoreButton(repo, commit, "Restore…", label));
}

async function snapshots({ repo }) {
  const data = await api("snapshots", { repo });
  const list = el("ol", { class: "timeline" });
  const rows = [];
  const draw = () => list.replaceChildren(...rows.map((row, i) => {
    const before = rows[i + 1];
    const moved = row.commits || (before && before.commit_hash !== row.commit_hash);
    return el("li", { class: moved ? "" : "still" },
      el("div", { class: "line1" }, el("b", {}, `Snapshot ${row.seq}`), time(row.taken_at), el("span", { class: "soft" }, `${utc(row.taken_at)} UTC`), el("span", { class: "grow" }),
        actions(repo, row.commit_hash, `snapshot ${row.seq}`, before ? before.commit_hash : null)),
      el("div", { class: "line2" }, short(row.commit_hash), row.commits ? pill(`+${count(row.commits, "commit")}`, "good") : pill("no new commits"),
        el("span", {}, count(row.files, "file")), el("span", {}, count(row.refs, "ref")), el("span", {}, `+${bytes(row.size || 0)}`),
        row.incomplete ? pill(`${count(row.incomplete, "LFS object")} missing`, "warn") : null),
      el("div", { class: "path mono" }, plain(row.hdfs_path)));
  }));
  const add = (next) => { rows.push(...next); draw(); };
  add(data.rows);
  return [list, more(data, (before) => api("snapshots", { repo, before }), add)];
}

async function commits({ repo }, _, isLost = false) {
  const data = await api("commits", { repo, lost: isLost || undefined });
  const body = el("tbody");
  const add = (rows) => body.append(...rows.map((row) => el("tr", {}, el("td", { class: "short mono" }, short(row.hash)),
    el("td", { class: "long" }, plain(row.subject || "(no message)"), " ", row.lost && !isLost ? pill("lost", "warn") : null, row.parents > 1 ? pill("merge") : null),
    el("td", {}, plain(row.author_name)), el("td", { class: "short" }, time(row.commit_time)), el("td", { class: "short" }, actions(repo, row.hash, row.hash.slice(0, 10))))));
  add(data.rows);
  if (!data.rows.length) return el("p", { class: "soft" }, isLost ? "None: every archived commit is still reached by a branch or tag." : "No commits.");
  return [el("div", { class: "box" }, el("div", { class: "scroll free", tabindex: "0", role: "region", "aria-label": "Commits" }, el("table", { class: "rows commits" },
    el("thead", {}, el("tr", {}, ["Commit", "Subject", "Author", "Committed", ""].map((name) => el("th", { scope: "col" }, name || el("span", { class: "hidden" }, "Actions"))))), body))),
    more(data, (offset) => api("commits", { repo, lost: isLost || undefined, offset }), add)];
}

async function lost(where, data) {
  const drawn = await commits(where, data, true);
  const updates = data.rewrites.map((row) => el("li", {}, pill(row.change, "warn"), " ", el("b", { class: "mono" }, plain(row.name)), ` in snapshot ${row.snapshot_seq}, `, time(row.seen_at),
    " · was ", short(row.old), row.new ? [" → ", short(row.new)] : null));
  return [el("p", { class: "soft" }, "Commits that no branch or tag reaches any more. They stay in the archive, and can be brought back."), drawn,
    updates.length ? [el("h2", {}, "What took them away"), el("ul", { class: "plainlist" }, updates)] : null].flat(2);
}

function refPicker(repo, data, value, onpick) {
  const input = el("input", { value, list: "refs", "aria-label": "Commit, branch, tag or date", spellcheck: "false", placeholder: "HEAD, a branch, a tag, a hash, @2026-11-20" });
  const options = el("datalist", { id: "refs" }, data.refs.map((ref) => el("option", { value: ref.name.replace(/^refs\/(heads|tags)\//, "") })));
  input.addEventListener("change", () => onpick(input.value.trim() || "HEAD"));
  return [input, options];
}

async function files({ repo, ref = "HEAD", path = "", line = "1" }, data) {
  const found = await api("content", { repo, ref, path, line });
  const parts = path ? path.split("/") : [];
  const crumbs = el("span", { class: "crumbs mono" }, link({ repo, tab: "files", ref }, plain(repo.split("/").at(-1))),
    parts.map((part, i) => [" / ", i < parts.length - 1 ? link({ repo, tab: "files", ref, path: parts.slice(0, i + 1).join("/") }, plain(part)) : plain(part)]));
  const bar = el("div", { class: "bar" }, refPicker(repo, data, ref, (picked) => { location.hash = to({ repo, tab: "files", ref: picked, path }); }), crumbs, el("span", { class: "grow" }),
    el("span", { class: "soft" }, "at ", short(found.commit)));
  if (found.kind === "folder") {
    const rows = found.entries.map((entry) => el("li", {}, icon({ folder: "folder", link: "link", submodule: "link" }[entry.kind] || "file"),
      entry.kind === "submodule" ? el("span", {}, plain(entry.name)) : link({ repo, tab: "files", ref, path: entry.path }, plain(entry.name)),
      ["link", "submodule", "program"].includes(entry.kind) ? el("span", { class: "soft" }, entry.kind) : null));
    return [bar, rows.length ? el("ul", { class: "files" }, rows) : el("p", { class: "soft" }, "An empty folder.")];
  }
  const save = el("a", { class: "tiny", href: `api/archive/download?${new URLSearchParams({ repo, ref: found.commit, path })}`, download: "" }, icon("down"), "Download");
  if (found.binary) return [bar, el("div", { class: "box" }, el("p", { class: "note filenote" }, `A binary file of ${bytes(found.bytes)}. `, save))];
  if (!found.view) return [bar, el("div", { class: "box" }, el("p", { class: "note" }, "An empty file."))];
  const next = (from) => (from ? async () => {
    const { view } = await api("content", { repo, ref: found.commit, path, line: from });
    return { data: view, next: next(view.next_line) };
  } : null);
  return [bar, code(found.view, [el("span", {}, bytes(found.bytes)), save], next(found.view.next_line)),
    Number(line) > 1 ? el("p", {}, link({ repo, tab: "files", ref, path }, "From the beginning")) : null];
}

async function compare({ repo, old = "", new: later = "HEAD", path = "" }, data) {
  const field = (label, name, value, hint) => el("label", {}, label, el("input", { name, value, list: "refs", placeholder: hint, spellcheck: "false" }));
  const form = el("form", { class: "bar compare" }, field("From", "old", old, "the commit before"), field("To", "new", later, "HEAD"), field("Path", "path", path, "everything"),
    el("datalist", { id: "refs" }, data.refs.map((ref) => el("option", { value: ref.name.replace(/^refs\/(heads|tags)\//, "") }))), el("button", { type: "submit", class: "small" }, "Compare"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = to({ repo, tab: "compare", ...Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, v.trim()])) });
  });
  const part = (on = {}) => api("diff", { repo, old, new: later || "HEAD", path, ...on });
  const next = (found) => (found.next ? async () => { const data = await part(found.next); return { data, next: next(data) }; } : null);
  const shown = await part().catch((err) => err);
  if (shown instanceof Error) return [form, el("p", { class: "error", role: "alert" }, plain(shown.message))];
  const said = el("p", {}, el("span", { class: "soft" }, shown.old ? short(shown.old) : "nothing", " → ", short(shown.new)), "  ", plain(shown.explanation).replaceAll("`", ""));
  return [form, said, diff(shown, next(shown))];
}

async function checks({ repo }, data) {
  const table = (heads, rows) => el("div", { class: "box" }, el("div", { class: "scroll free", tabindex: "0", role: "region", "aria-label": heads[0] },
    el("table", {}, el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, rows))));
  const td = (...children) => el("td", {}, ...children);
  return [
    el("h2", {}, "Verifications"),
    data.verifications.length ? table(["How", "When", "Result", "Looked at"], data.verifications.map((v) => el("tr", {}, td(v.mode), td(time(v.verified_at)),
      td(v.ok ? pill("nothing wrong", "good") : pill(count(v.findings, "finding"), "bad")), td([count(v.snapshots, "snapshot"), count(v.files, "file"), bytes(v.size || 0), v.objects ? count(v.objects, "object") : ""].filter(Boolean).join(" · ")))))
      : el("p", { class: "soft" }, "Not verified yet. The nightly DAG pivo_verify does it, or ", el("code", {}, "pivo verify"), "."),
    data.findings.length ? [el("h2", {}, "Findings of the last one"), table(["What", "Where", "Detail"], data.findings.map((f) => el("tr", {}, td(pill(f.kind, "bad")), td(el("span", { class: "mono" }, plain([f.snapshot, f.file].filter(Boolean).join("/")))), td(plain(f.detail)))))] : null,
    el("h2", {}, "Restores"),
    data.restores.length ? table(["Commit", "To", "By", "Asked", "State"], data.restores.map((r) => el("tr", {}, td(short(r.commit_hash)), td(plain(r.target)), td(plain(r.who)), td(time(r.requested_at)),
      td(pill(r.state, { pushed: "good", failed: "bad" }[r.state] || "accent"))))) : el("p", { class: "soft" }, "Never restored."),
  ].flat().filter(Boolean);
}

// ---- restoring

function restoreButton(repo, ref, label, about = "") {
  return el("button", { type: "button", class: "quiet small", "aria-label": about ? `Restore ${about}` : null, onclick: () => restore(repo, ref) }, label);
}

const close = () => el("button", { type: "button", class: "bare", "aria-label": "Close", onclick: () => dialog.close() }, icon("cross"));

function restore(repo, ref) {
  const commit = el("input", { name: "ref", value: ref, required: true, spellcheck: "false", maxlength: "255" });
  const target = el("input", { name: "target", placeholder: "a new name beside the original", spellcheck: "false", maxlength: "512" });
  const told = el("p", { class: "told", role: "status" }, plain(me.why_not.pivo_restore) || "Next you see every detail. Nothing is started before you confirm.");
  const propose = el("button", { type: "submit", disabled: Boolean(me.why_not.pivo_restore) }, "See the proposal");
  const form = el("form", { class: "fields" }, el("label", {}, "Commit, branch, tag or @date", commit), el("label", {}, "Into (owner/name)", target), el("div", { class: "buttons" }, propose, told));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    propose.disabled = true;
    told.className = "told";
    told.textContent = "Checking the archive and the target…";
    try {
      shown(await request("api/proposals", { repo, ref: commit.value.trim(), target: target.value.trim() }));
    } catch (err) {
      told.className = "told error";
      told.textContent = plain(err.message);
      propose.disabled = false;
    }
  });
  dialog.replaceChildren(el("header", {}, el("h2", { id: "dialog-title", class: "grow" }, `Restore ${plain(repo)}`), close()), form);
  if (!dialog.open) dialog.showModal();
  target.focus();
}

const KEPT = "pivo.archive.proposal"; // in this tab: a reload shows the card again

function shown(proposal) {
  try { sessionStorage.setItem(KEPT, proposal.id); } catch { /* then a reload closes it */ }
  dialog.replaceChildren(el("header", {}, el("h2", { id: "dialog-title", class: "grow" }, `Restore ${plain(proposal.arguments.repo || "")}`), close()), card(proposal, me));
  if (!dialog.open) dialog.showModal();
}

dialog.addEventListener("close", () => {
  try { sessionStorage.removeItem(KEPT); } catch { /* nothing was kept */ }
  dialog.replaceChildren();
});

// ---- where we are

async function draw() {
  const mine = ++turn;
  promises = null;
  const where = here();
  document.title = where.repo ? `PIVO · ${where.repo}` : "PIVO · Archive";
  try {
    await (where.repo ? repository : repositories)(where, mine);
  } catch (err) {
    if (mine !== turn) return;
    const told = el("p", { class: "error", role: "alert" }, plain(err.message));
    const panel = page.querySelector(".panel");
    if (panel) panel.replaceChildren(told);
    else page.replaceChildren(el("h1", {}, "Archive"), told, el("p", {}, el("a", { href: "#" }, "All repositories")));
  }
}

addEventListener("hashchange", () => { draw(); page.focus({ preventScroll: true }); });
request("api/me").then((data) => { me = data; }).catch(() => {}).then(async () => {
  draw();
  let open = null;
  try { open = sessionStorage.getItem(KEPT); } catch { /* nothing was kept */ }
  if (open) {
    const now = await current({ id: open, details: {}, arguments: {}, state: "expired" });
    if (now.digest) shown(now);
  }
});
