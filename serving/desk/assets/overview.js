// The chief's page: parts that take longer come after the page, and charts are kept as pictures.
import { ask, Refused } from "./ask.js";
import { keep, picture } from "./picture.js";
import { make, say } from "./say.js";

/** Put the part that an address answers in place of the one that waits for it. */
async function later(part) {
  try {
    const response = await ask(part.dataset.later, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    part.replaceWith(page.getElementById(part.id));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    part.removeAttribute("aria-busy");
    part.append(make("p", { class: "error", role: "alert" }, say("没有读到，请重新打开这一页")));
  }
}

for (const part of document.querySelectorAll("[data-later]")) later(part);

document.addEventListener("click", async (event) => {
  const name = event.target.dataset?.picture;
  const chart = name && document.getElementById(name);
  if (chart) keep(await picture(chart), `${chart.dataset.title}.png`);
});
