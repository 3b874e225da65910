// Cells that are edited where they stand: click, F2 or "e" opens; Enter or leaving saves; Esc takes
// back; Tab saves and goes on. `[data-edit=KEY]` in a `[data-pk]` in a `[data-cells=URL]`.
import { registerKeys } from "./keys.js";

const FINE = window.matchMedia("(pointer: fine)");
const CONTROL = "input:not([type=hidden]), select, textarea";
const HELD = "a, button, input, select, textarea, label, summary";
const before = new WeakMap();
const busy = new WeakSet();

const cellsOf = (root) => [...root.querySelectorAll("[data-edit]")].filter((cell) => cell.checkVisibility());
const isOpen = (cell) => before.has(cell);
const formOf = (cell) => cell.querySelector("[data-cell-form]");

function urlOf(cell) {
  const { pk } = cell.closest("[data-pk]").dataset;
  return `${cell.closest("[data-cells]").dataset.cells}${pk}/cell/${cell.dataset.edit}/`;
}

async function ask(cell, options = {}, query = "") {
  const headers = {
    "HX-Request": "true",
    "HX-Current-URL": window.location.href,
    ...JSON.parse(document.body.getAttribute("hx-headers")),
  };
  const answer = await fetch(urlOf(cell) + query, { headers, ...options });
  // Who is no longer signed in has to do so first.
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) window.location.assign(elsewhere);
  return answer;
}

function complain(name) {
  document.dispatchEvent(new CustomEvent(name));
}

function fill(cell, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  cell.replaceChildren(holder.content);
  document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: cell } }));
}

function begin(cell) {
  const control = formOf(cell).querySelector(CONTROL) ?? formOf(cell).querySelector("[tabindex]");
  control?.focus();
  if (control?.matches("input, textarea")) control.select?.();
}

async function open(cell) {
  if (isOpen(cell) || busy.has(cell)) return;
  busy.add(cell);
  try {
    const answer = await ask(cell);
    if (!answer.ok && answer.status !== 409) throw new Error(answer.status);
    const html = await answer.text();
    cell.style.setProperty("--cell-width", `${cell.clientWidth}px`);
    before.set(cell, [...cell.childNodes]);
    cell.classList.add("is-editing");
    fill(cell, html);
    begin(cell);
  } catch (error) {
    complain(error instanceof TypeError ? "htmx:sendError" : "htmx:responseError");
  } finally {
    busy.delete(cell);
  }
}

function close(cell, { focus = true } = {}) {
  before.delete(cell);
  cell.classList.remove("is-editing");
  dress(cell);
  if (!focus) return;
  cell.tabIndex = -1;
  cell.focus({ preventScroll: true });
}

function cancel(cell) {
  busy.add(cell);
  cell.replaceChildren(...before.get(cell));
  busy.delete(cell);
  close(cell);
}

// Returns whether the cell is closed; what was refused stays open with its reason.
async function save(cell, { focus = true } = {}) {
  if (busy.has(cell)) return false;
  busy.add(cell);
  try {
    const answer = await ask(cell, { method: "POST", body: new FormData(formOf(cell)) });
    if (!answer.ok && answer.status !== 409 && answer.status !== 422) throw new Error(answer.status);
    fill(cell, await answer.text());
    if (answer.ok) close(cell, { focus });
    else begin(cell);
    return answer.ok;
  } catch (error) {
    complain(error instanceof TypeError ? "htmx:sendError" : "htmx:responseError");
    return false;
  } finally {
    busy.delete(cell);
  }
}

async function takeTheirs(cell) {
  const answer = await ask(cell, {}, "?shown");
  if (!answer.ok) return complain("htmx:responseError");
  busy.add(cell);
  fill(cell, await answer.text());
  busy.delete(cell);
  return close(cell);
}

async function move(cell, by) {
  const all = cellsOf(cell.closest("[data-cells]"));
  const next = all[all.indexOf(cell) + by];
  if (await save(cell, { focus: !next }) && next) open(next);
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest?.("[data-edit]");
  if (!cell) return;
  if (event.target.closest("[data-cell-theirs]")) takeTheirs(cell);
  else if (event.target.closest("[data-cell-pencil]")) open(cell);
  else if (!FINE.matches || event.defaultPrevented || event.target.closest(HELD) || isOpen(cell)) return;
  else if (!String(window.getSelection())) open(cell);
});

document.addEventListener("cell:edit", (event) => open(event.target));

document.addEventListener("submit", (event) => {
  const cell = event.target.closest("[data-edit]");
  if (!cell || !event.target.matches("[data-cell-form]")) return;
  event.preventDefault();
  save(cell);
});

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("[data-edit].is-editing");
  if (!cell || event.defaultPrevented || event.isComposing) return;
  if (event.target.closest("button") && event.key !== "Escape") return;
  const isText = event.target.matches("textarea") && !(event.ctrlKey || event.metaKey);
  if (event.key === "Escape") cancel(cell);
  else if (event.key === "Enter" && !isText) save(cell);
  else if (event.key === "Tab" && !cell.querySelector(".cell-note")) move(cell, event.shiftKey ? -1 : 1);
  else return;
  event.preventDefault();
  event.stopPropagation();
});

// Whoever clicks elsewhere means to keep what was typed.
document.addEventListener("focusout", (event) => {
  const cell = event.target.closest?.("[data-edit].is-editing");
  if (!cell || busy.has(cell) || cell.contains(event.relatedTarget) || !document.hasFocus()) return;
  if (event.relatedTarget?.closest(".ts-dropdown") || cell.querySelector(".cell-note, [aria-invalid=true]")) return;
  setTimeout(() => {
    if (isOpen(cell) && !busy.has(cell) && !cell.contains(document.activeElement)) save(cell, { focus: false });
  });
});

const focused = () => document.activeElement?.closest?.("[data-edit]:not(.is-editing)");
const nearest = () => focused() ?? document.activeElement?.closest?.("[data-pk]")?.querySelector("[data-edit]");

registerKeys([
  { keys: "F2", label: "edit-cell", run: () => open(nearest()), when: nearest, listed: () => document.querySelector("[data-edit]") },
  { keys: "e", label: "edit-cell", run: () => open(focused()), when: focused },
]);

// Fingers have no pointer to rest on a cell: they get a pencil.
function dress(cell) {
  const pencil = document.getElementById("cell-pencil");
  if (!FINE.matches && pencil && !cell.querySelector("[data-cell-pencil]")) cell.append(pencil.content.cloneNode(true));
}

function dressAll(part) {
  if (!FINE.matches) for (const cell of part.querySelectorAll("[data-edit]:not(.is-editing)")) dress(cell);
}

dressAll(document);
document.addEventListener("htmx:load", (event) => dressAll(event.detail.elt));
