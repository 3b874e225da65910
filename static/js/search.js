// The search over everything: suggestions while one types, arrows choose, Enter opens.
const PAUSE = 150;

function setUp(form) {
  const input = form.querySelector("input[type=search]");
  const list = form.querySelector("[role=listbox]");
  let timer;
  let running;
  let shown = "";

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function show(visible) {
    list.hidden = !visible;
    input.setAttribute("aria-expanded", String(visible));
    if (!visible) choose(null);
  }

  function choose(option) {
    chosen()?.removeAttribute("aria-selected");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    const text = input.value.trim();
    running?.abort();
    if (!text) {
      shown = "";
      show(false);
      return;
    }
    if (text === shown) {
      show(list.childElementCount > 0);
      return;
    }
    running = new AbortController();
    const address = new URL(form.dataset.suggestUrl, window.location.href);
    address.searchParams.set("q", text);
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: running.signal });
      if (!answer.ok || answer.redirected) return;
      list.innerHTML = await answer.text();
      shown = text;
      show(list.childElementCount > 0 && document.activeElement === input);
    } catch (error) {
      if (error.name !== "AbortError") show(false);
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("focus", () => { if (input.value.trim()) ask(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden && all.length) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const place = all.indexOf(chosen());
      choose(all.at(place < 0 ? (step > 0 ? 0 : -1) : (place + step) % all.length));
    } else if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      show(false);
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) show(false);
  });
  // A click must not take the focus away before it arrives.
  list.addEventListener("mousedown", (event) => event.preventDefault());
}

for (const form of document.querySelectorAll("[data-global-search]")) setUp(form);
