// Pictures of charts: an SVG on white, at twice its size, as a PNG that the browser keeps.
const TWICE = 2;
const MARGIN = 12;
const HEAD = 34; // above the chart, for its name
const ROW = 24; // below it, for each row of names of what its patterns mean
const SWATCH = 18;
const SEEN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "font-size", "font-weight",
  "font-family", "text-anchor",
];

/** The chart by itself, with its looks written on each element: a picture has no style sheet. */
function standing(chart) {
  const copy = chart.cloneNode(true);
  const from = [chart, ...chart.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, place) => {
    const style = getComputedStyle(element);
    for (const name of SEEN) {
      // A reference to a pattern is told as an absolute address, which means nothing outside the page.
      const value = style.getPropertyValue(name).replace(/url\("[^"#]*#/g, 'url("#');
      if (value) to[place].setAttribute(name, value.replaceAll('"', name === "font-family" ? "'" : ""));
    }
    to[place].removeAttribute("class");
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return copy;
}

/** What the patterns mean, as the list beside the chart tells it: the text and the place of each. */
function key(chart, pen, width) {
  const names = chart.closest("section").querySelectorAll(".key li");
  let [x, row] = [0, 0];
  return [...names].map((name) => {
    const text = name.textContent.trim().replace(/\s+/g, " ");
    const wide = SWATCH + 24 + pen.measureText(text).width;
    if (x && x + wide > width) [x, row] = [0, row + 1];
    const place = { text, x, row };
    x += wide;
    return place;
  });
}

/** A copy of the chart that has its key below: the patterns are its own. */
function keyed(chart, places, height) {
  const copy = chart.cloneNode(true);
  places.forEach(({ x, row }, number) => {
    const swatch = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const pattern = `url(#${chart.id}-p-${number % 8})`;
    const at = { x, y: height + row * ROW + 6, width: SWATCH, height: 14, fill: pattern };
    for (const [attribute, value] of Object.entries(at)) swatch.setAttribute(attribute, value);
    copy.append(swatch);
  });
  return copy;
}

/** The chart as a PNG. */
export async function picture(chart) {
  const { width, height } = chart.viewBox.baseVal;
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const family = getComputedStyle(chart).fontFamily;
  pen.font = `13px ${family}`;
  const places = key(chart, pen, width);
  const whole = height + ROW * (places.length ? places.at(-1).row + 1 : 0);
  const copy = keyed(standing(chart), places, height);
  for (const [name, value] of [["width", width * TWICE], ["height", whole * TWICE]]) copy.setAttribute(name, value);
  copy.setAttribute("viewBox", `0 0 ${width} ${whole}`);
  const drawn = await image(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  canvas.width = (width + 2 * MARGIN) * TWICE;
  canvas.height = (whole + HEAD + MARGIN) * TWICE;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.scale(TWICE, TWICE);
  pen.fillStyle = "#1b2430";
  pen.font = `600 15px ${family}`;
  pen.fillText(chart.dataset.title, MARGIN, 22);
  pen.drawImage(drawn, MARGIN, HEAD, width, whole);
  pen.font = `13px ${family}`;
  for (const { text, x, row } of places) pen.fillText(text, MARGIN + x + SWATCH + 6, HEAD + height + row * ROW + 18);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** An image whose data has come. */
async function image(blob) {
  const address = URL.createObjectURL(blob);
  const drawn = new Image();
  drawn.src = address;
  await drawn.decode();
  URL.revokeObjectURL(address);
  return drawn;
}

/** Have the browser keep a file. */
export function keep(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
