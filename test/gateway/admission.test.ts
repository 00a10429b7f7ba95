// Who is let in and how much: keys, routes and limits, each with a code and the API's own error shape.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GATEWAY_ERROR_CODES } from "../../src/gateway/errors.ts";
import { json, raw, silent } from "../helpers/upstream.ts";
import { call, RawClient } from "./client.ts";
import { ACCOUNT, start, until } from "./harness.ts";

const CHAT = "/v1/chat/completions";

test("keys: none, unknown, mistyped, expired, revoked, suspended account", async (t) => {
  const h = await start(t, { upstream: json({}) });
  const expired = await h.state.keys.create({ account: ACCOUNT, label: "old", expiresAtMs: 1 });
  const revoked = await h.state.keys.create({ account: ACCOUNT, label: "gone" });
  await h.state.keys.revoke(revoked.id);
  await h.directory.refresh();
  const cases: [string | null, string][] = [
    [null, "gateway.key-missing"],
    ["sk-somebody-elses", "gateway.key-unknown"],
    [`${h.key}x`, "gateway.key-unknown"],
    [expired.secret, "gateway.key-expired"],
    [revoked.secret, "gateway.key-revoked"],
  ];
  for (const [key, code] of cases) {
    const got = await call(h.port, {
      path: CHAT,
      headers: key === null ? {} : { authorization: `Bearer ${key}` },
      body: "{}",
    });
    assert.equal(got.status, 401);
    assert.equal(JSON.parse(got.body.toString()).error.code, code);
  }
  assert.equal(h.upstream.seen.length, 0);
  assert.equal(h.log.opens.length, 0, "strangers can't fill the log");
  assert.equal(h.metrics.refused, cases.length);
});

test("each request on a connection is judged by its own key, as that key stands now", async (t) => {
  const h = await start(t, { upstream: json({}) });
  const other = await h.state.keys.create({ account: ACCOUNT, label: "other" });
  await h.directory.refresh();
  const connection = (): ((key: string) => Promise<string>) => {
    const client = new RawClient(h.port);
    t.after(() => client.socket.destroy());
    let asked = 0;
    return async (key) => {
      client.post(CHAT, key, "{}");
      asked += 1;
      await until(() => client.text.split("HTTP/1.1 ").length > asked);
      return client.text.split("HTTP/1.1 ").at(-1)?.slice(0, 3) ?? "";
    };
  };
  const ask = connection();
  assert.deepEqual([await ask(h.key), await ask(h.key), await ask(other.secret)], ["200", "200", "200"]);
  assert.deepEqual(
    h.log.opens.map(({ network }) => network.key),
    [h.keyId, h.keyId, other.id],
  );
  await h.state.keys.revoke(other.id);
  await h.directory.refresh();
  assert.equal(await ask(other.secret), "401");
  const askAgain = connection(); // a refusal ends its connection
  const mistyped = `${h.key.slice(0, -1)}${h.key.endsWith("A") ? "B" : "A"}`;
  assert.deepEqual([await askAgain(h.key), await askAgain(mistyped)], ["200", "401"]);
});

test("only configured routes and methods are served; nothing a client sends chooses an upstream", async (t) => {
  const h = await start(t, {
    upstream: json({}),
    gateway: { passThroughPaths: ["/v1/batches", "/custom/*"] },
  });
  const headers = {
    authorization: `Bearer ${h.key}`,
    "x-portkey-custom-host": "http://203.0.113.1",
    host: "203.0.113.1",
  };
  const refused = [
    "/admin",
    "/v1/../admin",
    "/custom/../admin",
    "/custom/%2e%2e/admin",
    "/custom//x",
    "/v1/models/%2e%2e/x",
    "/custom\\x",
  ];
  for (const path of refused) {
    const got = await call(h.port, { path, headers, body: "{}" });
    assert.deepEqual([got.status, got.headers["adyton-code"]], [404, "gateway.not-found"], path);
  }
  const absolute = new RawClient(h.port);
  absolute.send(
    `GET http://203.0.113.1/v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${h.key}\r\n\r\n`,
  );
  await until(() => absolute.text.includes("gateway.not-found"));
  absolute.socket.destroy();
  assert.equal((await call(h.port, { method: "GET", path: CHAT, headers })).status, 405);
  assert.equal(h.upstream.seen.length, 0);
  for (const path of ["/v1/batches", "/custom/a/b?c=d", "/v1/models/org/name"]) {
    assert.equal((await call(h.port, { method: "GET", path, headers })).status, 200, path);
    assert.equal(h.upstream.seen.at(-1)?.url, path);
    assert.equal(h.upstream.seen.at(-1)?.headers["host"], new URL(h.upstream.url).host);
  }
  assert.equal(h.log.opens.length, h.log.closes.length);
  assert.equal(
    h.log.closes.filter(({ figures }) => figures.outcome === "refused").length,
    refused.length + 2,
  );
});

