// Selects marked data-enhance: type to find. Tom Select is loaded only where there is one.
const { script, style } = document.getElementById("enhance").dataset;
let library;

function load() {
  library ??= new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = style;
    // Before our own sheets, so that ours win.
    document.querySelector("link[rel=stylesheet]").after(link);
    const element = document.createElement("script");
    element.src = script;
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
  return library;
}

function options(select) {
  const url = select.dataset.enhanceUrl;
  const shared = {
    maxOptions: 200,
    // A refresh that comes late opens the list again and takes the focus from the next field.
    refreshThrottle: 0,
    // In a table the list would be cut off where the table ends.
    dropdownParent: select.closest("[data-edit]") ? "body" : null,
    plugins: select.multiple ? ["remove_button"] : [],
    allowEmptyOption: !select.required,
    render: { no_results: null },
  };
  if (!url) return shared;
  return {
    ...shared,
    valueField: "id",
    labelField: "text",
    searchField: [],
    preload: "focus",
    load(query, done) {
      const address = new URL(url, window.location.href);
      address.searchParams.set("q", query);
      fetch(address, { headers: { Accept: "application/json" } })
        .then((answer) => answer.json())
        .then((answer) => done(answer.results), () => done());
    },
  };
}

async function enhance(part) {
  const wanted = "select[data-enhance]:not(.tomselected)";
  const selects = [...part.querySelectorAll(wanted)];
  // htmx may have brought the select alone.
  if (part.matches?.(wanted)) selects.push(part);
  if (!selects.length) return;
  await load();
  for (const select of selects) {
    if (select.tomselect) continue;
    const hadFocus = document.activeElement === select;
    const enhanced = new window.TomSelect(select, options(select));
    const { control_input: input } = enhanced;
    if (hadFocus) enhanced.focus();
    // The label and the notes now belong to the control that people type into.
    select.setAttribute("aria-hidden", "true");
    for (const name of ["aria-describedby", "aria-invalid", "aria-label"]) {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    }
  }
}

enhance(document);
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));
