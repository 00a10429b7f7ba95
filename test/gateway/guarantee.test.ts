// The guarantee: the question is durable before the first byte of its answer leaves, the exchange before the last.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { json, streamed } from "../helpers/upstream.ts";
import { call, RawClient } from "./client.ts";
import { gate, start, until } from "./harness.ts";

const CHAT = "/v1/chat/completions";
const BODY = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] });

test("no byte leaves before the open record is durable, and the upstream is called without waiting", async (t) => {
  const h = await start(t, { upstream: json({ ok: true }) });
  const disk = gate();
  h.disk.gate = disk.opened;
  const client = new RawClient(h.port);
  client.post(CHAT, h.key, BODY);
  await until(() => h.upstream.seen.length === 1);
  await delay(60);
  assert.equal(client.received.length, 0);
  assert.equal(h.log.durableOpens, 0);
  disk.open();
  await until(() => client.text.endsWith('{"ok":true}'));
  assert.equal(h.log.durableCloses, 1);
  client.socket.destroy();
});

test("the last byte of an answer with a length waits for the close record", async (t) => {
  const closing = gate();
  const h = await start(t, {
    upstream: async (_, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-length": "10" });
      response.write("first");
      await until(() => client.text.includes("first"));
      h.disk.gate = closing.opened;
      response.end(" last");
    },
  });
  const client = new RawClient(h.port);
  client.post(CHAT, h.key, BODY);
  await until(() => h.log.closes.length === 1);
  await delay(60);
  assert.ok(client.text.endsWith("\r\n\r\nfirst"), "only the first part has left");
  closing.open();
  await until(() => client.text.endsWith("first last"));
  assert.equal(h.log.durableCloses, 1);
  client.socket.destroy();
});

test("a stream's events pass at once; its final event and HTTP's own end wait for the close record", async (t) => {
  const closing = gate();
  const h = await start(t, {
    upstream: async (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
      await until(() => client.text.includes("data: one\n\n"));
      h.disk.gate = closing.opened;
      response.write("data: two\n\n");
      await until(() => client.text.includes("data: two\n\n"));
      response.write("data: [DONE]\n\n");
      response.end();
    },
  });
  const client = new RawClient(h.port);
  client.post(CHAT, h.key, BODY);
  await until(() => h.log.closes.length === 1);
  await delay(60);
  assert.ok(!client.text.includes("[DONE]"));
  assert.ok(!client.text.endsWith("0\r\n\r\n"));
  closing.open();
  await until(() => client.text.endsWith("0\r\n\r\n"));
  assert.ok(client.text.includes("data: [DONE]\n\n"));
  assert.equal(h.log.closes[0]?.body.toString(), "data: one\n\ndata: two\n\ndata: [DONE]\n\n");
  client.socket.destroy();
});

test("a final event is not held for ever when the upstream does not end", async (t) => {
  const h = await start(t, {
    upstream: async (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\ndata: [DONE]\n\n");
      await until(() => client.text.includes("[DONE]"));
      assert.equal(h.log.closes.length, 0);
      response.end();
    },
  });
  const client = new RawClient(h.port);
  client.post(CHAT, h.key, BODY);
  await until(() => client.text.endsWith("0\r\n\r\n"));
  assert.equal(h.log.durableCloses, 1);
  client.socket.destroy();
});

test("fail closed: a disk that fails before the answer makes it a 503 with a code, in the API's shape", async (t) => {
  const h = await start(t, { upstream: json({ secret: "answer" }) });
  h.disk.failure = Object.assign(new Error("no space"), { code: "ENOSPC" });
  const first = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: BODY });
  assert.equal(first.status, 503);
  assert.equal(JSON.parse(first.body.toString()).error.code, "gateway.log-unavailable");
  assert.ok(!first.body.includes("answer"));
  assert.equal(h.writer.healthy, false);

  const calls = h.upstream.seen.length;
  const second = await call(h.port, { path: "/v1/messages", headers: { "x-api-key": h.key }, body: BODY });
  assert.equal(second.status, 503);
  assert.equal(JSON.parse(second.body.toString()).error.type, "overloaded_error");
  assert.equal(second.headers["adyton-code"], "gateway.log-unavailable");
  assert.equal(h.upstream.seen.length, calls, "the upstream is not even asked");
  assert.equal(h.metrics.unrecorded, 0);
});

test("fail closed: an answer whose close record can't be written is cut, not completed", async (t) => {
  const h = await start(t, {
    upstream: async (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
      await until(() => h.metrics.snapshot().firstByte.count === 1);
      h.disk.failure = Object.assign(new Error("disk broke"), { code: "EIO" });
      response.end("data: [DONE]\n\n");
    },
  });
  const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: BODY });
  assert.equal(got.complete, false);
  assert.equal(got.body.toString(), "data: one\n\n");
  assert.equal(h.metrics.cutForLog, 1);
});

test("fail open: serves, counts, says so loudly, and adds nothing to the log", async (t) => {
  const h = await start(t, {
    upstream: streamed(["data: one\n\n", "data: [DONE]\n\n"]),
    gateway: { onLogFailure: "failOpen" },
  });
  h.disk.failure = Object.assign(new Error("disk broke"), { code: "EIO" });
  for (const expected of [1, 2]) {
    const got = await call(h.port, { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: BODY });
    assert.equal(got.complete, true);
    assert.equal(got.body.toString(), "data: one\n\ndata: [DONE]\n\n");
    assert.equal(h.metrics.unrecorded, expected);
  }
  assert.equal(h.log.durableOpens + h.log.durableCloses, 0);
  assert.ok(h.diagnostics.some((line) => line.includes("WITHOUT A RECORD")));
});

test("after the disk is repaired the gateway serves and records again", async (t) => {
  const h = await start(t, { upstream: json({ ok: true }) });
  h.disk.failure = Object.assign(new Error("no space"), { code: "ENOSPC" });
  const sent = { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: BODY };
  assert.equal((await call(h.port, sent)).status, 503);
  h.disk.failure = null;
  await h.writer.recover();
  assert.equal((await call(h.port, sent)).status, 200);
  assert.equal(h.log.durableCloses, 1);
});

test("a slow disk makes answers late, never unrecorded", async (t) => {
  const h = await start(t, { upstream: json({ ok: true }) });
  h.disk.syncDelayMs = 10;
  const sent = { path: CHAT, headers: { authorization: `Bearer ${h.key}` }, body: BODY };
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const { status } = await call(h.port, sent);
      assert.ok(h.log.durableCloses > 0);
      return status;
    }),
  );
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.equal(h.log.durableCloses, 40);
});
