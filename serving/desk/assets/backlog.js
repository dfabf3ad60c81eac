// The backlog desk: forms that ask a door, in words that the page has written into them, and then go where it leads.
// `data-ask`: the door; `data-fixed`: what is asked anyway; `data-to`: where the id of the answer is shown.
import { ask, Refused } from "./ask.js";
import { say } from "./say.js";

/** What a form asks for: empty fields are left to the service. */
function asked(form) {
  if (form.dataset.method === "DELETE") return undefined;
  const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  const { escape_formulas: escape, format } = form.elements;
  if (escape) given.escape_formulas = escape.checked && format.value === "csv"; // of CSV alone
  const fixed = JSON.parse(form.dataset.fixed || "{}");
  if (!("columns" in form.dataset)) return { ...given, ...fixed };
  return { columns: columns(form), ...fixed };
}

/** Columns by role; only those that somebody has changed, or that a column was found for. */
function columns(form) {
  const fields = [...form.elements].filter((field) => field.name && field.value.trim());
  const listed = (field) => field.value.split("、").map((one) => one.trim()).filter(Boolean);
  return Object.fromEntries(fields.map((field) => [field.name, listed(field)]));
}

/** A name for a request, so that it is done once however often it is sent. */
export function named() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((number) => number.toString(36)).join("-");
}

/** Show what went wrong where everybody sees it. */
export function fail(error) {
  const place = document.getElementById("error");
  place.textContent = error instanceof Refused ? error.message : say("没有做成，请再试一次");
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.ask) return;
  event.preventDefault();
  if (form.dataset.askFirst && !window.confirm(form.dataset.askFirst)) return;
  const button = event.submitter;
  if (button) button.disabled = true;
  try {
    const json = asked(form);
    const method = form.dataset.method || "POST";
    const answer = await ask(form.dataset.ask, { method, json, headers: { "idempotency-key": named() } });
    if (form.dataset.to) location.assign(form.dataset.to + answer.id);
    else location.reload();
  } catch (error) {
    fail(error);
    if (button) button.disabled = false;
  }
});
