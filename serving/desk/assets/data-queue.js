// A queue that is worked through by keyboard: one item after the other, labels by number or by a search.
import { ask, Refused } from "./ask.js";
import { make, say } from "./say.js";

export const held = JSON.parse(document.getElementById("held").textContent);
const part = (id) => document.getElementById(id);
const MOST = 12; // labels that are found at once

/** What stands in the way: the message of an error, or nothing. */
export function fault(error) {
  part("fault").hidden = !error;
  if (error) part("fault").textContent = error instanceof Refused ? error.message : say("连不上服务，请再试一次");
}

/** Labels whose name, path or code holds all the words of a query, those whose name begins with it first. */
export function found(labels, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const rank = (label) => (label.name.startsWith(query.trim()) ? 0 : label.name.includes(query.trim()) ? 1 : 2);
  return labels
    .filter((label) => words.every((word) => `${label.name} ${label.path} ${label.code}`.toLowerCase().includes(word)))
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST);
}

/** The search as a combobox (ARIA 1.2): `labels` gives what is searched, `choose` takes the code. */
export function searching(labels, choose) {
  const [input, list] = [part("search"), part("found")];
  let hits = [];
  let at = 0;

  function draw() {
    list.replaceChildren(
      ...hits.map((label, number) => {
        const option = make("li", { role: "option", id: `found-${number}`, "aria-selected": String(number === at) }, make("span", {}, label.name));
        if (label.path !== label.name) option.append(make("span", { class: "hint" }, label.path));
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(number);
        });
        return option;
      }),
    );
    list.hidden = !hits.length;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    if (hits.length) input.setAttribute("aria-activedescendant", `found-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function look() {
    hits = found(labels(), input.value);
    at = 0;
    draw();
  }

  function take(number) {
    const label = hits[number];
    input.value = "";
    look();
    input.blur();
    choose(label.code);
  }

  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      input.value = "";
      look();
      input.blur();
    } else if (event.key === "Enter" && hits.length) take(at);
    else if (["ArrowDown", "ArrowUp"].includes(event.key) && hits.length) {
      at = (at + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length;
      draw();
    } else return;
    event.preventDefault();
  });
}

/** Keys that mean something wherever nobody is typing: name → what it does. */
export function keys(doing) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    const does = doing[event.key.toLowerCase()];
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !does) return;
    event.preventDefault();
    does();
  });
}

/** The items, one of which is shown: `draw` shows it, `done` says which are finished; the answers go to `address`. */
export class Queue {
  constructor(items, { address, draw, done }) {
    Object.assign(this, { items, address, draw, done, asking: false });
    this.at = Math.max(0, items.findIndex((_, number) => !done(number)));
    part("back").addEventListener("click", () => this.move(-1));
    part("forth").addEventListener("click", () => this.move(1));
  }

  get item() {
    return this.items[this.at];
  }

  /** Show the item that is next by so many. */
  move(by) {
    this.at = Math.min(this.items.length - 1, Math.max(0, this.at + by));
    this.show();
  }

  /** Show the present item and how far everybody is. */
  show() {
    const count = this.items.filter((_, number) => this.done(number)).length;
    part("count").textContent = say("第 {at} 件，共 {all} 件，做了 {count} 件", { at: this.at + 1, all: this.items.length, count });
    Object.assign(part("far"), { max: this.items.length, value: count });
    part("back").disabled = this.at === 0;
    part("forth").disabled = this.at === this.items.length - 1;
    part("petition-title").textContent = this.item.title || say("（没有标题）");
    part("petition-text").textContent = this.item.text;
    this.draw(this.item, this.at);
  }

  /** Send an answer, `keep` it, and go on to the next item. */
  async answer(answer, keep) {
    if (this.asking) return;
    this.asking = true;
    const number = this.at;
    try {
      await ask(this.address, { method: "POST", json: { number, ...answer } });
      fault(null);
      keep(number);
      if (this.at === number && this.at < this.items.length - 1) this.at += 1;
    } catch (error) {
      fault(error);
    } finally {
      this.asking = false;
      this.show();
    }
  }
}

/** A button for a label, with its key. */
export function choice(button, key, name, hint) {
  button.replaceChildren(make("kbd", {}, key), make("span", {}, name), make("span", { class: "hint" }, hint));
  return button;
}

/** What was said of the item, where something was. */
export function told(text) {
  part("said").hidden = !text;
  part("said").textContent = text;
}
