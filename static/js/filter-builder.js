// The filter builder: rows of field, comparison and value become `group` in the address.
// It comes with the filters, which are loaded when somebody opens them.
let builder = null;

function conditionOf(row) {
  const named = (name) => row.querySelector(`[name=${name}]`);
  const field = named("field")?.value;
  const operator = named("operator")?.value;
  if (!field || !operator) return null;
  const controls = [...row.querySelectorAll("[name=value]")];
  if (!controls.length) return [field, operator];
  const values = controls.flatMap((control) =>
    control.multiple ? [...control.selectedOptions].map((option) => option.value) : [control.value],
  );
  return [field, operator, values.length === 1 ? values[0] : values];
}

function addressOf() {
  const address = new URL(window.location.href);
  for (const name of ["group", "page"]) address.searchParams.delete(name);
  // A view that stands alone in the address: take over all that it holds.
  if (builder.dataset.address && [...address.searchParams.keys()].every((name) => name === "view")) {
    address.search = builder.dataset.address;
    for (const name of ["group", "page"]) address.searchParams.delete(name);
  }
  for (const group of builder.querySelectorAll("[data-builder-group]")) {
    const rows = [...group.querySelectorAll("[data-condition]")];
    const conditions = rows.map(conditionOf).filter(Boolean);
    if (conditions.length) address.searchParams.append("group", JSON.stringify(conditions));
  }
  if (![...address.searchParams.keys()].some((name) => name !== "view")) {
    address.searchParams.set("view", "all");
  }
  return address;
}

function addGroup() {
  const empty = builder.querySelector("[data-builder-empty]").content.cloneNode(true);
  const group = empty.firstElementChild;
  builder.querySelector("[data-builder-groups]").append(group);
  window.htmx.process(group);
  group.querySelector("button").click();
}

function apply() {
  window.location.assign(addressOf());
}

function start(found) {
  if (!found || found === builder) return;
  builder = found;
  builder.addEventListener("click", (event) => {
    if (event.target.closest("[data-builder-add]")) addGroup();
    if (event.target.closest("[data-builder-apply]")) apply();
    const remover = event.target.closest("[data-condition-remove]");
    if (remover) {
      const group = remover.closest("[data-builder-group]");
      remover.closest("[data-condition]").remove();
      if (!group.querySelector("[data-condition]")) group.remove();
      builder.querySelector("[data-builder-add]").focus();
    }
  });
  // The form around the builder sends itself on every change; these are not its own.
  for (const kind of ["change", "input"]) {
    builder.addEventListener(kind, (event) => event.stopPropagation());
  }
  builder.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.type === "button") return;
    if (event.target.matches("input[name=value]")) {
      event.preventDefault();
      apply();
    }
  });
  // The first condition is there as soon as the panel opens; a new row takes the focus.
  builder.closest("details").addEventListener("toggle", (event) => {
    if (event.target.open && !builder.querySelector("[data-builder-group]")) addGroup();
  });
  builder.addEventListener("htmx:afterSettle", (event) => {
    const row = event.target.closest?.("[data-builder-rows]")?.lastElementChild;
    const select = event.detail.elt.matches?.("[data-condition]") ? row?.querySelector("select") : null;
    if (select && builder.contains(document.activeElement)) (select.tomselect ?? select).focus();
  });
  if (builder.closest("details").open && !builder.querySelector("[data-builder-group]")) addGroup();
}

start(document.querySelector("[data-builder]"));
document.addEventListener("htmx:load", () => start(document.querySelector("[data-builder]")));
