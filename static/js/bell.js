// The bell: asks for the number while the tab is looked at, loads the newest when it is opened.
const PAUSE = 60_000;
const bells = [...document.querySelectorAll("[data-bell]")];
let asked = Date.now();

function show(count) {
  const text = count >= 100 ? "99+" : String(count || "");
  for (const bell of bells) bell.querySelector("[data-bell-count]").textContent = text;
}

// Whoever was signed out meanwhile is sent elsewhere: nothing is asked again.
let stopped = false;

async function ask() {
  asked = Date.now();
  try {
    const answer = await fetch(bells[0].dataset.countUrl, { headers: { Accept: "application/json" } });
    if (answer.redirected || !answer.ok) stopped = answer.redirected || answer.status < 500;
    else show((await answer.json()).unread);
  } catch {
    // The next time is soon enough.
  }
}

function askIfSeen() {
  if (!stopped && document.visibilityState === "visible" && Date.now() - asked >= PAUSE - 1000) ask();
}

async function fill(bell, request) {
  const body = bell.querySelector("[data-bell-body]");
  try {
    const answer = await request;
    if (!answer.ok || answer.redirected) return;
    body.innerHTML = await answer.text();
    const count = body.querySelector("[data-unread]");
    if (count) show(Number(count.dataset.unread));
  } catch {
    // The link to the list is there.
  }
}

for (const bell of bells) {
  bell.addEventListener("toggle", () => {
    if (bell.open) fill(bell, fetch(bell.dataset.panelUrl, { headers: { "HX-Request": "true" } }));
  });
  bell.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-bell-read]");
    if (!form) return;
    event.preventDefault();
    fill(bell, fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } }));
    bell.querySelector("summary").focus();
  });
}

if (bells.length) {
  setInterval(askIfSeen, PAUSE);
  document.addEventListener("visibilitychange", askIfSeen);
  // A page out of the browser's memory shows an old number.
  window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
}
