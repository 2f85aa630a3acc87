// What both pages share: elements, text, times, requests. Text out of repositories is only ever set as text.

export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

export function svg(name, properties = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(properties)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const PATHS = {
  menu: "M4 6h16M4 12h16M4 18h16", plus: "M12 5v14M5 12h14", send: "M12 19V5M5 12l7-7 7 7", stop: "M7 7h10v10H7z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1", down: "M12 4v11M7 11l5 5 5-5M5 20h14", check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18", trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12", pen: "M5 19l1-4L16 5l3 3L9 18z",
  folder: "M3 6h6l2 2h10v11H3z", file: "M6 3h8l4 4v14H6zM14 3v4h4", link: "M9 15l6-6M8 11l-2 2a3.5 3.5 0 0 0 5 5l2-2M16 13l2-2a3.5 3.5 0 0 0-5-5l-2 2",
  back: "M4 12a8 8 0 1 0 3-6.2M4 4v5h5", retry: "M20 12a8 8 0 1 1-3-6.2M20 4v5h-5", out: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}

// Control, format and direction-changing characters become visible escapes.
export function plain(value) {
  return String(value).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function bytes(count) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (count < 1000) return (unit === "B" ? count : count.toFixed(1)) + " " + unit;
    count /= 1000;
  }
  return count.toFixed(1) + " TB";
}

export function count(number, noun, nouns = noun + "s") {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : nouns}`;
}

export function utc(text) { return text ? String(text).slice(0, 16).replace("T", " ") : "–"; }

export function ago(text, now = Date.now()) {
  const seconds = (now - new Date(text).getTime()) / 1000;
  if (!Number.isFinite(seconds)) return "";
  for (const [unit, length] of [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]]) {
    const whole = Math.floor(seconds / length);
    if (whole >= 1) return `${count(whole, unit)} ago`;
  }
  return "just now";
}

// A time as people read it, with the exact one where a pointer rests.
export function time(text) {
  return text ? el("time", { datetime: text, title: `${utc(text)} UTC` }, ago(text)) : el("span", {}, "never");
}

export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

export async function request(path, body, signal) {
  const options = body === undefined ? { signal } : {
    method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new Refused(0, "Airflow does not answer. Is it running, and are you online?");
  }
  if (answer.ok && body !== undefined && (answer.headers.get("content-type") || "").startsWith("text/event-stream")) return answer;
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data;
  if (answer.status === 401) throw new Refused(401, "Your login has ended. Log in to Airflow again, then reload.");
  const detail = typeof data.detail === "string" ? data.detail : "";
  throw new Refused(answer.status, [data.what || detail || `The server answered ${answer.status}.`, data.do].filter(Boolean).join(" "));
}

// For those who hear the page.
export function say(text) { document.getElementById("status").textContent = text; }

// Under what was cut, a button for what comes next. `next` fetches { data, next }; `take` shows the data, and may give the
// button another label. When all is there the focus goes to `last`.
export function onward(label, next, take, last = null) {
  if (!next) return null;
  const told = el("span", { class: "error", role: "alert" });
  const button = el("button", { type: "button", class: "quiet small" }, label);
  const row = el("p", { class: "onward" }, button, told);
  let busy = false; // a button that is disabled would lose the focus
  button.addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    told.textContent = "";
    try {
      const found = await next();
      next = found.next;
      button.textContent = take(found.data, Boolean(next)) || label;
      if (!next) {
        const focused = document.activeElement === button;
        row.remove();
        if (focused) last?.focus({ preventScroll: true });
      }
    } catch (err) {
      told.textContent = plain(err.message);
    }
    busy = false;
    button.removeAttribute("aria-disabled");
  });
  return row;
}

export async function copy(text, button) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch { // not over plain http
    const field = el("textarea", { class: "hidden", "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
  }
  const before = [...button.childNodes];
  button.replaceChildren(icon(done ? "check" : "cross"), done ? "Copied" : "Not copied");
  setTimeout(() => button.replaceChildren(...before), 1500);
}

export function copier(text, label = "Copy") {
  const button = el("button", { type: "button", class: "tiny", onclick: () => copy(typeof text === "function" ? text() : text, button) },
    icon("copy"), label);
  return button;
}

// A link to a page of the Airflow around this one. The frame may open no windows itself; the page around it may.
export function outside(path, ...children) {
  const link = el("a", { href: `../${path}`, target: "_blank", rel: "noopener", class: "outside" }, ...children, icon("out"));
  link.addEventListener("click", (event) => {
    if (parent === window) return;
    event.preventDefault();
    const twin = parent.document.createElement("a");
    twin.href = link.href;
    twin.target = "_blank";
    twin.rel = "noopener";
    twin.click();
  });
  return link;
}
