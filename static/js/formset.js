// Rows of a formset: add a copy of the empty row, take one away.
function add(set) {
  const prefix = set.dataset.formset;
  const total = set.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
  const rows = set.querySelector("[data-formset-rows]");
  const empty = set.querySelector("template[data-formset-empty]");
  const holder = document.createElement("template");
  holder.innerHTML = empty.innerHTML.replaceAll("__prefix__", total.value);
  const row = holder.content.firstElementChild;
  rows.append(row);
  total.value = Number(total.value) + 1;
  window.htmx?.process(row);
  document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: row } }));
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

function remove(row) {
  const box = row.querySelector("input[name$='-DELETE']");
  if (box) {
    box.checked = true;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    row.hidden = true;
  }
}

document.addEventListener("click", (event) => {
  const set = event.target.closest?.("[data-formset]");
  if (!set) return;
  if (event.target.closest("[data-formset-add]")) add(set);
  const remover = event.target.closest("[data-formset-remove]");
  if (remover) remove(remover.closest("[data-formset-row]"));
});
