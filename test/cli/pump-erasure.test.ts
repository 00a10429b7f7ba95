// The store forgets what the log has erased, whether its rows came long before or in the same stretch as the tombstone.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { featuresOf } from "../../src/cli/features.ts";
import { Pump } from "../../src/cli/pump.ts";
import { type Act, actDraft } from "../../src/core/acts.ts";
import { Eraser } from "../../src/log/eraser.ts";
import { ErasureJournal } from "../../src/log/erasure-journal.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { Store } from "../../src/store/store.ts";
import { close, open } from "../log/helper.ts";

for (const before of [true, false]) {
  test(`rows ${before ? "from before" : "of the same stretch"} go`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "adyton-forget-"));
    const keys = await Keyring.open({ folder });
    const writer = await LogWriter.open({ folder, keys, writer: "gateway-0", segmentBytes: 65_536 });
    const journal = await ErasureJournal.open(join(folder, "keys", "erasures.sqlite"));
    const store = await Store.open({ folder: join(folder, "store") });
    t.after(async () => {
      await store.close();
      journal.close();
      keys.close();
      await rm(folder, { recursive: true, force: true });
    });
    for (let i = 0; i < 12; i++) {
      const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: `question ${i}` }] });
      writer.append(open(`ex-${i}`, body, `account-${i % 3}`));
      await writer.append(close(`ex-${i}`, "{}", `account-${i % 3}`)).durable;
    }
    const log = await SealedLog.open({ folder, keys });
    const record = async (acts: readonly Act[]): Promise<void> => {
      for (const act of acts)
        await writer.append(actDraft(act, { by: "cli:test", timeMs: Date.now() })).durable;
    };
    const eraser = new Eraser({ folder, keys, log, journal, record });
    const pump = new Pump({ log, store, features: featuresOf(keys) });
    const plans = [
      await eraser.plan({ account: "account-1" }, "x"),
      await eraser.plan({ exchange: "ex-3" }, "y"),
    ];
    if (before) await pump.drain();
    else await pump.step().then(() => store.clear()); // derived once, before anything was erased
    for (const plan of plans) eraser.finish((await eraser.erase(plan)).erasure);
    await writer.close();
    const done = await pump.drain();
    assert.equal(done.position, 26);
    const rows = await store.query<{ account: string; exchanges: string[] }>(
      "SELECT account, arraySort(groupArray(exchange)) AS exchanges FROM exchange_features GROUP BY account ORDER BY account",
    );
    assert.deepEqual(rows, [
      { account: "account-0", exchanges: ["ex-0", "ex-6", "ex-9"] },
      { account: "account-2", exchanges: ["ex-11", "ex-2", "ex-5", "ex-8"] },
    ]);
    log.close();
  });
}
