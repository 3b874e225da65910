// The keyboard: one table of keys, and the help that "?" draws from it.
//
// registerKeys([{ keys: "j", label: "next-row", run, when, typing, dialog }])
//   keys    one or several with a space between: "j", "?", "Enter", "Mod+s" (Mod: Ctrl, on a Mac Cmd)
//   label   a name of crm/keys.py, or a text as it is shown
//   run     what the key does; given the event
//   when    the key works, and is listed, only while this is true
//   listed  where it is listed though it does not work just now
//   typing  works while one types, too;  dialog  works in a dialog, too
// A button with data-key="e" is pressed by that key and needs no line of script; with
// data-key-hint it only tells of a key that a script knows.
const table = [];
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES = { Mod: MAC ? "⌘" : "Ctrl", Alt: MAC ? "⌥" : "Alt", Shift: "⇧", Enter: "↵", Escape: "Esc", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const HELD = "a, button, input, select, textarea, summary, [role=button], [role=option]";
const PLAIN_INPUTS = /^(checkbox|radio|button|submit|reset|file|image|range|color)$/;

export function registerKeys(list) {
  for (const entry of list) {
    table.push({ ...entry, strokes: entry.keys.split(" ") });
  }
}

export function isTyping(target) {
  if (!(target instanceof Element)) return false;
  if (target instanceof HTMLInputElement) return !PLAIN_INPUTS.test(target.type);
  return target.isContentEditable || target.matches("textarea, select, [role=textbox]");
}

// The stroke of an event as the table writes it. AltGr makes a character and is no Ctrl+Alt.
function strokeOf(event) {
  const typed = event.getModifierState("AltGraph");
  let stroke = event.key === " " ? "Space" : event.key;
  const isLetter = stroke.length === 1;
  if (event.shiftKey && !(isLetter && stroke.toLowerCase() === stroke)) stroke = `Shift+${stroke}`;
  if (event.altKey && !typed) stroke = `Alt+${stroke}`;
  if ((event.ctrlKey || event.metaKey) && !typed) stroke = `Mod+${stroke}`;
  return stroke;
}

function pressable(stroke) {
  const scope = openDialog() ?? document;
  const found = [...scope.querySelectorAll("[data-key]")];
  return found.find((one) => one.dataset.key.split(" ").includes(stroke) && one.checkVisibility());
}

export function openDialog() {
  return [...document.querySelectorAll("dialog[open]")].at(-1) ?? null;
}

function entryFor(stroke, event) {
  const inDialog = openDialog() !== null;
  const typing = isTyping(event.target);
  return table.findLast((entry) =>
    entry.strokes.includes(stroke)
    && (entry.typing || !typing)
    && (entry.dialog || !inDialog)
    && (!entry.when || entry.when(event)));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && event.key === "Enter") return;
  const stroke = strokeOf(event);
  // A focused link or button has its own idea of these two.
  if (/^(Enter|Space)$/.test(stroke) && event.target.closest?.(HELD)) return;
  const entry = entryFor(stroke, event);
  if (entry) {
    event.preventDefault();
    entry.run(event);
    return;
  }
  const withModifier = stroke.startsWith("Mod+");
  if (!withModifier && (isTyping(event.target) || openDialog())) return;
  const button = pressable(stroke);
  if (!button) return;
  event.preventDefault();
  button.click();
});

// --- hints beside the buttons ---------------------------------------------------

function parts(stroke) {
  return stroke.split("+").map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

function drawn(stroke) {
  const hint = document.createElement("kbd");
  hint.textContent = parts(stroke).join(MAC ? "" : "+");
  return hint;
}

function hint(part) {
  const told = ":is([data-key], [data-key-hint]):not([aria-keyshortcuts])";
  for (const button of part.querySelectorAll?.(told) ?? []) {
    const strokes = (button.dataset.key ?? button.dataset.keyHint).split(" ");
    const spoken = strokes.map((one) => one.replace("Mod", MAC ? "Meta" : "Control"));
    button.setAttribute("aria-keyshortcuts", spoken.join(" "));
    if (button.hasAttribute("data-key-silent")) continue;
    const mark = drawn(strokes[0]);
    mark.className = "key-hint";
    mark.setAttribute("aria-hidden", "true");
    button.append(mark);
  }
}

hint(document);
document.addEventListener("htmx:load", (event) => hint(event.detail.elt.parentElement ?? event.detail.elt));

// --- help -----------------------------------------------------------------------

function line(strokes, label) {
  const term = document.createElement("dt");
  strokes.forEach((stroke) => term.append(drawn(stroke), " "));
  const text = document.createElement("dd");
  text.textContent = label;
  return [term, text];
}

function group(label, lines) {
  const part = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = label;
  const list = document.createElement("dl");
  list.className = "keys";
  list.append(...lines.flat());
  part.append(heading, list);
  return part;
}

function labelOf(button) {
  return button.getAttribute("aria-label") || (button.querySelector("span")?.textContent ?? button.textContent).trim();
}

function helpParts(words) {
  const working = table.filter((entry) => !entry.when || entry.listed === true || (entry.listed ?? entry.when)());
  const known = new Set();
  const found = words.groups.map(({ label, keys }) => {
    const lines = Object.keys(keys).flatMap((name) => working
      .filter((entry) => entry.label === name)
      .map((entry) => (known.add(entry), line(entry.strokes, keys[name]))));
    return { label, lines };
  });
  const own = working.filter((entry) => !known.has(entry)).map((entry) => line(entry.strokes, entry.label));
  for (const button of document.querySelectorAll("[data-key]")) {
    if (button.checkVisibility()) own.push(line(button.dataset.key.split(" "), labelOf(button)));
  }
  found.splice(1, 0, { label: words.page, lines: own });
  return found.filter(({ lines }) => lines.length).map(({ label, lines }) => group(label, lines));
}

const help = document.getElementById("keys-help");

function showHelp() {
  const words = JSON.parse(document.getElementById("key-labels").textContent);
  help.querySelector("[data-keys]").replaceChildren(...helpParts(words));
  help.showModal();
}

function goToSearch() {
  const search = document.querySelector("main [data-search]") ?? document.querySelector("[data-search]");
  search.focus();
  search.select();
}

registerKeys([
  { keys: "/", label: "search", run: goToSearch, when: () => document.querySelector("[data-search]") },
  { keys: "?", label: "help", run: showHelp, when: () => help },
]);

for (const button of document.querySelectorAll("[data-keys-open]")) button.addEventListener("click", showHelp);
