// A proposal as a card: everything resolved, Confirm and Cancel, then the run's stages until the repository is there.

import { copier, el, icon, outside, plain, request } from "./ui.js";

const NOUNS = { restore_repo: "restore", snapshot_repo: "snapshot", verify_repo: "verification" };
const STAGES = { validate: "Validate", approval: "Approval", download: "Download", reconstruct: "Reconstruct", push: "Push" };
const STATES = { success: "done", failed: "failed", upstream_failed: "not reached", running: "running", queued: "queued",
  scheduled: "queued", up_for_retry: "trying again", skipped: "left out", awaiting_input: "waiting" };

// `reveal` is told what to bring into sight: a run's stages when it begins, and when it has come to its end.
export function card(proposal, me, reveal = () => {}) {
  const list = el("dl");
  for (const [label, value] of Object.entries(proposal.details)) {
    list.append(el("dt", {}, label), el("dd", { class: label === "Commit" || label === "To" ? "mono" : "" }, plain(value)));
  }
  const pill = el("span", { class: "pill" });
  const told = el("p", { class: "told" });
  const yes = el("button", { type: "button" }, "Confirm");
  const no = el("button", { type: "button", class: "quiet" }, "Cancel");
  const buttons = el("div", { class: "buttons" }, yes, no, told);
  const progress = el("div");
  const noun = NOUNS[proposal.tool] || "action";
  const head = el("h3");
  const node = el("section", { class: "card", "aria-label": `Proposed ${noun}`, "data-proposal": proposal.id },
    el("header", {}, icon("back"), head, pill), list, buttons, progress);

  const show = (state) => {
    node.dataset.state = state;
    head.textContent = state === "confirmed" ? noun[0].toUpperCase() + noun.slice(1) : `Proposed ${noun}`;
    const [text, kind] = { open: ["not confirmed yet", "warn"], confirmed: ["confirmed", "accent"], cancelled: ["cancelled", ""],
      expired: ["expired", ""] }[state] || [state, ""];
    pill.textContent = text;
    pill.className = `pill ${kind}`;
    yes.hidden = no.hidden = state !== "open";
    told.className = "told";
    if (state === "open") {
      const minutes = Math.max(1, Math.round((proposal.expires - Date.now() / 1000) / 60));
      told.textContent = `Nothing has happened yet. Valid once, for ${minutes} minutes.`;
      const why = me.why_not[proposal.dag] ?? "Your Airflow role may ask, but not start this.";
      if (why) {
        yes.disabled = true;
        told.textContent = plain(why);
      }
    } else told.textContent = { cancelled: "Cancelled; nothing was started.", expired: "Expired; nothing was started. Ask again." }[state] || "";
    buttons.hidden = state === "confirmed";
  };

  let busy = false;
  const act = async (verb) => {
    busy = yes.disabled = no.disabled = true;
    try {
      const answer = await request(`api/proposals/${encodeURIComponent(proposal.id)}/${verb}`, { digest: proposal.digest });
      show(answer.state);
      if (answer.state === "confirmed") follow(progress, pill, answer.run_id, reveal);
    } catch (err) {
      told.className = "told error";
      told.textContent = plain(err.message);
      yes.disabled = err.status === 403 || err.status === 409;
      no.disabled = busy = false;
      expire();
    }
  };
  yes.addEventListener("click", () => act("confirm"));
  no.addEventListener("click", () => act("cancel"));
  show(proposal.state);
  const expire = () => {
    const left = proposal.expires * 1000 - Date.now();
    if (node.dataset.state !== "open" || busy) return;
    if (left > 0) setTimeout(expire, Math.min(left, 60000));
    else show("expired");
  };
  expire();
  if (proposal.state === "confirmed" && proposal.run_id) follow(progress, pill, proposal.run_id, reveal);
  return node;
}

// What became of a proposal since it was shown; as it was, if that cannot be told.
export async function current(proposal) {
  try {
    return await request(`api/proposals/${encodeURIComponent(proposal.id)}`);
  } catch {
    return { ...proposal, state: "expired" };
  }
}

