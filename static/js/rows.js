// A click anywhere on a table row opens the link that the row is about.
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.target.closest("a, button, input, label, select, summary")) return;
  const row = event.target.closest("table[data-row-links] tbody tr");
  const link = row?.querySelector("[data-row-link], a[href]");
  if (!link || String(window.getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});
