// The official OpenAI client, unmodified but for its base URL and key, against the sample model and a misbehaving one.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import OpenAI, { APIConnectionError, APIError, AuthenticationError, RateLimitError } from "openai";
import { startSample } from "../../src/sample/server.ts";
import { json, rateLimitedOnce, resetAfter, stallAfter, startGarbage } from "../helpers/upstream.ts";
import { type Harness, type HarnessOptions, start, until } from "./harness.ts";

const MODEL = "adyton-sample-1";

async function withSample(t: TestContext): Promise<{ h: Harness; client: OpenAI }> {
  const sample = await startSample({ port: 0, pieceDelayMs: 0 });
  t.after(() => sample.close());
  return withOptions(t, { upstreamUrl: `http://127.0.0.1:${sample.port}` });
}

async function withOptions(t: TestContext, options: HarnessOptions): Promise<{ h: Harness; client: OpenAI }> {
  const h = await start(t, options);
  return { h, client: new OpenAI({ baseURL: `${h.url}/v1`, apiKey: h.key, maxRetries: 0 }) };
}

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const ASK = { model: MODEL, messages: [{ role: "user" as const, content: "What is 12 * (3 + 4)?" }] };

test("chat, and the same chat streamed", async (t) => {
  const { h, client } = await withSample(t);
  const whole = await client.chat.completions.create(ASK);
  const text = whole.choices[0]?.message.content ?? "";
  assert.match(text, /12 \* \(3 \+ 4\) equals 84\./);
  assert.match(text, /sample model built into Adyton/);
  assert.equal(whole.choices[0]?.finish_reason, "stop");
  const stream = await client.chat.completions.create({
    ...ASK,
    stream: true,
    stream_options: { include_usage: true },
  });
  let streamed = "";
  let usage = 0;
  for await (const part of stream) {
    streamed += part.choices[0]?.delta.content ?? "";
    usage = part.usage?.completion_tokens ?? usage;
  }
  assert.equal(streamed, text);
  assert.equal(usage, whole.usage?.completion_tokens);
  assert.equal(h.log.durableCloses, 2);
  assert.ok(whole._request_id?.startsWith("ex_"));
});

test("tool calls, whole and streamed, and the turn after them", async (t) => {
  const { client } = await withSample(t);
  const parameters = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer" } },
    required: ["city", "days"],
  };
  const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
  const messages = [{ role: "user" as const, content: "The weather for 3 days in Prague, please" }];
  const whole = await client.chat.completions.create({ model: MODEL, messages, tools });
  const call = whole.choices[0]?.message.tool_calls?.[0];
  assert.ok(call?.type === "function");
  assert.deepEqual(JSON.parse(call.function.arguments), { city: "Prague", days: 3 });
  assert.equal(whole.choices[0]?.finish_reason, "tool_calls");
  const final = await client.chat.completions.stream({ model: MODEL, messages, tools }).finalChatCompletion();
  assert.deepEqual(final.choices[0]?.message.tool_calls?.[0]?.function, call.function);
  const after = await client.chat.completions.create({
    model: MODEL,
    tools,
    messages: [
      ...messages,
      { role: "assistant", tool_calls: [call] },
      { role: "tool", tool_call_id: call.id, content: "sunny" },
    ],
  });
  assert.match(after.choices[0]?.message.content ?? "", /"sunny"/);
});

test("embeddings, responses (whole and streamed), models, text completions, structured answers", async (t) => {
  const { h, client } = await withSample(t);
  const { data } = await client.embeddings.create({
    model: MODEL,
    input: ["red apple", "red apples", "tax law"],
  });
  assert.equal(data.length, 3);
  assert.ok(Math.abs((data[0]?.embedding ?? []).reduce((sum, value) => sum + value * value, 0) - 1) < 1e-5);
  const response = await client.responses.create({ model: MODEL, input: "Who are you?" });
  assert.match(response.output_text, /sample model/);
  let streamed = "";
  for await (const event of await client.responses.create({
    model: MODEL,
    input: "Who are you?",
    stream: true,
  })) {
    if (event.type === "response.output_text.delta") streamed += event.delta;
    if (event.type === "response.completed") assert.equal(event.response.output_text ?? streamed, streamed);
  }
  assert.equal(streamed, response.output_text);
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    [MODEL],
  );
  assert.equal((await client.models.retrieve(MODEL)).owned_by, "adyton-sample");
  const completion = await client.completions.create({ model: MODEL, prompt: "2 + 2" });
  assert.match(completion.choices[0]?.text ?? "", /equals 4/);
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const format = { type: "json_schema" as const, json_schema: { name: "x", schema } };
  const structured = await client.chat.completions.create({ ...ASK, response_format: format });
  assert.deepEqual(JSON.parse(structured.choices[0]?.message.content ?? ""), { n: 12 });
  assert.equal(h.log.opens.length, 7);
  assert.equal(h.log.durableCloses, 7);
});

