// What was read: the text as it is kept, masked, with the words that carried the category, and red lines in red.
import { make, say } from "./say.js";
import { cutter, head } from "./operator-points.js";

const MOST = 1500; // code points shown: whoever pastes a book need not see it twice

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
      if (mask.start === start && mask.text) pieces.push(make("span", { class: "hidden-part" }, mask.text));
    } else if (red.some(within)) pieces.push(make("mark", { class: "red" }, cut(start, end)));
    else if (words.some(within)) pieces.push(make("mark", {}, cut(start, end)));
    else if (mask && mask.text) pieces.push(make("span", { class: "shown-part" }, cut(start, end)));
    else pieces.push(cut(start, end));
  }
  if (shown.length < text.length) pieces.push(make("span", { class: "hint" }, say("……（后面的不再显示）")));
  place.replaceChildren(...pieces);
}
