// The board: drag a card, or move it with Shift and an arrow; the server has the last word.
import { registerKeys } from "./keys.js";

const list = () => document.getElementById("list");
const board = () => list().querySelector("[data-board]");
const dialog = document.getElementById("board-dialog");
const FOLD = "board-unfolded:";

function say(text) {
  const place = list().querySelector("[data-board-status]");
  if (place) place.textContent = text;
}

function complain(text) {
  const alert = document.getElementById("board-refused").content.cloneNode(true);
  alert.querySelector("[data-text]").textContent = text;
  document.querySelector(".toasts").replaceChildren(alert);
}

const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
const columnOf = (card) => card.closest("[data-column]");
const moveUrl = (card) => new URL(card.querySelector("[data-board-move]").href).pathname;

// --- the server -------------------------------------------------------------------

async function send(url, data) {
  const headers = { Accept: "application/json", "X-CSRFToken": token() };
  try {
    const response = await fetch(url, { method: "POST", body: data, headers });
    return await response.json();
  } catch {
    return { error: document.getElementById("toast-failed").content.textContent.trim() };
  }
}

function reload(focus) {
  const { pathname, search } = window.location;
  const done = htmx.ajax("GET", pathname + search, { target: "#list", swap: "outerHTML" });
  return done.then(() => focusOn(focus));
}

function focusOn(pk) {
  list().querySelector(`[data-card="${CSS.escape(pk)}"] .board-title`)?.focus();
}

function settle(card, answer) {
  const pk = card.dataset.card;
  if (answer.go) window.location.assign(answer.go);
  else if (answer.ask) ask(answer.ask);
  else if (answer.error) {
    complain(answer.error);
    reload(pk);
  } else {
    put(pk, answer);
    say(answer.message);
  }
}

// The card as the server sees it, at the top of its column, and the new totals.
function put(pk, answer) {
  const old = list().querySelector(`[data-card="${CSS.escape(pk)}"]`);
  const column = board().querySelector(`[data-column="${CSS.escape(answer.column)}"]`);
  const held = old.contains(document.activeElement) || document.activeElement === document.body;
  if (columnOf(old) !== column) column?.querySelector("[data-cards]").prepend(old);
  old.insertAdjacentHTML("afterend", answer.card);
  old.remove();
  for (const [key, html] of Object.entries(answer.heads)) {
    const head = board().querySelector(`[data-column="${CSS.escape(key)}"] [data-head]`);
    if (head) head.innerHTML = html;
  }
  if (held) focusOn(pk);
}

async function move(card, key) {
  const data = new FormData();
  data.set(board().dataset.field, key);
  data.set("from", card.dataset.state);
  data.set("back", board().dataset.back);
  card.classList.add("is-moving");
  settle(card, await send(moveUrl(card), data));
}

// --- the dialog -------------------------------------------------------------------

async function ask(url) {
  await htmx.ajax("GET", url, { target: "#board-dialog [data-dialog-body]", swap: "innerHTML" });
  const body = dialog.querySelector("[data-dialog-body]");
  document.getElementById("board-dialog-title").textContent = body.querySelector("[data-title]").dataset.title;
  if (!dialog.open) dialog.showModal();
  body.querySelector("input:not([type=hidden]), select")?.focus();
}

dialog.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await send(form.action, new FormData(form));
  const pk = form.dataset.moveForm;
  if (answer.ask) {
    ask(answer.ask);
    return;
  }
  dialog.close("sent");
  const card = list().querySelector(`[data-card="${CSS.escape(pk)}"]`);
  if (card) settle(card, answer);
});

dialog.addEventListener("click", (event) => {
  if (!event.target.closest("[data-dialog-close]")) return;
  event.preventDefault();
  dialog.close();
});

// A card that was dropped where a reason is needed goes back if none is given.
dialog.addEventListener("close", () => {
  const pk = dialog.querySelector("[data-move-form]")?.dataset.moveForm;
  if (dialog.returnValue !== "sent") reload(pk);
  dialog.returnValue = "";
});

// --- hands ------------------------------------------------------------------------

function dropped({ item, from, to }) {
  board().classList.remove("is-dragging");
  if (from === to) return;
  item.querySelector(".board-title").focus({ preventScroll: true });
  move(item, columnOf(to).dataset.column);
}

function liven() {
  const place = board();
  if (!place || place.dataset.live) return;
  place.dataset.live = "yes";
  for (const column of place.querySelectorAll("[data-column]")) {
    fold(column, window.localStorage.getItem(FOLD + place.dataset.back.split("?")[0] + column.dataset.column));
    Sortable.create(column.querySelector("[data-cards]"), {
      group: "board",
      draggable: "[data-card]",
      filter: ".board-card:not([data-movable])",
      preventOnFilter: false,
      sort: false,
      animation: 120,
      forceFallback: true,
      fallbackTolerance: 5,
      delay: 180,
      delayOnTouchOnly: true,
      onStart: () => place.classList.add("is-dragging"),
      onEnd: dropped,
    });
  }
}

function fold(column, isOpen) {
  const button = column.querySelector("[data-board-fold]");
  if (!button) return;
  column.classList.toggle("is-unfolded", Boolean(isOpen));
  button.setAttribute("aria-expanded", String(Boolean(isOpen)));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-board-fold]");
  const link = event.target.closest("[data-board-move]");
  const cancel = event.target.closest("[data-board-cancel]");
  if (button) {
    const column = button.closest("[data-column]");
    const isOpen = !column.classList.contains("is-unfolded");
    const key = FOLD + board().dataset.back.split("?")[0] + column.dataset.column;
    if (isOpen) window.localStorage.setItem(key, "yes");
    else window.localStorage.removeItem(key);
    fold(column, isOpen);
  } else if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    ask(link.href);
  } else if (cancel) {
    cancel.closest("form").remove();
  }
});

// --- keys -------------------------------------------------------------------------

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

function neighbour(column, step) {
  const columns = [...board().querySelectorAll("[data-column]")];
  return columns[columns.indexOf(column) + step];
}

function walk(card, key) {
  const cards = [...columnOf(card).querySelectorAll("[data-card]")];
  const place = cards.indexOf(card);
  if (!STEPS[key]) return cards[place + (key === "ArrowDown" ? 1 : -1)];
  for (let next = neighbour(columnOf(card), STEPS[key]); next; next = neighbour(next, STEPS[key])) {
    const there = [...next.querySelectorAll("[data-card]")].filter((one) => one.checkVisibility());
    if (there.length) return there[Math.min(place, there.length - 1)];
  }
  return null;
}

const cardInFocus = () => document.activeElement?.closest("[data-card]");

function shift({ key }) {
  const card = cardInFocus();
  const next = neighbour(columnOf(card), STEPS[key]);
  if (next && "movable" in card.dataset && !card.classList.contains("is-moving")) move(card, next.dataset.column);
}

registerKeys([
  {
    keys: "ArrowUp ArrowDown ArrowLeft ArrowRight",
    label: "next-card",
    run: ({ key }) => walk(cardInFocus(), key)?.querySelector(".board-title").focus(),
    when: cardInFocus,
    listed: true,
  },
  { keys: "Shift+ArrowLeft Shift+ArrowRight", label: "move-card", run: shift, when: cardInFocus, listed: true },
]);

liven();
document.addEventListener("htmx:load", liven);
