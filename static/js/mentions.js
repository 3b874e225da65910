// @ in a note offers people: arrows choose, Enter or Tab or a tap takes, Esc closes.
const PAUSE = 150;
// From the sign to the caret; not inside of a mail address. Chinese has no spaces.
const BEGUN = /(?:^|[^A-Za-z0-9_@.+-])@([^\s@]{0,30}(?: [^\s@]{1,20})?)$/;
let timer;
let running;

function listOf(text) {
  return text.closest(".note-write")?.querySelector("[data-mention-list]");
}

function options(list) {
  return [...list.querySelectorAll("[role=option]")];
}

function chosen(list) {
  return list.querySelector("[aria-selected=true]");
}

function choose(text, list, option) {
  chosen(list)?.removeAttribute("aria-selected");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) text.setAttribute("aria-activedescendant", option.id);
  else text.removeAttribute("aria-activedescendant");
}

function close(text) {
  const list = listOf(text);
  running?.abort();
  if (!list) return;
  list.hidden = true;
  choose(text, list, null);
}

function begun(text) {
  return BEGUN.exec(text.value.slice(0, text.selectionStart));
}

async function offer(text) {
  const list = listOf(text);
  const found = begun(text);
  running?.abort();
  if (!list || !found) return close(text);
  running = new AbortController();
  const address = new URL(text.dataset.mentions, window.location.href);
  address.searchParams.set("q", found[1]);
  try {
    const answer = await fetch(address, { signal: running.signal });
    if (!answer.ok || answer.redirected) return close(text);
    list.innerHTML = await answer.text();
    list.hidden = options(list).length === 0 || document.activeElement !== text;
    choose(text, list, list.hidden ? null : options(list)[0]);
  } catch (error) {
    if (error.name !== "AbortError") close(text);
  }
  return undefined;
}

function take(text, option) {
  const found = begun(text);
  if (found) {
    const start = text.selectionStart - found[1].length;
    text.setRangeText(`${option.dataset.name} `, start, text.selectionStart, "end");
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "mention", value: option.dataset.id });
    text.form.querySelector("[data-mention-ids]").append(field);
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
  clearTimeout(timer);
  close(text);
}

function setUp(text) {
  const list = listOf(text);
  if (!list || text.hasAttribute("aria-controls")) return;
  list.id ||= `mentions-${Math.random().toString(36).slice(2)}`;
  text.setAttribute("aria-controls", list.id);
  text.setAttribute("aria-autocomplete", "list");
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("[data-mentions]")) setUp(event.target);
});

document.addEventListener("input", (event) => {
  const text = event.target;
  if (!text.matches?.("[data-mentions]")) return;
  clearTimeout(timer);
  timer = setTimeout(() => offer(text), PAUSE);
});

// Before anything else that listens to Enter and Esc.
document.addEventListener("keydown", (event) => {
  const text = event.target;
  if (!text.matches?.("[data-mentions]") || event.isComposing) return;
  const list = listOf(text);
  if (!list || list.hidden) return;
  const all = options(list);
  const place = all.indexOf(chosen(list));
  if (event.key === "ArrowDown") choose(text, list, all[(place + 1) % all.length]);
  else if (event.key === "ArrowUp") choose(text, list, all.at(place < 1 ? -1 : place - 1));
  else if ((event.key === "Enter" || event.key === "Tab") && place >= 0 && !event.ctrlKey && !event.metaKey) take(text, all[place]);
  else if (event.key === "Escape") close(text);
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

// A tap must not take the focus away before it arrives.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest?.("[data-mention-list]")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const option = event.target.closest?.("[data-mention-list] [role=option]");
  const text = option?.closest(".note-write").querySelector("[data-mentions]");
  if (text) take(text, option);
});

document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("[data-mentions]")) close(event.target);
});