test("a body over the limit is a 413, announced or not, and is recorded without its bytes", async (t) => {
  const h = await start(t, { limits: { maxBodyBytes: 10_000 } });
  const big = "x".repeat(50_000);
  const announced = await call(h.port, {
    path: CHAT,
    headers: { authorization: `Bearer ${h.key}` },
    body: big,
  });
  assert.equal(announced.status, 413);
  assert.equal(JSON.parse(announced.body.toString()).error.code, "gateway.body-too-large");
  const chunked = await call(h.port, {
    path: "/v1/messages",
    headers: { "x-api-key": h.key, "transfer-encoding": "chunked" },
    body: big,
  });
  assert.equal(chunked.status, 413);
  assert.equal(JSON.parse(chunked.body.toString()).error.type, "request_too_large");
  assert.equal(h.log.opens.length, 2);
  assert.equal(h.log.opens[0]?.body.length, 0);
  assert.equal(h.log.closes[0]?.figures.code, "gateway.body-too-large");
  assert.equal(h.upstream.seen.length, 0);
  assert.equal(h.metrics.bufferedBytes, 0);
  assert.equal(h.metrics.inFlight, 0);
});

test("limits on what is in flight: per worker, per account, and by memory", async (t) => {
  const sent = (key: string) => ({ path: CHAT, headers: { authorization: `Bearer ${key}` }, body: "{}" });
  const worker = await start(t, { upstream: silent, limits: { maxConcurrentStreams: 1 } });
  const holder = new RawClient(worker.port);
  holder.post(CHAT, worker.key, "{}");
  await until(() => worker.upstream.seen.length === 1);
  const full = await call(worker.port, sent(worker.key));
  assert.deepEqual([full.status, full.headers["adyton-code"]], [503, "gateway.too-many-streams"]);
  assert.equal(full.headers["retry-after"], "1");
  holder.socket.destroy();
  await until(() => worker.metrics.inFlight === 0);
  worker.upstream.behave = json({});
  assert.equal((await call(worker.port, sent(worker.key))).status, 200);

  const account = await start(t, { upstream: silent, limits: { maxConcurrentPerAccount: 1 } });
  const first = new RawClient(account.port);
  first.post(CHAT, account.key, "{}");
  await until(() => account.upstream.seen.length === 1);
  const second = await call(account.port, sent(account.key));
  assert.deepEqual([second.status, second.headers["adyton-code"]], [429, "gateway.too-many-for-account"]);
  first.socket.destroy();

  const memory = await start(t, { limits: { maxBufferedBytes: 1024 * 1024 } });
  const heavy = await call(memory.port, { ...sent(memory.key), body: "x".repeat(2 * 1024 * 1024) });
  assert.equal(heavy.headers["adyton-code"], "gateway.too-many-streams");
  await until(() => memory.metrics.bufferedBytes === 0);
});

test("a head that is too large, a request that is no HTTP, and one that takes too long", async (t) => {
  const h = await start(t, { limits: { maxHeaderBytes: 2_000, requestTimeoutMs: 400 } });
  const large = new RawClient(h.port);
  large.send(`POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-big: ${"a".repeat(4_000)}\r\n\r\n`);
  await until(() => large.closed);
  assert.match(large.text, /^HTTP\/1\.1 431 /);
  assert.match(large.text, /"type":"error".*gateway\.headers-too-large/);
  const garbage = new RawClient(h.port);
  garbage.send("\x16\x03\x01 hello\r\n\r\n");
  await until(() => garbage.closed);
  assert.match(garbage.text, /^HTTP\/1\.1 400 [\s\S]*gateway\.bad-request/);
  const slow = new RawClient(h.port);
  slow.send(
    `POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${h.key}\r\ncontent-length: 10\r\n\r\nabc`,
  );
  await until(() => slow.closed);
  assert.match(slow.text, /^HTTP\/1\.1 408 [\s\S]*gateway\.request-timeout/);
  await until(() => h.metrics.inFlight === 0);
});

test("a valid request id is kept, any other is replaced; each answer has one", async (t) => {
  const h = await start(t, { upstream: json({}) });
  const ids = ["abc-1_2.3", "x".repeat(128), "has space", "x".repeat(129), "semi;colon", "ünïcode"];
  for (const id of ids.map((text) => Buffer.from(text).toString("latin1"))) {
    const got = await call(h.port, {
      path: CHAT,
      headers: { authorization: `Bearer ${h.key}`, "x-request-id": id },
      body: "{}",
    });
    if (/^[A-Za-z0-9._-]{1,128}$/.test(id)) assert.equal(got.headers["x-request-id"], id);
    else assert.match(String(got.headers["x-request-id"]), /^ex_[A-Za-z0-9_-]{22}$/);
  }
  const refused = await call(h.port, { path: CHAT, headers: { "x-request-id": "r1" }, body: "{}" });
  assert.equal(refused.headers["x-request-id"], "r1");
  assert.equal(JSON.parse(refused.body.toString()).request_id, "r1");
});

