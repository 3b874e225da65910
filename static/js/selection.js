// Chosen rows of a list. They outlive the list's own refreshes as long as its filters stay the same.
const chosen = { list: null, ids: new Set(), all: false, last: null };

const bar = () => document.querySelector("[data-bulk-bar]");
const boxes = () => [...document.querySelectorAll("#list [data-select]")];

// The address without what only changes how the same rows are shown.
function listOf(form) {
  const query = new URLSearchParams(form.elements.query.value);
  for (const name of ["sort", "columns", "page", "layout"]) query.delete(name);
  query.sort();
  return `${window.location.pathname}?${query}`;
}

function clear() {
  chosen.ids.clear();
  chosen.all = false;
  chosen.last = null;
}

function show() {
  const form = bar();
  if (!form) return;
  const all = boxes();
  for (const box of all) box.checked = chosen.all || chosen.ids.has(box.value);
  const ticked = all.filter((box) => box.checked).length;
  const head = document.querySelector("[data-select-page]");
  head.checked = all.length > 0 && ticked === all.length;
  head.indeterminate = ticked > 0 && !head.checked;
  showBar(form);
  showBanner(head.checked);
}

function showBar(form) {
  const isOn = chosen.all || chosen.ids.size > 0;
  const count = form.querySelector("[data-bulk-count]");
  const total = document.querySelector("[data-select-all]")?.dataset.selectAll;
  form.classList.toggle("is-on", isOn);
  const number = chosen.all ? total : chosen.ids.size.toLocaleString(document.documentElement.lang);
  count.textContent = isOn ? count.dataset.text.replace("{count}", number) : "";
  const ids = form.querySelector("[data-bulk-ids]");
  ids.disabled = chosen.all;
  ids.value = [...chosen.ids].join(",");
  form.querySelector("[data-bulk-all]").disabled = !chosen.all;
}

function showBanner(isPageChosen) {
  const banner = document.querySelector("[data-select-banner]");
  if (!banner) return;
  banner.hidden = !isPageChosen;
  banner.querySelector("[data-select-some]").hidden = chosen.all;
  banner.querySelector("[data-select-every]").hidden = !chosen.all;
}

function choose(box, isOn) {
  if (isOn) chosen.ids.add(box.value);
  else chosen.ids.delete(box.value);
}

// One box out of "all": what stays are the others of this page.
function leaveAll() {
  if (!chosen.all) return;
  chosen.all = false;
  for (const box of boxes()) chosen.ids.add(box.value);
}

function tick(box, isRange) {
  leaveAll();
  const all = boxes();
  const from = all.findIndex((one) => one.value === chosen.last);
  const to = all.indexOf(box);
  const range = isRange && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
  for (const one of range) choose(one, box.checked);
  chosen.last = box.value;
}

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-select], [data-select-page], [data-select-all], [data-bulk-clear]");
  if (!target) return;
  if (target.matches("[data-select]")) tick(target, event.shiftKey);
  else if (target.matches("[data-select-page]")) {
    leaveAll();
    for (const box of boxes()) choose(box, target.checked);
  } else if (target.matches("[data-select-all]")) chosen.all = true;
  else clear();
  show();
});

// A row that the keys have reached is chosen without losing its place.
document.addEventListener("mousedown", (event) => {
  if (event.shiftKey && event.target.matches?.("[data-select]")) event.preventDefault();
});

function begin() {
  const form = bar();
  if (!form) return;
  const list = listOf(form);
  if (chosen.list !== list) clear();
  chosen.list = list;
  show();
}

begin();
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt.id === "list") begin();
});
// The browser restores ticked boxes when one comes back; the bar follows them.
window.addEventListener("pageshow", () => {
  if (!chosen.all) for (const box of boxes()) if (box.checked) chosen.ids.add(box.value);
  show();
});
