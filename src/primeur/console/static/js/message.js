// One message of a thread as elements: what was said, who served it, and what can be done with it.

import { copyText, el, icon, iconButton, knows, money, number, seconds, t } from "./dom.js";
import { render } from "./markdown.js";
import { siblingsOf } from "./tree.js";

// Draw a message. `deeds` are the things a person can do with it; see talk.js.
export function drawMessage(lane, node, deeds) {
  const item = el("li", { class: `message ${node.role}`, dataset: { node: node.id } });
  if (node.role === "user") item.append(...userParts(lane, node, deeds));
  else item.append(...answerParts(lane, node, deeds));
  return item;
}

// Draw the text that has come so far; cheap enough for every frame.
export function drawText(item, node) {
  drawThinking(item.querySelector(".thinking-box"), node);
  const prose = item.querySelector(".prose");
  render(prose, node.text);
  item.querySelector(".waiting").hidden = Boolean(node.text) || !node.streaming;
}

function userParts(lane, node, deeds) {
  return [
    el("h2", { class: "unseen" }, t("live.you")),
    drawFiles(node.files ?? []),
    el("div", { class: "bubble" }, node.text),
    el("div", { class: "under" }, turns(lane, node, deeds),
      iconButton("copy", t("live.copy"), () => copyText(node.text)),
      iconButton("edit", t("live.edit"), () => deeds.edit(lane, node), { dataset: { deed: "edit" } }),
      iconButton("trash", t("live.remove_message"), () => deeds.remove(lane, node))),
  ].filter(Boolean);
}

function answerParts(lane, node, deeds) {
  const parts = [
    el("h2", { class: "who" }, icon("logo"), node.deployment ?? lane.deployment),
    el("div", { class: "thinking-box" }),
    el("div", { class: "prose" }),
    el("div", { class: "waiting", hidden: !(node.streaming && !node.text) }, el("i"), el("i"), el("i")),
  ];
  drawThinking(parts[1], node);
  render(parts[2], node.text);
  if (node.calls?.length) parts.push(drawCalls(node.calls));
  if (node.error) parts.push(drawFailure(lane, node, deeds));
  if (!node.streaming) parts.push(drawUnder(lane, node, deeds));
  return parts;
}

function drawUnder(lane, node, deeds) {
  return el("div", { class: "under" }, turns(lane, node, deeds),
    iconButton("copy", t("live.copy"), () => copyText(node.text), { dataset: { deed: "copy" } }),
    iconButton("again", t("live.regenerate"), () => deeds.regenerate(lane, node), { dataset: { deed: "regenerate" } }),
    iconButton("edit", t("live.edit_answer"), () => deeds.edit(lane, node)),
    node.made ? el("span", { class: "made" }, ...figures(node)) : null);
}

// Tokens, speed, first token, cost and who served it: what is not known is not shown, but a missing price is said.
function figures(node) {
  const made = node.made;
  const said = [];
  const add = (text, title) => said.push(el("span", { title }, text));
  if (node.edited) add(t("live.edited"));
  if (made.outputTokens) add(t(made.counted ? "live.tokens" : "live.tokens_about", { count: number(made.outputTokens) }), made.usage ? t("live.tokens_title", { input: number(made.usage.input), cached: number(made.usage.cached) }) : t("live.tokens_counted_here"));
  if (made.tokensPerSecond) add(t("live.speed", { rate: number(made.tokensPerSecond, made.tokensPerSecond < 100 ? 1 : 0) }));
  if (made.firstMs !== null && made.firstMs !== undefined) add(t("live.first", { time: seconds(made.firstMs) }), t("live.first_title"));
  add(money(made.costNanos, made.currency), t("live.cost_title"));
  const by = [made.provider, made.revision].filter(Boolean).join(" / ");
  if (by) add(t("live.served_by", { who: made.provider ?? by }), [by, made.request].filter(Boolean).join("\n"));
  if (made.refusal) add(t("live.holder_refused", { why: made.refusal }));
  if (node.stopped) add(t("live.stopped"));
  else if (made.finish && made.finish !== "stop" && knows(`live.finish_${made.finish}`)) add(t(`live.finish_${made.finish}`));
  return said;
}

function turns(lane, node, deeds) {
  const all = siblingsOf(lane, node.id);
  if (all.length < 2) return null;
  const place = all.findIndex((other) => other.id === node.id);
  return el("span", { class: "turns", role: "group", "aria-label": t("live.versions") },
    iconButton("left", t("live.version_before"), () => deeds.choose(lane, node, -1), { disabled: place === 0, dataset: { deed: "before" } }),
    el("span", {}, `${place + 1} / ${all.length}`),
    iconButton("right", t("live.version_after"), () => deeds.choose(lane, node, 1), { disabled: place === all.length - 1, dataset: { deed: "after" } }));
}

function drawThinking(box, node) {
  if (!node.thinking) return;
  if (!box.firstChild) box.append(el("details", {}, el("summary", {}, t("live.thinking")), el("div", { class: "thinking" })));
  box.querySelector(".thinking").textContent = node.thinking;
}

function drawCalls(calls) {
  return el("div", { class: "calls" }, el("p", {}, t("live.calls")),
    ...calls.map((call) => el("pre", { tabindex: "0", role: "group", "aria-label": call.name }, el("code", {}, `${call.name}(${call.arguments})`))));
}

export function drawFiles(files, remove) {
  if (!files.length) return null;
  return el("div", { class: "files" }, ...files.map((file, place) => el("span", { class: "file" },
    file.data ? el("img", { src: file.data, alt: file.name }) : icon("file"),
    file.data ? null : file.name,
    remove ? iconButton("close", t("live.remove_file", { name: file.name }), () => remove(place)) : null)));
}

function drawFailure(lane, node, deeds) {
  const error = node.error;
  const known = knows(`problem.${error.kind}`) ? error.kind : "other";
  return el("div", { class: "notice bad failure" },
    el("strong", {}, t(`problem.${known}`)),
    el("p", {}, t(`problem.${known}_next`, { wait: error.retryMs ? seconds(error.retryMs) : "…" })),
    error.message || error.request ? el("small", {}, [error.message, error.request].filter(Boolean).join(" · ")) : null,
    error.kind === "signed_out"
      ? el("a", { class: "button small", href: "/sign-in" }, t("live.sign_in"))
      : el("button", { type: "button", class: "button small", dataset: { deed: "retry" }, onclick: () => deeds.regenerate(lane, node) }, icon("again"), t("live.retry")));
}
