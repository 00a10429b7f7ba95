// Deriving on several threads: the same store as on one, and a thread that dies costs nothing but its stretch.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DerivationPool } from "../../src/cli/derive-pool.ts";
import { featuresOf } from "../../src/cli/features.ts";
import { accountDraft, closeDraft, openDraft } from "../../src/cli/import/drafts.ts";
import { Pump } from "../../src/cli/pump.ts";
import { readNeutralAccount, readNeutralExchange } from "../../src/core/decode/neutral.ts";
import { AdytonError } from "../../src/core/errors.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { Store } from "../../src/store/store.ts";
import { smallWorld } from "../helpers/small-world.ts";
import { storeDigests } from "../helpers/store-digests.ts";

const EXCHANGES = 2_400;
/** Opens run ahead of their closes by so many exchanges: some pairs lie in two stretches. */
const OVERLAP = 300;
const WORKER = new URL("../../src/cli/derive-worker.ts", import.meta.url);

/** A sealed log of exchanges that overlap each other. */
async function sealedWorld(t: TestContext): Promise<{ root: string; keys: Keyring; log: SealedLog }> {
  const root = await mkdtemp(join(tmpdir(), "adyton-pool-"));
  const keys = await Keyring.open({ folder: root });
  const writer = await LogWriter.open({ folder: root, writer: "import", keys });
  const { exchanges, accounts } = smallWorld({ exchanges: EXCHANGES });
  const last = accounts.map((line) => {
    const read = readNeutralAccount(line);
    assert.ok("value" in read);
    return writer.append(accountDraft(read.value, 1_700_000_000_000)).durable;
  });
  const waiting: Parameters<typeof closeDraft>[0][] = [];
  for (const line of exchanges) {
    const read = readNeutralExchange(line);
    assert.ok("value" in read);
    writer.append(openDraft(read.value));
    const ended = waiting.push(read.value) > OVERLAP ? waiting.shift() : undefined;
    if (ended !== undefined) last.push(writer.append(closeDraft(ended)).durable);
  }
  for (const each of waiting) last.push(writer.append(closeDraft(each)).durable);
  await Promise.all(last);
  const ledger = await Ledger.open({ folder: root, keys });
  while ((await ledger.step()).sealed > 0);
  ledger.close();
  await writer.close();
  const log = await SealedLog.open({ folder: root, keys });
  t.after(async () => {
    log.close();
    keys.close();
    await rm(root, { recursive: true, force: true });
  });
  return { root, keys, log };
}

test("a store that several threads derived is the one that a single thread derives", async (t) => {
  const { root, keys, log } = await sealedWorld(t);
  const alone = await Store.open({ folder: join(root, "alone") });
  const expected = await new Pump({ log, store: alone, features: featuresOf(keys) }).drain();
  await alone.close();
  assert.deepEqual([expected.exchanges, expected.accounts, expected.failed], [EXCHANGES, 12, 0]);

  for (const [threads, leavesABatch] of [
    [1, 1_500],
    [3, 4_000],
  ] as const) {
    const folder = join(root, `threads-${threads}`);
    const store = await Store.open({ folder });
    const pool = new DerivationPool({ folder: root, origin: null, embeddingModel: null, threads });
    const done = await new Pump({ log, store, deriver: pool, leavesABatch }).drain();
    await pool.close();
    await store.close();
    assert.deepEqual(done, expected);
    assert.deepEqual(await storeDigests(folder), await storeDigests(join(root, "alone")));
  }
});

test("a thread that dies fails its stretch, and the next step goes on with another", async (t) => {
  const { root, log } = await sealedWorld(t);
  const program = join(root, "dies-once.mjs");
  await writeFile(
    program,
    `import { existsSync, writeFileSync } from "node:fs";
     import { parentPort } from "node:worker_threads";
     const marker = ${JSON.stringify(join(root, "died"))};
     if (existsSync(marker)) await import(${JSON.stringify(WORKER.href)});
     else parentPort.on("message", () => { writeFileSync(marker, ""); process.exit(7); });`,
  );
  const store = await Store.open({ folder: join(root, "store") });
  const pool = new DerivationPool({
    folder: root,
    origin: null,
    embeddingModel: null,
    threads: 1,
    worker: pathToFileURL(program),
  });
  const pump = new Pump({ log, store, deriver: pool, leavesABatch: 1_000 });
  const died = (error: unknown): boolean => error instanceof AdytonError && error.code === "thread-died";
  await assert.rejects(pump.step(), died);
  assert.equal((await pump.drain()).exchanges, EXCHANGES);
  await pool.close();
  await assert.rejects(pool.derive(0, 1), died);
  const [found] = await store.query<{ rows: number }>(
    "SELECT toUInt32(count()) AS rows FROM exchange_features",
  );
  assert.equal(found?.rows, EXCHANGES);
  await store.close();
});

test("what the log says of itself comes through from the threads", async (t) => {
  const { root, log } = await sealedWorld(t);
  const pool = new DerivationPool({ folder: root, origin: null, embeddingModel: null, threads: 2 });
  const size = await log.size();
  await assert.rejects(
    pool.derive(size, size + 10),
    (error) => error instanceof AdytonError && error.code === "log.inconsistent",
  );
  await pool.close();
});
