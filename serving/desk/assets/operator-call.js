// The call: what is being written, its number, and when it began. It lives in this page alone until it is settled.
import { head, whole } from "./operator-points.js";

const find = (id) => document.getElementById(id);
const SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/** A number for a call that has none: the day, and eight signs that are easy to read out. */
function fresh() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const signs = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => SIGNS[byte % SIGNS.length]);
  return `Z${two(now.getMonth() + 1)}${two(now.getDate())}-${signs.join("")}`;
}

export class Call {
  constructor(read, most) {
    this.read = read;
    this.most = most;
    this.fields = { number: find("number"), location: find("location"), phone: find("phone"), text: find("text") };
    this.fields.number.value ||= fresh(); // what was written while this page loaded stays
    this.begun = null;
  }

  /** Begin anew. */
  clear() {
    for (const field of Object.values(this.fields)) field.value = "";
    this.fields.number.value = fresh();
    this.begun = null;
  }

  get text() {
    return this.fields.text.value;
  }

  get isEmpty() {
    return !this.text.trim();
  }

  /** Whether it is longer than what is read; a string is never shorter than its code points. */
  get isLong() {
    return this.text.length > this.read && head(this.text, this.read).length < this.text.length;
  }

  /** What a suggestion is asked for: no more of it than would be read, and never the caller's number. */
  sketch() {
    this.begun ||= new Date().toISOString();
    return {
      id: this.fields.number.value.trim(),
      text: whole(head(this.text, this.read + 1)),
      location: whole(this.fields.location.value),
      received_at: this.begun,
    };
  }

  /** What is settled: all of it, or as much as the service takes. */
  petition() {
    let text = whole(this.text);
    for (let size = bytes(text); size > this.most; size = bytes(text)) {
      text = head(text, Math.floor((text.length * this.most) / size) - 1);
    }
    return { ...this.sketch(), text, phone: whole(this.fields.phone.value), channel: "phone" };
  }

  /** Let nobody write while it is being settled. */
  hold(held) {
    for (const field of Object.values(this.fields)) field.readOnly = held;
  }
}

const bytes = (text) => new TextEncoder().encode(JSON.stringify(text)).length;
