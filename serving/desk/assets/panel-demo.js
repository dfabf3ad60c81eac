// A mock agent desktop: invented calls fill its form as the caller speaks, and the panel beside it follows.
import { make, say } from "./say.js";

const LETTER = 45; // milliseconds a character, as fast as people speak
const SHOWN = 60; // messages of the log
const panel = document.getElementById("panel");
const form = document.getElementById("ticket");
const log = document.getElementById("log");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
let call = 0; // counts calls, so that an earlier one falls silent

function note(direction, told) {
  log.prepend(make("li", {}, make("strong", {}, direction), " ", make("code", {}, told)));
  while (log.children.length > SHOWN) log.lastChild.remove();
}

function send() {
  const petition = Object.fromEntries(["id", "text", "location", "phone"].map((name) => [name, form.elements[name].value]));
  panel.decide(petition);
  note(say("发出"), `jiesu:petition ${petition.id} ${say("{count} 字", { count: petition.text.length })}`);
}

async function speak(pieces, mine) {
  for (const letter of calm ? pieces : pieces.join("")) {
    if (mine !== call) return;
    form.elements.text.value += letter;
    send();
    await new Promise((done) => setTimeout(done, LETTER * letter.length));
  }
}

function take(button) {
  for (const one of document.querySelectorAll("[data-call]")) one.setAttribute("aria-pressed", one === button);
  form.reset();
  const { call: id, caller, phone, location, spoken } = button.dataset;
  Object.entries({ id, caller, phone, location }).forEach(([name, value]) => (form.elements[name].value = value));
  speak(spoken.split("|"), ++call);
}

for (const button of document.querySelectorAll("[data-call]")) {
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => take(button));
}
form.addEventListener("input", send);
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["ready", "decision", "feedback", "error"]) {
  panel.addEventListener(`jiesu-${name}`, ({ detail }) => {
    const { decision, verdict, message } = detail;
    const told = decision ? `${decision.category.name} → ${decision.route.start}` : verdict || message || "";
    note(say("收到"), `jiesu:${name} ${told}`);
    if (!decision) return;
    form.elements.category.value = decision.category.name;
    form.elements.unit.value = decision.route.unit;
  });
}
