// From a conversation's settings to the body of a chat completion; what is empty is not sent. Pure.

import { messagesTo } from "./tree.js";

const NUMBERS = ["temperature", "top_p", "max_tokens", "seed", "presence_penalty", "frequency_penalty"];

export function requestOf(conversation, lane, upTo) {
  return { model: lane.deployment, messages: messagesTo(lane, upTo, conversation.system), ...parametersOf(conversation.parameters) };
}

export function parametersOf(parameters) {
  const sent = {};
  for (const name of NUMBERS) if (typeof parameters[name] === "number") sent[name] = parameters[name];
  const stops = (parameters.stop ?? "").split("\n").filter((line) => line !== "").slice(0, 4);
  if (stops.length) sent.stop = stops;
  if (parameters.format === "json_object") sent.response_format = { type: "json_object" };
  if (parameters.format === "json_schema") {
    const schema = readSchema(parameters.schema);
    if (schema) sent.response_format = { type: "json_schema", json_schema: { name: "answer", strict: true, schema } };
  }
  return sent;
}

export function readSchema(text) {
  try {
    const found = JSON.parse(text ?? "");
    return found && typeof found === "object" && !Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}

// How many settings differ from the model's own: shown beside the button.
export function countSet(conversation) {
  return Object.keys(parametersOf(conversation.parameters)).length + (conversation.system.trim() ? 1 : 0);
}
