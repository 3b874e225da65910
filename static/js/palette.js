// The palette: Ctrl-K goes anywhere, adds anything, presses the buttons of the page, finds rows.
import { openDialog, registerKeys } from "./keys.js";
import { quickAdd } from "./quick-add.js";

const dialog = document.getElementById("palette");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
const RECENT = `recent:${document.querySelector("[data-user]")?.dataset.user}`;
const KEPT = 5;
const PAUSE = 150;
let offer;
let options = [];
let found = [];
let timer;
let running;

function fetchOffer() {
  offer ??= fetch(dialog.dataset.url, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
    .catch(() => { offer = null; return { groups: [], search: "" }; });
  return offer;
}

// --- what there is --------------------------------------------------------------

function buttons() {
  const entries = [...document.querySelectorAll("main [data-command], .page-actions :is(a.btn, button.btn)")]
    .filter((button) => button.checkVisibility() && !button.disabled)
    .map((button) => ({
      label: button.dataset.command || (button.querySelector("span")?.textContent ?? button.textContent).trim(),
      icon: button.querySelector("use")?.getAttribute("href").split("#")[1] ?? "chevron-right",
      run: () => button.click(),
    }));
  return { label: dialog.dataset.here, entries: entries.filter(({ label }) => label) };
}

function recent() {
  try {
    return JSON.parse(localStorage.getItem(RECENT)) ?? [];
  } catch {
    return [];
  }
}

function remember({ label, url, icon, quick }) {
  if (!url) return;
  const kept = [{ label, url, icon, quick }, ...recent().filter((one) => one.url !== url)].slice(0, KEPT);
  localStorage.setItem(RECENT, JSON.stringify(kept));
}

// --- how well a text fits: the smaller the better, -1 not at all -----------------

function fit(text, wanted) {
  const where = text.toLowerCase();
  const place = where.indexOf(wanted);
  if (place === 0) return 0;
  if (place > 0) return where[place - 1] === " " ? 1 : 2;
  let from = 0;
  for (const letter of wanted.replaceAll(" ", "")) {
    from = where.indexOf(letter, from) + 1;
    if (!from) return -1;
  }
  return 3;
}

function best(entry, wanted) {
  const fits = [entry.label, entry.also ?? ""].map((text) => fit(text, wanted)).filter((one) => one >= 0);
  return fits.length ? Math.min(...fits) : -1;
}

function narrowed({ label, entries }, wanted) {
  const fits = entries.map((entry) => [best(entry, wanted), entry]).filter(([how]) => how >= 0);
  return { label, entries: fits.sort((one, other) => one[0] - other[0]).map(([, entry]) => entry) };
}

// --- drawing --------------------------------------------------------------------

function symbol(name) {
  const svg = dialog.querySelector("svg.icon").cloneNode(true);
  const use = svg.querySelector("use");
  use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${name}`);
  return svg;
}

function optionOf(entry) {
  const option = document.createElement("div");
  option.id = `palette-${options.length}`;
  option.className = "palette-option";
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  const label = document.createElement("span");
  label.textContent = entry.label;
  option.append(symbol(entry.icon), label);
  if (entry.text) {
    const facts = document.createElement("span");
    facts.className = "muted truncate";
    facts.textContent = entry.text;
    option.append(facts);
  }
  option.addEventListener("click", () => choose(entry));
  options.push(option);
  option.entry = entry;
  return option;
}

function draw(groups) {
  options = [];
  const parts = groups.filter(({ entries }) => entries.length).map(({ label, entries }, place) => {
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    const heading = document.createElement("div");
    heading.className = "palette-group";
    heading.id = `palette-group-${place}`;
    heading.textContent = label;
    group.setAttribute("aria-labelledby", heading.id);
    group.append(heading, ...entries.map(optionOf));
    return group;
  });
  list.replaceChildren(...parts);
  dialog.querySelector("[data-none]").hidden = options.length > 0;
  mark(options[0]);
}

function mark(option) {
  for (const one of options) one.setAttribute("aria-selected", String(one === option));
  if (!option) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", option.id);
  return option.scrollIntoView({ block: "nearest" });
}

async function refresh() {
  const { groups } = await fetchOffer();
  const wanted = input.value.trim().toLowerCase();
  const own = [buttons(), ...groups];
  if (wanted) draw([...own.map((group) => narrowed(group, wanted)), ...found]);
  else draw([{ label: dialog.dataset.recent, entries: recent() }, ...own]);
}

async function search() {
  const text = input.value.trim();
  running?.abort();
  running = new AbortController();
  const { search: url } = await fetchOffer();
  if (!url || text.length < 2) return;
  try {
    const answer = await fetch(`${url}?${new URLSearchParams({ q: text })}`, { headers: { Accept: "application/json" }, signal: running.signal });
    if (!answer.ok) return;
    const groups = new Map();
    for (const { label, icon, title, text: facts, url: to } of await answer.json()) {
      if (!groups.has(label)) groups.set(label, { label, entries: [] });
      groups.get(label).entries.push({ label: title, text: facts, url: to, icon });
    }
    found = [...groups.values()];
    refresh();
  } catch (error) {
    if (error.name !== "AbortError") found = [];
  }
}

function choose(entry) {
  remember(entry);
  dialog.close();
  if (entry.run) entry.run();
  else if (entry.quick) quickAdd(entry.url);
  else window.location.assign(entry.url);
}

function open() {
  if (dialog.open) return dialog.close();
  input.value = "";
  found = [];
  dialog.showModal();
  return refresh();
}

if (dialog) {
  input.addEventListener("input", () => {
    found = [];
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
    refresh();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const here = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) mark(options.at((here + step) % options.length));
    else if (event.key === "Enter" && options[here]) choose(options[here].entry);
    else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-palette-open]")) button.addEventListener("click", open);
  registerKeys([
    { keys: "Mod+k", label: "palette", run: open, when: () => dialog.open || !openDialog(), typing: true, dialog: true },
  ]);
}
