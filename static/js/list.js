// The form over a list: empty fields stay out of the address, so that it can be sent on.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.closest?.("form[data-list-form]")) return;
  const { formData } = event.detail;
  for (const name of new Set(formData.keys())) {
    const values = formData.getAll(name).filter((value) => value !== "");
    formData.delete(name);
    for (const value of values) formData.append(name, value);
  }
  // With nothing but the mark left, the view would bring back what was just cleared.
  if ([...new Set(formData.keys())].every((name) => name === "view") && formData.has("view")) {
    formData.set("view", "all");
  }
});
