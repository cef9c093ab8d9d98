// OpenAI's own Node client against a running service: PRIMEUR_TEST_URL, PRIMEUR_TEST_KEY.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, { AzureOpenAI, toFile } from "openai";

const url = process.env.PRIMEUR_TEST_URL;
const apiKey = process.env.PRIMEUR_TEST_KEY;
const options = { baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 30_000 };
const client = new OpenAI(options);
const messages = [{ role: "user", content: "one two three four" }];
const tool = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { unit: { enum: ["c", "f"] } }, required: ["unit"] },
  },
};
const chat = (more) => client.chat.completions.create({ model: "echo", messages, ...more });
const say = (content) => [{ role: "user", content }];

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("models are listed and shown", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes("echo"));
  assert.equal((await client.models.retrieve("echo")).id, "echo");
});

test("a chat is answered with usage and its id", async () => {
  const answer = await chat();
  assert.equal(answer.choices[0].message.content, "one two three four");
  assert.equal(answer.usage.completion_tokens, 4);
  assert.match(answer._request_id, /^req_/);
  assert.equal(answer.primeur.deployment, "echo");
});

test("n, stop, seed, limits and log-probabilities", async () => {
  const answer = await chat({ n: 2, stop: ["four"], seed: 7, logprobs: true, top_logprobs: 2, max_completion_tokens: 3 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  assert.match(answer.choices[0].message.content, /^one two three/);
  assert.equal(answer.choices[0].logprobs.content[0].top_logprobs.length, 2);
});

test("a stream comes in pieces and ends with its usage", async () => {
  const chunks = await collect(await chat({ stream: true, stream_options: { include_usage: true } }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "one two three four");
  assert.equal(chunks.at(-1).usage.completion_tokens, 4);
});

test("the client's own stream helper puts a message together", async () => {
  const runner = client.chat.completions.stream({ model: "echo", messages, stream_options: { include_usage: true } });
  const final = await runner.finalChatCompletion();
  assert.equal(final.choices[0].message.content, "one two three four");
  assert.equal((await runner.totalUsage()).completion_tokens, 4);
});

test("tools are called, also in a stream", async () => {
  const answer = await chat({ tools: [tool], tool_choice: "required" });
  assert.equal(answer.choices[0].message.tool_calls[0].function.name, "get_weather");
  const runner = client.chat.completions.stream({
    model: "echo", messages: say("[[call]] [[calls=2]] hi"), tools: [tool], parallel_tool_calls: true,
  });
  const calls = (await runner.finalMessage()).tool_calls;
  assert.equal(calls.length, 2);
  for (const call of calls) assert.ok(["c", "f"].includes(JSON.parse(call.function.arguments).unit));
});

test("tools are run until there is an answer", async () => {
  const runner = client.chat.completions.runTools({
    model: "echo",
    messages: say("[[call=weather]] hello"),
    tools: [{ type: "function", function: {
      name: "weather", description: "Weather.", parse: JSON.parse, parameters: { type: "object", properties: {} },
      function: () => "sunny",
    } }],
  });
  assert.match(await runner.finalContent(), /sunny/);
});

test("a schema is obeyed", async () => {
  const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"], additionalProperties: false };
  const form = { type: "json_schema", json_schema: { name: "answer", strict: true, schema } };
  const answer = await client.chat.completions.parse({ model: "echo", messages, response_format: form });
  assert.equal(typeof answer.choices[0].message.parsed.ok, "boolean");
});

test("completions: arrays, suffix, echo with log-probabilities", async () => {
  const two = await client.completions.create({ model: "echo", prompt: ["a b", "c"] });
  assert.deepEqual(two.choices.map((choice) => choice.text), ["a b", "c"]);
  const gap = await client.completions.create({ model: "echo", prompt: "begin", suffix: "end" });
  assert.match(gap.choices[0].text, /end/);
  const echoed = await client.completions.create({ model: "echo", prompt: "a b", echo: true, logprobs: 1, max_tokens: 0 });
  assert.equal(echoed.choices[0].logprobs.token_logprobs[0], null);
});

test("embeddings: base 64 by itself, floats when told", async () => {
  const packed = await client.embeddings.create({ model: "echo", input: ["a", "b"], dimensions: 8 });
  const plain = await client.embeddings.create({ model: "echo", input: ["a", "b"], dimensions: 8, encoding_format: "float" });
  assert.equal(packed.data.length, 2);
  packed.data[0].embedding.forEach((value, i) => assert.ok(Math.abs(value - plain.data[0].embedding[i]) < 1e-6));
});

test("faults have their classes, codes and paths", async () => {
  await assert.rejects(new OpenAI({ ...options, apiKey: "wrong" }).models.list(), (error) =>
    error instanceof OpenAI.AuthenticationError && error.code === "invalid_api_key");
  await assert.rejects(chat({ model: "nobody" }), (error) =>
    error instanceof OpenAI.NotFoundError && error.code === "model_not_found" && error.param === "model");
  await assert.rejects(chat({ temperature: 3 }), (error) =>
    error instanceof OpenAI.BadRequestError && error.param === "temperature" && /^req_/.test(error.requestID));
  await assert.rejects(chat({ messages: say("[[status=500]] x") }), OpenAI.InternalServerError);
  await assert.rejects(chat({ messages: say("[[status=429]] [[retry_after_ms=9]] x") }), (error) =>
    error instanceof OpenAI.RateLimitError && error.headers.get("retry-after-ms") === "9");
});

test("a stream that breaks raises", async () => {
  const stream = await chat({ stream: true, messages: say("[[cut_after=2]] a b c d") });
  await assert.rejects(collect(stream), OpenAI.APIError);
});

test("a caller may stop listening", async () => {
  const stream = await chat({ stream: true, messages: say("[[token_ms=100]] a b c d e f g h") });
  for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
  assert.ok(stream.controller.signal.aborted);
});

test("Azure's client finds the same house", async () => {
  const azure = new AzureOpenAI({ endpoint: url, apiKey, apiVersion: "2024-10-21", deployment: "echo", maxRetries: 0 });
  const answer = await azure.chat.completions.create({ model: "echo", messages });
  assert.equal(answer.choices[0].message.content, "one two three four");
});

test("responses are made, streamed, read and deleted", async () => {
  const made = await client.responses.create({ model: "echo", input: "hello there" });
  assert.equal(made.output_text, "hello there");
  assert.equal((await client.responses.retrieve(made.id)).id, made.id);
  const next = await client.responses.create({ model: "echo", input: "and on", previous_response_id: made.id });
  assert.equal(next.output_text, "and on");
  await client.responses.delete(made.id);
  await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
  const events = await collect(await client.responses.create({ model: "echo", input: "hi", stream: true }));
  assert.equal(events.at(-1).type, "response.completed");
});

test("conversations hold what was said", async () => {
  const made = await client.conversations.create({ items: say("zero"), metadata: { a: "b" } });
  await client.responses.create({ model: "echo", input: "one", conversation: made.id });
  const texts = [];
  for await (const item of client.conversations.items.list(made.id, { order: "asc", limit: 2 }))
    texts.push(item.content[0].text);
  assert.deepEqual(texts, ["zero", "one", "one"]);
  assert.equal((await client.conversations.delete(made.id)).deleted, true);
});

test("files and uploads come back byte for byte", async () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, n) => n % 256));
  const file = await client.files.create({ file: await toFile(bytes, "a.bin"), purpose: "user_data" });
  assert.deepEqual(Buffer.from(await (await client.files.content(file.id)).arrayBuffer()), bytes);
  assert.equal((await client.files.delete(file.id)).deleted, true);
  const upload = await client.uploads.create({ bytes: 6, filename: "b", mime_type: "text/plain", purpose: "batch" });
  const part = (text) => toFile(Buffer.from(text), "part");
  const second = await client.uploads.parts.create(upload.id, { data: await part("def") });
  const first = await client.uploads.parts.create(upload.id, { data: await part("abc") });
  const done = await client.uploads.complete(upload.id, { part_ids: [first.id, second.id] });
  assert.equal(await (await client.files.content(done.file.id)).text(), "abcdef");
});

test("a batch is run", async () => {
  const line = { custom_id: "a", method: "POST", url: "/v1/responses", body: { model: "echo", input: "hi" } };
  const input = await toFile(Buffer.from(JSON.stringify(line)), "in.jsonl");
  const file = await client.files.create({ file: input, purpose: "batch" });
  let batch = await client.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/responses",
    completion_window: "24h",
  });
  for (let look = 0; look < 300 && batch.status !== "completed"; look++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    batch = await client.batches.retrieve(batch.id);
  }
  assert.deepEqual(batch.request_counts, { total: 1, completed: 1, failed: 0 });
  const output = JSON.parse(await (await client.files.content(batch.output_file_id)).text());
  assert.equal(output.response.body.output[0].content[0].text, "hi");
});
