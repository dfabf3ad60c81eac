// Search: a code by Chinese characters, by pinyin or by the first letters of it, over all four tasks.
import { make, say } from "./say.js";
import { TASKS } from "./operator-answer.js";

const MOST = 40; // that are shown
const find = (id) => document.getElementById(id);
const TOLD = { category: () => say("类别"), tier: () => say("层级"), clock: () => say("时限"), type: () => say("诉求类型") };

/** Whether a query reads as these sounds from some character on: of each at least its first letter. */
function sounds(query, readings, from) {
  if (!query) return true;
  if (from >= readings.length) return false;
  return readings[from].some((reading) => {
    for (let size = Math.min(reading.length, query.length); size > 0; size -= 1) {
      if (query.startsWith(reading.slice(0, size)) && sounds(query.slice(size), readings, from + 1)) return true;
    }
    return false;
  });
}

/** How well a code answers a query: 0 not at all, else the more the better. */
export function worth(query, { name, path, code, sounds: readings }) {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  if (!wanted) return 1;
  if (name.toLowerCase() === wanted || code === wanted) return 8;
  if (name.toLowerCase().startsWith(wanted)) return 7;
  if (sounds(wanted, readings, 0)) return 6;
  if (name.toLowerCase().includes(wanted)) return 5;
  if (readings.some((_, from) => from && sounds(wanted, readings, from))) return 4;
  return path.some((above) => above.includes(wanted)) ? 2 : 0;
}

/** The codes that answer a query, best first; among equals the likely ones, then categories before the other tasks. */
export function searched(query, taxonomy, likely) {
  const found = TASKS.flatMap((task) => taxonomy[task].map((code) => ({ task, ...code, worth: worth(query, code) })));
  const place = ({ task, code }) => (task === "category" && likely.includes(code) ? likely.indexOf(code) : likely.length);
  const kept = found.filter((one) => one.worth).map((one, order) => ({ one, order }));
  kept.sort((a, b) => b.one.worth - a.one.worth || place(a.one) - place(b.one) || a.order - b.order);
  return kept.slice(0, MOST).map(({ one }) => one);
}

export class Search {
  /** choose: is given the task, the code, and whether to settle at once. */
  constructor(taxonomy, names) {
    this.taxonomy = taxonomy;
    this.names = names;
    this.dialog = find("search");
    this.query = find("query");
    this.list = find("found");
    this.query.addEventListener("input", () => this.draw());
    this.query.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.take(this.found[[...this.list.children].indexOf(item)], false);
    });
  }

  /** Open it; likely: categories to be offered first. */
  open(likely, choose) {
    this.likely = likely;
    this.choose = choose;
    this.query.value = "";
    this.draw();
    this.dialog.showModal();
  }

  draw() {
    this.found = searched(this.query.value, this.taxonomy, this.likely);
    this.place = 0;
    const items = this.found.map(({ task, name, path }, number) =>
      make("li", { role: "option", id: `found-${number}` }, make("span", {}, name), make("span", { class: "above" }, path.join(" › ")), make("span", { class: "task" }, TOLD[task]())));
    this.list.replaceChildren(...(items.length ? items : [make("li", { role: "option", "aria-disabled": "true" }, say("没有这样的"))]));
    this.move(0);
  }

  move(by) {
    this.place = Math.max(0, Math.min(this.found.length - 1, this.place + by));
    [...this.list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === this.place && this.found.length > 0)));
    const item = this.list.children[this.place];
    if (this.found.length) this.query.setAttribute("aria-activedescendant", item.id);
    else this.query.removeAttribute("aria-activedescendant");
    item.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === "Enter") this.take(this.found[this.place], event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(one, settle) {
    if (!one) return;
    this.dialog.close();
    this.choose(one.task, one.code, settle);
  }
}
