// What every page does: theme without a reload, copy buttons, local times, dialogs, the list of shortcuts.

import { copyText, exactMoment, moment, t } from "./dom.js";

function showTheme(name) {
  document.documentElement.dataset.theme = name;
  document.cookie = `primeur_theme=${name}; path=/; max-age=31536000; samesite=strict`;
  for (const button of document.querySelectorAll('button[name="theme"]')) {
    button.setAttribute("aria-pressed", String(button.value === name));
  }
  document.dispatchEvent(new CustomEvent("primeur:theme"));
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return;
  event.preventDefault();
  showTheme(event.submitter.value);
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await copyText(copy.dataset.copy);
    const label = copy.querySelector("span");
    if (label) {
      const before = label.textContent;
      label.textContent = t("live.copied");
      setTimeout(() => { label.textContent = before; }, 1500);
    }
  }
  const opens = event.target.closest("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens).showModal();
  const empties = event.target.closest("[data-empties]");
  if (empties) document.getElementById(empties.dataset.empties).replaceChildren();
  const closes = event.target.closest("[data-closes]");
  if (closes) document.getElementById(closes.dataset.closes).close();
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "/") {
    event.preventDefault();
    document.getElementById("shortcuts").showModal();
  }
});

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const parsed = Date.parse(time.getAttribute("datetime"));
    if (Number.isNaN(parsed)) continue;
    time.title = time.textContent;
    time.textContent = time.closest("[data-exact]") ? exactMoment(parsed) : moment(parsed);
    time.dataset.local = "";
  }
}

// What the person asked for moves the focus to its heading.
function focusNews(root) {
  root.querySelector?.("[data-focus]")?.focus();
}

localTimes(document);
focusNews(document);
document.addEventListener("htmx:after:swap", (event) => focusNews(event.detail?.ctx?.target ?? event.target));
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) localTimes(node.parentNode ?? node);
}).observe(document.getElementById("main"), { childList: true, subtree: true });
