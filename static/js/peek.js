// The quick view beside a list: opened by key or button, closed by Esc or "back"; the list stays as it is.
import { openDialog, registerKeys } from "./keys.js";
import { currentRow, goTo, hasRows, rowsOf, step } from "./row-keys.js";

const panel = document.getElementById("peek");
const body = document.getElementById("peek-body");
const main = document.getElementById("content");
const narrow = window.matchMedia("(max-width: 767.98px)");
let shown = null;
let address = window.location.href;

const isOpen = () => panel && !panel.hidden;
const rowOf = (pk) => rowsOf().find((row) => row.dataset.pk === String(pk));

async function load(pk) {
  shown = String(pk);
  const url = `${window.location.pathname}${pk}/peek/`;
  await window.htmx.ajax("GET", url, { target: body, swap: "innerHTML" });
}

async function show(pk, remember) {
  const wasOpen = isOpen();
  panel.hidden = false;
  document.documentElement.classList.add("has-peek");
  if (remember) history[wasOpen ? "replaceState" : "pushState"]({ peek: pk }, "");
  // On a phone the sheet covers the list, so the focus goes with it.
  main.inert = narrow.matches;
  if (narrow.matches) panel.focus();
  await load(pk);
}

function hide() {
  panel.hidden = true;
  body.replaceChildren();
  main.inert = false;
  document.documentElement.classList.remove("has-peek");
  const row = rowOf(shown);
  shown = null;
  goTo(row);
}

function close() {
  if (history.state?.peek) history.back();
  else hide();
}

function toggle(row) {
  if (isOpen() && shown === row.dataset.pk) return close();
  goTo(row);
  return show(row.dataset.pk, true);
}

// Ahead of htmx, which would load the list again.
window.addEventListener("popstate", (event) => {
  const sameList = window.location.href === address;
  if (event.state?.peek && sameList) {
    event.stopImmediatePropagation();
    show(event.state.peek, false);
  } else if (isOpen()) {
    if (sameList) event.stopImmediatePropagation();
    hide();
  }
});

document.addEventListener("htmx:pushedIntoHistory", () => {
  address = window.location.href;
  if (isOpen()) hide();
});

document.addEventListener("row:current", (event) => {
  if (isOpen() && event.target.dataset.pk !== shown) show(event.target.dataset.pk, true);
});

// Every row gets a button, drawn from one template: the address of the list stays small.
function offer(part) {
  const template = document.getElementById("peek-button");
  for (const row of part.querySelectorAll("[data-pk]:not(:has([data-peek]))")) {
    const place = row.querySelector("td:not(:has([data-select]))") ?? row;
    const button = template.content.firstElementChild.cloneNode(true);
    const name = row.querySelector("[data-row-link], a[href]")?.textContent ?? "";
    button.setAttribute("aria-label", `${button.getAttribute("aria-label")}: ${name.trim()}`);
    place.append(button);
  }
}

function refresh() {
  const list = document.getElementById("list");
  if (list) offer(list);
}

if (panel && document.getElementById("peek-button")) {
  refresh();
  document.addEventListener("htmx:load", refresh);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-peek]");
    if (button) toggle(button.closest("[data-pk]"));
    else if (event.target.closest?.("[data-peek-close]")) close();
    else if (event.target.closest?.("[data-peek-step]")) step(Number(event.target.closest("[data-peek-step]").dataset.peekStep));
  });
  registerKeys([
    { keys: "Space p", label: "peek-row", run: () => toggle(currentRow()), when: () => currentRow(), listed: hasRows },
    { keys: "ArrowDown", label: "next-row", run: () => step(1), when: isOpen },
    { keys: "ArrowUp", label: "previous-row", run: () => step(-1), when: isOpen },
    { keys: "Escape", label: "close", run: close, when: () => isOpen() && !openDialog() },
  ]);
  if (history.state?.peek) show(history.state.peek, false);
}

// The row from which one went to a record is where one comes back to.
const wanted = sessionStorage.getItem(`row:${window.location.pathname}`);
if (wanted) {
  sessionStorage.removeItem(`row:${window.location.pathname}`);
  goTo(rowOf(wanted));
}