test("network facts come from the socket, or from a trusted proxy and nobody else", async (t) => {
  const headers = {
    "x-forwarded-for": "198.51.100.7, 203.0.113.5, 10.0.0.1",
    "x-ja4": "t13d1516h2_8daaf6152771",
    "x-country": "de",
    "x-asn": "AS64500",
  };
  const settings = { ja4Header: "x-ja4", countryHeader: "x-country", asnHeader: "x-asn" };
  const trusting = await start(t, {
    upstream: json({}),
    gateway: { ...settings, trustedProxies: ["127.0.0.0/8", "10.0.0.0/8"] },
  });
  await call(trusting.port, {
    path: CHAT,
    headers: { ...headers, authorization: `Bearer ${trusting.key}` },
    body: "{}",
  });
  const { ip, ja4, country, asn } = trusting.log.opens[0]?.network ?? {};
  assert.deepEqual([ip, ja4, country, asn], ["203.0.113.5", "t13d1516h2_8daaf6152771", "DE", 64500]);
  assert.ok(!("x-ja4" in (trusting.upstream.seen[0]?.headers ?? {})));
  const wary = await start(t, {
    upstream: json({}),
    gateway: { ...settings, trustedProxies: ["192.0.2.0/24"] },
  });
  await call(wary.port, {
    path: CHAT,
    headers: { ...headers, authorization: `Bearer ${wary.key}` },
    body: "{}",
  });
  const facts = wary.log.opens[0]?.network;
  assert.deepEqual([facts?.ip, facts?.ja4, facts?.country, facts?.asn], ["127.0.0.1", null, null, null]);
});

test("pass-through mode: the client's key goes on, its keyed hash is the account", async (t) => {
  const h = await start(t, {
    upstream: raw(Buffer.from("{}"), { "set-cookie": "a=b" }),
    gateway: { keyMode: "passthrough" },
  });
  const key = "sk-clients-own";
  for (const headers of [{ authorization: `Bearer ${key}` }, { "x-api-key": key }]) {
    const got = await call(h.port, { path: CHAT, headers, body: '{"user":"acct_victim"}' });
    assert.equal(got.status, 200);
    assert.deepEqual(got.headers["set-cookie"], ["a=b"]);
  }
  assert.equal(h.upstream.seen[0]?.headers["authorization"], `Bearer ${key}`);
  assert.equal(h.upstream.seen[1]?.headers["x-api-key"], key);
  const [first, second] = h.log.opens;
  assert.equal(first?.account, second?.account);
  assert.match(first?.account ?? "", /^acct_[A-Za-z0-9_-]{22}$/);
  assert.ok(!JSON.stringify(h.log.opens.map(({ headers, network }) => [headers, network])).includes(key));
  assert.equal((await call(h.port, { path: CHAT, body: "{}" })).status, 401);
});

test("several upstreams: by family, then by model", async (t) => {
  const h = await start(t, { upstream: json({}) });
  const upstreams = [
    { name: "claude", family: "anthropic", url: `${h.upstream.url}/claude` },
    { name: "small", family: "openai", url: `${h.upstream.url}/small`, models: ["s-1"] },
    { name: "large", family: "openai", url: `${h.upstream.url}/large/`, models: ["l-1"] },
  ];
  const several = await start(t, { gateway: { upstreams } });
  const sent = async (path: string, body: unknown): Promise<string | undefined> => {
    const got = await call(several.port, {
      path,
      headers: { authorization: `Bearer ${several.key}` },
      body: JSON.stringify(body),
    });
    return got.status === 200 ? h.upstream.seen.at(-1)?.url : String(got.headers["adyton-code"]);
  };
  assert.equal(await sent("/v1/messages", { model: "l-1" }), "/claude/v1/messages");
  assert.equal(await sent(CHAT, { model: "l-1" }), `/large${CHAT}`);
  assert.equal(await sent(CHAT, { model: "s-1" }), `/small${CHAT}`);
  assert.equal(await sent(CHAT, { model: "other" }), "gateway.upstream-not-configured");
  assert.equal(await sent("/api/chat", { model: "x" }), "gateway.upstream-not-configured");
});

test("every code that a client can get is documented and has a shape", () => {
  for (const [code, meaning] of Object.entries(GATEWAY_ERROR_CODES)) {
    assert.match(code, /^gateway\.[a-z-]+$/);
    assert.ok(meaning.length > 20);
  }
});
