document.querySelectorAll("table.sortable th").forEach((head) => head.addEventListener("click", () => {
  const body = head.closest("table").tBodies[0], place = head.cellIndex, number = head.classList.contains("number");
  const up = head.getAttribute("aria-sort") === "descending" || (!number && !head.hasAttribute("aria-sort"));
  const value = (row) => row.cells[place].textContent;
  const compare = (a, b) => number ? parseFloat(value(a)) - parseFloat(value(b)) : value(a).localeCompare(value(b), "zh");
  [...body.rows].sort((a, b) => up ? compare(a, b) : compare(b, a)).forEach((row) => body.append(row));
  head.parentNode.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
}));
