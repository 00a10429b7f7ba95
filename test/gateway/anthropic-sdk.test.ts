// The official Anthropic client, unmodified but for its base URL and key, against the sample model and a misbehaving one.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import Anthropic, { APIError, AuthenticationError, RateLimitError } from "@anthropic-ai/sdk";
import { startSample } from "../../src/sample/server.ts";
import { json, rateLimitedOnce, resetAfter, stallAfter } from "../helpers/upstream.ts";
import { type Harness, type HarnessOptions, start } from "./harness.ts";

const MODEL = "adyton-sample-1";
const ASK = {
  model: MODEL,
  max_tokens: 500,
  messages: [{ role: "user" as const, content: "What is 7 * 6?" }],
};
const START = `event: message_start\ndata: ${JSON.stringify({
  type: "message_start",
  message: {
    id: "m",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  },
})}\n\n`;

async function withOptions(
  t: TestContext,
  options: HarnessOptions,
): Promise<{ h: Harness; client: Anthropic }> {
  const h = await start(t, options);
  return { h, client: new Anthropic({ baseURL: h.url, apiKey: h.key, maxRetries: 0 }) };
}

async function withSample(t: TestContext): Promise<{ h: Harness; client: Anthropic }> {
  const sample = await startSample({ port: 0, pieceDelayMs: 0 });
  t.after(() => sample.close());
  return withOptions(t, { upstreamUrl: `http://127.0.0.1:${sample.port}` });
}

test("messages, whole and streamed, and the token count", async (t) => {
  const { h, client } = await withSample(t);
  const whole = await client.messages.create(ASK);
  const [block] = whole.content;
  assert.ok(block?.type === "text");
  assert.match(block.text, /7 \* 6 equals 42\./);
  const stream = client.messages.stream(ASK);
  let deltas = "";
  stream.on("text", (text) => {
    deltas += text;
  });
  const final = await stream.finalMessage();
  assert.deepEqual(final.content, whole.content);
  assert.equal(deltas, block.text);
  const { input_tokens } = await client.messages.countTokens({ model: MODEL, messages: ASK.messages });
  assert.equal(input_tokens, whole.usage.input_tokens);
  assert.equal(h.log.durableCloses, 3);
  assert.deepEqual(
    h.log.opens.map(({ network }) => network.path),
    ["/v1/messages", "/v1/messages", "/v1/messages/count_tokens"],
  );
});

test("tool use, whole and streamed, and the turn after it", async (t) => {
  const { client } = await withSample(t);
  const input_schema = {
    type: "object" as const,
    properties: { city: { type: "string" } },
    required: ["city"],
  };
  const ask = {
    ...ASK,
    tools: [{ name: "weather", input_schema }],
    messages: [{ role: "user" as const, content: "How is it in Oslo today?" }],
  };
  const whole = await client.messages.create(ask);
  const [use] = whole.content;
  assert.ok(use?.type === "tool_use");
  assert.deepEqual(use.input, { city: "Oslo" });
  assert.equal(whole.stop_reason, "tool_use");
  const [streamed] = (await client.messages.stream(ask).finalMessage()).content;
  assert.deepEqual(streamed?.type === "tool_use" && streamed.input, { city: "Oslo" });
  const after = await client.messages.create({
    ...ask,
    messages: [
      ...ask.messages,
      { role: "assistant", content: whole.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "rain" }] },
    ],
  });
  assert.ok(after.content[0]?.type === "text" && after.content[0].text.includes('"rain"'));
});

test("errors: a wrong key, a body too large, the upstream's own, 429", async (t) => {
  const error = { type: "error", error: { type: "api_error", message: "boom" } };
  const { h, client } = await withOptions(t, { upstream: json(error, 500), limits: { maxBodyBytes: 8_192 } });
  const stranger = new Anthropic({ baseURL: h.url, apiKey: "nobodys", maxRetries: 0 });
  await assert.rejects(stranger.messages.create(ASK), AuthenticationError);
  await assert.rejects(client.messages.create(ASK), (got: unknown) => {
    assert.ok(got instanceof APIError);
    assert.deepEqual([got.status, got.error], [500, error]);
    return true;
  });
  const long = { ...ASK, messages: [{ role: "user" as const, content: "x".repeat(500_000) }] };
  await assert.rejects(client.messages.create(long), { status: 413 });
  h.upstream.behave = rateLimitedOnce("1", json(error, 500));
  await assert.rejects(client.messages.create(ASK), RateLimitError);
  h.upstream.behave = rateLimitedOnce("1", json({ type: "message", role: "assistant", content: [] }));
  const startedMs = Date.now();
  await new Anthropic({ baseURL: h.url, apiKey: h.key, maxRetries: 1 }).messages.create(ASK);
  assert.ok(Date.now() - startedMs >= 950);
});

test("an abort reaches the upstream; a reset is an error", async (t) => {
  const { h, client } = await withOptions(t, { upstream: stallAfter([START]) });
  const stream = await client.messages.create({ ...ASK, stream: true });
  for await (const event of stream) {
    assert.equal(event.type, "message_start");
    break;
  }
  const startedMs = Date.now();
  await h.upstream.seen[0]?.abandoned;
  assert.ok(Date.now() - startedMs < 1_000);
  assert.equal((await h.closed()).figures.outcome, "aborted");
  h.upstream.behave = resetAfter([START]);
  await assert.rejects(client.messages.stream(ASK).finalMessage());
});
