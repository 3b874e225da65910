// The total of an order's lines while they are typed: quantity × price, summed up.
// Figures are kept as whole numbers of 10⁻⁷, so that nothing is lost to rounding.
const PLACES = 7;

function exact(text, places) {
  const match = /^\s*(-?)(\d*)(?:\.(\d*))?\s*$/.exec(text ?? "");
  if (!match || !(match[2] || match[3])) return null;
  const digits = (match[3] ?? "").slice(0, places).padEnd(places, "0");
  const value = BigInt(match[2] + digits || "0");
  return match[1] ? -value : value;
}

function total(rows) {
  let sum = 0n;
  for (const row of rows) {
    if (row.querySelector("input[name$='-DELETE']:checked")) continue;
    const quantity = exact(row.querySelector("[data-factor=quantity]")?.value, 3);
    const price = exact(row.querySelector("[data-factor=price]")?.value, 4);
    if (quantity !== null && price !== null) sum += quantity * price;
  }
  return sum;
}

function show(place) {
  const set = document.querySelector(`[data-formset="${place.dataset.runningTotal}"]`);
  const sum = Number(total(set.querySelectorAll("[data-formset-row]"))) / 10 ** PLACES;
  const options = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const text = new Intl.NumberFormat(document.documentElement.lang, options).format(sum);
  place.querySelector("[data-running-total-value]").textContent = text;
  const code = document.querySelector("select[name=currency], input[name=currency]")?.value;
  place.querySelector("[data-running-total-currency]").textContent = code ?? "";
}

for (const place of document.querySelectorAll("[data-running-total]")) {
  document.addEventListener("input", () => show(place));
  document.addEventListener("change", () => show(place));
}
