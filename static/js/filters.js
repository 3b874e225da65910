// Forms marked data-autosubmit send themselves when a choice in them changes.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.hasAttribute("data-autosubmit")) return;
  // Leave empty fields out: the address stays short enough to send to a colleague.
  if (form.method === "get") {
    for (const control of form.elements) {
      if (control.name && control.value === "") control.disabled = true;
    }
  }
  form.requestSubmit();
  for (const control of form.elements) control.disabled = false;
});
