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
  let renewed = false;
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
      const same = await signIn();
      if (!same && method !== "GET") throw changed();
      continue;
    }
    if (response.status === 403 && method !== "GET" && !renewed && (await isRenewed())) {
      renewed = true;
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

const LOOK = 2000; // milliseconds between two looks whether somebody has signed in in another window
let signing = null;

/** Who is signed in by now, and the token to be sent along; empty where nobody is, or the service is away. */
async function signedIn() {
  const response = await fetch("/login/self").catch(() => null);
  return response?.ok ? response.json() : { csrf: "", name: "" };
}

/** Go on with the session that a sign-in began; whether the name at the top is still the same. */
function goOn({ csrf, name }) {
  meta().content = csrf;
  const shown = document.querySelector(".self .name");
  const before = shown?.textContent;
  if (shown) shown.textContent = name;
  return !shown || before === name;
}

/** Whether a session has begun in another window since, of the same person; of another one, people are told first. */
export async function isRenewed() {
  const now = await signedIn();
  if (!now.csrf || now.csrf === meta().content) return false;
  if (goOn(now)) return true;
  throw changed();
}

/** What is said where somebody else has signed in: nothing goes out under a name that nobody has looked at. */
function changed() {
  const name = document.querySelector(".self .name").textContent;
  return new Refused(403, { detail: say("现在登录的是 {name}，刚才的没有送出：请看一下再送一次", { name }) });
}

/** Have somebody sign in again: with a key in a dialog, or in another window. Resolved once somebody has: whether it is
 * the same person as before. */
function signIn() {
  signing ||= new Promise((resolve) => {
    const dialog = document.getElementById("signin");
    const form = dialog.querySelector("form");
    const error = dialog.querySelector(".error");
    const over = (found) => {
      clearInterval(looking);
      document.removeEventListener("visibilitychange", look);
      const same = goOn(found);
      form.reset();
      error.hidden = true;
      dialog.close();
      signing = null;
      resolve(same);
    };
    const look = async () => {
      const found = document.hidden ? { csrf: "" } : await signedIn();
      if (found.csrf && signing) over(found);
    };
    const looking = setInterval(look, LOOK);
    document.addEventListener("visibilitychange", look);
    dialog.oncancel = (event) => event.preventDefault();
    form.onsubmit = async (event) => {
      event.preventDefault();
      const response = await fetch("/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ key: form.elements.key.value }),
      }).catch(() => null);
      if (response?.ok) return over(await response.json());
      const told = await response?.json().catch(() => null);
      error.textContent = told?.detail || say("连不上服务，请再试一次");
      error.hidden = false;
    };
    dialog.showModal();
  });
  return signing;
}
