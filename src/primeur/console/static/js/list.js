// The list of conversations: search, open, rename, delete, import; a drawer on a phone.

import { announce, el, iconButton, save, shortMoment, t } from "./dom.js";
import { fileName, fromJson, toJson, toMarkdown } from "./papers.js";
import * as shelf from "./shelf.js";
import { pathOf, titleOf } from "./tree.js";

export function makeList(desk) {
  const place = document.getElementById("conversations");
  const search = document.getElementById("search");
  const panel = document.getElementById("list");
  const opener = document.getElementById("list-show");
  let known = [];

  async function load() {
    known = await shelf.all();
    draw();
  }

  function draw() {
    const wanted = search.value.trim().toLocaleLowerCase();
    const found = wanted ? known.filter((one) => textOf(one).includes(wanted)) : known;
    place.replaceChildren(...found.map(drawOne));
    if (!found.length) place.append(el("li", {}, el("span", { class: "hint title" }, t(wanted ? "live.nothing_found" : "live.no_conversations"))));
    if (wanted) announce(t("live.found", { count: found.length }));
  }

  function drawOne(one) {
    const current = one.id === desk.conversation?.id;
    const title = titleOf(one) || t("live.untitled");
    return el("li", { dataset: current ? { current: "" } : {} },
      el("button", { type: "button", class: "open", "aria-current": current ? "true" : null, onclick: () => { show(false); desk.open(one.id); } },
        el("span", { class: "title" }, title), el("span", { class: "when" }, shortMoment(one.updatedMs))),
      el("span", { class: "tools" },
        iconButton("edit", t("live.rename", { title }), (event) => rename(one, event.target.closest("li"))),
        iconButton("trash", t("live.delete", { title }), () => remove(one, title))));
  }

  function rename(one, item) {
    const field = el("input", { type: "text", class: "rename", "aria-label": t("live.new_name"), value: titleOf(one), maxlength: "200" });
    let over = false;
    const done = async (keep) => {
      if (over) return;
      over = true;
      if (keep && field.value.trim()) await desk.rename(one.id, field.value.trim());
      await load();
      place.querySelector("[data-current] .open")?.focus();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") done(true);
      if (event.key === "Escape") { event.stopPropagation(); done(false); }
    });
    field.addEventListener("blur", () => done(true));
    item.replaceChildren(field);
    field.focus();
    field.select();
  }

  async function remove(one, title) {
    if (!(await desk.confirm(t("live.delete_sure", { title }), t("live.delete_it")))) return;
    await shelf.remove(one.id);
    await load();
    await desk.gone(one.id);
    announce(t("live.deleted"));
    search.focus();
  }

  async function take(files) {
    let count = 0;
    for (const file of files) {
      try {
        for (const one of fromJson(await file.text(), Date.now())) {
          await shelf.put(one);
          count += 1;
        }
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        desk.tell(t("live.import_broken", { name: file.name }));
      }
    }
    await load();
    announce(t("live.imported", { count }));
  }

  function show(open) {
    if (!opener.checkVisibility()) return;
    panel.toggleAttribute("data-open", open);
    opener.setAttribute("aria-expanded", String(open));
    document.querySelector(".talk").inert = open;
    if (open) search.focus();
    else opener.focus();
  }

  search.addEventListener("input", draw);
  opener.addEventListener("click", () => show(!panel.hasAttribute("data-open")));
  document.getElementById("list-close").addEventListener("click", () => show(false));
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape" && panel.hasAttribute("data-open")) { event.stopPropagation(); show(false); } });
  document.getElementById("fresh").addEventListener("click", () => { show(false); desk.fresh(); });
  const picker = document.getElementById("import-file");
  document.getElementById("import").addEventListener("click", () => picker.click());
  picker.addEventListener("change", async () => { await take(picker.files); picker.value = ""; });
  document.getElementById("export-all").addEventListener("click", async () => save("primeur-conversations.json", "application/json", toJson(await shelf.all())));
  const dialog = document.getElementById("export-dialog");
  document.getElementById("export").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("close", () => {
    const name = titleOf(desk.conversation);
    if (dialog.returnValue === "json") save(fileName(name, "json"), "application/json", toJson([desk.conversation]));
    if (dialog.returnValue === "markdown") save(fileName(name, "md"), "text/markdown", toMarkdown(desk.conversation));
    dialog.returnValue = "";
  });
  shelf.onElsewhere(load);

  return { load, draw, show, focusSearch: () => { show(true); search.focus(); } };
}

function textOf(one) {
  return [titleOf(one), ...one.lanes.flatMap((lane) => pathOf(lane).map((node) => node.text))].join("\n").toLocaleLowerCase();
}
