// Links marked data-quick-add open the short form in a dialog instead of the long one in a page.
import { forget } from "./guard.js";
import { openDialog, registerKeys } from "./keys.js";

const dialog = document.getElementById("quick-add");
const body = document.getElementById("quick-add-body");

export async function quickAdd(href) {
  const url = new URL(href, window.location.href);
  url.pathname = url.pathname.replace(/new\/$/, "quick/");
  await window.htmx.ajax("GET", url.pathname + url.search, { target: body, swap: "innerHTML" });
  if (!body.querySelector("form")) return;
  if (!dialog.open) dialog.showModal();
  start();
}

function start() {
  const fields = [...body.querySelectorAll(".field :is(input, select, textarea):not([type=hidden])")];
  const empty = fields.find((field) => !field.value && field.checkVisibility());
  (empty ?? fields[0])?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-quick-add]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !dialog) return;
  event.preventDefault();
  link.closest("details.menu")?.removeAttribute("open");
  quickAdd(link.href);
});

// The long form takes over what was typed; htmx would send it as the short one.
body?.addEventListener("click", (event) => {
  const more = event.target.closest("button[name=more]");
  if (!more) return;
  event.preventDefault();
  const { form } = more;
  const mark = document.createElement("input");
  Object.assign(mark, { type: "hidden", name: more.name, value: more.value });
  form.append(mark);
  form.action = more.formAction;
  forget(form);
  form.submit();
});

function say({ text, url }) {
  const toast = document.getElementById("toast-added").content.cloneNode(true);
  toast.querySelector("[data-text]").textContent = text;
  toast.querySelector("a").href = url;
  document.querySelector(".toasts").replaceChildren(toast);
}

document.addEventListener("record-added", (event) => {
  const { again, list } = event.detail;
  say(event.detail);
  if (!again) dialog.close();
  if (document.getElementById("list") && window.location.pathname === list) {
    window.htmx.ajax("GET", window.location.href, { target: "#list", swap: "outerHTML" });
  }
});

body?.addEventListener("htmx:afterSwap", () => {
  if (dialog.open && !body.querySelector("[aria-invalid=true]")) start();
});

// The model of the list one is in comes first; else the menu of all of them opens.
function begin() {
  const here = document.querySelector("[data-quick-here]");
  const menu = [...document.querySelectorAll("[data-quick-menu]")].find((one) => one.checkVisibility());
  if (here) quickAdd(here.href);
  else {
    menu.open = true;
    menu.querySelector(".menu-item").focus();
  }
}

registerKeys([
  { keys: "n", label: "quick-add", run: begin, when: () => dialog && !openDialog() && document.querySelector("[data-quick-menu]") },
]);
