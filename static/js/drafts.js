// What is typed into a form marked data-guard outlives a session that ran out: it is kept in this
// tab, by address and person, offered again, and forgotten once it was saved.
const user = document.querySelector("[data-user]")?.dataset.user;
const PREFIX = `draft:${user}:`;
const SENT = `sent:${user}`;
const NOT_KEPT = /^(csrfmiddlewaretoken|then|more)$/;
const VERSION = "row_version";
const untouched = new WeakMap();

function guarded(part) {
  const found = [...part.querySelectorAll("form[data-guard]")];
  return part instanceof HTMLFormElement && part.hasAttribute("data-guard") ? [part, ...found] : found;
}

function keyOf(form) {
  const sentTo = new URL(form.getAttribute("action") || window.location.pathname, window.location.href);
  return `${PREFIX}${window.location.pathname}>${sentTo.pathname}`;
}

// [name, value, text of the option]; a picker that asks the server has only few options.
function entriesOf(form) {
  const found = [];
  for (const control of form.elements) {
    if (!control.name || NOT_KEPT.test(control.name) || control.disabled) continue;
    if (/^(password|file|submit|button)$/.test(control.type)) continue;
    if (/^(checkbox|radio)$/.test(control.type)) {
      if (control.checked) found.push([control.name, control.value]);
    } else if (control instanceof HTMLSelectElement) {
      for (const option of control.selectedOptions) found.push([control.name, option.value, option.text]);
    } else {
      found.push([control.name, control.value]);
    }
  }
  return found;
}

const typed = (entries) => JSON.stringify(entries.filter(([name]) => name !== VERSION));

let waiting;
document.addEventListener("input", keep);
document.addEventListener("change", keep);

function keep(event) {
  const form = event.target.form;
  if (!user || !form?.hasAttribute("data-guard")) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => save(form), 300);
}

function save(form) {
  if (!form.isConnected) return;
  const entries = entriesOf(form);
  if (typed(entries) === untouched.get(form)) sessionStorage.removeItem(keyOf(form));
  else sessionStorage.setItem(keyOf(form), JSON.stringify(entries));
}

// --- sent, and whether that saved it --------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!user || event.defaultPrevented || !form.hasAttribute("data-guard") || form.hasAttribute("hx-post")) return;
  clearTimeout(waiting);
  save(form);
  sessionStorage.setItem(SENT, JSON.stringify({ key: keyOf(form), path: window.location.pathname }));
});

document.addEventListener("record-added", (event) => {
  const form = event.target.closest("form");
  clearTimeout(waiting);
  if (form) sessionStorage.removeItem(keyOf(form));
});

// Only a page for somebody signed in comes here: the sign-in page and errors have no data-user.
function settle() {
  const sent = JSON.parse(sessionStorage.getItem(SENT) ?? "null");
  sessionStorage.removeItem(SENT);
  if (!sent) return;
  const saved = window.location.pathname !== sent.path || document.querySelector("#messages .alert-success");
  if (saved) sessionStorage.removeItem(sent.key);
}

// --- offered again --------------------------------------------------------------

function offer(form) {
  const kept = sessionStorage.getItem(keyOf(form));
  if (!kept) return;
  const entries = JSON.parse(kept);
  // Somebody else's changes stand among what was typed: restoring would undo them.
  if (form.querySelector("[data-conflict]")) return save(form);
  if (typed(entries) === typed(entriesOf(form))) return;
  const bar = document.getElementById("draft-offer").content.firstElementChild.cloneNode(true);
  bar.querySelector("[data-restore]").addEventListener("click", () => {
    restore(form, entries);
    bar.remove();
  });
  bar.querySelector("[data-discard]").addEventListener("click", () => {
    sessionStorage.removeItem(keyOf(form));
    bar.remove();
  });
  (form.querySelector(".card-body, .dialog-body") ?? form).prepend(bar);
}

function restore(form, entries) {
  addRows(form, entries);
  const names = new Set(entries.map(([name]) => name));
  for (const control of form.elements) {
    if (!control.name || NOT_KEPT.test(control.name) || /^(password|file|submit|button)$/.test(control.type)) continue;
    const own = entries.filter(([name]) => name === control.name);
    if (/^(checkbox|radio)$/.test(control.type)) control.checked = own.some(([, value]) => value === control.value);
    else if (control instanceof HTMLSelectElement) choose(control, own);
    else if (names.has(control.name)) control.value = own[0][1];
    else continue;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function choose(select, own) {
  for (const [, value, text] of own) {
    if (![...select.options].some((option) => option.value === value)) select.append(new Option(text, value));
  }
  const values = own.map(([, value]) => value);
  const picker = select.tomselect;
  if (!picker) {
    for (const option of select.options) option.selected = values.includes(option.value);
    return;
  }
  for (const [, value, text] of own) picker.addOption({ [picker.settings.valueField]: value, [picker.settings.labelField]: text });
  picker.setValue(values);
}

function addRows(form, entries) {
  for (const set of form.querySelectorAll("[data-formset]")) {
    const total = set.querySelector(`[name="${set.dataset.formset}-TOTAL_FORMS"]`);
    const wanted = Number(entries.find(([name]) => name === total.name)?.[1] ?? 0);
    for (let missing = wanted - Number(total.value); missing > 0; missing -= 1) set.querySelector("[data-formset-add]").click();
  }
}

function begin(part) {
  for (const form of guarded(part)) {
    if (untouched.has(form)) continue;
    untouched.set(form, typed(entriesOf(form)));
    offer(form);
  }
}

if (user) {
  settle();
  begin(document);
  document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
}
