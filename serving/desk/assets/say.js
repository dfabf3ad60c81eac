// Saying things in the page's language: sentences are written in Chinese, English ones come with the page.
const list = document.getElementById("words");
const words = list ? JSON.parse(list.textContent) : {};

/** A sentence in the page's language; `{name}` is replaced by what is given for it. */
export function say(sentence, values = {}) {
  return (words[sentence] || sentence).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** An element: its tag, attributes, and children, which are elements or text — never markup. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
