// Erasure: what was erased is in no file any more, by content or by key, and every other proof stays valid.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { DataFolder } from "../../src/config/data-folder.ts";
import { type Act, actDraft } from "../../src/core/acts.ts";
import { verifyProof } from "../../src/core/proof.ts";
import { NODE_DISK } from "../../src/log/disk.ts";
import { Eraser } from "../../src/log/eraser.ts";
import { ErasureJournal } from "../../src/log/erasure-journal.ts";
import { LogError } from "../../src/log/errors.ts";
import { fsck } from "../../src/log/fsck.ts";
import type { Keyring } from "../../src/log/keyring.ts";
import { Retention } from "../../src/log/retention.ts";
import type { SealedLog } from "../../src/log/sealed-log.ts";
import { SEGMENT_HEADER_BYTES, SegmentReader, segmentName, segmentNumbers } from "../../src/log/segment.ts";
import { dropSealedSegments } from "../../src/log/segment-drop.ts";
import type { LogWriter } from "../../src/log/writer.ts";
import { type Bench, bench, close, diskFailure, exchanges, failingDisk, open, sealAll } from "./helper.ts";

const code = (expected: string) => (error: unknown) => error instanceof LogError && error.code === expected;

interface Stage extends Bench {
  readonly log_: SealedLog;
  readonly journal: ErasureJournal;
  readonly eraser: Eraser;
}

/** A log with an eraser on it, whose acts go through a writer of their own. */
async function stage(t: TestContext, options: { clock?: () => number } = {}): Promise<Stage> {
  const base = await bench(t);
  const { folder, keys } = base;
  const clock = options.clock ?? Date.now;
  const journal = await ErasureJournal.open(join(folder, "keys", "erasures.sqlite"), clock);
  const log_ = await base.log();
  const acts: LogWriter = await base.writer({ writer: "cli" });
  const record = async (all: readonly Act[]): Promise<void> => {
    for (const act of all) await acts.append(actDraft(act, { by: "cli:test", timeMs: clock() })).durable;
  };
  t.after(async () => {
    await acts.close();
    journal.close();
    log_.close();
  });
  return { ...base, log_, journal, eraser: new Eraser({ folder, keys, log: log_, journal, record, clock }) };
}

/** Every file of the data folder that holds these bytes, in clear or as text forms of them. */
async function filesWith(folder: string, secret: Uint8Array): Promise<string[]> {
  const bytes = Buffer.from(secret);
  const forms = [
    bytes,
    ...(["hex", "base64", "base64url"] as const).map((form) => Buffer.from(bytes.toString(form))),
  ];
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name));
    if (forms.some((form) => content.includes(form))) found.push(join(entry.parentPath, entry.name));
  }
  return found;
}

/** The secrets by which a record could be read: nonce and ciphertext in its pack, and the wrapped key. */
async function secretsOf(folder: string, keys: Keyring, log: SealedLog, index: number): Promise<Buffer[]> {
  for await (const { leaf, offset } of log.leaves(index, index + 1)) {
    const pack = await readFile(join(folder, "content", String(Math.floor(index / 256)).padStart(3, "0")));
    const nonce = pack.subarray(offset + 36, offset + 68);
    const sealed = pack.subarray(offset + 68, offset + 68 + (leaf.bytes ?? 0));
    const key = keys.forReading(
      pack.subarray(offset + 20, offset + 36),
      pack.subarray(offset + 12, offset + 20),
    );
    assert.ok(typeof key !== "string" && nonce.some((byte) => byte !== 0));
    return [
      Buffer.from(nonce),
      Buffer.from(sealed.subarray(0, 24)),
      Buffer.from(sealed.subarray(-24)),
      Buffer.from(key),
    ];
  }
  throw new Error(`expected leaf ${index}`);
}

function wrappedKeys(folder: string, pseudonym: string): Buffer[] {
  const database = new DatabaseSync(join(folder, "keys", "accounts.sqlite"), { readOnly: true });
  const rows = database
    .prepare("SELECT wrapped FROM account_keys WHERE pseudonym = ? AND wrapped IS NOT NULL")
    .all(Buffer.from(pseudonym.slice(2), "base64url"));
  database.close();
  return rows.map((row) => Buffer.from(row["wrapped"] as Uint8Array));
}

