// What passes through, passes unchanged: bytes, header order, unknown fields, errors, framing at any split.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { json, raw, streamed } from "../helpers/upstream.ts";
import { call } from "./client.ts";
import { start, UPSTREAM_KEY, until } from "./harness.ts";

const CHAT = "/v1/chat/completions";

test("a stream's bytes survive any split: comments, CRLF, multi-line data, split UTF-8, unknown events", async (t) => {
  const h = await start(t);
  const stream = Buffer.from(
    ': a comment\n\nevent: unknown.kind\r\ndata: {"a":1}\r\n\r\ndata: line one\ndata: line two\nid: 7\nretry: 10\n\n' +
      'data: {"text":"žluťoučký 🐎 ‮"}\n\n:\n\ndata:no space\n\ndata: [DONE]\n\n',
  );
  const headers = { authorization: `Bearer ${h.key}` };
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 12 }),
      async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const parts = at.slice(1).map((end, index) => stream.subarray(at[index], end));
        h.upstream.behave = streamed(parts, 1);
        const got = await call(h.port, { path: CHAT, headers, body: "{}" });
        assert.equal(got.complete, true);
        assert.deepEqual(got.body, stream);
        assert.deepEqual(h.log.closes.at(-1)?.body, stream);
      },
    ),
    { numRuns: 25 },
  );
});

test("a request's body reaches upstream and log byte for byte, JSON or not", async (t) => {
  const h = await start(t, { upstream: json({}) });
  const headers = { authorization: `Bearer ${h.key}` };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), async (bytes) => {
      await call(h.port, { path: CHAT, headers, body: bytes });
      assert.deepEqual(h.upstream.seen.at(-1)?.body, Buffer.from(bytes));
      assert.deepEqual(h.log.opens.at(-1)?.body, Buffer.from(bytes));
    }),
    { numRuns: 30 },
  );
  const body = '{"temperature": 0.70, "unknown_field": [1e2, "\\u0041"],  "model":"m"}';
  await call(h.port, { path: `${CHAT}?api-version=2&x=%20y`, headers, body });
  assert.equal(h.upstream.seen.at(-1)?.body.toString(), body);
  assert.equal(h.upstream.seen.at(-1)?.url, `${CHAT}?api-version=2&x=%20y`);
  assert.equal(h.log.opens.at(-1)?.network.path, `${CHAT}?api-version=2&x=%20y`);
});

test("headers pass both ways in their order and spelling, but for hops and secrets", async (t) => {
  const h = await start(t, {
    upstream: raw(Buffer.from("{}"), {
      "OpenAI-Processing-Ms": "12",
      "x-ratelimit-remaining-tokens": "99",
      "x-request-id": "req_upstream",
      "set-cookie": "upstream=secret",
      "X-Unknown-Thing": "kept",
    }),
  });
  const got = await call(h.port, {
    path: "/v1/messages",
    headers: {
      "X-API-Key": h.key,
      "Anthropic-Version": "2023-06-01",
      "anthropic-beta": "a,b",
      "User-Agent": "sdk/1.0 (odd)",
      Connection: "keep-alive, x-for-this-hop",
      "X-For-This-Hop": "1",
      Cookie: "session=secret",
      "X-Forwarded-For": "203.0.113.9",
      "X-Request-Id": "mine-1",
    },
    body: "{}",
  });
  const seen = h.upstream.seen[0];
  assert.ok(seen !== undefined);
  const names = seen.rawHeaders.filter((_, index) => index % 2 === 0);
  for (const kept of ["Anthropic-Version", "anthropic-beta", "User-Agent", "X-Request-Id"])
    assert.ok(names.includes(kept), kept);
  assert.equal(seen.headers["user-agent"], "sdk/1.0 (odd)");
  for (const dropped of ["x-for-this-hop", "cookie", "x-forwarded-for", "x-api-key"])
    assert.ok(!(dropped in seen.headers), dropped);
  assert.equal(seen.headers["authorization"], `Bearer ${UPSTREAM_KEY}`);
  assert.equal(got.headers["openai-processing-ms"], "12");
  assert.equal(got.headers["x-unknown-thing"], "kept");
  assert.ok(got.rawHeaders.includes("OpenAI-Processing-Ms"));
  assert.equal(got.headers["x-request-id"], "mine-1");
  assert.equal(got.headers["x-upstream-request-id"], "req_upstream");
  assert.equal(got.headers["set-cookie"], undefined);
  assert.equal(h.log.closes[0]?.headers.find(([name]) => name === "set-cookie")?.[1], "(withheld)");
});

