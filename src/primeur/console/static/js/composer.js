// The field at the bottom: text that grows, a draft that survives, files and pictures.

import { announce, t } from "./dom.js";
import { drawFiles } from "./message.js";

const TEXT_BYTES_MOST = 400_000;
const IMAGE_BYTES_MOST = 8_000_000;
const FILES_MOST = 10;

// `desk` has conversation, keep(), canSee() (whether every lane's deployment reads pictures); `onSend(text, files)`.
export function makeComposer(desk, onSend) {
  const box = document.getElementById("composer");
  const form = box.querySelector("form");
  const field = document.getElementById("prompt");
  const picker = document.getElementById("attach-file");
  const shelf = document.getElementById("files");
  let files = [];
  let saving;

  function drawShelf() {
    const drawn = drawFiles(files, (place) => { files.splice(place, 1); drawShelf(); field.focus(); });
    shelf.hidden = !drawn;
    shelf.replaceChildren(...(drawn ? drawn.childNodes : []));
  }

  async function take(list) {
    for (const file of list) {
      const refused = await takeOne(file);
      if (refused) desk.tell(refused);
    }
    drawShelf();
  }

  async function takeOne(file) {
    if (files.length >= FILES_MOST) return t("live.too_many_files", { count: FILES_MOST });
    if (file.type.startsWith("image/")) {
      if (!desk.canSee()) return t("live.no_pictures", { name: file.name });
      if (file.size > IMAGE_BYTES_MOST) return t("live.file_too_large", { name: file.name });
      files.push({ name: file.name, type: file.type, data: await asDataUrl(file) });
      return null;
    }
    if (file.size > TEXT_BYTES_MOST) return t("live.file_too_large", { name: file.name });
    const text = await file.text();
    if (text.includes("\0") || text.includes("\ufffd")) return t("live.not_text", { name: file.name });
    files.push({ name: file.name, type: file.type, text });
    return null;
  }

  function send() {
    const text = field.value.trim();
    if ((!text && !files.length) || form.querySelector("#send").disabled) return;
    const sent = files;
    files = [];
    field.value = "";
    desk.conversation.draft = "";
    drawShelf();
    onSend(text, sent);
    field.focus();
  }

  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  field.addEventListener("keydown", (event) => {
    // While a word is being composed (Japanese, accents), Enter belongs to the input method.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    if (event.key === "ArrowUp" && !field.value) { event.preventDefault(); desk.editLast(); }
  });
  field.addEventListener("input", () => {
    desk.conversation.draft = field.value;
    clearTimeout(saving);
    saving = setTimeout(() => desk.keepDraft(), 400);
  });
  field.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); take(event.clipboardData.files); }
  });
  document.getElementById("attach").addEventListener("click", () => {
    picker.accept = `${desk.canSee() ? "image/png,image/jpeg,image/webp,image/gif," : ""}text/*,.md,.csv,.json,.toml,.yaml,.yml,.log,.py,.js,.ts,.rs,.go,.java,.c,.h,.cpp,.sql,.sh,.xml`;
    picker.click();
  });
  picker.addEventListener("change", async () => { await take(picker.files); picker.value = ""; field.focus(); });
  box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("dropping"); });
  box.addEventListener("dragleave", () => box.classList.remove("dropping"));
  box.addEventListener("drop", (event) => { event.preventDefault(); box.classList.remove("dropping"); take(event.dataTransfer.files); });

  return {
    focus: () => field.focus(),
    open() { field.value = desk.conversation.draft ?? ""; files = []; drawShelf(); },
    draw(busy, possible) {
      const had = document.activeElement?.id === "stop";
      document.getElementById("stop").hidden = !busy;
      document.getElementById("send").hidden = busy;
      document.getElementById("send").disabled = !possible;
      if (had && !busy) field.focus();
    },
    say: announce,
  };
}

function asDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
