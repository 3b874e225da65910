// Forms marked data-guard: ask before changes are lost, and send only once.
const changed = new Set();
let leaving = false;

function touch(event) {
  const form = event.target.form;
  if (form?.hasAttribute("data-guard")) changed.add(form);
}

document.addEventListener("input", touch);
document.addEventListener("change", touch);

export function hasChanges() {
  return [...changed].some((form) => form.isConnected);
}

// Say whether what is about to go away may go: a page, a dialog, a part of the page.
export function mayLose(part, except = null) {
  const lost = [...changed].filter((form) => form.isConnected && form !== except && part.contains(form));
  if (lost.length && !window.confirm(document.body.dataset.leaveQuestion)) return false;
  for (const form of lost) changed.delete(form);
  return true;
}

export function forget(form) {
  changed.delete(form);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-guard")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  form.dataset.sent = "1";
  // A form that htmx sends does not leave the page.
  if (!form.hasAttribute("hx-post")) leaving = true;
}, true);

// Whatever came back to htmx: the form may be sent again.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target instanceof HTMLFormElement) delete event.target.dataset.sent;
});

// A part that htmx would replace while somebody has typed into it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { target, elt } = event.detail;
  const own = elt.closest("form");
  if (target && !mayLose(target, own)) event.preventDefault();
});

window.addEventListener("beforeunload", (event) => {
  if (!leaving && hasChanges()) event.preventDefault();
});

// A link to where what was typed is not lost.
document.addEventListener("click", (event) => {
  if (event.target.closest?.("a[data-leave]")) leaving = true;
});

// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  leaving = false;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A form that came back with errors: read them out, and start at the first wrong field.
// An error in a row of a formset has no summary above the form.
function startAtError(part) {
  const wrong = part.querySelector("form [aria-invalid=true]") ?? part.querySelector("[data-form-errors]");
  wrong?.focus();
}

startAtError(document);
document.addEventListener("htmx:load", (event) => startAtError(event.detail.elt.parentElement ?? document));
