// Dialogs: a button with data-close closes the one around it, so does a click beside it.
document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("dialog[open]");
  if (!dialog) return;
  if (event.target.closest("[data-close]")) dialog.close();
  else if (event.target === dialog && !isInside(dialog, event)) dialog.close();
});

function isInside(dialog, { clientX: x, clientY: y }) {
  const box = dialog.getBoundingClientRect();
  // A key press on a button counts as a click at 0, 0.
  return (x === 0 && y === 0) || (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
}
