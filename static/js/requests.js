// Requests by htmx: show that one is under way, and say so when it fails.
let waiting = 0;

function show(change) {
  waiting = Math.max(0, waiting + change);
  document.documentElement.classList.toggle("is-loading", waiting > 0);
}

function say(id) {
  const toasts = document.querySelector(".toasts");
  toasts.replaceChildren(document.getElementById(id).content.cloneNode(true));
}

document.addEventListener("htmx:beforeRequest", () => show(1));
document.addEventListener("htmx:afterRequest", () => show(-1));
document.addEventListener("htmx:responseError", () => say("toast-failed"));
document.addEventListener("htmx:sendError", () => say("toast-offline"));
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest(".alert")?.remove();
});
