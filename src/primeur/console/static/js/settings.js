// The settings of a conversation: system prompt and parameters; kept with it.

import { t } from "./dom.js";
import { countSet, readSchema } from "./request.js";

const NUMBERS = ["temperature", "top_p", "max_tokens", "seed", "presence_penalty", "frequency_penalty"];

export function makeSettings(desk) {
  const panel = document.getElementById("settings");
  const toggle = document.getElementById("settings-toggle");
  const form = document.getElementById("settings-form");
  const fields = form.elements;

  function show(open) {
    panel.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    localStorage.setItem("primeur-settings", open ? "open" : "shut");
    if (open) fields.system.focus();
    else toggle.focus();
  }

  function read() {
    const conversation = desk.conversation;
    conversation.system = fields.system.value;
    const found = {};
    for (const name of NUMBERS) if (fields[name].value !== "" && fields[name].checkValidity()) found[name] = fields[name].valueAsNumber;
    if (fields.stop.value) found.stop = fields.stop.value;
    if (fields.format.value) found.format = fields.format.value;
    if (fields.schema.value) found.schema = fields.schema.value;
    conversation.parameters = found;
    for (const name of NUMBERS) fields[name].toggleAttribute("aria-invalid", !fields[name].checkValidity());
    drawState();
    desk.keepDraft();
  }

  function drawState() {
    const badge = document.getElementById("settings-count");
    const count = countSet(desk.conversation);
    badge.hidden = count === 0;
    badge.textContent = count;
    const schema = fields.format.value === "json_schema";
    document.getElementById("schema-field").hidden = !schema;
    const broken = schema && fields.schema.value && !readSchema(fields.schema.value);
    document.getElementById("schema-error").textContent = broken ? t("live.schema_broken") : "";
  }

  form.addEventListener("input", read);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(read));
  toggle.addEventListener("click", () => show(panel.hidden));
  document.getElementById("settings-close").addEventListener("click", () => show(false));
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); show(false); } });
  if (localStorage.getItem("primeur-settings") === "open" && matchMedia("(min-width: 72rem)").matches) {
    panel.hidden = false;
    toggle.setAttribute("aria-expanded", "true");
  }

  return {
    toggle: () => show(panel.hidden),
    open() {
      const { parameters, system } = desk.conversation;
      fields.system.value = system ?? "";
      for (const name of NUMBERS) fields[name].value = parameters[name] ?? "";
      fields.stop.value = parameters.stop ?? "";
      fields.format.value = parameters.format ?? "";
      fields.schema.value = parameters.schema ?? "";
      drawState();
    },
  };
}