async function everyProofVerifies(log: SealedLog, keys: Keyring): Promise<void> {
  for (let index = 0; index < (await log.size()); index++) {
    const verified = verifyProof(await log.prove(index), { keys: keys.verifierKeys() });
    assert.ok(!("fault" in verified), `record ${index}: ${JSON.stringify(verified)}`);
  }
}

/** Some exchanges of three accounts with content nobody could guess. Returns the content by exchange. */
async function fill(writer: LogWriter, from: number, to: number): Promise<Map<string, Buffer>> {
  const content = new Map<string, Buffer>();
  for (let i = from; i < to; i++) {
    const text = randomBytes(40).toString("hex");
    content.set(`ex-${i}`, Buffer.from(text));
    const account = `account-${i % 3}`;
    await writer.append(open(`ex-${i}`, text, account)).durable;
    await writer.append(close(`ex-${i}`, text, account)).durable;
  }
  return content;
}

test("an erased account leaves neither content nor keys in any file, and every proof", async (t) => {
  const { writer, ledger, folder, keys, eraser, log_: log } = await stage(t);
  const w = await writer();
  const content = await fill(w, 0, 30);
  await w.close();
  let l = await ledger();
  await sealAll(l);
  l.close();
  const pseudonym = keys.pseudonymOf("account-1");
  const secrets = [...(await secretsOf(folder, keys, log, 2)), ...(await secretsOf(folder, keys, log, 9))];
  const wrapped = wrappedKeys(folder, pseudonym);
  assert.equal(wrapped.length, 1);
  for (const secret of [...wrapped, ...secrets.filter((one) => one.length !== 32 || one === secrets[0])])
    assert.ok((await filesWith(folder, secret)).length > 0, "the search finds what is there");

  const plan = await eraser.plan({ account: "account-1" }, "GDPR article 17(1)(a)");
  assert.deepEqual([plan.count, plan.keys.length, plan.holds], [20, 1, []]);
  const erased = await eraser.erase(plan);
  eraser.finish(erased.erasure);
  assert.deepEqual([erased.keys, erased.records, erased.name], [1, 20, "account-1"]);

  for (const secret of [...wrapped, ...secrets, ...content.values()])
    assert.deepEqual(await filesWith(folder, secret), []);
  for (const name of [Buffer.from("account-1")]) assert.deepEqual(await filesWith(folder, name), []);
  await everyProofVerifies(log, keys);
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.problems, report.checked.erased], [[], 20]);
  assert.deepEqual((await fsck({ folder })).problems, []);
  const [tombstone] = await log.tombstones();
  assert.deepEqual(
    [tombstone?.index, tombstone?.account, tombstone?.legalBasis, tombstone?.cause],
    [erased.tombstone, pseudonym, "GDPR article 17(1)(a)", "request"],
  );
  assert.equal((await log.record(2)).content, null);
  assert.equal((await log.record(0)).account, "account-0");

  // The account may come back; a lost state.json still leads to the same log.
  const again = await writer();
  await fill(again, 30, 33);
  await again.close();
  await rm(join(folder, "ledger", "state.json"));
  await rm(join(folder, "log", "checkpoint"));
  l = await ledger();
  await sealAll(l);
  assert.equal(l.size, 67);
  l.close();
  assert.deepEqual((await fsck({ folder, keys })).problems, []);
});

test("an erased exchange takes its nonce and ciphertext along, and leaves the account's others", async (t) => {
  const { writer, ledger, folder, keys, eraser, log_: log } = await stage(t);
  const w = await writer();
  await fill(w, 0, 9);
  await w.append(open("ex-open", "still asking", "account-1")).durable;
  const l = await ledger();
  await sealAll(l);
  await assert.rejects(eraser.plan({ exchange: "ex-none" }, "basis"), code("log.not-found"));
  await assert.rejects(eraser.plan({ exchange: "ex-open" }, "basis"), code("log.exchange-open"));
  await w.append(close("ex-open", "told", "account-1")).durable;
  await w.close();
  await sealAll(l);
  l.close();
  const [nonce, head, tail] = await secretsOf(folder, keys, log, 8);
  const erased = await eraser.erase(await eraser.plan({ exchange: "ex-4" }, "a reason"));
  eraser.finish(erased.erasure);
  assert.deepEqual([erased.keys, erased.records, erased.account], [0, 2, null]);
  for (const secret of [nonce, head, tail])
    assert.deepEqual(await filesWith(folder, secret ?? Buffer.alloc(1)), []);
  assert.deepEqual([(await log.record(8)).content, (await log.record(9)).content], [null, null]);
  assert.equal((await log.record(2)).account, "account-1");
  await everyProofVerifies(log, keys);
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.problems, report.checked.erased], [[], 2]);
});

