// When something breaks, both sides learn of it at once, and the record says which of them it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { json, resetAfter, silent, stallAfter, startGarbage, streamed } from "../helpers/upstream.ts";
import { call, RawClient } from "./client.ts";
import { start, until } from "./harness.ts";

const CHAT = "/v1/chat/completions";

test("a client that goes away aborts the upstream call within a second, and the record says aborted", async (t) => {
  const h = await start(t, { upstream: stallAfter(["data: one\n\n"]) });
  const client = new RawClient(h.port);
  client.post(CHAT, h.key, "{}");
  await until(() => client.text.includes("data: one"));
  const leftAt = Date.now();
  client.socket.destroy();
  await h.upstream.seen[0]?.abandoned;
  assert.ok(Date.now() - leftAt < 1_000);
  const { figures, body } = await h.closed();
  assert.equal(figures.outcome, "aborted");
  assert.equal(figures.status, 200);
  assert.equal(body.toString(), "data: one\n\n");
  await until(() => h.metrics.inFlight === 0 && h.metrics.bufferedBytes === 0);
});

test("a client that leaves before the answer begins aborts it too", async (t) => {
  const h = await start(t, { upstream: silent });
  const client = new RawClient(h.port);
  client.post(CHAT, h.key, "{}");
  await until(() => h.upstream.seen.length === 1);
  client.socket.destroy();
  await h.upstream.seen[0]?.abandoned;
  const { figures } = await h.closed();
  assert.deepEqual([figures.outcome, figures.status, figures.firstByteMs], ["aborted", 0, null]);
});

test("a client that leaves in the middle of its request leaves no record", async (t) => {
  const h = await start(t);
  const client = new RawClient(h.port);
  client.send(
    `POST ${CHAT} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer ${h.key}\r\ncontent-length: 100\r\n\r\nhalf`,
  );
  await until(() => h.metrics.inFlight === 1);
  client.socket.destroy();
  await until(() => h.metrics.leftEarly === 1 && h.metrics.inFlight === 0 && h.metrics.bufferedBytes === 0);
  assert.equal(h.log.opens.length, 0);
});

test("an upstream that resets mid-stream: what it said passes, the end is a cut", async (t) => {
  const h = await start(t, { upstream: resetAfter(["data: one\n\n", "data: two\n\n"]) });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  assert.equal(got.complete, false);
  assert.equal(got.body.toString(), "data: one\n\ndata: two\n\n");
  assert.equal((await h.closed()).figures.outcome, "upstream-failed");
});

test("an upstream that stalls is given up after the idle limit", async (t) => {
  const h = await start(t, { upstream: stallAfter(["data: one\n\n"]), limits: { idleTimeoutMs: 300 } });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  assert.equal(got.complete, false);
  assert.equal(got.body.toString(), "data: one\n\n");
  const { figures } = await h.closed();
  assert.deepEqual([figures.outcome, figures.code], ["upstream-failed", "gateway.upstream-timeout"]);
});

test("an upstream that never answers is a 504 in the API's shape", async (t) => {
  const h = await start(t, { upstream: silent, limits: { upstreamHeadersTimeoutMs: 300 } });
  const got = await call(h.port, { path: "/v1/messages", headers: { "x-api-key": h.key }, body: "{}" });
  assert.equal(got.status, 504);
  assert.equal(JSON.parse(got.body.toString()).error.type, "timeout_error");
  assert.equal((await h.closed()).figures.status, 504);
});

test("the total time of an exchange is limited even while it streams", async (t) => {
  const drip = Array.from({ length: 400 }, () => "data: x\n\n");
  const h = await start(t, { upstream: streamed(drip, 20), limits: { totalTimeoutMs: 500 } });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  assert.equal(got.complete, false);
  assert.equal((await h.closed()).figures.code, "gateway.upstream-timeout");
});

test("garbage, and nobody at all, are a 502 with a code and a record", async (t) => {
  const garbage = await startGarbage("SSH-2.0-OpenSSH_9.2\r\n");
  t.after(() => garbage.close());
  for (const upstreamUrl of [garbage.url, "http://127.0.0.1:1"]) {
    const h = await start(t, { upstreamUrl });
    const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
    assert.equal(got.status, 502);
    assert.equal(got.headers["adyton-code"], "gateway.upstream-unreachable");
    assert.ok(!got.body.toString().includes("127.0.0.1"), "nothing of the inside is told");
    assert.equal((await h.closed()).figures.outcome, "upstream-failed");
  }
});

test("an answer that ends before its announced length is cut, or refused when none of it had left", async (t) => {
  const garbage = await startGarbage("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort");
  t.after(() => garbage.close());
  const h = await start(t, { upstreamUrl: garbage.url });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  if (got.complete) assert.equal(got.status, 502);
  else assert.equal(got.body.toString(), "short");
  assert.equal((await h.closed()).figures.outcome, "upstream-failed");
});

test("a client that does not read makes the upstream wait, and memory stays bounded", async (t) => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  let sent = 0;
  const h = await start(t, {
    limits: { maxStoredResponseBytes: 1024 },
    upstream: async (_, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      while (sent < 600 && !response.destroyed) {
        sent += 1;
        if (!response.write(chunk)) await new Promise<void>((resolve) => response.once("drain", resolve));
      }
      response.end();
    },
  });
  const client = new RawClient(h.port);
  client.socket.pause();
  client.post(CHAT, h.key, "{}");
  await until(() => sent > 1);
  await delay(300);
  const stalledAt = sent;
  await delay(200);
  assert.equal(sent, stalledAt, "the upstream is paused");
  assert.ok(sent < 400);
  client.socket.resume();
  await until(() => client.received.subarray(-5).toString() === "0\r\n\r\n", 20_000);
  assert.equal((await h.closed()).figures.responseBytes, 600 * chunk.length);
  client.socket.destroy();
});

test("stopping lets exchanges finish, and cuts and records the rest after the drain limit", async (t) => {
  const h = await start(t, {
    limits: { drainTimeoutMs: 400 },
    upstream: streamed(["data: a\n\n", "data: b\n\n"], 60),
  });
  const finishing = call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  await until(() => h.upstream.seen.length === 1);
  h.upstream.behave = stallAfter(["data: a\n\n"]);
  const cut = call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  await until(() => h.upstream.seen.length === 2);
  await h.worker.close();
  assert.equal((await finishing).complete, true);
  assert.equal((await cut).complete, false);
  assert.deepEqual(h.log.closes.map(({ figures }) => figures.outcome).sort(), ["aborted", "complete"]);
  await assert.rejects(call(h.port, { path: CHAT, body: "{}" }));
});

test("an exchange whose answer came whole has one open, one close, and the figures of both", async (t) => {
  const h = await start(t, { upstream: json({ ok: 1 }) });
  await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: "{}" });
  const { figures, exchange } = await h.closed();
  assert.equal(exchange, h.log.opens[0]?.exchange);
  assert.equal(figures.status, 200);
  assert.equal(figures.outcome, "complete");
  assert.equal(figures.format, "wire");
  assert.equal(figures.responseBytes, 8);
  assert.ok(figures.firstByteMs !== null && figures.firstByteMs <= figures.latencyMs);
});
