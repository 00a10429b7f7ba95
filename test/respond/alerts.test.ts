// Alerts to receivers that answer, fail, hang and come back: signed, told once, tried again, given up in the open.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import fc from "fast-check";
import { respondSection } from "../../src/config/respond-section.ts";
import type { Act } from "../../src/core/acts.ts";
import { Courier } from "../../src/respond/alerts/courier.ts";
import { appealFiled, findingRaised, verdictChanged } from "../../src/respond/alerts/events.ts";
import { syslogMessage } from "../../src/respond/alerts/formats.ts";
import type { Alert, AlertDraft } from "../../src/state/alerts.ts";
import { StateError } from "../../src/state/errors.ts";
import { State } from "../../src/state/state.ts";
import { OPENSSL_MISSING } from "../helpers/timestamp-authority.ts";
import { json, silent, startUpstream, type Upstream } from "../helpers/upstream.ts";

/** A key made for this test. */
const SECRET = `whsec_${Buffer.from("a key made for tests, of 32 byte").toString("base64")}`;

interface Scene {
  readonly state: State;
  readonly clock: { nowMs: number };
  readonly dead: string[];
  courier(targets: readonly Record<string, unknown>[], more?: Record<string, unknown>): Courier;
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-alerts-"));
  const clock = { nowMs: Date.UTC(2026, 2, 4, 5, 6, 7) };
  const state = await State.open({ folder, now: () => clock.nowMs });
  const dead: string[] = [];
  t.after(async () => {
    await state.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    state,
    clock,
    dead,
    courier: (targets, more = {}) =>
      new Courier({
        state,
        config: respondSection.parse({ alerts: { targets, timeoutMs: 30_000, ...more } }).alerts,
        readSecret: async () => SECRET,
        now: () => clock.nowMs,
        random: () => 1,
        onDead: ({ id }) => dead.push(id),
      }),
  };
}

async function receiver(t: TestContext, behaviour = json({ ok: true })): Promise<Upstream> {
  const upstream = await startUpstream(behaviour);
  t.after(() => upstream.close());
  return upstream;
}

const CAMPAIGN: AlertDraft = findingRaised({
  id: "campaign-1",
  kind: "campaign",
  detector: "campaign/linked-accounts",
  accounts: ["a", "b"],
  timeMs: 0,
  pValue: 0.001,
  errorRate: "1 in 100",
  technique: "AML.T0024.002",
  summary: "two <accounts> share a card",
  contributions: [{ name: "card", value: "1 for 2" }],
});

describe("a webhook", () => {
  it("is signed so that the receiver can check it, and told once", async (t) => {
    const { courier, clock } = await scene(t);
    const { url, seen } = await receiver(t);
    const out = courier([{ name: "hook", kind: "webhook", url, secret: { env: "UNUSED" } }]);
    await out.tell([CAMPAIGN]);
    await out.tell([CAMPAIGN]);
    assert.deepEqual(await out.round(), { delivered: 1, failed: 0 });
    assert.deepEqual(await out.round(), { delivered: 0, failed: 0 });
    const [got] = seen;
    assert.ok(got !== undefined && seen.length === 1);
    const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": proof } = got.headers;
    assert.equal(time, String(clock.nowMs / 1000));
    const key = Buffer.from(SECRET.slice(6), "base64");
    const expected = createHmac("sha256", key).update(`${id}.${time}.${got.body}`).digest("base64");
    assert.equal(proof, `v1,${expected}`);
    const body = JSON.parse(got.body.toString());
    assert.equal(body.type, "adyton.finding.raised");
    assert.deepEqual(body.data.names, ["a", "b"]);
    assert.equal(body.data.technique, "AML.T0024.002");
  });

  it("to a receiver that fails is tried again with growing pauses, then given up, and can be sent again by hand", async (t) => {
    const { state, courier, clock, dead } = await scene(t);
    const failing = await receiver(t, json({ error: "no" }, 500));
    const out = courier([{ name: "hook", kind: "webhook", url: failing.url }], { maxAttempts: 3 });
    await out.tell([CAMPAIGN]);
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assert.deepEqual(await out.round(), { delivered: 0, failed: 1 });
      assert.deepEqual(await out.round(), { delivered: 0, failed: 0 }, "not before its time");
      const [alert] = (await state.alerts.list()).items;
      assert.ok(alert !== undefined);
      assert.match(alert.error ?? "", /500/);
      pauses.push(alert.nextMs - clock.nowMs);
      clock.nowMs = Math.max(clock.nowMs, alert.nextMs);
    }
    assert.deepEqual(pauses.slice(0, 2), [1000, 2000]);
    assert.equal(new Set(failing.seen.map(({ headers }) => headers["webhook-id"])).size, 1);
    const [letter] = (await state.alerts.list({ status: "dead" })).items;
    assert.deepEqual(dead, [letter?.id]);
    failing.behave = json({ ok: true });
    const acts: Act[] = [];
    const record = async (some: readonly Act[]): Promise<void> => void acts.push(...some);
    await state.alerts.retry(letter?.id ?? "", { record });
    assert.deepEqual(acts, [{ act: "alert.retried", account: null, detail: { alert: letter?.id } }]);
    assert.deepEqual(await out.round(), { delivered: 1, failed: 0 });
    await assert.rejects(
      state.alerts.retry(letter?.id ?? ""),
      (error) => error instanceof StateError && error.code === "alert-unknown",
    );
  });

  it("that never answers, is gone or points elsewhere does not hold up the others", async (t) => {
    const { state, courier } = await scene(t);
    const hanging = await receiver(t, silent);
    const gone = await startUpstream();
    await gone.close();
    const good = await receiver(t);
    const elsewhere = await receiver(t, (_, response) => {
      response.writeHead(307, { location: good.url });
      response.end();
    });
    const out = courier(
      [
        { name: "hanging", kind: "webhook", url: hanging.url },
        { name: "gone", kind: "webhook", url: gone.url },
        { name: "elsewhere", kind: "webhook", url: elsewhere.url },
        { name: "good", kind: "webhook", url: good.url },
      ],
      { timeoutMs: 300 },
    );
    await out.tell([CAMPAIGN]);
    // The good one may be slow on a busy machine; then the next round reaches it.
    let delivered = (await out.round()).delivered;
    assert.ok(delivered <= 1);
    const deadline = Date.now() + 30_000;
    while (delivered === 0 && Date.now() < deadline) {
      const [late] = (await state.alerts.list()).items.filter(({ target }) => target === "good");
      await state.alerts.failed(late?.id ?? "", { error: "busy machine", nextMs: 0 });
      delivered += (await out.round()).delivered;
    }
    assert.ok(good.seen.length >= 1);
    assert.equal((await state.alerts.list({ status: "pending" })).total, 3);
  });
});