test("a legal hold keeps content from being erased until it is released or expires", async (t) => {
  let now = Date.now();
  const { writer, ledger, keys, eraser, journal } = await stage(t, { clock: () => now });
  const w = await writer();
  await fill(w, 0, 6);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const day = 86_400_000;
  const hold = (id: string, account: string, exchange: string | null, days: number): void =>
    journal.place({
      hold: id,
      account: keys.pseudonymOf(account),
      exchange,
      authority: "Court of tests",
      reference: "1/26",
      expiresMs: now + days * day,
    });
  hold("h-1", "account-1", null, 60);
  hold("h-2", "account-2", "ex-2", 60);
  const erase = async (target: Parameters<Eraser["plan"]>[0]): Promise<void> => {
    const plan = await eraser.plan(target, "GDPR article 17");
    eraser.finish((await eraser.erase(plan)).erasure);
  };
  await assert.rejects(erase({ account: "account-1" }), code("log.held"));
  await assert.rejects(erase({ exchange: "ex-4" }), code("log.held")); // of account-1
  await assert.rejects(erase({ exchange: "ex-2" }), code("log.held"));
  await assert.rejects(erase({ account: "account-2" }), code("log.held")); // one of its exchanges is held
  assert.equal(journal.unfinished().length, 0);
  await erase({ exchange: "ex-5" }); // of account-2, not held
  journal.extend("h-2", now + 90 * day);
  now += 61 * day;
  await assert.rejects(erase({ exchange: "ex-2" }), code("log.held"));
  await erase({ account: "account-1" }); // the hold has expired
  journal.release("h-2");
  await erase({ account: "account-2" });
  assert.throws(() => journal.release("h-2"), code("log.not-found"));
  assert.deepEqual(
    journal
      .holds()
      .map((one) => [one.hold, one.releasedMs !== null])
      .sort(),
    [
      ["h-1", false],
      ["h-2", true],
    ],
  );
});

test("an erasure that was cut short is completed; what it left meanwhile counts as erased", async (t) => {
  const { writer, ledger, folder, keys, log_: log, journal } = await stage(t);
  const w = await writer();
  const content = await fill(w, 0, 300);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const acts = await writer({ writer: "api" });
  t.after(() => acts.close());
  const record = async (all: readonly Act[]): Promise<void> => {
    for (const act of all) await acts.append(actDraft(act, { by: "cli:test", timeMs: Date.now() })).durable;
  };
  let calls = 0;
  let failAt = 0;
  const disk = failingDisk(NODE_DISK, (name, path) => {
    const counts =
      name === "write" || name === "datasync" || (name === "open" && String(path).includes("/content/"));
    if (!counts) return null;
    calls += 1;
    return calls === failAt ? diskFailure("EIO") : null; // later and later, over all that is left to do
  });
  const eraser = new Eraser({ folder, keys, log, journal, record, disk });
  const plan = await eraser.plan({ account: "account-0" }, "basis");
  let failures = 0;
  let isDone = false;
  for (failAt = 1; failAt < 1000 && !isDone; failAt += 7) {
    calls = 0;
    const step = journal.unfinished().length === 0 ? eraser.erase(plan) : eraser.resume();
    isDone = await step.then(
      () => true,
      () => false,
    );
    failures += isDone ? 0 : 1;
    const report = await fsck({ folder, keys });
    assert.deepEqual(report.problems, [], `after ${failAt} calls`);
  }
  assert.ok(isDone);
  assert.ok(failures >= 8, `expected many failures, got ${failures}`);
  const [begun] = journal.unfinished();
  eraser.finish(begun?.id ?? "");
  assert.deepEqual(journal.unfinished(), []);
  for (let i = 0; i < 300; i += 3) assert.deepEqual((await log.record(2 * i)).content, null);
  assert.deepEqual(await filesWith(folder, content.get("ex-3") ?? Buffer.alloc(1)), []);
  assert.equal((await fsck({ folder, keys })).checked.erased, 200);
});

