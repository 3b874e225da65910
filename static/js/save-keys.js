// Save by key: Ctrl+Enter saves, Ctrl+S saves and stays, Ctrl+Alt+Enter saves and goes on.
import { openDialog, registerKeys } from "./keys.js";

function form() {
  const dialog = openDialog();
  const focused = document.activeElement?.closest("form[data-guard]");
  if (focused) return focused;
  const forms = (dialog ?? document).querySelectorAll("form[data-guard]");
  return forms.length === 1 ? forms[0] : null;
}

function nextButton() {
  const button = form()?.querySelector("button[name=then]:not([hidden])");
  return button?.checkVisibility() ? button : null;
}

function stay() {
  const sent = form();
  const then = document.createElement("input");
  Object.assign(then, { type: "hidden", name: "then", value: "stay" });
  sent.append(then);
  sent.requestSubmit();
  then.remove();
}

registerKeys([
  { keys: "Mod+Enter", label: "save", run: () => form().requestSubmit(), when: form, typing: true, dialog: true },
  { keys: "Mod+s", label: "save-stay", run: stay, when: () => !openDialog() && form()?.hasAttribute("data-record-form"), typing: true },
  { keys: "Mod+Alt+Enter", label: "save-next", run: () => nextButton().click(), when: nextButton, typing: true, dialog: true },
]);