test("log-probabilities are a real softmax, and logit_bias moves it", async (t) => {
  const { client } = await withSample(t);
  const ask = { ...ASK, max_completion_tokens: 1, logprobs: true, top_logprobs: 5 };
  const plain = await client.chat.completions.create(ask);
  const first = plain.choices[0]?.logprobs?.content?.[0];
  assert.equal(first?.top_logprobs.length, 5);
  assert.equal(first.top_logprobs[0]?.token, first.token);
  const biased = await client.chat.completions.create({ ...ask, logit_bias: { "300": 100 } });
  assert.notEqual(biased.choices[0]?.logprobs?.content?.[0]?.token, first.token);
});

test("errors: a wrong key, the upstream's 500, an answer that is no answer", async (t) => {
  const { h, client } = await withOptions(t, {
    upstream: json({ error: { message: "boom", type: "server_error", code: "x1" } }, 500),
  });
  const stranger = new OpenAI({ baseURL: `${h.url}/v1`, apiKey: "ady_wrong", maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create(ASK), (error: unknown) => {
    assert.ok(error instanceof AuthenticationError);
    assert.equal(error.code, "gateway.key-unknown");
    return true;
  });
  await assert.rejects(client.chat.completions.create(ASK), (error: unknown) => {
    assert.ok(error instanceof APIError);
    assert.deepEqual([error.status, error.code, error.message], [500, "x1", "500 boom"]);
    return true;
  });
  const garbage = await startGarbage("\0\0\0 not http");
  t.after(() => garbage.close());
  const other = await withOptions(t, { upstreamUrl: garbage.url });
  await assert.rejects(other.client.chat.completions.create(ASK), {
    status: 502,
    code: "gateway.upstream-unreachable",
  });
});

test("413 comes as the SDK's own error, even while the body is still being sent", async (t) => {
  const { client } = await withOptions(t, { limits: { maxBodyBytes: 64 * 1024 } });
  const messages = [{ role: "user" as const, content: "x".repeat(3 * 1024 * 1024) }];
  await assert.rejects(client.chat.completions.create({ model: MODEL, messages }), {
    status: 413,
    code: "gateway.body-too-large",
  });
});

test("429 with retry-after is passed, and honoured by the SDK's retries", async (t) => {
  const answer = {
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "hi" } }],
  };
  const { h, client } = await withOptions(t, { upstream: rateLimitedOnce("1", json(answer)) });
  await assert.rejects(client.chat.completions.create(ASK), RateLimitError);
  h.upstream.behave = rateLimitedOnce("1", json(answer));
  const patient = new OpenAI({ baseURL: `${h.url}/v1`, apiKey: h.key, maxRetries: 1 });
  const startedMs = Date.now();
  assert.equal((await patient.chat.completions.create(ASK)).choices[0]?.message.content, "hi");
  assert.ok(Date.now() - startedMs >= 950);
  assert.deepEqual(
    h.log.closes.map(({ figures }) => figures.status),
    [429, 429, 200],
  );
});

test("aborting a stream reaches the upstream within a second", async (t) => {
  const { h, client } = await withOptions(t, { upstream: stallAfter([chunk("one ")]) });
  const stream = await client.chat.completions.create({ ...ASK, stream: true });
  for await (const part of stream) {
    assert.equal(part.choices[0]?.delta.content, "one ");
    break;
  }
  const startedMs = Date.now();
  await h.upstream.seen[0]?.abandoned;
  assert.ok(Date.now() - startedMs < 1_000);
  await until(() => h.log.durableCloses === 1);
  assert.equal((await h.closed()).figures.outcome, "aborted");
});

test("a reset in mid-stream is an error for the SDK, never a short answer that looks whole", async (t) => {
  const { h, client } = await withOptions(t, { upstream: resetAfter([chunk("one "), chunk("two")]) });
  let text = "";
  await assert.rejects(async () => {
    for await (const part of await client.chat.completions.create({ ...ASK, stream: true }))
      text += part.choices[0]?.delta.content ?? "";
  });
  assert.equal(text, "one two");
  assert.equal((await h.closed()).figures.outcome, "upstream-failed");
  await h.worker.close();
  await assert.rejects(client.chat.completions.create(ASK), APIConnectionError);
});
