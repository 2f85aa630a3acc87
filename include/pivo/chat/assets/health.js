// The health page: what needs a person, how far the index is, and how each repository stands. Drawn anew every half minute.

import { bytes, count, el, icon, plain, request, time, utc } from "./ui.js";

const page = document.getElementById("page");

function facts(data) {
  const behind = data.lag ? data.lag.reduce((sum, row) => sum + row.behind, 0) : null;
  const late = data.repositories.filter((row) => row.late).length;
  const pills = [
    behind === null ? ["bad", "Kafka does not answer"] : behind ? ["warn", `index ${count(behind, "message")} behind`] : ["good", "index up to date"],
    late ? ["bad", `${count(late, "repository", "repositories")} late`] : ["good", "no promise missed"],
    data.dead_letters ? ["warn", `${count(data.dead_letters, "unusable message")}`] : null,
    data.spool ? ["warn", `${bytes(data.spool)} of audit records wait on disk`] : null,
  ];
  return el("p", { class: "pills" }, pills.filter(Boolean).map(([kind, text]) => el("span", { class: `pill ${kind}` }, text)));
}

function finding(row) {
  const bad = row.level === "problem";
  return el("div", { role: "listitem" }, el("span", { class: `pill ${bad ? "bad" : "warn"}` }, icon(bad ? "cross" : "stop"), bad ? "needs you" : "notice"), " ",
    plain(row.what), " ", el("span", { class: "soft" }, plain(row.do)));
}

const hours = (number) => number === null ? "–" : number < 2 ? `${Math.round(number * 60)} min` : number < 72 ? `${Math.round(number)} h` : `${Math.round(number / 24)} days`;

function verified(row) {
  const kind = { whole: "good", wrong: "bad", never: "" }[row.verified];
  return [el("span", { class: `pill ${kind}` }, row.verified === "never" ? "not yet" : row.verified),
    row.verified_at ? [" ", el("span", { class: "soft" }, time(row.verified_at))] : null];
}

function repositories(rows) {
  const sorted = [...rows].sort((a, b) => b.late - a.late || (b.verified === "wrong") - (a.verified === "wrong") || a.name.localeCompare(b.name));
  const head = ["Repository", "Looked at", "Promised within", "Last snapshot", "Verified"];
  const body = sorted.map((row) => el("tr", {},
    el("td", {}, el("a", { href: `archive#${new URLSearchParams({ repo: row.name })}` }, plain(row.name)),
      row.late ? [" ", el("span", { class: "pill bad" }, "late")] : null,
      row.incomplete ? [" ", el("span", { class: "pill warn" }, "incomplete")] : null),
    el("td", { class: "short", "data-label": head[1] }, time(row.checked_at)),
    el("td", { class: "short", "data-label": row.promise === null ? null : head[2] }, row.promise === null ? el("span", { class: "soft" }, "nothing promised") : hours(row.promise)),
    el("td", { class: "short", "data-label": head[3] }, row.snapshot_at ? utc(row.snapshot_at) : "never"),
    el("td", { class: "short", "data-label": head[4] }, verified(row))));
  return el("div", { class: "box" }, el("div", { class: "scroll free", tabindex: "0" },
    el("table", { class: "rows" }, el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, body))));
}

async function draw() {
  let data;
  try {
    data = await request("api/health");
  } catch (err) {
    page.replaceChildren(el("p", { class: "error" }, plain(err.message)));
    return;
  }
  const title = data.ok ? "All is well" : "Something needs you";
  page.replaceChildren(el("h1", {}, title), facts(data),
    data.findings.length ? el("div", { class: "stack", role: "list" }, data.findings.map(finding)) : "",
    data.repositories.length ? repositories(data.repositories) : el("p", { class: "soft" }, "Nothing is archived yet."));
  const [day, clock] = utc(data.at).split(" ");
  document.getElementById("when").replaceChildren("as of ", el("span", { class: "day" }, `${day} `), `${clock} UTC`);
}

draw();
setInterval(() => { if (!document.hidden) draw(); }, 30000);
