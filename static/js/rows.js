// A click anywhere on a table row opens the link that the row is about.
export function linkOf(row) {
  return row?.querySelector("[data-row-link], a[href]");
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.target.closest("a, button, input, label, select, summary")) return;
  // With a mouse, a cell that can be edited is: cells.js. A finger opens the row.
  if (event.target.closest("[data-edit]") && window.matchMedia("(pointer: fine)").matches) return;
  const row = event.target.closest("table[data-row-links] tbody tr");
  const link = linkOf(row);
  if (!link || String(window.getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

// A table that scrolls sideways can be reached, and so scrolled, with the keyboard.
function reach(table) {
  const held = table.querySelector("a, button, input, select, summary");
  if (table.scrollWidth > table.clientWidth && !held) table.tabIndex = 0;
}

const reached = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));

function watch(part) {
  for (const table of part.querySelectorAll(".table-scroll:not([tabindex])")) reached.observe(table);
}

watch(document);
document.addEventListener("htmx:load", (event) => watch(event.detail.elt));
