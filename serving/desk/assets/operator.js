// The operator's desk: reads while somebody types, and settles with a key.
import { Refused, ask } from "./ask.js";
import { choicesOf, differing, drawAnswer, drawRecent, named, seen, summary } from "./operator-answer.js";
import { Call } from "./operator-call.js";
import { drawDone, told } from "./operator-done.js";
import { listen } from "./operator-keys.js";
import { drawReading, isPersonal } from "./operator-reading.js";
import { Search } from "./operator-search.js";
import { correctAgain, isTaken, settle } from "./operator-settle.js";
import { Suggester } from "./operator-suggest.js";
import { say } from "./say.js";

const find = (id) => document.getElementById(id);

class Desk {
  constructor(taxonomy) {
    const { sample, read, most, name } = find("operator").dataset;
    this.sample = sample;
    this.operator = name;
    this.names = named(taxonomy);
    this.call = new Call(Number(read), Number(most));
    this.search = new Search(taxonomy, this.names);
    this.suggester = new Suggester({
      sketch: () => ({ ...this.call.sketch(), right: this.right }),
      show: (answer) => this.show(answer),
      fail: (error) => this.fault(error.message),
      wait: (waiting) => this.wait(waiting),
    });
    this.begin();
  }

  /** Nothing is known of the call yet. */
  begin() {
    this.suggestion = null;
    this.right = {};
    this.revealed = false;
    this.draw();
  }

  /** Ready for the next call. */
  clear() {
    this.call.clear();
    this.begin();
    this.suggester.cancel();
    find("long").hidden = true;
    this.fault("");
    drawRecent([]);
  }

  /** Something was written. */
  written() {
    find("long").hidden = !this.call.isLong;
    if (this.call.isLong) find("long").textContent = say("太长：只读前 {n} 字，后面的会照样遮盖后存下", { n: this.call.read });
    this.fault("");
    if (this.call.isEmpty) {
      this.suggester.cancel();
      this.suggestion = null;
      this.draw();
    } else this.suggester.later();
  }

  show(answer) {
    const before = this.suggestion && summary(this.suggestion);
    this.suggestion = answer;
    this.shownText = this.call.text;
    this.fault("");
    this.draw();
    drawRecent(answer.recent);
    if (summary(answer) !== before) find("aloud").textContent = summary(answer);
  }

  wait(waiting) {
    find("state").textContent = waiting ? say("正在读……") : "";
  }

  fault(message) {
    find("fault").textContent = message;
    find("fault").hidden = !message;
  }

  draw() {
    const shown = this.suggestion;
    find("answer").hidden = !shown;
    find("waiting").hidden = Boolean(shown);
    for (const id of ["accept", "correct", "return"]) find(id).disabled = !shown || this.busy;
    find("try").hidden = !this.call.isEmpty;
    find("phone").classList.toggle("veiled", !this.revealed);
    const changes = shown ? differing(shown.decision, this.right) : {};
    if (shown) drawAnswer(shown, changes, this.names);
    if (shown) drawReading(find("reading"), this.shownText, shown, this.revealed);
    else find("reading").replaceChildren();
    this.drawButtons(changes);
  }

  drawButtons(changes) {
    const names = Object.entries(changes).map(([task, code]) => this.names[task].get(code).name);
    const accept = names.length ? say("更正为“{what}”", { what: names.join(say("、")) }) : say("采纳");
    find("accept").firstElementChild.textContent = this.busy ? say("正在提交……") : accept;
    find("reveal").disabled = !this.hidden.length;
    find("reveal").setAttribute("aria-pressed", String(this.revealed));
    find("reveal").firstElementChild.textContent = this.revealed ? say("遮住") : say("显示原文");
  }

  /** The fields that hold something hidden. */
  get hidden() {
    const fields = [...new Set((this.suggestion?.masks || []).filter(isPersonal).map((mask) => mask.field))];
    return this.call.fields.phone.value ? [...fields, "phone"] : fields;
  }

  /** Correct one task; the same code as decided takes the correction back. */
  async correct(task, code) {
    const { [task]: _, ...others } = this.right;
    this.right = code === this.suggestion.decision[task].code ? others : { ...this.right, [task]: code };
    this.draw();
    find("aloud").textContent = find("accept").firstElementChild.textContent;
    return this.suggester.now();
  }

  choose(number) {
    const choice = this.suggestion && !this.busy && choicesOf(this.suggestion.decision, this.right)[number - 1];
    if (choice) this.correct("category", choice.code);
  }

  openSearch() {
    if (!this.suggestion || this.busy) return;
    const { category } = this.suggestion.decision;
    this.search.open([...category.alternatives.map(({ code }) => code), category.code], async (task, code, now) => {
      find("text").focus();
      const shown = this.correct(task, code);
      if (now && (await shown)) this.settle("accepted");
    });
  }

