// Asking the service: every request of a page goes through `ask`.
// It sends the session's token along, waits while the service is gone, and has people sign in again without losing
// what they wrote.
import { say } from "./say.js";

const PATIENCE = 1000; // milliseconds before the first try again; doubled up to LONGEST
const LONGEST = 8000;

/** An answer that is an error; `problem` holds the problem details (RFC 9457). */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || say("服务没有答复"));
    this.status = status;
    this.problem = problem;
  }
}

const meta = () => document.querySelector('meta[name="csrf"]');

/** Ask; the answer as JSON, or the Response where it is not JSON. Raises `Refused`; waits until the service is back. */
export async function ask(path, { method = "GET", json, body, headers = {}, signal, patient = true } = {}) {
  for (let wait = PATIENCE; ; wait = Math.min(2 * wait, LONGEST)) {
    let response;
    try {
      response = await fetch(path, {
        method,
        signal,
        body: json === undefined ? body : JSON.stringify(json),
        headers: {
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          "x-csrf-token": meta().content,
          ...headers,
        },
      });
    } catch (error) {
      if (error.name === "AbortError" || !patient) throw error;
      tell("gone", say("连不上服务，正在重连…… 写的都还在。"));
      await sleep(wait, signal);
      continue;
    }
    clear("gone");
    if (response.status === 401) {
      await signIn();
      continue;
    }
    if (response.status === 503 && patient) {
      tell("busy", say("服务很忙，稍后自动再试……"));
      await sleep(1000 * Number(response.headers.get("retry-after") || 1), signal);
      continue;
    }
    clear("busy");
    return read(response);
  }
}

async function read(response) {
  const type = response.headers.get("content-type") || "";
  if (!response.ok) throw new Refused(response.status, type.includes("json") ? await response.json() : {});
  if (response.status === 204) return null;
  return type.includes("application/json") ? response.json() : response;
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("", "AbortError"));
    });
  });
}

/** Show a notice to everybody, also to those who listen to the page; a notice of the same kind is replaced. */
export function tell(kind, text) {
  const notice = document.getElementById("notice");
  notice.dataset.kind = kind;
  notice.textContent = text;
  notice.hidden = false;
}

/** Take back a notice of this kind. */
export function clear(kind) {
  const notice = document.getElementById("notice");
  if (notice.dataset.kind === kind) notice.hidden = true;
}

let signing = null;

/** Ask for a key in a dialog; resolved once somebody is signed in. */
function signIn() {
  signing ||= new Promise((resolve) => {
    const dialog = document.getElementById("signin");
    const form = dialog.querySelector("form");
    const error = dialog.querySelector(".error");
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    form.onsubmit = async (event) => {
      event.preventDefault();
      const response = await fetch("/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ key: form.elements.key.value }),
      }).catch(() => null);
      error.hidden = Boolean(response?.ok);
      if (!response?.ok) {
        error.textContent = say(response ? "没有这个密钥，或者它已经停用" : "连不上服务，请再试一次");
        return;
      }
      meta().content = (await response.json()).csrf;
      form.reset();
      dialog.close();
      signing = null;
      resolve();
    };
    dialog.showModal();
  });
  return signing;
}