test("content goes by its age, but for what is held, and goes when the hold has ended", async (t) => {
  // The helper's records are of November 2023.
  let now = Date.parse("2023-12-01T00:00:00Z");
  const { writer, ledger, folder, keys, eraser, log_: log, journal } = await stage(t, { clock: () => now });
  const w = await writer();
  await fill(w, 0, 9);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const retention = new Retention({ days: 30, log, journal, eraser, clock: () => now });
  assert.equal(await retention.step(), 0);
  const expiresMs = now + 60 * 86_400_000;
  const order = { authority: "Court", reference: "1/26", expiresMs };
  journal.place({ hold: "h-1", account: keys.pseudonymOf("account-1"), exchange: null, ...order });
  journal.place({ hold: "h-2", account: keys.pseudonymOf("account-2"), exchange: "ex-5", ...order });
  now += 30 * 86_400_000;
  assert.equal(await retention.step(), 18 - 6 - 2);
  assert.equal(await retention.step(), 0);
  assert.deepEqual((await log.record(2)).account, "account-1");
  assert.deepEqual([(await log.record(0)).content, (await log.record(4)).content], [null, null]);
  journal.release("h-2");
  assert.equal(await retention.step(), 2);
  now += 31 * 86_400_000; // the other hold has ended by itself
  assert.equal(await retention.step(), 6);
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.problems, report.checked.erased], [[], 18]);
  assert.deepEqual(
    (await log.tombstones()).map(({ cause }) => cause),
    ["retention", "retention", "retention"],
  );
  await everyProofVerifies(log, keys);
});

/** Every frame that can still be read in any segment, and the salts by which. */
async function segmentsOf(folder: string, keys: Keyring): Promise<{ names: string[]; salts: Buffer[] }> {
  const names: string[] = [];
  const salts: Buffer[] = [];
  for (const writer of await readdir(join(folder, "segments")))
    for (const number of await segmentNumbers(NODE_DISK, join(folder, "segments", writer))) {
      const { writeAheadKey } = keys;
      const own = join(folder, "segments", writer);
      // A writer at work may give a file another name meanwhile.
      const bytes = await readFile(join(own, segmentName(number))).catch(() => Buffer.alloc(132));
      salts.push(bytes.subarray(100, 132));
      const reader = await SegmentReader.open(NODE_DISK, own, { writer, number, writeAheadKey });
      if (reader === null) continue;
      const { frames } = await reader.frames(SEGMENT_HEADER_BYTES, Number.MAX_SAFE_INTEGER);
      names.push(...frames.map(({ name }) => name));
      await reader.close();
    }
  return { names, salts };
}

test("a writer at work gives up its old segments, loses nothing and goes on", async (t) => {
  const { writer, ledger, folder, keys, eraser, log_: log } = await stage(t);
  const w = await writer();
  const stop = new AbortController();
  const l = await ledger({ intervalMs: 5 });
  const running = l.run(stop.signal);
  let before: Awaited<ReturnType<typeof segmentsOf>>;
  try {
    await exchanges(w, 0, 120, 600); // over several segments, some used again
    const until = async (condition: () => Promise<boolean>): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!(await condition())) {
        assert.ok(performance.now() < deadline, "expected it to happen");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await until(async () => (await log.size()) >= 240);
    before = await segmentsOf(folder, keys);
    const erased = await eraser.erase(await eraser.plan({ exchange: "ex-119" }, "basis"));
    eraser.finish(erased.erasure);
    assert.ok(erased.liveWriters.includes("gateway-0"));
    const data = new DataFolder(folder);
    let written = 120;
    await until(async () => {
      await exchanges(w, written, written + 3, 600);
      written += 3;
      const left = await dropSealedSegments(NODE_DISK, data, keys.writeAheadKey, { onlyAsked: true });
      return left.length === 0;
    });
    await until(async () => (await log.findExchange(`ex-${written - 1}`)).close !== undefined);
  } finally {
    // Before the folder is looked through, and before it is removed: nobody works in it any more.
    stop.abort();
    await running;
    l.close();
    await w.close();
  }
  const after = await segmentsOf(folder, keys);
  assert.ok(before.names.includes("ex-119") && !after.names.includes("ex-119"));
  for (const salt of before.salts)
    if (salt.some((byte) => byte !== 0)) assert.deepEqual(await filesWith(folder, salt), []);
  const report = await fsck({ folder, keys });
  assert.deepEqual([report.problems, report.gaps, report.checked.erased], [[], [], 2]);
});
