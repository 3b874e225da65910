// Forms marked data-guard: ask before changes are lost, and send only once.
const changed = new Set();
let leaving = false;

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.hasAttribute("data-guard")) changed.add(form);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-guard")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  leaving = true;
});

window.addEventListener("beforeunload", (event) => {
  if (!leaving && [...changed].some((form) => form.isConnected)) event.preventDefault();
});

// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  leaving = false;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A form that came back with errors: read them out, and start at the first wrong field.
// An error in a row of a formset has no summary above the form.
const wrong = document.querySelector("form [aria-invalid=true], [data-form-errors]");
if (wrong) {
  (document.querySelector("form [aria-invalid=true]") ?? wrong).focus();
}