it("targets are told what they asked for, and one that left the configuration is given up", async (t) => {
  const { state, courier, dead } = await scene(t);
  const { url, seen } = await receiver(t);
  const out = courier([{ name: "appeals", kind: "webhook", url, events: ["appeal", "verdict.proposed"] }]);
  const filed = appealFiled({
    ...{
      id: "a_1",
      verdict: "v_1",
      account: "acme",
      reference: "ap_1",
      statement: "secret words",
      status: "open",
    },
    ...{ filedMs: 0, decidedMs: null, decidedBy: null, reason: null },
  });
  await out.tell([CAMPAIGN, filed]);
  assert.deepEqual(await out.round(), { delivered: 1, failed: 0 });
  assert.ok(!seen[0]?.body.toString().includes("secret words"));
  await out.tell([{ ...filed, subject: "a_2" }]);
  assert.deepEqual(await courier([]).round(), { delivered: 0, failed: 1 });
  assert.equal(dead.length, 1);
  assert.equal((await state.alerts.list({ status: "dead" })).total, 1);
});

it("Slack's form and OCSF's form say the same", async (t) => {
  const { courier } = await scene(t);
  const slack = await receiver(t);
  const ocsf = await receiver(t);
  const out = courier([
    { name: "slack", kind: "slack", url: slack.url },
    { name: "siem", kind: "webhook", url: ocsf.url, format: "ocsf" },
  ]);
  const verdict = verdictChanged({
    ...{ id: "v_1", finding: "campaign-1", detector: "d", rule: "r", policy: "p", measure: "quarantine" },
    ...{ reason: "unusual-use", status: "lifted", shadow: false, lifeMs: 1, inheritLimit: 0, inherited: 0 },
    ...{ accounts: 2, proposedMs: 0, effectiveMs: 0, expiresMs: 1, endedMs: 1, interim: null },
  });
  await out.tell([CAMPAIGN, verdict]);
  assert.deepEqual(await out.round(), { delivered: 4, failed: 0 });
  const texts = slack.seen.map(({ body }) => JSON.parse(body.toString()).text).sort();
  assert.match(texts[0], /two &lt;accounts&gt; share a card/);
  assert.equal(texts[1], "quarantine of 2 accounts is lifted");
  const events = ocsf.seen.map(({ body }) => JSON.parse(body.toString()));
  const byUid = new Map(events.map((event) => [event.finding_info.types[0], event]));
  const raised = byUid.get("finding.raised");
  assert.deepEqual([raised.class_uid, raised.type_uid, raised.severity_id], [2004, 200_401, 4]);
  assert.equal(raised.finding_info.attacks[0].technique.uid, "AML.T0024.002");
  assert.deepEqual(
    [byUid.get("verdict.lifted").type_uid, byUid.get("verdict.lifted").status_id],
    [200_403, 4],
  );
});

