// Say that a passkey was not used: refused, timed out or unknown to this device.
const shown = document.querySelector("[data-passkey-error]");

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  if (shown) shown.hidden = false;
});