function mark(state) {
  if (state === "success") return icon("check");
  if (state === "failed" || state === "upstream_failed") return icon("cross");
  return el("span", { class: "dot" });
}

function stageRow(run, stage) {
  const many = stage.total > 1 ? `${stage.done} of ${stage.total}` : "";
  const said = [many, stage.detail].filter(Boolean).join(" · ") || STATES[stage.state] || "waiting";
  const active = ["running", "up_for_retry"].includes(stage.state);
  const bar = active ? el("progress", stage.percent === null ? { max: "100" } : { max: "100", value: String(stage.percent) }) : null;
  if (bar) bar.setAttribute("aria-label", `${STAGES[stage.name] || stage.name}: ${stage.percent ?? "some"} percent`);
  const task = `dags/${run.dag_id}/runs/${encodeURIComponent(run.run_id)}/tasks/${stage.name}` + (stage.map_index >= 0 ? `/mapped/${stage.map_index}` : "");
  return el("li", { class: stage.state || "" }, mark(stage.state), el("b", {}, STAGES[stage.name] || stage.name),
    el("span", { class: "grow" }, said + (active && stage.percent !== null ? ` · ${stage.percent} %` : "")),
    el("span", { class: "seconds" }, stage.seconds === null ? "" : `${stage.seconds.toFixed(1)} s`),
    stage.state === "awaiting_input" ? outside(`${task}/required_actions`, "Answer") : stage.state ? outside(task, "Log") : el("span"), bar);
}

function outcome(run) {
  const rows = [];
  const restored = run.restored.length ? run.restored : run.address ? [{ repo: "", text: run.address }] : [];
  for (const one of restored) {
    rows.push(el("p", { class: "restored" }, icon("check"), el("span", {}, restored.length > 1 ? `${plain(one.repo)} restored to ` : "Restored to ",
      el("b", { class: "mono address" }, plain(one.text))), copier(one.text, "Copy address")));
  }
  for (const one of run.outcomes) {
    const from = one.evidence.hdfs_path;
    rows.push(el("p", { class: "meta evidence" }, el("b", {}, plain(one.repo)), `: ${plain(one.text)} · `, el("span", { class: "mono" }, plain(from)), copier(from, "Copy the path")));
  }
  for (const one of run.failed) rows.push(el("p", { class: "error" }, el("b", {}, plain(one.repo)), ": ", plain(one.text)));
  if (run.state === "failed" && !run.failed.length) rows.push(el("p", { class: "error" }, plain(run.failure || "The run failed; its log in Airflow says why.")));
  return rows;
}

async function follow(node, pill, runId, reveal) {
  const stages = el("ol", { class: "stages" });
  const said = el("div", { class: "outcome", role: "status" });
  node.replaceChildren(stages, said);
  let begun = false;
  for (let failures = 0; node.isConnected || failures === 0;) {
    try {
      const run = await request(`api/runs/${encodeURIComponent(runId)}`);
      failures = 0;
      stages.replaceChildren(...run.stages.map((stage) => stageRow(run, stage)));
      [pill.textContent, pill.className] = { success: [run.dag_id === "pivo_restore" ? "restored" : "done", "pill good"], failed: ["failed", "pill bad"] }[run.state]
        || (run.stages.some((stage) => stage.state === "awaiting_input") ? ["waits for approval", "pill warn"] : [run.state, "pill accent"]);
      if (run.state === "success" || run.state === "failed") {
        said.replaceChildren(...outcome(run), el("p", { class: "meta" }, outside(`dags/${run.dag_id}/runs/${encodeURIComponent(run.run_id)}`, "The run in Airflow")));
        return reveal(node);
      }
      if (!begun) reveal(node);
      begun = true;
    } catch (err) {
      failures += 1;
      said.textContent = plain(err.message);
      if (failures >= 30 || err.status === 401 || err.status === 403) return;
    }
    await new Promise((done) => setTimeout(done, document.hidden ? 4000 : 1000));
    if (!node.isConnected) return;
  }
}
