// Dialogs: a button with data-close closes the one around it, so do Esc and a click beside it.
// None of them closes a dialog over something typed without asking.
import { mayLose } from "./guard.js";

document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("dialog[open]");
  if (!dialog) return;
  const wanted = event.target.closest("[data-close]") || (event.target === dialog && !isInside(dialog, event));
  if (wanted && mayLose(dialog)) dialog.close();
});

document.addEventListener("cancel", (event) => {
  if (event.target instanceof HTMLDialogElement && !mayLose(event.target)) event.preventDefault();
}, true);

function isInside(dialog, { clientX: x, clientY: y }) {
  const box = dialog.getBoundingClientRect();
  // A key press on a button counts as a click at 0, 0.
  return (x === 0 && y === 0) || (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
}
