// The conversation: asks, reads the stream of events, shows them again after a reload. All addresses are relative.

import { card, current } from "./card.js";
import { tool, view } from "./draw.js";
import { ago, el, icon, plain, request, say } from "./ui.js";

const $ = (id) => document.getElementById(id);
const [talk, form, field, send, stop, fresh, empty, side, menu] =
  ["talk", "ask", "question", "send", "stop", "new", "empty", "side", "menu"].map($);
const KEPT = "pivo.conversation"; // in this tab: which conversation a reload shows again
let conversation = "";
let me = { name: "", why_not: {} };
let running = null;
let asked = [];

const id = () => (crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""));

function remember(which) {
  conversation = which;
  try { sessionStorage.setItem(KEPT, which); } catch { /* then a reload begins anew */ }
}

function suggestions(list, texts) {
  list.replaceChildren(...texts.map((text) => el("li", {}, el("button", { type: "button", onclick: () => ask(text) }, plain(text)))));
  return list;
}

// The view goes along with what comes, until the last question is at its top: an answer is read from its beginning. Whoever
// scrolls away is left where they are.
let along = true;
talk.addEventListener("scroll", () => { along = talk.scrollTop >= goal() - 160; });
function goal() {
  const last = [...talk.querySelectorAll(".asked")].at(-1);
  const end = talk.scrollHeight - talk.clientHeight;
  return last ? Math.min(end, last.offsetTop - talk.offsetTop - 16) : end;
}
function bottom(force) { if (force || along) talk.scrollTop = goal(); }
// A touch screen's keyboard would cover what has just come; and who is reading elsewhere stays there.
function toField(always) {
  if (matchMedia("(pointer: coarse)").matches) return;
  if (always || [document.body, talk, stop].includes(document.activeElement)) field.focus();
}

// What comes next of an answer that was cut: by the server's id, the same query goes on.
const follow = (more) => (more ? async () => {
  const found = await request("api/more", { more });
  if (!found.ok) throw new Error(found.error);
  return { data: found.view, next: follow(found.more) };
} : null);

function turn(question) {
  empty.hidden = true;
  asked.push(question);
  const answer = el("section", { class: "answer", "aria-label": "Answer" });
  talk.append(el("div", { class: "asked" }, el("p", {}, plain(question))), answer);
  return answer;
}

async function ask(question) {
  if (running || !question.trim()) return;
  const node = turn(question);
  const wait = el("p", { class: "wait" }, "Thinking");
  node.append(wait);
  bottom(true);
  running = new AbortController();
  busy(true);
  const answer = new Answer(node, question, wait);
  try {
    const stream = read(await request("api/ask", { question, conversation }, running.signal), answer);
    stream.catch(() => {}); // what comes of it is known by then
    await Promise.race([stream, answer.over]); // the next question need not wait for the connection's own end
    if (!answer.ended) answer.take({ type: "stopped" });
  } catch (err) {
    if (err.name === "AbortError") answer.take({ type: "stopped" });
    else answer.take({ type: "error", what: err.message, do: "" });
  } finally {
    wait.remove();
    running = null;
    busy(false);
    bottom();
    say(answer.text.textContent || "No answer.");
    list();
  }
}

async function read(response, answer) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) if (event.startsWith("data: ")) answer.take(JSON.parse(event.slice(6)));
    bottom();
  }
}

const DOING = { query_metadata: "Asking the index", restore_repo: "Planning the restore", read_file: "Reading the archive", get_file_diff: "Reading the archive" };

// One answer while it comes, or as it is read back: text above, then what the tools found, then a proposal.
class Answer {
  constructor(node, question, wait = null) {
    this.wait = wait;
    this.question = question;
    this.text = el("div", { class: "text live" });
    this.found = el("div", { class: "stack" });
    this.calls = {};
    this.ended = false;
    this.over = new Promise((done) => { this.finish = done; });
    node.append(this.text, this.found);
  }

  take(event) {
    if (event.type !== "text") return this[event.type]?.(event);
    if (this.wait) this.wait.hidden = true;
    this.text.append(event.text);
  }

  tool_call(event) {
    this.calls[event.id] = event;
    if (this.wait) this.wait.textContent = DOING[event.name] || "Looking";
  }

  tool_result(event) {
    // What an earlier step found was for the next step: it goes into that step's own line.
    if (this.shown) this.line.append(this.shown);
    this.shown = view(event.view, follow(event.more));
    this.line = tool(event, this.calls[event.id]);
    this.found.append(...[this.shown, this.line].filter(Boolean));
  }

  answer(event) {
    // The one place, beside code's colours, where markup is set: the server made it without raw HTML, links or images.
    this.text.classList.remove("live");
    this.text.innerHTML = event.html;
  }

  proposal(event) {
    const place = this.found.appendChild(el("div"));
    if (this.wait) place.replaceWith(card(event, me, (node) => { if (along) node.scrollIntoView({ block: "nearest" }); }));
    else current(event).then((now) => { place.replaceWith(card(now, me)); });
  }

  refusal(event) {
    const line = (label, words) => (words.length ? el("p", {}, el("b", {}, label + " "), plain(words.join(", "))) : null);
    this.found.append(el("div", { class: "refusal" },
      el("p", {}, "I do not understand that well enough, and ran nothing."),
      line("Understood:", event.understood), line("Not understood:", event.unclear),
      event.reason ? el("p", {}, plain(event.reason)) : null,
      suggestions(el("ul", { class: "suggest" }), event.suggestions)));
  }

