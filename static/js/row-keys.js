// The keys of a list: j and k go through its rows, the others act on the row they reached.
import { registerKeys } from "./keys.js";
import { linkOf } from "./rows.js";

const ROWS = "#list [data-pk]";

export function rowsOf() {
  return [...document.querySelectorAll(ROWS)].filter((row) => row.checkVisibility());
}

export function currentRow() {
  return document.activeElement?.closest?.(ROWS) ?? document.querySelector(`${ROWS}.is-current`);
}

export function goTo(row) {
  if (!row) return;
  document.querySelector(`${ROWS}.is-current`)?.classList.remove("is-current");
  row.classList.add("is-current");
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  row.dispatchEvent(new CustomEvent("row:current", { bubbles: true }));
}

export function step(by) {
  const rows = rowsOf();
  const here = rows.indexOf(currentRow());
  goTo(here < 0 ? rows.at(by > 0 ? 0 : -1) : rows[here + by]);
}

function edit(row) {
  const cell = document.activeElement.closest("[data-edit]") ?? row.querySelector("[data-edit]");
  if (cell) cell.dispatchEvent(new CustomEvent("cell:edit", { bubbles: true }));
  else window.location.assign(`${linkOf(row).href}edit/`);
}

// A row that left the page with the last refresh is no longer the current one.
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(ROWS);
  for (const other of document.querySelectorAll(`${ROWS}.is-current`)) other.classList.toggle("is-current", other === row || !row);
});

const list = () => document.getElementById("list");
export const hasRows = () => rowsOf().length > 0;

registerKeys([
  { keys: "j", label: "next-row", run: () => step(1), when: hasRows },
  { keys: "k", label: "previous-row", run: () => step(-1), when: hasRows },
  { keys: "Enter", label: "open-row", run: () => linkOf(currentRow()).click(), when: () => currentRow(), listed: hasRows },
  { keys: "x", label: "select-row", run: () => currentRow().querySelector("[data-select]").click(), when: () => currentRow()?.querySelector("[data-select]"), listed: () => rowsOf()[0]?.querySelector("[data-select]") },
  { keys: "e", label: "edit-row", run: () => edit(currentRow()), when: () => currentRow() && list().hasAttribute("data-can-edit"), listed: () => hasRows() && list().hasAttribute("data-can-edit") },
]);
