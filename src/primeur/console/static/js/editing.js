// Changing a message in place: a field instead of the text, with save and cancel.

import { el, t } from "./dom.js";

// Gives a promise of the new text, or null when the person thought better of it.
export function editInPlace(item, node) {
  return new Promise((resolve) => {
    const field = el("textarea", { "aria-label": t("live.edit"), rows: Math.min(16, node.text.split("\n").length + 1), value: node.text });
    const done = (text) => { form.remove(); hidden.forEach((one) => { one.hidden = false; }); resolve(text); };
    const form = el("form", { class: "edit", onsubmit: (event) => { event.preventDefault(); done(field.value.trim() || null); } },
      field,
      el("div", { class: "row" },
        el("button", { type: "button", class: "button quiet", onclick: () => done(null) }, t("live.cancel")),
        el("button", { type: "submit", class: "button primary" }, node.role === "user" ? t("live.send_again") : t("live.save"))));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); done(null); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey || (node.role === "user" && !event.shiftKey))) { event.preventDefault(); form.requestSubmit(); }
    });
    const hidden = [...item.children].filter((one) => !one.hidden && !one.matches("h2"));
    hidden.forEach((one) => { one.hidden = true; });
    item.append(form);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
}
