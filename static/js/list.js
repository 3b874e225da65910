// The form over a list: empty fields stay out of the address, so that it can be sent on.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.closest?.("form[data-list-form]")) return;
  const { formData } = event.detail;
  for (const name of new Set(formData.keys())) {
    const values = formData.getAll(name).filter((value) => value !== "");
    formData.delete(name);
    for (const value of values) formData.append(name, value);
  }
});
