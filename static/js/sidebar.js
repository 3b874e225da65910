// The sidebar: narrow or wide on a desk, sliding in on a small screen.
const root = document.documentElement;
const sidebar = document.getElementById("navigation");
const main = document.getElementById("content");
const openers = document.querySelectorAll("[data-nav-open]");

function nameEntries() {
  const narrow = root.dataset.sidebar === "narrow";
  for (const entry of sidebar.querySelectorAll(".nav-entry")) {
    if (narrow) entry.title = entry.querySelector(".nav-label").textContent;
    else entry.removeAttribute("title");
  }
}

function slide(open) {
  root.classList.toggle("nav-open", open);
  main.inert = open;
  for (const opener of openers) opener.setAttribute("aria-expanded", String(open));
  if (open) sidebar.focus();
  else [...openers].find((opener) => opener.checkVisibility())?.focus();
}

if (sidebar && openers.length) {
  nameEntries();
  for (const opener of openers) {
    opener.setAttribute("role", "button");
    opener.setAttribute("aria-expanded", "false");
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      slide(true);
    });
  }
  document.querySelector("[data-nav-close]").addEventListener("click", (event) => {
    event.preventDefault();
    slide(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.classList.contains("nav-open")) slide(false);
  });
  document.querySelector("[data-sidebar-toggle]").addEventListener("click", (event) => {
    const state = root.dataset.sidebar === "narrow" ? "wide" : "narrow";
    root.dataset.sidebar = state;
    event.currentTarget.setAttribute("aria-pressed", String(state === "narrow"));
    document.cookie = `sidebar=${state}; path=/; max-age=31536000; samesite=lax`;
    nameEntries();
  });
  sidebar.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}
