// A conversation's lane is a tree: every edit and every regeneration is a sibling, nothing is lost. Pure.

const ROOT = "";

export function newLane(deployment) {
  return { id: crypto.randomUUID(), deployment, nodes: {}, chosen: {} };
}

export function newConversation(deployment, nowMs) {
  return {
    id: crypto.randomUUID(), title: "", named: false, createdMs: nowMs, updatedMs: nowMs,
    system: "", parameters: {}, lanes: [newLane(deployment)], draft: "",
  };
}

// Put a node below its parent and make it the one shown.
export function addNode(lane, node) {
  lane.nodes[node.id] = node;
  lane.chosen[node.parent ?? ROOT] = node.id;
  return node;
}

export function newNode(role, parent, nowMs, rest = {}) {
  return { id: crypto.randomUUID(), role, parent: parent ?? null, text: "", atMs: nowMs, ...rest };
}

export function childrenOf(lane, parent) {
  return Object.values(lane.nodes)
    .filter((node) => (node.parent ?? ROOT) === (parent ?? ROOT))
    .sort((one, other) => one.atMs - other.atMs || (one.id < other.id ? -1 : 1));
}

// The nodes that are shown, first to last.
export function pathOf(lane) {
  const shown = [];
  let at = ROOT;
  while (lane.chosen[at] && lane.nodes[lane.chosen[at]]) {
    const node = lane.nodes[lane.chosen[at]];
    shown.push(node);
    at = node.id;
  }
  return shown;
}

// The nodes above one, itself included.
export function pathTo(lane, id) {
  const above = [];
  for (let node = lane.nodes[id]; node; node = lane.nodes[node.parent]) above.unshift(node);
  return above;
}

export function siblingsOf(lane, id) {
  return childrenOf(lane, lane.nodes[id].parent);
}

// Show the sibling `step` places on; gives its id.
export function chooseSibling(lane, id, step) {
  const all = siblingsOf(lane, id);
  const next = all[all.findIndex((node) => node.id === id) + step];
  if (next) lane.chosen[next.parent ?? ROOT] = next.id;
  return next?.id ?? id;
}

// Take a node out with everything below it; the next sibling is shown in its place.
export function removeNode(lane, id) {
  const node = lane.nodes[id];
  const rest = siblingsOf(lane, id).filter((other) => other.id !== id);
  for (const child of childrenOf(lane, id)) removeNode(lane, child.id);
  delete lane.nodes[id];
  delete lane.chosen[id];
  const key = node.parent ?? ROOT;
  if (rest.length) lane.chosen[key] = rest.at(-1).id;
  else delete lane.chosen[key];
}

// A second lane starts with what the first one shows.
export function copyLane(lane, deployment) {
  const copy = newLane(deployment);
  let parent = null;
  for (const node of pathOf(lane)) {
    const made = addNode(copy, { ...structuredClone(node), id: crypto.randomUUID(), parent });
    parent = made.id;
  }
  return copy;
}

// What is sent to the model: the shown path up to `id`, without answers that failed before their first word.
export function messagesTo(lane, id, system) {
  const messages = system.trim() ? [{ role: "system", content: system }] : [];
  for (const node of id ? pathTo(lane, id) : []) {
    if (node.role === "assistant" && !node.text) continue;
    messages.push({ role: node.role, content: contentOf(node) });
  }
  return messages;
}

function contentOf(node) {
  const texts = (node.files ?? []).filter((file) => file.text !== undefined);
  const images = (node.files ?? []).filter((file) => file.data);
  const whole = [...texts.map((file) => `${file.name}:\n\`\`\`\n${file.text}\n\`\`\``), node.text].join("\n\n");
  if (!images.length) return whole;
  return [
    ...(whole ? [{ type: "text", text: whole }] : []),
    ...images.map((file) => ({ type: "image_url", image_url: { url: file.data } })),
  ];
}

// The first words of the first question name the conversation until a person does.
export function titleOf(conversation) {
  if (conversation.named) return conversation.title;
  const first = conversation.lanes.flatMap(pathOf).find((node) => node.role === "user");
  const line = (first?.text ?? "").trim().split("\n")[0].replace(/^[#>*\s-]+/, "");
  return line.length > 60 ? `${line.slice(0, 58).trimEnd()}…` : line;
}

export function isEmpty(conversation) {
  return conversation.lanes.every((lane) => Object.keys(lane.nodes).length === 0);
}
