// A record knows the list it was opened from: previous, next, and the way back to the same place.
const place = document.querySelector("[data-neighbours]");

function remembered(list) {
  const key = `list:${list}`;
  const from = document.referrer && new URL(document.referrer);
  const ours = from && from.origin === window.location.origin;
  if (ours && from.pathname === list) sessionStorage.setItem(key, from.search);
  const [visit] = performance.getEntriesByType("navigation");
  const goesOn = /^(reload|back_forward)$/.test(visit?.type) || (ours && from.pathname.startsWith(list));
  // Whoever comes from elsewhere is not walking through that list any more.
  if (!goesOn) sessionStorage.removeItem(key);
  return sessionStorage.getItem(key);
}

async function show(query) {
  const { neighbours: url, list } = place.dataset;
  await window.htmx.ajax("GET", url + query, { target: place, swap: "innerHTML" });
  const next = place.querySelector("[rel=next]");
  const button = document.querySelector("button[data-save-next]");
  if (button && next) {
    button.value = next.dataset.neighbour;
    button.hidden = false;
  }
  place.querySelector("[data-back-to-list]")?.addEventListener("click", () => {
    sessionStorage.setItem(`row:${list}`, place.dataset.pk);
  });
}

if (place) {
  const query = remembered(place.dataset.list);
  if (query !== null) show(query);
}
