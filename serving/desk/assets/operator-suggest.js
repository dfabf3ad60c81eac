// Suggestions: asked for after each pause, numbered, and only the newest is shown.
import { Refused, ask } from "./ask.js";

const PAUSE = 300; // milliseconds without a key

export class Suggester {
  /** sketch: what is asked; show: what is done with an answer; fail: with a refusal; wait: told whether one is under way. */
  constructor({ sketch, show, fail, wait }) {
    Object.assign(this, { sketch, show, fail, wait });
    this.number = 0;
    this.answered = -1;
  }

  /** Whether what is shown is of what is written now. */
  get isCurrent() {
    return this.answered === this.number;
  }

  /** Something was written: ask once nobody types. */
  later() {
    this.cancel();
    this.timer = setTimeout(() => this.now(), PAUSE);
  }

  /** Forget what is under way. */
  cancel() {
    this.number += 1;
    clearTimeout(this.timer);
    this.asking?.abort();
    this.wait(false);
  }

  /** Ask at once; resolved when the answer is shown, true unless another question has taken its place. */
  async now() {
    this.cancel();
    const number = this.number;
    const asking = (this.asking = new AbortController());
    this.wait(true);
    try {
      const answer = await ask("/desk/suggest", { method: "POST", json: this.sketch(), signal: asking.signal });
      if (number !== this.number) return false;
      this.answered = number;
      this.wait(false);
      this.show(answer);
      return true;
    } catch (error) {
      if (error.name === "AbortError" || number !== this.number) return false;
      this.wait(false);
      if (!(error instanceof Refused)) throw error;
      this.fail(error);
      return false;
    }
  }
}
