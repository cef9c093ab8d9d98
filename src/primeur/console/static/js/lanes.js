// The lanes of a conversation, side by side: each has its deployment, its thread and its own scroll position.

import { el, icon, iconButton, t } from "./dom.js";
import { drawMessage, drawText } from "./message.js";
import { copyLane, isEmpty, pathOf } from "./tree.js";

const NEAR_END_PX = 90;
export const LANES_MOST = 4;

// `desk` as in talk.js, with deployments, deeds and keep().
export function makeLanes(desk, place) {
  const followed = new WeakMap();

  function draw() {
    const conversation = desk.conversation;
    const focus = focusOf(place);
    const before = new Map([...place.children].map((section) => [section.dataset.lane, section]));
    place.dataset.count = conversation.lanes.length;
    const sections = conversation.lanes.map((lane) => drawLane(conversation, lane, before.get(lane.id)));
    place.replaceChildren(...sections);
    for (const section of sections) restoreScroll(section, before.get(section.dataset.lane));
    focus();
  }

  function drawLane(conversation, lane) {
    const shown = pathOf(lane);
    const several = conversation.lanes.length > 1;
    const thread = el("ol", { class: "thread", tabindex: "0", "aria-label": t("live.thread", { who: lane.deployment }) },
      ...shown.map((node) => drawMessage(lane, node, desk.deeds)));
    thread.addEventListener("scroll", () => followed.set(section, isAtEnd(thread)), { passive: true });
    watchSize(thread, () => { if (followed.get(section) !== false) scrollToEnd(thread); });
    const toEnd = el("button", { type: "button", class: "button only to-end-button", "aria-label": t("live.to_end"), title: t("live.to_end"), hidden: true, onclick: () => scrollToEnd(thread) }, icon("down"));
    thread.addEventListener("scroll", () => { toEnd.hidden = isAtEnd(thread); }, { passive: true });
    const section = el("section", { class: "lane", "aria-label": several ? t("live.lane", { who: lane.deployment, place: conversation.lanes.indexOf(lane) + 1 }) : lane.deployment, dataset: { lane: lane.id } },
      laneHead(conversation, lane), ...notesOf(lane), shown.length ? thread : greeting(conversation), toEnd);
    return section;
  }

  function restoreScroll(section, before) {
    const thread = section.querySelector(".thread");
    const old = before?.querySelector(".thread");
    if (!thread) return;
    if (old && followed.get(before) === false) {
      thread.scrollTop = before.scrolledTo ?? 0;
      followed.set(section, false);
    } else scrollToEnd(thread);
  }

  function laneHead(conversation, lane) {
    const several = conversation.lanes.length > 1;
    const id = `lane-${lane.id}`;
    const select = el("select", { id, onchange: (event) => { lane.deployment = event.target.value; desk.keep(conversation); desk.draw(); } },
      ...optionsFor(lane.deployment).map((one) => el("option", { value: one.name, selected: one.name === lane.deployment }, one.ready ? one.name : `${one.name} (${one.detail || t("live.not_ready")})`)));
    select.value = lane.deployment;
    return el("header", { class: "lane-head" }, el("label", { class: "unseen", for: id }, t("live.deployment")), select,
      el("span", { class: "spacer" }),
      several ? el("button", { type: "button", class: "button quiet small", onclick: () => keepOnly(conversation, lane) }, icon("check"), t("live.keep_this")) : null,
      several ? iconButton("close", t("live.close_lane", { who: lane.deployment, place: conversation.lanes.indexOf(lane) + 1 }), () => drop(conversation, lane)) : null);
  }

  function optionsFor(current) {
    const known = desk.deployments.some((one) => one.name === current);
    return known || !current ? desk.deployments : [{ name: current, ready: false, detail: t("live.gone") }, ...desk.deployments];
  }

  function notesOf(lane) {
    const found = desk.deployments.find((one) => one.name === lane.deployment);
    const notes = [];
    if (found?.warning) notes.push(el("p", { class: "notice warn lane-note" }, icon("warn"), " ", found.warning, " ", el("a", { href: `/models#${encodeURIComponent(found.model)}` }, t("live.card"))));
    if (found && !found.ready) notes.push(el("p", { class: "notice lane-note" }, t("live.loading", { who: found.name, detail: found.detail || t("live.not_ready") })));
    return notes;
  }

  async function drop(conversation, lane) {
    if (pathOf(lane).length && !(await desk.confirm(t("live.close_lane_sure", { who: lane.deployment }), t("live.close")))) return;
    conversation.lanes = conversation.lanes.filter((one) => one !== lane);
    desk.keep(conversation);
    desk.draw();
  }

  async function keepOnly(conversation, lane) {
    if (!(await desk.confirm(t("live.keep_this_sure", { who: lane.deployment }), t("live.keep_this")))) return;
    conversation.lanes = [lane];
    desk.keep(conversation);
    desk.draw();
  }

  return {
    draw,

    // A piece of text came: draw that message only, and follow it if the reader was at the end.
    drawNode(lane, node) {
      const section = place.querySelector(`[data-lane="${lane.id}"]`);
      const item = section?.querySelector(`[data-node="${node.id}"]`);
      if (!item || item.queued) return;
      item.queued = true;
      requestAnimationFrame(() => {
        item.queued = false;
        if (!item.isConnected) return;
        const thread = section.querySelector(".thread");
        const follow = followed.get(section) !== false;
        drawText(item, node);
        if (follow) scrollToEnd(thread);
      });
    },

    add() {
      const conversation = desk.conversation;
      if (conversation.lanes.length >= LANES_MOST) return;
      const taken = new Set(conversation.lanes.map((lane) => lane.deployment));
      const free = desk.deployments.find((one) => !taken.has(one.name)) ?? desk.deployments[0];
      conversation.lanes.push(copyLane(conversation.lanes[0], free?.name ?? ""));
      desk.keep(conversation);
      desk.draw();
      place.lastElementChild.scrollIntoView({ inline: "start", block: "nearest" });
      place.lastElementChild.querySelector("select").focus({ preventScroll: true });
    },

    rememberScroll() {
      for (const section of place.children) section.scrolledTo = section.querySelector(".thread")?.scrollTop;
    },

    followEnd() {
      for (const section of place.children) followed.delete(section);
    },
  };

  function greeting(conversation) {
    const text = desk.deployments.length ? t("live.hello_text") : t("live.hello_none");
    return el("div", { class: "thread" }, el("div", { class: "hello" }, isEmpty(conversation) ? icon("logo") : null, el("h2", {}, t("live.hello")), el("p", {}, text)));
  }
}

// A thread that is read at its end stays there when formulas are drawn or a panel opens.
function watchSize(thread, grown) {
  const observer = new ResizeObserver(grown);
  observer.observe(thread);
  if (thread.lastElementChild) observer.observe(thread.lastElementChild);
}

function isAtEnd(thread) {
  return thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR_END_PX;
}

function scrollToEnd(thread) {
  thread.scrollTop = thread.scrollHeight;
}

// After drawing anew, focus goes back to the same control of the same message.
function focusOf(place) {
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  if (!active) return () => {};
  const node = active.closest("[data-node]")?.dataset.node;
  const label = active.getAttribute("aria-label");
  const id = active.id;
  return () => {
    const item = node && place.querySelector(`[data-node="${node}"]`);
    const same = (id && document.getElementById(id)) || (label && item?.querySelector(`[aria-label="${CSS.escape(label)}"]`));
    (same || document.getElementById("prompt")).focus({ preventScroll: true });
  };
}
