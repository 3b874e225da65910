// Columns of a list: dragged into another order, moved by keys, made wider or narrower.
const FORM = "[data-layout-form]";
const NARROWEST = 60;
const WIDEST = 900;
const KEY_STEP = 16;
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);

function makeSortable(columns) {
  columns.dataset.sorted = "";
  const script = document.createElement("script");
  script.src = columns.dataset.sortable;
  script.onload = () => window.Sortable.create(columns, { handle: "[data-drag]", animation: 120 });
  document.head.append(script);
}

function move(button) {
  const item = button.closest("li");
  const other = button.dataset.move === "-1" ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (button.dataset.move === "-1") other.before(item);
  else other.after(item);
  button.focus();
}

// The menu comes when it is opened.
function begin() {
  const columns = document.querySelector(`${FORM} [data-sortable]:not([data-sorted])`);
  if (columns) makeSortable(columns);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(`${FORM} [data-move]`);
  if (button) move(button);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest(FORM);
  // The list may have been filtered since the page came. A view that stands alone stays so.
  const here = window.location.search;
  if (form && here.replace(/^\?/, "")) form.elements.address.value = here;
});

begin();
document.addEventListener("htmx:load", begin);

// --- widths ------------------------------------------------------------------

function table() {
  return document.querySelector("#list table[data-widths]");
}

function paint() {
  const heads = [...(table()?.querySelectorAll("th[data-width]") ?? [])];
  const rules = heads.map((head) => {
    const size = `${head.dataset.width}px`;
    const cells = `#list table > * > tr > :nth-child(${head.cellIndex + 1})`;
    return `${cells} { width: ${size}; min-width: ${size}; max-width: ${size} !important; }`;
  });
  sheet.replaceSync(`@media (min-width: 576px) { ${rules.join("\n")} }`);
}

function size(head, pixels) {
  head.dataset.width = Math.round(Math.max(NARROWEST, Math.min(WIDEST, pixels)));
  paint();
}

function keep(head) {
  const data = new FormData();
  data.set("key", head.dataset.col);
  data.set("width", head.dataset.width);
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  fetch(table().dataset.widths, { method: "POST", body: data, headers });
}

function addEdge(head) {
  const edge = document.createElement("span");
  edge.className = "column-edge";
  edge.dataset.edge = "";
  head.append(edge);
}

function prepare() {
  for (const head of table()?.querySelectorAll("th[data-col]") ?? []) {
    if (!head.querySelector("[data-edge]")) addEdge(head);
  }
  paint();
}

document.addEventListener("pointerdown", (event) => {
  const edge = event.target.closest?.("[data-edge]");
  if (!edge) return;
  event.preventDefault();
  const head = edge.closest("th");
  const from = event.clientX;
  const width = head.offsetWidth;
  edge.setPointerCapture(event.pointerId);
  const drag = (moved) => size(head, width + moved.clientX - from);
  edge.addEventListener("pointermove", drag);
  edge.addEventListener(
    "pointerup",
    () => {
      edge.removeEventListener("pointermove", drag);
      if (head.dataset.width) keep(head);
    },
    { once: true },
  );
});

document.addEventListener("click", (event) => {
  // The end of a drag over a heading's link is no click on it.
  if (event.target.closest?.("[data-edge]")) event.preventDefault();
});

// By keyboard: Alt and an arrow on a heading.
document.addEventListener("keydown", (event) => {
  const head = event.target.closest?.("th[data-col]");
  if (!head || !event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  size(head, head.offsetWidth + (event.key === "ArrowRight" ? KEY_STEP : -KEY_STEP));
  keep(head);
});

prepare();
document.addEventListener("htmx:load", prepare);
