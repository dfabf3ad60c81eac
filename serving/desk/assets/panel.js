// The panel: hears from the agent desktop around it what a caller says, and shows what the service makes of it.
// Only allow-listed origins are heeded; the key that they give stays in the memory of this page.
import { make, say } from "./say.js";

const SUGGEST = "/desk/suggest"; // decides without writing
const SETTLE = "/desk/settle"; // decides the final text, and writes that with what is said of it
const PAUSE = 300; // milliseconds without a change before a petition is decided
const PATIENCE = 1000; // milliseconds before the first try again; doubled up to LONGEST
const LONGEST = 8000;
const TASKS = ["category", "tier", "clock"];
const FIELDS = ["title", "location", "channel", "phone", "received_at"];

const at = (id) => document.getElementById(id);
const allowed = new Set([location.origin, ...document.body.dataset.origins.split(" ").filter(Boolean)]);
const codes = document.forms[0].elements; // a select for each task
let desktop = ""; // the origin of the page around this one
let key = "";
let petition = null;
let decision = null;
let turn = null; // aborts the question under way
let timer = 0;
let settling = false;
let again = false;

const MESSAGES = {
  "jiesu:hello": () => tell("ready"),
  "jiesu:key": (message) => {
    key = String(message.key ?? "");
    if (petition) soon();
  },
  "jiesu:petition": (message) => hear(message.petition),
  "jiesu:settle": (message) => settle(message),
};

addEventListener("message", ({ source, origin, data }) => {
  if (source !== window.parent || !allowed.has(origin)) return;
  if (typeof data?.type !== "string" || !Object.hasOwn(MESSAGES, data.type)) return;
  desktop = origin;
  MESSAGES[data.type](data);
});

function tell(name, more = {}) {
  if (desktop) window.parent.postMessage({ type: `jiesu:${name}`, ...more }, desktop);
}

function hear(given) {
  if (typeof given !== "object" || given === null) return fail(new Error(say("发来的诉求读不了")));
  const next = { id: String(given.id ?? ""), text: String(given.text ?? "") };
  for (const field of FIELDS) if (given[field]) next[field] = String(given[field]);
  if (petition?.id !== next.id) begin();
  petition = next;
  if (!next.text.trim()) return begin();
  soon();
}

function begin() {
  clearTimeout(timer);
  turn?.abort();
  decision = null;
  again = false;
  at("answer").hidden = at("error").hidden = at("done").hidden = true;
  at("correct").open = at("return").open = false;
  document.forms[1].reset();
  state(say("等坐席系统发来诉求"));
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(decide, PAUSE);
}

async function decide() {
  turn?.abort();
  turn = new AbortController();
  const { signal } = turn;
  state(say("正在读……"));
  try {
    await readTaxonomy(signal);
    ({ decision } = await insist(SUGGEST, petition, { signal }));
  } catch (error) {
    if (error.name !== "AbortError") fail(error);
    return;
  }
  draw();
  tell("decision", { decision });
}

async function readTaxonomy(signal) {
  if (codes.category.length) return;
  const { nodes, tiers, clocks } = await insist("/v1/taxonomy", undefined, { signal });
  const parents = new Set(nodes.map((node) => node.parent));
  const leaves = nodes.filter((node) => !parents.has(node.code));
  const options = (found) => found.map(({ code, name }) => make("option", { value: code }, name));
  codes.category.append(...options(leaves));
  codes.tier.append(...options(tiers));
  codes.clock.append(...options(clocks));
}

/** Ask again and again while the service is gone. Raises an Error that people can read. */
async function insist(path, json, { signal, name = "" } = {}) {
  for (let wait = PATIENCE; ; wait = Math.min(2 * wait, LONGEST)) {
    try {
      const answer = await ask(path, json, signal, name);
      at("error").hidden = true;
      return answer;
    } catch (error) {
      if (error.name === "AbortError" || (error.status && error.status !== 503)) throw error;
      fail(new Error(say("连不上服务，正在重连……")));
      await new Promise((done) => setTimeout(done, wait));
      signal?.throwIfAborted();
    }
  }
}

async function ask(path, json, signal, name) {
  const headers = { "content-type": "application/json" };
  if (key) Object.assign(headers, key.split(".").length === 3 ? { authorization: `Bearer ${key}` } : { "x-api-key": key });
  else headers["x-csrf-token"] = document.querySelector('meta[name="csrf"]').content;
  if (name) headers["idempotency-key"] = name;
  const credentials = key ? "omit" : "same-origin";
  const method = json ? "POST" : "GET";
  const response = await fetch(path, { method, headers, credentials, signal, body: json && JSON.stringify(json) });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const keyless = response.status === 401 && (key ? say("坐席系统给的密钥不对，或者已经停用") : say("坐席系统还没有给密钥"));
  throw Object.assign(new Error(keyless || answer.detail || say("服务没有答复")), { status: response.status });
}

