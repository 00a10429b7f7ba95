// The log asks real witnesses over HTTP: its checkpoint gathers their signatures, and sealing never waits for them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { utf8 } from "../../src/core/bytes.ts";
import { openCheckpoint, openCheckpointByPolicy } from "../../src/core/checkpoint.ts";
import { formatPolicy, type Policy, parsePolicy } from "../../src/core/policy.ts";
import { verifyProof } from "../../src/core/proof.ts";
import { formatVerifierKey } from "../../src/core/verifier-key.ts";
import { Cosigning, type CosigningOptions } from "../../src/log/cosigning.ts";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { Witness } from "../../src/log/witness.ts";
import type { WitnessEndpoint } from "../../src/log/witness-client.ts";
import { startWitnessServer } from "../../src/log/witness-server.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { type Bench, bench, exchanges, SMALL_SEGMENT, sealAll } from "./helper.ts";

const COMMAND = join(import.meta.dirname, "../../bin/adyton.mjs");

interface RunningWitness extends WitnessEndpoint {
  readonly witness: Witness;
  stop(): Promise<void>;
}

async function witnessOf(t: TestContext, keys: Keyring, name: string): Promise<RunningWitness> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-witness-"));
  const witness = await Witness.open({ folder, name: `${name}.example`, logs: keys.verifierKeys() });
  const server = await startWitnessServer({ witness, host: "127.0.0.1", port: 0 });
  t.after(async () => {
    await server.close();
    witness.close();
    await rm(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${server.port}/`;
  return { name, keys: witness.keys, url, witness, stop: () => server.close() };
}

/** Somebody else's broken service, at the protocol level. */
async function brokenWitness(t: TestContext, keys: WitnessEndpoint["keys"], listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { name: "broken", keys, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Setup {
  readonly ledger: Ledger;
  readonly log: SealedLog;
  readonly cosigning: Cosigning;
  readonly errors: string[];
  grow(from: number, to: number): Promise<void>;
}

async function setUp(
  t: TestContext,
  { folder, keys }: Pick<Bench, "folder" | "keys">,
  witnesses: readonly WitnessEndpoint[],
  options: Partial<CosigningOptions> = {},
): Promise<Setup> {
  const ledger = await Ledger.open({ folder, keys });
  const log = await SealedLog.open({ folder, keys, witnesses: witnesses.flatMap((one) => one.keys) });
  t.after(() => {
    ledger.close();
    log.close();
  });
  const errors: string[] = [];
  const cosigning = new Cosigning({
    log,
    publish: (note, how) => ledger.addCosignatures(note, how),
    witnesses,
    quorum: 2,
    everyMs: 1000,
    timeoutMs: 2000,
    onError: (error) => errors.push(error.code),
    ...options,
  });
  const grow = async (from: number, to: number): Promise<void> => {
    const writer = await LogWriter.open({ folder, keys, writer: "gateway-0", segmentBytes: SMALL_SEGMENT });
    await exchanges(writer, from, to);
    await writer.close();
    await sealAll(ledger);
  };
  return { ledger, log, cosigning, errors, grow };
}

function policyOf(keys: Keyring, witnesses: readonly WitnessEndpoint[], quorum: number): Policy {
  const text = formatPolicy({
    logs: keys.verifierKeys().map((key) => ({ vkey: formatVerifierKey(key), url: null })),
    witnesses: witnesses.map(({ name, url, keys: own }) => ({
      name,
      url,
      vkeys: own.map(formatVerifierKey),
    })),
    quorum,
  });
  const policy = parsePolicy(utf8(text));
  assert.ok(!("fault" in policy));
  return policy;
}

test("checkpoints gather cosignatures as the log grows, and proofs verify under the policy", async (t) => {
  const { folder, keys } = await bench(t);
  const witnesses = [await witnessOf(t, keys, "w1"), await witnessOf(t, keys, "w2")];
  const { cosigning, log, errors, grow } = await setUp(t, { folder, keys }, witnesses);
  const policy = policyOf(keys, witnesses, 2);
  for (const [from, to] of [
    [0, 3],
    [3, 4],
    [4, 200],
  ] as const) {
    await grow(from, to);
    const status = await cosigning.step();
    assert.deepEqual([status.size, status.cosignatures, status.quorumSize], [to * 2, 2, to * 2]);
    const opened = openCheckpointByPolicy(await readFile(join(folder, "log/checkpoint")), policy);
    assert.ok(!("fault" in opened), JSON.stringify(opened));
    assert.equal(opened.witnesses.length, 4, "two keys of each");
    // The log's own keys suffice for whoever knows no witness.
    assert.ok(!("fault" in openCheckpoint(utf8(opened.note), { keys: keys.verifierKeys() })));
  }
  await grow(200, 205);
  const before = verifyProof(await log.prove(300), { policy });
  assert.ok(
    !("fault" in before) && before.checkpoint.size === 400,
    "the newest with a quorum that covers it",
  );
  assert.deepEqual(verifyProof(await log.prove(405), { policy }), { fault: "below-quorum" });
  assert.ok(!("fault" in verifyProof(await log.prove(405), { keys: keys.verifierKeys() })));
  await cosigning.step();
  assert.ok(!("fault" in verifyProof(await log.prove(405), { policy })));
  assert.deepEqual(errors, []);
  const trusted = witnesses.flatMap((one) => one.keys);
  assert.deepEqual((await fsck({ folder, keys, witnesses: trusted })).problems, []);
});

test("below the quorum the log goes on and says so; the witness that comes back completes it", async (t) => {
  const { folder, keys } = await bench(t);
  const [w1, w2] = [await witnessOf(t, keys, "w1"), await witnessOf(t, keys, "w2")];
  await w2.stop();
  let nowMs = 0;
  const made = await setUp(t, { folder, keys }, [w1, w2], { clock: () => nowMs });
  await made.grow(0, 3);
  const status = await made.cosigning.step();
  assert.deepEqual(
    [status.cosignatures, status.quorumSize, status.failing],
    [1, 0, { w2: "log.witness-failed" }],
  );
  assert.equal(await made.log.cosigned(), null);
  // Left alone for a while, and not asked again what it already signed.
  await made.cosigning.step();
  assert.deepEqual(made.errors, ["log.witness-failed"]);
  const port = Number(new URL(w2.url).port);
  const again = await startWitnessServer({ witness: w2.witness, host: "127.0.0.1", port });
  t.after(() => again.close());
  nowMs += 2000;
  const completed = await made.cosigning.step();
  assert.deepEqual([completed.cosignatures, completed.quorumSize, completed.failing], [2, 6, {}]);
});

test("a cosignature that comes after the next sealing does not bring the old checkpoint back", async (t) => {
  const { folder, keys } = await bench(t);
  const w1 = await witnessOf(t, keys, "w1");
  let meanwhile: (() => Promise<void>) | null = null;
  const slow = await brokenWitness(t, w1.keys, (request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const answer = await fetch(`${w1.url}add-checkpoint`, { method: "POST", body: Buffer.concat(parts) });
      await meanwhile?.();
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(await answer.text());
    })();
  });
  const { cosigning, log, grow } = await setUp(t, { folder, keys }, [slow], { quorum: 1 });
  await grow(0, 3);
  meanwhile = () => grow(3, 5);
  await cosigning.step();
  assert.deepEqual([await log.size(), (await log.cosigned())?.size], [10, 6]);
  meanwhile = null;
  await cosigning.step();
  assert.deepEqual([await log.size(), (await log.cosigned())?.size], [10, 10]);
});

test("an answer that is no cosignature of a known key is not published", async (t) => {
  const { folder, keys } = await bench(t);
  const [w1, w2] = [await witnessOf(t, keys, "w1"), await witnessOf(t, keys, "w2")];
  const answers: [status: number, body: string, code: string][] = [
    [200, "", "log.witness-failed"],
    [200, "— w1.example AAAAAAAAAAAAAAAAAAAA\n", "log.witness-failed"],
    [200, "x".repeat(70_000), "log.witness-failed"],
    [200, "\nother text\n\n— w1.example AAAAAAAAAAAAAAAAAAAA\n", "log.witness-failed"],
    [409, "many\n", "log.witness-failed"],
    [409, "999999\n", "log.witness-ahead"],
    [302, "", "log.witness-failed"],
    [500, "", "log.witness-failed"],
    [403, "no such key\n", "log.witness-refused"],
    [404, "no such log\n", "log.witness-refused"],
  ];
  let next: [number, string] = [200, ""];
  const broken = await brokenWitness(t, w1.keys, (_request, response) => {
    response.writeHead(next[0], next[0] === 302 ? { location: `${w2.url}add-checkpoint` } : {});
    response.end(next[1]);
  });
  const { cosigning, errors, grow } = await setUp(t, { folder, keys }, [broken], {
    clock: (() => {
      let now = 0;
      return () => (now += 1e9);
    })(),
  });
  await grow(0, 3);
  const before = await readFile(join(folder, "log/checkpoint"));
  for (const [status, body, code] of answers) {
    next = [status, body];
    assert.equal((await cosigning.step()).cosignatures, 0);
    assert.equal(errors.at(-1), code, `${status} ${body.slice(0, 30)}`);
  }
  assert.deepEqual(await readFile(join(folder, "log/checkpoint")), before);
});

test("a log that was rolled back, or forked under the same keys, is caught by its witness", async (t) => {
  const { folder, keys } = await bench(t);
  const w1 = await witnessOf(t, keys, "w1");
  const first = await setUp(t, { folder, keys }, [w1], { quorum: 1 });
  await first.grow(0, 3);
  const copy = await mkdtemp(join(tmpdir(), "adyton-log-"));
  t.after(() => rm(copy, { recursive: true, force: true }));
  await cp(folder, copy, { recursive: true });
  await first.grow(3, 6);
  assert.equal((await first.cosigning.step()).cosignatures, 1);

  const sameKeys = await Keyring.open({ folder: copy });
  t.after(() => sameKeys.close());
  const second = await setUp(t, { folder: copy, keys: sameKeys }, [w1], { quorum: 1 });
  await second.cosigning.step();
  assert.deepEqual(second.errors, ["log.witness-ahead"]);
  await second.grow(100, 110);
  const fork = new Cosigning({
    log: second.log,
    publish: (note, how) => second.ledger.addCosignatures(note, how),
    witnesses: [w1],
    quorum: 1,
    everyMs: 1000,
    timeoutMs: 2000,
    onError: (error) => second.errors.push(error.code),
  });
  assert.equal((await fork.step()).cosignatures, 0);
  assert.equal(second.errors.at(-1), "log.witness-refused");
  const [kept] = w1.witness.contradictions();
  assert.deepEqual([kept?.reason, kept?.size], ["no-consistency", 26]);
  // Taking the honest log's cosigned checkpoint over does not help: its root is not that of the fork's tree.
  await cp(join(folder, "log/checkpoint.cosigned"), join(copy, "log/checkpoint.cosigned"));
  const report = await fsck({ folder: copy, keys: sameKeys, witnesses: w1.keys });
  assert.deepEqual(
    report.problems.map(({ code, file }) => [code, file]),
    [["root", join(copy, "log/checkpoint.cosigned")]],
  );
});

test("log show names who cosigned, and says when that is below the quorum", async (t) => {
  const { folder, keys } = await bench(t);
  const witnesses = [await witnessOf(t, keys, "w1"), await witnessOf(t, keys, "w2")];
  const { cosigning, grow } = await setUp(t, { folder, keys }, witnesses);
  await grow(0, 3);
  const listed = witnesses.map(({ name, url, keys: own }) => ({
    name,
    url,
    vkeys: own.map(formatVerifierKey),
  }));
  const config = join(folder, "adyton.yaml");
  await writeFile(config, JSON.stringify({ data: folder, log: { witnesses: listed, witnessQuorum: 2 } }));
  const show = (...more: string[]): string =>
    spawnSync(process.execPath, [COMMAND, "--config", config, "log", "show", ...more], { encoding: "utf8" })
      .stdout;
  assert.match(show(), /cosigned by +nobody: BELOW the quorum of 2/);
  await cosigning.step();
  const { witnessed } = JSON.parse(show("--json")) as { witnessed: object };
  assert.deepEqual(witnessed, { quorum: 2, cosigned: ["w1", "w2"], quorumSize: 6 });
});

test("fsck finds a wrong cosignature", async (t) => {
  const { folder, keys } = await bench(t);
  const w1 = await witnessOf(t, keys, "w1");
  const { cosigning, grow } = await setUp(t, { folder, keys }, [w1], { quorum: 1 });
  await grow(0, 3);
  await cosigning.step();
  const path = join(folder, "log/checkpoint");
  const text = await readFile(path, "utf8");
  const at = text.lastIndexOf("=") - 20;
  await writeFile(path, `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`);
  const report = await fsck({ folder, keys, witnesses: w1.keys });
  assert.deepEqual([report.ok, report.problems[0]?.code], [false, "signature"]);
  assert.ok((await fsck({ folder, keys })).ok, "nobody who doesn't know the witness is disturbed");
});
