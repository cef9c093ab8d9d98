// Conversations as files: JSON that can be read back, Markdown for people. Pure.

import { pathOf, titleOf } from "./tree.js";

const KIND = "primeur-conversations";
const ROLES = new Set(["user", "assistant"]);

export function toJson(conversations) {
  return JSON.stringify({ kind: KIND, version: 1, conversations }, null, 2);
}

// Give conversations with new ids, or throw a SyntaxError that says what was wrong.
export function fromJson(text, nowMs) {
  const paper = JSON.parse(text);
  if (paper?.kind !== KIND || !Array.isArray(paper.conversations)) throw new SyntaxError(KIND);
  return paper.conversations.map((one) => ({
    id: crypto.randomUUID(),
    title: String(one.title ?? ""),
    named: Boolean(one.named),
    createdMs: Number(one.createdMs) || nowMs,
    updatedMs: Number(one.updatedMs) || nowMs,
    system: String(one.system ?? ""),
    parameters: plain(one.parameters),
    draft: "",
    lanes: (Array.isArray(one.lanes) ? one.lanes : []).slice(0, 4).map(readLane),
  })).filter((one) => one.lanes.length);
}

function plain(value) {
  return value && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function readLane(lane) {
  const nodes = {};
  for (const node of Object.values(plain(lane?.nodes))) {
    if (!ROLES.has(node?.role) || typeof node.id !== "string") continue;
    nodes[node.id] = { ...node, parent: node.parent ?? null, text: String(node.text ?? ""), atMs: Number(node.atMs) || 0, streaming: undefined };
  }
  return { id: crypto.randomUUID(), deployment: String(lane?.deployment ?? ""), nodes, chosen: plain(lane?.chosen) };
}

export function toMarkdown(conversation) {
  const parts = [`# ${titleOf(conversation)}`];
  if (conversation.system) parts.push(`> ${conversation.system.replaceAll("\n", "\n> ")}`);
  for (const lane of conversation.lanes) {
    if (conversation.lanes.length > 1) parts.push(`## ${lane.deployment}`);
    for (const node of pathOf(lane)) {
      const who = node.role === "user" ? "You" : node.deployment ?? lane.deployment;
      parts.push(`**${who}**`, node.text || "—");
    }
  }
  return `${parts.join("\n\n")}\n`;
}

export function fileName(title, ending) {
  const plainTitle = title.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 50);
  return `${plainTitle || "conversation"}.${ending}`;
}
