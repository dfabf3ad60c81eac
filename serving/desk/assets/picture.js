// Pictures of charts: an SVG on white, at twice its size, as a PNG that the browser keeps.
const TWICE = 2;
const MARGIN = 12;
const HEAD = 34; // above the chart, for its name
const SEEN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "font-size", "font-weight",
  "font-family", "text-anchor",
];

/** The chart by itself, with its looks written on each element: a picture has no style sheet. */
function standing(chart, width, height) {
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
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return new XMLSerializer().serializeToString(copy);
}

/** The chart as a PNG. */
export async function picture(chart) {
  const { width, height } = chart.viewBox.baseVal;
  const drawn = await image(new Blob([standing(chart, width * TWICE, height * TWICE)], { type: "image/svg+xml" }));
  const canvas = document.createElement("canvas");
  canvas.width = (width + 2 * MARGIN) * TWICE;
  canvas.height = (height + HEAD + MARGIN) * TWICE;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.scale(TWICE, TWICE);
  pen.fillStyle = "#1b2430";
  pen.font = `600 15px ${getComputedStyle(chart).fontFamily}`;
  pen.fillText(chart.dataset.title, MARGIN, 22);
  pen.drawImage(drawn, MARGIN, HEAD, width, height);
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
