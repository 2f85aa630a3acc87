// The conversation: asks, reads the stream of events, confirms proposals, follows runs. All addresses are relative.

import { el, plain, tool, view } from "./draw.js";

const talk = document.getElementById("talk");
const form = document.getElementById("ask");
const field = document.getElementById("question");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const fresh = document.getElementById("new");
const SUGGESTIONS = ["Who committed last?", "Which repositories are archived?", "Show the last 5 commits",
  "When was the last snapshot?", "What changed in README.md between the last two commits that touched it?", "What can you do?"];
let conversation = crypto.randomUUID ? crypto.randomUUID() : String(Date.now()) + String(Math.random()).slice(2);
let me = { name: "", may_restore: false };
let running = null;

async function request(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error([data.what || data.detail || `The server answered ${answer.status}.`, data.do].filter(Boolean).join(" "));
  return data;
}

function suggestions(list, texts) {
  list.replaceChildren(...texts.map((text) =>
    el("li", {}, el("button", { type: "button", onclick: () => ask(text) }, plain(text)))));
  return list;
}

function bottom() { talk.scrollTop = talk.scrollHeight; }

async function ask(question) {
  if (running || !question.trim()) return;
  document.getElementById("empty").hidden = true;
  fresh.hidden = false;
  talk.append(el("div", { class: "asked" }, el("p", {}, question)));
  const wait = el("p", { class: "wait" }, "Thinking");
  const answer = el("section", { class: "answer" }, wait);
  talk.append(answer);
  bottom();
  running = new AbortController();
  busy(true);
  try {
    const response = await fetch("api/ask", { method: "POST", signal: running.signal,
      headers: { "Content-Type": "application/json" }, body: JSON.stringify({ question, conversation }) });
    if (!response.ok) {
      const data = await response.json().catch(() => ({}));
      throw new Error(data.what || data.detail || `The server answered ${response.status}.`);
    }
    await read(response, new Answer(answer, wait));
  } catch (err) {
    const said = err.name === "AbortError" ? "Stopped." : err.message;
    answer.append(el("p", { class: err.name === "AbortError" ? "meta" : "error" }, plain(said), " ",
      el("button", { type: "button", class: "quiet", onclick: () => ask(question) }, "Try again")));
  } finally {
    wait.remove();
    running = null;
    busy(false);
    bottom();
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

// One answer while it comes: text above, then what the tools found, then a proposal.
class Answer {
  constructor(node, wait) {
    this.wait = wait;
    this.text = el("div", { class: "text live" });
    this.found = el("div", { class: "answer" });
    this.calls = {};
    node.append(this.text, this.found);
  }

  take(event) {
    if (event.type === "text") { this.wait.hidden = true; this.text.append(event.text); }
    else if (event.type === "answer") {
      // The one place where markup is set: the server rendered it without raw HTML, links or images.
      this.text.classList.remove("live");
      this.text.innerHTML = event.html;
    } else if (event.type === "tool_call") {
      this.calls[event.id] = event;
      this.wait.textContent = { query_metadata: "Asking the index", restore_repo: "Planning the restore" }[event.name] || "Reading the archive";
    } else if (event.type === "tool_result") {
      const drawn = view(event.view);
      if (drawn) this.found.append(drawn);
      this.found.append(tool(event, this.calls[event.id]));
    } else if (event.type === "proposal") this.found.append(card(event));
    else if (event.type === "refusal") this.found.append(refusal(event));
    else if (event.type === "error") this.found.append(el("p", { class: "error" }, plain(event.what + " " + event.do)));
    else if (event.type === "done") this.done(event);
  }

  done(event) {
    const tokens = event.usage.calls ? ` · ${event.usage.prompt + event.usage.answer} tokens` : "";
    this.found.append(el("p", { class: "meta" },
      `${event.badge.brain}${event.badge.brain === "gemini" ? " " + event.badge.model : ""} · ${event.elapsed.toFixed(2)} s${tokens}`));
    if (event.badge.note) {
      this.found.append(el("p", {}, el("span", { class: "badge warn" }, plain(`Answered by the ${event.badge.brain} planner: ${event.badge.note}`))));
    }
  }
}

function refusal(event) {
  const line = (label, words) => words.length ? el("p", {}, el("b", {}, label + " "), plain(words.join(", "))) : null;
  return el("div", { class: "refusal" },
    el("p", {}, "I do not understand that well enough, and ran nothing."),
    line("Understood:", event.understood), line("Not understood:", event.unclear),
    event.reason ? el("p", {}, plain(event.reason)) : null,
    suggestions(el("ul", { class: "suggest" }), event.suggestions));
}

function card(proposal) {
  const list = el("dl");
  for (const [label, value] of Object.entries(proposal.details)) {
    list.append(el("dt", {}, label), el("dd", { class: label === "Commit" ? "mono" : "" }, plain(value)));
  }
  const status = el("span", { class: "meta" });
  const yes = el("button", { type: "button" }, "Confirm restore");
  const no = el("button", { type: "button", class: "quiet" }, "Cancel");
  const node = el("div", { class: "card", role: "group", "aria-label": "Proposed restore" },
    el("h3", {}, "Proposed restore"), list, el("div", { class: "buttons" }, yes, no, status));
  const minutes = Math.max(1, Math.round((proposal.expires - Date.now() / 1000) / 60));
  status.textContent = `Nothing has happened yet. Valid for ${minutes} minutes, once.`;
  if (!me.may_restore) {
    yes.disabled = true;
    status.textContent = "Your Airflow role may ask, but not start a restore.";
  }
  const act = async (verb) => {
    yes.disabled = no.disabled = true;
    try {
      const answer = await request(`api/proposals/${encodeURIComponent(proposal.id)}/${verb}`, { digest: proposal.digest });
      node.classList.add("done");
      yes.remove(); no.remove();
      status.textContent = verb === "cancel" ? "Cancelled; nothing was started." : "";
      if (verb === "confirm") follow(node, answer.run.run_id);
    } catch (err) {
      status.className = "error";
      status.textContent = plain(err.message);
      yes.disabled = no.disabled = false;
    }
  };
  yes.addEventListener("click", () => act("confirm"));
  no.addEventListener("click", () => act("cancel"));
  return node;
}

async function follow(node, run) {
  const stages = el("ol", { class: "stages" });
  const said = el("p", { class: "meta" }, `Run ${run}`);
  node.append(stages, said);
  for (let failures = 0; failures < 30;) {
    try {
      const state = await request(`api/runs/${encodeURIComponent(run)}`);
      failures = 0;
      stages.replaceChildren(...state.stages.map((s) => el("li", { class: s.state || "" },
        s.name, el("br"), s.state === "success" && s.seconds !== null ? `${s.seconds} s` : s.state || "waiting")));
      if (state.state === "success") {
        said.className = "";
        said.replaceChildren("Restored to ", el("b", { class: "mono" }, plain(state.address || "the target")));
        return bottom();
      }
      if (state.state === "failed") {
        said.className = "error";
        said.textContent = plain(state.failure || "The run failed; its log in Airflow says why.");
        return bottom();
      }
    } catch (err) {
      failures += 1;
      said.textContent = plain(err.message);
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

function busy(on) { send.hidden = on; stop.hidden = !on; if (!on) field.focus(); }

function fit() { field.style.height = "auto"; field.style.height = Math.min(field.scrollHeight + 2, 192) + "px"; }

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
});
stop.addEventListener("click", () => running && running.abort());
fresh.addEventListener("click", () => {
  if (running) return;
  conversation = crypto.randomUUID ? crypto.randomUUID() : String(Date.now()) + String(Math.random()).slice(2);
  talk.replaceChildren(document.getElementById("empty") || talk.firstElementChild);
  talk.firstElementChild.hidden = false;
  fresh.hidden = true;
  field.focus();
});

suggestions(document.getElementById("suggestions"), SUGGESTIONS);
request("api/me").then((data) => {
  me = data;
  const badge = document.getElementById("brain");
  badge.textContent = `${data.name} · ${data.brain}`;
  badge.hidden = false;
}).catch((err) => talk.append(el("p", { class: "error" }, plain(err.message))));
