// What was just settled on this page, the latest first; each can be corrected once more.
import { make, say } from "./say.js";
import { TASKS, verdict } from "./operator-answer.js";
import { moment } from "./operator-times.js";

const MOST = 20;
const find = (id) => document.getElementById(id);

/** What was done, in a sentence. */
export function told({ decision, verdict: what, codes, feedback }, names) {
  const changes = TASKS.filter((task) => codes[task]).map((task) => names[task].get(codes[task]).name);
  const values = { number: decision.id, name: decision.category.name, unit: decision.route.unit, changes: changes.join(say("、")) };
  if (what === "returned") {
    const next = { unit: feedback.route?.unit || decision.route.unit, why: feedback.why || "" };
    return say("已退单：{number}，下一步派给 {unit}。{why}", { ...values, ...next });
  }
  if (what === "corrected") return say("已更正：{number}，改为{changes}", values);
  return say("已采纳：{number}，{name}，{unit}", values);
}

/** Put it on the list; again: called with the decision to correct it once more. */
export function drawDone(settled, names, unit, again) {
  const { decision, verdict: what, codes } = settled;
  const category = names.category.get(codes.category || decision.category.code)?.name;
  const changed = TASKS.filter((task) => codes[task]).map((task) => names[task].get(codes[task]).name);
  const next = what === "returned" ? settled.feedback.route?.unit : "";
  const button = make("button", { type: "button", "aria-label": say("再改 {number}", { number: decision.id }) }, say("改"));
  const what_ = make("td", {}, verdict(what), make("small", {}, next ? say("改派 {unit}", { unit: next }) : changed.join(say("、"))));
  const row = make("tr", {},
    make("td", {}, decision.id, make("small", {}, moment(decision.decided_at))),
    make("td", {}, category, make("small", {}, decision.masked_text.slice(0, 24))),
    make("td", {}, next || unit || decision.route.unit, make("small", {}, decision.route.due ? moment(decision.route.due) : "")),
    what_, make("td", {}, button));
  button.addEventListener("click", () => again(decision, (code) => {
    what_.replaceChildren(verdict("corrected"), make("small", {}, code.name));
    if (code.task === "category") row.children[1].firstChild.textContent = code.name;
  }));
  const body = find("done").tBodies[0];
  body.prepend(row);
  while (body.rows.length > MOST) body.lastElementChild.remove();
  find("done").hidden = false;
  find("done-none").hidden = true;
}