test("neither key reaches the log or the other side", async (t) => {
  const h = await start(t, { upstream: json({ ok: true }) });
  for (const headers of [
    { authorization: `Bearer ${h.key}` },
    { "x-api-key": h.key },
    { "api-key": h.key },
  ]) {
    const got = await call(h.port, { path: CHAT, headers: { ...headers, "x-sent-too": "1" }, body: "{}" });
    assert.equal(got.status, 200);
    assert.ok(!JSON.stringify(got.rawHeaders).includes(UPSTREAM_KEY));
    assert.ok(!JSON.stringify(h.upstream.seen.at(-1)?.rawHeaders).includes(h.key));
  }
  const logged = JSON.stringify([h.log.opens, h.log.closes]);
  assert.ok(!logged.includes(UPSTREAM_KEY));
  assert.ok(!logged.includes(h.key));
  assert.equal(h.log.opens[0]?.network.key, h.keyId);
  assert.equal(h.log.opens[0]?.account, "acct_test");
  assert.equal(h.log.opens[0]?.network.ip, "127.0.0.1");
});

test("an upstream's error comes through with its status, headers and body", async (t) => {
  const h = await start(t, {
    upstream: json({ error: { message: "boom", odd: 1 } }, 500, { "x-should-retry": "false" }),
  });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  assert.equal(got.status, 500);
  assert.equal(got.headers["x-should-retry"], "false");
  assert.equal(got.body.toString(), '{"error":{"message":"boom","odd":1}}');
  assert.deepEqual((await h.closed()).figures.outcome, "complete");
});

test("an answer of any bytes and any length reaches client and log byte for byte", async (t) => {
  const h = await start(t);
  const headers = { authorization: `Bearer ${h.key}` };
  const passes = async (bytes: Uint8Array): Promise<void> => {
    h.upstream.behave = raw(Buffer.from(bytes), { "content-length": String(bytes.length) });
    const got = await call(h.port, { path: CHAT, headers, body: "{}" });
    assert.equal(got.complete, true);
    assert.deepEqual(got.body, Buffer.from(bytes));
    assert.deepEqual(h.log.closes.at(-1)?.body, Buffer.from(bytes));
  };
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  // Around the length up to which head and body go out as one string.
  for (const length of [1, 256, 12 * 1024, 12 * 1024 + 1, 100_000])
    await passes(Buffer.alloc(length, everyByte));
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), passes), { numRuns: 20 });
});

test("a compressed answer stays compressed, for the client and in the log", async (t) => {
  const body = gzipSync(JSON.stringify({ text: "x".repeat(5_000) }));
  const h = await start(t, {
    upstream: raw(body, { "content-type": "application/json", "content-encoding": "gzip" }),
  });
  const got = await call(h.port, {
    path: CHAT,
    headers: { authorization: `Bearer ${h.key}`, "accept-encoding": "gzip" },
    body: "{}",
  });
  assert.deepEqual(got.body, body);
  assert.deepEqual((await h.closed()).body, body);
  assert.equal(h.upstream.seen[0]?.headers["accept-encoding"], "gzip");
});

test("a huge answer is served whole; its record holds the beginning and says so", async (t) => {
  const body = Buffer.alloc(6 * 1024 * 1024, "abcdefghij");
  const h = await start(t, {
    upstream: raw(body, { "content-type": "text/plain" }),
    limits: { maxStoredResponseBytes: 100_000 },
  });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  assert.deepEqual(got.body, body);
  const close = await h.closed();
  assert.equal(close.figures.truncated, true);
  assert.equal(close.figures.responseBytes, body.length);
  assert.deepEqual(close.body, body.subarray(0, 100_000));
  await until(() => h.metrics.bufferedBytes === 0);
});

test("connections to the upstream are kept alive", async (t) => {
  const h = await start(t, { upstream: json({ ok: true }) });
  for (let index = 0; index < 20; index += 1) {
    await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  }
  assert.equal(h.upstream.connections(), 1);
});

test("HEAD, empty answers and HTTP/1.0 clients", async (t) => {
  const h = await start(t, { upstream: raw(Buffer.alloc(0), { "x-a": "1" }, 204) });
  const headers = { authorization: `Bearer ${h.key}` };
  const empty = await call(h.port, { method: "GET", path: "/v1/models", headers });
  assert.equal(empty.status, 204);
  h.upstream.behave = raw(Buffer.from("{}"), { "content-length": "2" });
  const head = await call(h.port, { method: "HEAD", path: "/v1/models", headers });
  assert.equal(head.status, 200);
  assert.equal(head.headers["content-length"], "2");
  assert.equal(head.body.length, 0);
  assert.equal(h.log.closes.length, 2);
});
