// What every page does: parts that are alive renew themselves, and forms that need it ask before they act.
import { ask } from "./ask.js";

const EVERY = 1500; // milliseconds between two looks

/** Renew `<section data-live="address">` while it bears one: the answer is the same section, drawn anew. */
async function renew(part) {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY));
    if (!part.isConnected || !part.dataset.live) return;
    const response = await ask(part.dataset.live, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.getElementById(part.id);
    if (!next || part.contains(document.activeElement)) continue;
    part.replaceWith(next);
    part = next;
  }
}

for (const part of document.querySelectorAll("[data-live]")) renew(part);

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