function state(words) {
  at("state").textContent = words;
}

function fail(error) {
  at("error").textContent = error.message;
  at("error").hidden = false;
  state("");
  tell("error", { status: error.status ?? 0, message: error.message });
}

const percent = (share) => `${Math.round(100 * share)}%`;

function draw() {
  const { category, tier, clock, route, reasons } = decision;
  at("answer").hidden = false;
  at("human").hidden = !decision.needs_human;
  at("why").replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
  at("path").textContent = category.path.slice(0, -1).join(" › ");
  at("category").textContent = category.name;
  at("confidence").textContent = say("把握 {share}", { share: percent(category.confidence) });
  at("others").replaceChildren(...category.alternatives.slice(0, 5).map(other));
  const facts = [
    [say("层级"), tier.name], [say("时限"), clock.name], [say("先派给"), route.start],
    [say("承办"), route.unit], [say("截止"), route.due.slice(0, 16).replace("T", " ")], [say("方式"), route.mode],
  ];
  at("rule").textContent = route.rule;
  at("facts").replaceChildren(
    ...facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
  );
  at("text").replaceChildren(...marked(decision));
  for (const task of TASKS) codes[task].value = decision[task].code;
  at("settling").hidden = false;
  at("done").hidden = true;
  state(decision.needs_human ? say("需要人工判断") : say("读好了"));
}

function other({ code, name, confidence }, place) {
  const button = make("button", { type: "button" }, make("kbd", {}, `Alt+${place + 1}`), ` ${name} `,
    make("span", { class: "soft" }, percent(confidence)));
  button.addEventListener("click", () => settle({ verdict: "corrected", category: code }));
  return button;
}

/** The masked text, with the words that spoke for the category marked, the longest first. */
function marked({ masked_text: text, evidence }) {
  const found = evidence.filter((word) => word.task === "category" && word.weight > 0 && word.text);
  const wanted = found.map((word) => word.text).sort((one, two) => two.length - one.length);
  if (!wanted.length) return [text];
  const either = wanted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(${either})`, "u")).map((part, place) => (place % 2 ? make("mark", {}, part) : part));
}

/** Say of the decision that it was right, what would be, or that it came back; the final text is written. */
async function settle({ verdict, reason = "", anyway = again, ...more }) {
  if (!decision || settling) return;
  settling = true;
  const name = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const pick = (code) => Object.fromEntries(TASKS.filter(code).map((task) => [task, code(task)]));
  const right = pick((task) => more[task]);
  const said = { petition, verdict, right, seen: pick((task) => decision[task].code), reason, anyway };
  try {
    const settled = await insist(SETTLE, said, { name });
    thank(settled);
    tell("feedback", settled);
  } catch (error) {
    again = error.status === 409; // somebody else has settled it
    if (again) error.message += say("；再按一次，仍然提交");
    fail(error);
  } finally {
    settling = false;
  }
}

function thank({ verdict, feedback }) {
  const next = feedback.route?.start;
  const told = { accepted: say("已采纳"), corrected: say("已改正"), returned: say("已记下退单") }[verdict];
  at("done").textContent = next ? say("{told}；下一步派给：{next}", { told, next }) : told;
  at("done").hidden = false;
  at("settling").hidden = true;
  state(told);
}

at("accept").addEventListener("click", () => settle({ verdict: "accepted" }));
document.forms[0].addEventListener("submit", (event) => {
  event.preventDefault();
  const changed = TASKS.filter((task) => codes[task].value !== decision[task].code);
  const right = Object.fromEntries(changed.map((task) => [task, codes[task].value]));
  settle({ verdict: changed.length ? "corrected" : "accepted", ...right });
});
document.forms[1].addEventListener("submit", (event) => {
  event.preventDefault();
  settle({ verdict: "returned", reason: event.target.elements.reason.value });
});

addEventListener("keydown", (event) => {
  if (!event.altKey || at("answer").hidden || at("settling").hidden) return;
  const opened = { KeyC: "correct", KeyT: "return" }[event.code];
  if (event.code === "Enter") at("accept").click();
  else if (/^Digit[1-5]$/.test(event.code)) at("others").children[event.code.slice(-1) - 1]?.click();
  else if (opened) {
    at(opened).open = true;
    at(opened).querySelector("select, input").focus();
  } else return;
  event.preventDefault();
});

if (window.parent === window) state(say("这个面板要嵌在坐席系统里用"));
