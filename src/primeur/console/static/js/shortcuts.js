// The chat page's keys. All but Escape take two modifiers, so that no screen reader or input method loses one of its own.

const BY_KEY = { KeyM: "composer", KeyN: "fresh", KeyK: "search", KeyP: "settings", KeyR: "regenerate", KeyC: "copy" };

// `deeds`: stop, composer, fresh, search, settings, regenerate, copy, branch(step).
export function bindShortcuts(deeds) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) deeds.stop();
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const name = BY_KEY[event.code];
    if (!step && !name) return;
    event.preventDefault();
    if (step) deeds.branch(step);
    else deeds[name]();
  });
}
