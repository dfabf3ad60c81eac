// What was read: the text as it is kept, masked, with the words that carried the category, and red lines in red.
import { make, say } from "./say.js";
import { cutter, head } from "./operator-points.js";

const MOST = 1500; // code points shown: whoever pastes a book need not see it twice

/** Whether a part is hidden because it is somebody's; the others are markup, which is only left out. */
export const isPersonal = (mask) => mask.text.startsWith("[");

/** Draw it; revealed: whether what is hidden is shown as it was typed. */
export function drawReading(place, text, suggestion, revealed) {
  const shown = head(text, MOST);
  const cut = cutter(shown);
  const size = [...shown].length;
  const mine = (spans) => spans.filter((span) => span.field === "text" && span.start < size);
  const masks = mine(suggestion.masks);
  const red = mine(suggestion.alarm ? suggestion.alarm.spans : []);
  const words = mine(suggestion.decision.evidence.filter((word) => word.task === "category"));
  const ends = [0, size];
  for (const span of [...masks, ...red, ...words]) ends.push(span.start, Math.min(span.end, size));
  const places = [...new Set(ends)].sort((one, other) => one - other);
  const pieces = [];
  for (let number = 0; number + 1 < places.length; number += 1) {
    const [start, end] = [places[number], places[number + 1]];
    const within = (span) => span.start <= start && end <= span.end;
    const mask = masks.find(within);
    if (mask && !revealed) {
      if (mask.start !== start) continue;
      if (isPersonal(mask)) pieces.push(make("span", { class: "hidden-part" }, mask.text));
      else add(pieces, "", mask.text);
    } else add(pieces, red.some(within) ? "red" : words.some(within) ? "word" : mask && isPersonal(mask) ? "shown" : "", cut(start, end));
  }
  if (shown.length < text.length) pieces.push(make("span", { class: "hint" }, say("……（后面的不再显示）")));
  place.replaceChildren(...pieces);
}

const MADE = {
  red: (text) => make("mark", { class: "red" }, text),
  word: (text) => make("mark", {}, text),
  shown: (text) => make("span", { class: "shown-part" }, text),
  "": (text) => make("span", {}, text),
};

/** Add a piece; one of the same kind as the last goes on with it. */
function add(pieces, kind, text) {
  const last = pieces.at(-1);
  if (last?.kind === kind) last.append(text);
  else pieces.push(Object.assign(MADE[kind](text), { kind }));
}
