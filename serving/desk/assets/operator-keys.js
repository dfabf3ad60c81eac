// Keys: what each does, where it does it, and where it must keep out of the way.
const WRITTEN = "input, textarea, select";
const PRESSED = "button, a, summary, select, [role=option]";

/** Whether an input method is at work: its Enter and its digits are its own (229 is what some of them send). */
const composing = (event) => event.isComposing || event.keyCode === 229;

/** What a key asks for; nothing where it is somebody else's. */
export function asked(event) {
  if (composing(event)) return "";
  const control = event.ctrlKey || event.metaKey;
  const writing = event.target.matches(WRITTEN);
  if (event.key === "Enter") {
    if (event.shiftKey || event.altKey || event.repeat) return "";
    return control || !event.target.matches(PRESSED) ? "accept" : "";
  }
  const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1];
  if (digit && (event.altKey !== control || !(writing || event.altKey || control))) return `choose ${digit}`;
  if (event.altKey && !control) return ALT[event.code] || "";
  return writing || control ? "" : PLAIN[event.key] || "";
}

const ALT = { KeyC: "correct", KeyT: "return", KeyR: "reveal", KeyN: "new", Slash: "help" };
const PLAIN = { "/": "correct", "?": "help" };

/** Listen; acts: what is asked for → what is done. Dialogs have keys of their own. */
export function listen(acts) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const [act, number] = asked(event).split(" ");
    if (!act) return;
    event.preventDefault();
    acts[act](Number(number));
  });
}