  error(event) {
    this.ended = true;
    this.found.append(el("p", { class: "error", role: "alert" }, plain(`${event.what} ${event.do || ""}`)), this.again());
  }

  stopped() {
    this.ended = true;
    this.found.append(el("p", { class: "meta" }, "Stopped before the end."), this.again());
  }

  again() {
    return el("p", {}, el("button", { type: "button", class: "quiet small", onclick: () => ask(this.question) }, icon("retry"), "Try again"));
  }

  done(event) {
    this.ended = true;
    this.finish();
    const tokens = event.usage.calls ? ` · ${(event.usage.prompt + event.usage.answer).toLocaleString("en")} tokens` : "";
    const who = event.badge.brain === "gemini" ? `Gemini, ${event.badge.model}` : "offline planner";
    if (event.badge.note) {
      this.found.append(el("p", { class: "badge warn" }, plain(`Answered by the ${event.badge.brain} planner: ${event.badge.note}`)));
    }
    this.found.append(el("p", { class: "meta" }, `${who} · ${event.elapsed.toFixed(2)} s${tokens}`));
  }
}
function busy(on) {
  send.hidden = on;
  stop.hidden = !on;
  fresh.disabled = on;
  if (on) say("Asking");
  else toField();
}

function fit() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
}

function begin() {
  if (running) return;
  remember(id());
  asked = [];
  talk.replaceChildren(empty);
  empty.hidden = false;
  drawer(false);
  list();
  toField(true);
}

async function open(which) {
  if (running) return;
  let turns;
  try {
    turns = await request(`api/conversations/${encodeURIComponent(which)}`);
  } catch {
    return begin();
  }
  remember(which);
  asked = [];
  talk.replaceChildren(empty);
  empty.hidden = turns.length > 0;
  for (const one of turns) {
    const answer = new Answer(turn(one.question), one.question);
    for (const event of one.events) answer.take(event);
    if (!answer.ended) answer.take({ type: "stopped" });
  }
  drawer(false);
  list();
  bottom(true);
  toField(true);
}

async function list() {
  let talks = [];
  try { talks = await request("api/conversations"); } catch { return; }
  if (!talks.length) return $("talks").replaceChildren(el("li", { class: "soft" }, "What you ask is kept here, for you alone."));
  $("talks").replaceChildren(...talks.map((one) => el("li", { class: one.id === conversation ? "current" : "" },
    el("button", { type: "button", class: "bare open", "aria-current": one.id === conversation ? "true" : null, onclick: () => open(one.id) },
      el("span", {}, plain(one.title)), el("small", {}, ago(one.updated * 1000))),
    el("button", { type: "button", class: "bare", "aria-label": `Rename ${plain(one.title)}`, onclick: (e) => rename(one, e.currentTarget.parentNode) }, icon("pen")),
    el("button", { type: "button", class: "bare", "aria-label": `Delete ${plain(one.title)}`, onclick: (e) => remove(one, e.currentTarget) }, icon("trash")))));
}

function rename(one, row) {
  const name = el("input", { value: one.title, "aria-label": "Name of the conversation", maxlength: "80" });
  let over = false;
  const done = async (keep) => {
    if (over) return;
    over = true;
    if (keep && name.value.trim() && name.value !== one.title) {
      await request(`api/conversations/${encodeURIComponent(one.id)}/rename`, { title: name.value.trim() }).catch(() => {});
    }
    list();
  };
  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape") { event.stopPropagation(); done(event.key === "Enter"); }
  });
  name.addEventListener("blur", () => done(true));
  row.replaceChildren(name);
  name.focus();
  name.select();
}

// The frame may show no dialogs: the second click on the same button is the confirmation.
async function remove(one, button) {
  if (!button.dataset.sure) {
    button.dataset.sure = "yes";
    button.replaceChildren("Delete?");
    setTimeout(() => { delete button.dataset.sure; button.replaceChildren(icon("trash")); }, 3000);
    return;
  }
  await request(`api/conversations/${encodeURIComponent(one.id)}/delete`, {}).catch(() => {});
  if (one.id === conversation) begin();
  else list();
}

function drawer(on) {
  side.classList.toggle("shown", on);
  menu.setAttribute("aria-expanded", String(on));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = field.value;
  if (running || !question.trim()) return;
  field.value = "";
  fit();
  ask(question);
});
field.addEventListener("input", fit);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  if (event.key === "ArrowUp" && !field.value && asked.length) { event.preventDefault(); field.value = asked.at(-1); fit(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { if (running) running.abort(); else drawer(false); }
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); field.focus(); }
});
stop.addEventListener("click", () => running && running.abort());
fresh.addEventListener("click", begin);
menu.addEventListener("click", () => drawer(!side.classList.contains("shown")));
talk.addEventListener("click", () => drawer(false));
menu.append(icon("menu"));
fresh.append(icon("plus"), el("span", {}, "New conversation"));
send.append(icon("send"));
stop.append(icon("stop"));

const whoAmI = request("api/me").then((data) => {
  me = data;
  $("brain").textContent = data.brain;
  $("brain").title = `You are ${data.name}`;
  $("brain").hidden = false;
}).catch((err) => talk.append(el("p", { class: "error", role: "alert" }, plain(err.message))));
request("api/suggestions").then((texts) => suggestions($("suggestions"), texts)).catch(() => {});
let last = null;
try { last = sessionStorage.getItem(KEPT); } catch { /* nothing to come back to */ }
if (last) whoAmI.then(() => open(last));
else begin();
