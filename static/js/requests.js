// Requests by htmx: show that one is under way, and say so when it fails.
import { hasChanges } from "./guard.js";

let waiting = 0;

function show(change) {
  waiting = Math.max(0, waiting + change);
  document.documentElement.classList.toggle("is-loading", waiting > 0);
}

function say(id) {
  const toasts = document.querySelector(".toasts");
  toasts.replaceChildren(document.getElementById(id).content.cloneNode(true));
  return toasts;
}

document.addEventListener("htmx:beforeRequest", () => show(1));
document.addEventListener("htmx:afterRequest", () => show(-1));
document.addEventListener("htmx:responseError", () => say("toast-failed"));
document.addEventListener("htmx:sendError", () => say("toast-offline"));

// A request in the background does not take away what somebody is typing.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const to = event.detail.xhr.getResponseHeader("HX-Redirect");
  if (!to || !hasChanges()) return;
  const way = document.getElementById("toast-signed-out").content.querySelector("[data-leave]");
  if (new URL(to, window.location.href).pathname !== way.getAttribute("href")) return;
  event.preventDefault();
  say("toast-signed-out").querySelector("[data-leave]").href = to;
});

document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest(".alert")?.remove();
});
