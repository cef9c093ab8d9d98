// The deeds of a conversation: send, stop, regenerate, edit, branch. Changes the tree, runs the streams, asks to be drawn.

import { announce, t } from "./dom.js";
import { explain } from "./problems.js";
import { requestOf } from "./request.js";
import { complete } from "./stream.js";
import { addNode, chooseSibling, newNode, pathOf, removeNode } from "./tree.js";

const SPOKEN_CHARACTERS = 600;
const KEEP_EVERY_MS = 700;

// `desk` has: conversation (the one shown), draw(), drawNode(lane, node), keep(conversation), confirm(text, yes).
export function makeTalk(desk) {
  const running = new Map();

  function ask(conversation, lane, parent) {
    const node = addNode(lane, newNode("assistant", parent, Date.now(), { deployment: lane.deployment, streaming: true }));
    stream(conversation, lane, node);
    return node;
  }

  async function stream(conversation, lane, node) {
    const control = new AbortController();
    running.set(node.id, { control, conversation });
    announce(t("live.answering", { who: lane.deployment }));
    let state = null;
    try {
      state = await complete(requestOf(conversation, lane, node.parent), {
        signal: control.signal,
        onPiece(now) { state = now; show(conversation, lane, node, now); },
      });
    } catch (error) {
      node.error = explain(error);
      node.stopped = !node.error;
    }
    running.delete(node.id);
    settle(node, state);
    desk.keep(conversation);
    if (desk.conversation === conversation) desk.draw();
    announce(spoken(node));
  }

  function show(conversation, lane, node, state) {
    Object.assign(node, { text: state.text, thinking: state.thinking });
    if (performance.now() - (node.keptAt ?? 0) > KEEP_EVERY_MS) {
      node.keptAt = performance.now();
      desk.keep(conversation, true);
    }
    if (desk.conversation === conversation) desk.drawNode(lane, node);
  }

  return {
    isRunning: (conversation) => [...running.values()].some((one) => one.conversation === conversation),

    stop(conversation) {
      for (const one of running.values()) if (one.conversation === conversation) one.control.abort();
    },

    send(text, files) {
      const conversation = desk.conversation;
      const turn = crypto.randomUUID();
      for (const lane of conversation.lanes) {
        const user = addNode(lane, newNode("user", pathOf(lane).at(-1)?.id, Date.now(), { text, files, turn }));
        ask(conversation, lane, user.id);
      }
      changed(conversation);
    },

    regenerate(lane, node) {
      if (node.error && !node.text) removeNode(lane, node.id);
      ask(desk.conversation, lane, node.parent);
      changed(desk.conversation);
    },

    // A changed question goes to every lane that was asked it; a changed answer stays in its own.
    change(lane, node, text) {
      const conversation = desk.conversation;
      if (node.role === "assistant") {
        addNode(lane, { ...structuredClone(node), id: crypto.randomUUID(), text, atMs: Date.now(), edited: true, error: null });
      } else {
        for (const [other, twin] of twins(conversation, lane, node)) {
          const user = addNode(other, newNode("user", twin.parent, Date.now(), { text, files: node.files, turn: crypto.randomUUID() }));
          ask(conversation, other, user.id);
        }
      }
      changed(conversation);
    },

    async remove(lane, node) {
      if (!(await desk.confirm(t("live.remove_message_sure"), t("live.remove_message")))) return;
      for (const [other, twin] of twins(desk.conversation, lane, node)) removeNode(other, twin.id);
      changed(desk.conversation);
    },

    choose(lane, node, step) {
      const next = chooseSibling(lane, node.id, step);
      changed(desk.conversation);
      return next;
    },
  };

  function changed(conversation) {
    conversation.updatedMs = Date.now();
    desk.keep(conversation);
    desk.draw();
  }
}

function twins(conversation, lane, node) {
  const found = [[lane, node]];
  for (const other of conversation.lanes) {
    const twin = other !== lane && node.turn && pathOf(other).find((one) => one.turn === node.turn);
    if (twin) found.push([other, twin]);
  }
  return found;
}

function settle(node, state) {
  delete node.streaming;
  delete node.keptAt;
  if (!state) return;
  node.text = state.text;
  node.thinking = state.thinking;
  if (state.calls.length) node.calls = state.calls;
  node.made = state.made;
}

// What a screen reader says when an answer is there: its words, not every token.
function spoken(node) {
  if (node.error) return t(`problem.${node.error.kind}`);
  const words = node.text.length > SPOKEN_CHARACTERS ? `${node.text.slice(0, SPOKEN_CHARACTERS)}…` : node.text;
  return `${t(node.stopped ? "live.answer_stopped" : "live.answer_there")} ${words}`;
}