describe("syslog", () => {
  it("goes over TCP with its length, and over UDP as it is", async (t) => {
    const { courier } = await scene(t);
    const received: string[] = [];
    const server = createServer((socket: Socket) => {
      let text = "";
      socket.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      socket.on("end", () => {
        received.push(text);
        socket.end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const datagrams = createSocket("udp4");
    datagrams.bind(0, "127.0.0.1");
    await once(datagrams, "listening");
    t.after(() => datagrams.close());
    const got = once(datagrams, "message");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const out = courier([
      { name: "tcp", kind: "syslog", url: `tcp://127.0.0.1:${address.port}` },
      { name: "udp", kind: "syslog", url: `udp://127.0.0.1:${datagrams.address().port}` },
    ]);
    await out.tell([CAMPAIGN]);
    assert.deepEqual(await out.round(), { delivered: 2, failed: 0 });
    const [datagram] = (await got) as [Buffer];
    const message = datagram.toString();
    assert.match(
      message,
      /^<105>1 2026-03-04T05:06:07\.000Z \S+ adyton - finding\.raised \[adyton@32473 id="al_[0-9a-z]+" subject="campaign-1"\] \ufeffcampaign of 2 accounts/,
    );
    const [length, ...rest] = (received[0] ?? "").split(" ");
    assert.equal(Number(length), Buffer.byteLength(rest.join(" ")));
  });

  it("goes over TLS to a receiver whose certificate holds, and nothing to any other", {
    skip: OPENSSL_MISSING,
  }, async (t) => {
    const { courier, state } = await scene(t);
    const folder = await mkdtemp(join(tmpdir(), "adyton-syslog-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const make = (name: string, address: string): { cert: string; key: string } => {
      const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
      const made = spawnSync(
        "openssl",
        [
          ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
          ...["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:${address}`, "-days", "2"],
          ...["-keyout", key, "-out", cert],
        ],
        { encoding: "utf8" },
      );
      assert.equal(made.status, 0, made.stderr);
      return { cert, key };
    };
    const received: string[] = [];
    const listen = async ({ cert, key }: { cert: string; key: string }): Promise<number> => {
      const options = { cert: readFileSync(cert), key: readFileSync(key) };
      const server = createTlsServer(options, (socket) => {
        socket.setEncoding("utf8").on("data", (part: string) => received.push(part));
        socket.on("error", () => {});
        socket.on("end", () => socket.end());
      });
      server.on("tlsClientError", () => {});
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      t.after(() => server.close());
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      return address.port;
    };
    const good = make("good", "127.0.0.1");
    const elsewhere = make("elsewhere", "192.0.2.1");
    const [port, wrongPort] = [await listen(good), await listen(elsewhere)];
    const out = courier([
      { name: "good", kind: "syslog", url: `tls://127.0.0.1:${port}`, ca: good.cert },
      { name: "unknown", kind: "syslog", url: `tls://127.0.0.1:${port}` },
      { name: "misnamed", kind: "syslog", url: `tls://127.0.0.1:${wrongPort}`, ca: elsewhere.cert },
    ]);
    await out.tell([CAMPAIGN]);
    assert.deepEqual(await out.round(), { delivered: 1, failed: 2 });
    assert.match(received.join(""), /^\d+ <105>1 .* adyton - finding\.raised /);
    assert.equal(received.join("").match(/finding\.raised/g)?.length, 1, "nothing went to the others");
    const { items } = await state.alerts.list({ status: "pending" });
    const errors = new Map(items.map(({ target, error }) => [target, error ?? ""]));
    assert.match(errors.get("unknown") ?? "", /self-signed/);
    assert.match(errors.get("misnamed") ?? "", /192\.0\.2\.1|does not match/);
  });

  it("gives up on a receiver that neither takes nor ends", async (t) => {
    const { courier } = await scene(t);
    const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
      socket.on("error", () => {});
      const drip = setInterval(() => socket.write("."), 20);
      socket.once("close", () => clearInterval(drip));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const out = courier([{ name: "drip", kind: "syslog", url: `tcp://127.0.0.1:${address.port}` }], {
      timeoutMs: 500,
    });
    await out.tell([CAMPAIGN]);
    const startedMs = performance.now();
    assert.deepEqual(await out.round(), { delivered: 0, failed: 1 });
    assert.ok(performance.now() - startedMs < 10_000);
  });

  it("is one message whatever the text holds", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 6000 }),
        fc.string({ unit: "binary" }),
        (text, subject) => {
          const alert: Alert = {
            ...{
              id: "al_1",
              target: "t",
              event: "finding.raised",
              subject,
              body: { text },
              status: "pending",
            },
            ...{ attempts: 0, createdMs: 0, nextMs: 0, endedMs: null, error: null },
          };
          const message = syslogMessage(alert, { hostname: "a b" });
          assert.ok(Buffer.byteLength(message) <= 8192);
          assert.doesNotMatch(message, /\p{Cc}/u);
          assert.match(message, /^<109>1 \S+ ab adyton - finding\.raised \[/);
        },
      ),
      { numRuns: 60, seed: 13 },
    );
  });
});
