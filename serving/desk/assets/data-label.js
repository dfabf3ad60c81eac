// Labelling: the model's guesses by number, all other categories by a search.
import { make, say } from "./say.js";
import { choice, held, keys, Queue, searching, told } from "./data-queue.js";

const { items, labels } = held;
const ALONG = ["tier", "clock", "type"];
const selects = ALONG.map((task) => document.getElementById(task));
const named = Object.fromEntries(labels.category.map((label) => [label.code, label]));

function draw(item) {
  document.getElementById("guesses").replaceChildren(
    ...item.guesses.map((code, number) => {
      const label = named[code];
      const button = make("button", { type: "button", class: "choice", "aria-pressed": String(item.said?.category === code) });
      button.addEventListener("click", () => label && answer(code));
      return choice(button, String(number + 1), label.name, label.path === label.name ? "" : label.path);
    }),
  );
  ALONG.forEach((task, number) => (selects[number].value = item.said?.[task] || ""));
  const code = item.said?.category;
  told(item.said ? (code ? say("已标为 {name}", { name: named[code]?.name || code }) : say("已跳过")) : "");
}

const address = `${location.pathname}/answers`;
const queue = new Queue(items, { address, draw, done: (number) => Boolean(items[number].said) });

function answer(code) {
  const codes = Object.fromEntries(ALONG.map((task, number) => [task, selects[number].value]).filter(([, value]) => value));
  if (code) codes.category = code;
  return queue.answer(codes, (number) => (items[number].said = codes));
}

function skip() {
  return queue.answer({}, (number) => (items[number].said = {}));
}

document.getElementById("skip").addEventListener("click", skip);
searching(() => labels.category, answer);
const byNumber = Object.fromEntries([1, 2, 3, 4, 5].map((key) => [String(key), () => queue.item.guesses[key - 1] && answer(queue.item.guesses[key - 1])]));
keys({
  ...byNumber,
  s: skip,
  arrowleft: () => queue.move(-1),
  arrowright: () => queue.move(1),
  "/": () => document.getElementById("search").focus(),
});
queue.show();
