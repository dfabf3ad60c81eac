// Doubted labels: kept or changed, one keystroke each.
import { say } from "./say.js";
import { choice, held, keys, Queue, searching, told } from "./data-queue.js";

const { items, said, labels } = held;
const [keep, change] = [document.getElementById("keep"), document.getElementById("change")];
const named = Object.fromEntries(Object.entries(labels).map(([task, all]) => [task, Object.fromEntries(all.map((label) => [label.code, label.name]))]));
const share = (value) => say("把握 {share}%", { share: Math.round(100 * value) });
const name = (item, code) => named[item.task][code] || code;
const TASKS = { category: say("类别"), tier: say("层级"), clock: say("时限"), type: say("诉求类型") };

function draw(item, number) {
  document.getElementById("settle-title").textContent = say("第 {line} 行的{task}", { line: item.line, task: TASKS[item.task] });
  choice(keep, "1", say("保留：{name}", { name: name(item, item.given) }), share(item.confidence));
  choice(change, "2", say("改为：{name}", { name: name(item, item.suggested) }), share(item.instead));
  keep.setAttribute("aria-pressed", String(said[number] === item.given));
  change.setAttribute("aria-pressed", String(said[number] === item.suggested));
  told(said[number] ? say("已定为 {name}", { name: name(item, said[number]) }) : "");
}

const address = `${location.pathname}/answers`;
const queue = new Queue(items, { address, draw, done: (number) => Boolean(said[number]) });
const settle = (code) => queue.answer({ code }, (number) => (said[number] = code));

keep.addEventListener("click", () => settle(queue.item.given));
change.addEventListener("click", () => settle(queue.item.suggested));
searching(() => labels[queue.item.task], settle);
keys({
  1: () => settle(queue.item.given),
  2: () => settle(queue.item.suggested),
  arrowleft: () => queue.move(-1),
  arrowright: () => queue.move(1),
  "/": () => document.getElementById("search").focus(),
});
queue.show();
