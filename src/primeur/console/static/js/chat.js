// The chat page: puts list, lanes, composer and settings around one conversation.

import { makeComposer } from "./composer.js";
import { announce, copyText, el, t } from "./dom.js";
import { editInPlace } from "./editing.js";
import { LANES_MOST, makeLanes } from "./lanes.js";
import { makeList } from "./list.js";
import { makeSettings } from "./settings.js";
import * as shelf from "./shelf.js";
import { bindShortcuts } from "./shortcuts.js";
import { makeTalk } from "./talk.js";
import { isEmpty, newConversation, pathOf, titleOf } from "./tree.js";

const deployments = JSON.parse(document.getElementById("deployments").textContent);
const live = new Map();
const READINESS_MS = 2000;
const lanesPlace = document.getElementById("lanes");

const desk = {
  deployments,
  conversation: null,

  draw() {
    lanes.rememberScroll();
    lanes.draw();
    drawFrame();
  },
  drawNode: (lane, node) => lanes.drawNode(lane, node),

  // Quietly while an answer is still coming: the list and other tabs need not know of every word.
  async keep(conversation, quietly = false) {
    if (isEmpty(conversation) && !conversation.draft && !conversation.named) return;
    live.set(conversation.id, conversation);
    conversation.title = titleOf(conversation);
    await shelf.put(conversation, quietly).catch(() => desk.tell(t("live.not_kept")));
    if (!quietly) await list.load();
  },
  keepDraft() {
    const conversation = desk.conversation;
    if (!isEmpty(conversation)) return desk.keep(conversation);
    sessionStorage.setItem("primeur-fresh", JSON.stringify(conversation));
    return null;
  },

  async open(id) {
    const found = live.get(id) ?? (await shelf.one(id));
    if (!found) return desk.fresh();
    return show(mended(found));
  },
  fresh() {
    const kept = sessionStorage.getItem("primeur-fresh");
    const draft = kept && !desk.conversation ? JSON.parse(kept) : null;
    show(draft ?? newConversation(favourite(), Date.now()));
    composer.focus();
  },
  async gone(id) {
    live.delete(id);
    if (desk.conversation.id === id) desk.fresh();
  },
  async rename(id, title) {
    const found = live.get(id) ?? (await shelf.one(id));
    Object.assign(found, { title, named: true });
    await desk.keep(found);
    drawFrame();
  },

  canSee: () => desk.conversation.lanes.every((lane) => deployments.find((one) => one.name === lane.deployment)?.features.includes("vision")),
  editLast() {
    const lane = desk.conversation.lanes[0];
    const last = pathOf(lane).findLast((node) => node.role === "user");
    if (last) desk.deeds.edit(lane, last);
  },
  tell(text) {
    announce(text);
    const note = el("p", { class: "notice warn lane-note", role: "alert" }, text);
    lanesPlace.querySelector(".lane-head")?.after(note);
    setTimeout(() => note.remove(), 8000);
  },
  confirm(text, yes) {
    const dialog = document.getElementById("confirm");
    document.getElementById("confirm-text").textContent = text;
    document.getElementById("confirm-yes").textContent = yes;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
  },
};

const talk = makeTalk(desk);
desk.deeds = {
  ...talk,
  async edit(lane, node) {
    const item = lanesPlace.querySelector(`[data-lane="${lane.id}"] [data-node="${node.id}"]`);
    const text = await editInPlace(item, node);
    if (text !== null && text !== node.text) talk.change(lane, node, text);
    else desk.draw();
    composer.focus();
  },
};
const lanes = makeLanes(desk, lanesPlace);
const list = makeList(desk);
const settings = makeSettings(desk);
const composer = makeComposer(desk, (text, files) => {
  sessionStorage.removeItem("primeur-fresh");
  lanes.followEnd();
  localStorage.setItem("primeur-deployment", desk.conversation.lanes[0].deployment);
  talk.send(text, files);
  history.replaceState(null, "", `#${desk.conversation.id}`);
});

function show(conversation) {
  desk.conversation = conversation;
  live.set(conversation.id, conversation);
  history.replaceState(null, "", isEmpty(conversation) ? location.pathname : `#${conversation.id}`);
  lanes.followEnd();
  lanesPlace.replaceChildren();
  desk.draw();
  composer.open();
  settings.open();
  list.draw();
}

function drawFrame() {
  const title = titleOf(desk.conversation) || t("live.untitled");
  document.getElementById("title").textContent = title;
  document.title = `${title} · Primeur`;
  document.getElementById("add-lane").disabled = desk.conversation.lanes.length >= LANES_MOST || deployments.length === 0;
  document.getElementById("export").disabled = isEmpty(desk.conversation);
  composer.draw(talk.isRunning(desk.conversation), deployments.length > 0);
}

function favourite() {
  const last = localStorage.getItem("primeur-deployment");
  const ready = deployments.filter((one) => one.ready);
  return (deployments.find((one) => one.name === last) ?? ready[0] ?? deployments[0])?.name ?? "";
}

// An answer that a reload cut off is a stopped answer.
function mended(conversation) {
  if (live.has(conversation.id)) return conversation;
  for (const lane of conversation.lanes) {
    for (const node of Object.values(lane.nodes)) {
      if (node.streaming) Object.assign(node, { streaming: undefined, stopped: true });
    }
  }
  return conversation;
}

document.getElementById("add-lane").addEventListener("click", () => lanes.add());
document.getElementById("stop").addEventListener("click", () => talk.stop(desk.conversation));
window.addEventListener("hashchange", () => desk.open(location.hash.slice(1)));
bindShortcuts({
  stop: () => talk.isRunning(desk.conversation) && talk.stop(desk.conversation),
  composer: () => composer.focus(),
  fresh: () => desk.fresh(),
  search: () => list.focusSearch(),
  settings: () => settings.toggle(),
  regenerate: () => withLastAnswer((lane, node) => talk.regenerate(lane, node)),
  copy: () => withLastAnswer((_lane, node) => copyText(node.text)),
  branch: (step) => withLastAnswer((lane, node) => talk.choose(lane, node, step)),
});

// While something loads, ask every two seconds how far it is.
async function watchReadiness() {
  if (!deployments.every((one) => one.ready) && !document.hidden) {
    const response = await fetch("/api/v1/deployments", { headers: { "x-primeur-console": "1" } }).catch(() => null);
    const found = response?.ok ? (await response.json()).data : [];
    const changed = deployments.filter((one) => takeState(one, found.find((other) => other.name === one.name)));
    if (changed.length) desk.draw();
  }
  setTimeout(watchReadiness, READINESS_MS);
}

function takeState(one, now) {
  if (!now) return false;
  const before = JSON.stringify(one);
  Object.assign(one, { ready: now.state === "ready", detail: now.pending, features: now.features, context: now.context_tokens });
  return JSON.stringify(one) !== before;
}

function withLastAnswer(deed) {
  const lane = desk.conversation.lanes[0];
  const node = pathOf(lane).findLast((one) => one.role === "assistant");
  if (node && !node.streaming) deed(lane, node);
}

await list.load();
if (location.hash.length > 1) await desk.open(location.hash.slice(1));
else desk.fresh();
document.body.dataset.ready = "";
watchReadiness();
