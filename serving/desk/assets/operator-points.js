// Texts by code points, as the service counts them: a string of JavaScript counts UTF-16 units, two for an emoji.
const PAIR = /[\ud800-\udbff][\udc00-\udfff]/;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text without halves of characters, which no JSON may hold; such a half counts as one code point before and after. */
export const whole = (text) => text.replace(LONE, "\ufffd");

/** The first so many code points of a text. */
export function head(text, most) {
  if (text.length <= most) return text;
  let at = 0;
  for (let count = 0; count < most && at < text.length; count += 1) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return text.slice(0, at);
}

/** A way to cut a text between two code points. */
export function cutter(text) {
  if (!PAIR.test(text)) return (start, end) => text.slice(start, end);
  const places = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at) > 0xffff ? 2 : 1) places.push(at);
  places.push(text.length);
  const place = (point) => places[Math.min(point, places.length - 1)];
  return (start, end) => text.slice(place(start), place(end));
}