  /** Accept what is shown. What was not shown yet is shown first, and goes only if it is the same. */
  async accept() {
    if (this.call.isEmpty || this.busy) return;
    const before = this.suggestion && JSON.stringify(seen(this.suggestion.decision));
    if (!this.suggester.isCurrent) {
      if (!(await this.suggester.now())) return;
      if (JSON.stringify(seen(this.suggestion.decision)) !== before) {
        find("aloud").textContent = find("state").textContent = say("建议变了，请再看一眼，再按 Enter");
        return;
      }
    }
    await this.settle("accepted");
  }

  async settle(verdict, more = {}) {
    if (this.busy || !this.suggestion) return;
    const right = differing(this.suggestion.decision, this.right);
    const corrected = verdict === "accepted" && Object.keys(right).length > 0;
    const said = { petition: this.call.petition(), verdict: corrected ? "corrected" : verdict, right, seen: seen(this.suggestion.decision), ...more };
    const unit = this.suggestion.corrected?.route.unit;
    this.hold(true);
    try {
      this.settled(await settle(said), unit);
    } catch (error) {
      this.hold(false);
      if (!(error instanceof Refused)) throw error;
      if (isTaken(error)) this.taken(error, verdict, more);
      else this.fault(error.message);
    }
  }

  settled(answer, unit) {
    this.hold(false);
    find("said").hidden = false;
    find("said").textContent = told(answer, this.names);
    drawDone(answer, this.names, unit, (decision, done) => this.again(decision, done));
    this.clear();
    find("text").focus();
  }

  /** Correct what was settled once more. */
  again(decision, done) {
    const likely = [...decision.category.alternatives.map(({ code }) => code), decision.category.code];
    this.search.open(likely, async (task, code) => {
      try {
        await correctAgain(decision.decision_id, { [task]: code }, this.operator);
        done({ task, ...this.names[task].get(code) });
        find("said").textContent = say("已再改：{number}，改为{changes}", { number: decision.id, changes: this.names[task].get(code).name });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.fault(error.message);
      }
    });
  }

  hold(held) {
    this.busy = held;
    this.call.hold(held);
    this.draw();
  }

  taken(error, verdict, more) {
    find("taken-said").textContent = error.message;
    find("anyway").onclick = () => {
      find("taken").close();
      this.settle(verdict, { ...more, anyway: true });
    };
    find("taken").showModal();
  }

  openReturn() {
    if (!this.suggestion || this.busy) return;
    find("reason").value = "";
    find("unit").value = this.suggestion.decision.route.unit;
    find("returning").showModal();
  }

  /** Show what was typed as it is, once that is noted; or hide it again. */
  async reveal() {
    const fields = this.hidden;
    if (!this.revealed && !fields.length) return;
    try {
      if (!this.revealed) await ask("/desk/reveal", { method: "POST", json: { id: this.call.fields.number.value.trim(), fields } });
      this.revealed = !this.revealed;
      this.draw();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fault(error.message);
    }
  }

  next() {
    if (this.busy || (!this.call.isEmpty && !window.confirm(say("还没有提交，清掉重来吗？")))) return;
    this.clear();
    find("text").focus();
  }

  trySample() {
    find("text").value = this.sample;
    this.written();
    this.suggester.now();
    find("text").focus();
  }
}

function wire(desk) {
  for (const field of Object.values(desk.call.fields)) field.addEventListener("input", () => desk.written());
  const clicks = { try: "trySample", new: "next", reveal: "reveal", accept: "accept", correct: "openSearch", return: "openReturn" };
  for (const [id, act] of Object.entries(clicks)) find(id).addEventListener("click", () => desk[act]());
  find("keys").addEventListener("click", () => find("help").showModal());
  find("choices").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) desk.correct("category", button.dataset.code);
  });
  for (const task of ["tier", "clock", "type"]) find(task).addEventListener("change", (event) => desk.correct(task, event.target.value));
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  wireReturn(desk);
  for (const id of ["try", "new", "keys"]) find(id).disabled = false;
  listen({
    accept: () => desk.accept(), choose: (number) => desk.choose(number), correct: () => desk.openSearch(),
    return: () => desk.openReturn(), reveal: () => desk.reveal(), new: () => desk.next(), help: () => find("help").showModal(),
  });
  window.addEventListener("beforeunload", (event) => {
    if (!desk.call.isEmpty) event.preventDefault();
  });
}

function wireReturn(desk) {
  const form = find("returning").querySelector("form");
  find("reasons").addEventListener("click", (event) => {
    if (event.target.value) find("reason").value = event.target.value;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    find("returning").close();
    desk.settle("returned", { reason: find("reason").value, unit: find("unit").value });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) form.requestSubmit();
  });
}

const desk = new Desk(await ask("/desk/taxonomy"));
wire(desk);
if (new URLSearchParams(location.search).has("sample")) desk.trySample();
else {
  if (desk.call.isEmpty) find("text").focus();
  desk.written(); // what was typed before this script was there
}
