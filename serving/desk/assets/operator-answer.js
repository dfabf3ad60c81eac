// The answer: what is suggested, drawn so that a glance tells what it is, who settles it, how fast, and why.
import { make, say } from "./say.js";
import { left, moment } from "./operator-times.js";

const find = (id) => document.getElementById(id);
export const TASKS = ["category", "tier", "clock", "type"];

/** The names of a taxonomy: task → code → what `/desk/taxonomy` tells of it. */
export function named(taxonomy) {
  return Object.fromEntries(TASKS.map((task) => [task, new Map(taxonomy[task].map((code) => [code.code, code]))]));
}

/** How sure something is, in words. */
export function sureness(confidence) {
  if (confidence >= 0.9) return say("很有把握");
  if (confidence >= 0.7) return say("较有把握");
  return confidence >= 0.5 ? say("把握不大") : say("没有把握");
}

const percent = (confidence) => (confidence < 0.01 ? "<1%" : `${Math.round(100 * confidence)}%`);

/** Draw a suggestion with the operator's corrections. */
export function drawAnswer(suggestion, right, names) {
  const { decision } = suggestion;
  drawAlarm(suggestion.alarm);
  drawHuman(decision);
  drawSettled(suggestion.settled, names);
  drawChoices(decision, right, names);
  const after = suggestion.corrected;
  for (const task of ["tier", "clock", "type"]) drawCode(task, decision, right, names, after);
  drawRoute((after || decision).route || decision.route);
}

/** The codes that the page shows, which are what an operator accepts. */
export function seen(decision) {
  return Object.fromEntries(TASKS.map((task) => [task, decision[task].code]));
}

/** The corrections that differ from what is decided. */
export function differing(decision, right) {
  return Object.fromEntries(Object.entries(right).filter(([task, code]) => code && decision[task].code !== code));
}

function drawAlarm(alarm) {
  const place = find("alarm");
  place.hidden = !alarm;
  if (alarm) {
    const text = say("按紧急处置：立即转应急联动，不要等");
    place.replaceChildren(make("strong", {}, say("红线：{name}", { name: alarm.name })), text);
  }
}

function drawHuman(decision) {
  const place = find("human");
  place.hidden = !decision.needs_human;
  const reasons = decision.reasons.map((reason) => make("li", {}, reason));
  place.replaceChildren(make("strong", {}, say("需要人工核对")), make("ul", {}, ...reasons));
}

const SAID = {
  accepted: () => say("认可"),
  corrected: () => say("更正"),
  returned: () => say("退单"),
};

/** What a verdict is called. */
export const verdict = (what) => SAID[what]();

function drawSettled(settled, names) {
  const place = find("settled");
  place.hidden = !settled;
  if (!settled) return;
  const codes = TASKS.filter((task) => settled.codes[task]).map((task) => names[task].get(settled.codes[task])?.name);
  const what = [verdict(settled.verdict), ...codes].join(" ");
  const values = { by: settled.by, at: moment(settled.at), what };
  place.textContent = settled.mine
    ? say("这张工单您在 {at} 办过：{what}", values)
    : say("这张工单 {by} 在 {at} 办过：{what}", values);
}

/** The codes that can be chosen by number: the decided one, then the runners-up; one chosen by search goes last. */
export function choicesOf(decision, right) {
  const list = [decision.category, ...decision.category.alternatives].map(({ code, confidence }) => ({ code, confidence }));
  const chosen = right.category;
  return chosen && !list.some(({ code }) => code === chosen) ? [...list, { code: chosen }] : list;
}

function drawChoices(decision, right, names) {
  const chosen = right.category || decision.category.code;
  const items = choicesOf(decision, right).map(({ code, confidence }, number) => {
    const label = names.category.get(code);
    const about = [...(label?.path || []), ...(number === 0 ? [sureness(confidence)] : [])].join(" · ");
    const parts = [make("span", { class: "name" }, label?.name || code, make("span", { class: "above" }, about))];
    if (confidence === undefined) parts.push(make("span", { class: "above" }, say("您选的")), "");
    else {
      parts.push(make("meter", { value: confidence, max: 1, "aria-hidden": "true" }));
      parts.push(make("span", { class: "number" }, percent(confidence)));
    }
    const key = make("kbd", {}, number < 5 ? String(number + 1) : "·");
    return make("li", {}, make("button", { type: "button", "data-code": code, "aria-pressed": String(code === chosen) }, key, ...parts));
  });
  find("choices").replaceChildren(...items);
}

function drawCode(task, decision, right, names, after) {
  const select = find(task);
  const changed = Boolean(right[task] && right[task] !== decision[task].code);
  const options = [...names[task].values()].map(({ code, name }) => {
    const answer = [decision[task], ...decision[task].alternatives].find((choice) => choice.code === code);
    return make("option", { value: code }, answer ? `${name} ${percent(answer.confidence)}` : name);
  });
  select.replaceChildren(...options);
  select.value = right[task] || after?.[task] || decision[task].code;
  select.classList.toggle("changed", changed);
}

function drawRoute(route) {
  const due = route.due ? say("{at}（{left}）", { at: moment(route.due), left: left(route.due) }) : "";
  const rows = [
    [say("先到"), route.start],
    [say("承办"), make("strong", {}, route.unit)],
    [say("限时"), due && make("span", { class: "due" }, due)],
    [say("怎么办"), [route.mode, route.way].filter(Boolean).join(" · ")],
    [say("协同"), route.support.join(say("、"))],
    [say("通知"), route.notify.join(say("、"))],
    [say("哪条规则"), make("span", { class: "rule" }, [route.rule, route.legal].filter(Boolean).join(say("；")))],
  ];
  const shown = rows.filter(([, value]) => value);
  find("route").replaceChildren(...shown.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** Tickets that are like this one, each with why. */
export function drawRecent(list) {
  find("recent-none").hidden = list.length > 0;
  const items = list.map((one) => {
    const why = [];
    if (one.places.length) why.push(say("同一地点：{what}", { what: one.places.join(say("、")) }));
    if (one.words.length) why.push(say("同样的词：{what}", { what: one.words.join(say("、")) }));
    return make("li", {},
      make("div", { class: "line" }, make("strong", {}, one.category), make("span", { class: "headline" }, one.head), make("span", { class: "hint" }, moment(one.at))),
      make("div", { class: "why" }, [one.petition, one.unit, ...why].join(" · ")));
  });
  find("recent").replaceChildren(...items);
}

/** What is said aloud of a suggestion, to those who cannot see it. */
export function summary(suggestion) {
  const { decision, alarm } = suggestion;
  const parts = [decision.category.name, decision.tier.name, decision.clock.name].join(say("、"));
  const said = [say("建议：{what}", { what: parts })];
  if (alarm) said.unshift(say("红线：{name}", { name: alarm.name }));
  else if (decision.needs_human) said.push(say("需要人工核对"));
  return said.join(" ");
}
