// An import that is killed again and again: run once more, everything is there once, and the store equals a rebuild.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DataFolder } from "../../src/config/data-folder.ts";
import { Store } from "../../src/store/store.ts";
import { smallWorld } from "../helpers/small-world.ts";
import { storeDigests } from "../helpers/store-digests.ts";

const ADYTON: string = fileURLToPath(new URL("../../bin/adyton.mjs", import.meta.url));
const EXCHANGES = 4_000;
const KILLS = 4;

test("killed imports leave no gap, no double row, and a store equal to a rebuild", {
  timeout: 400_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), "adyton-import-crash-"));
  try {
    const { exchanges, accounts } = smallWorld({ exchanges: EXCHANGES });
    await writeFile(join(root, "world.jsonl"), exchanges.join("\n"));
    await writeFile(join(root, "accounts.jsonl"), accounts.join("\n"));
    const data = join(root, "data");
    const args = [ADYTON, "import", "exchanges", join(root, "world.jsonl"), "--data", data, "--json"];
    const all = [...args, "--accounts", join(root, "accounts.jsonl")];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = spawn(process.execPath, all, { stdio: "ignore" });
      const exit = once(child, "exit");
      // From before the first record to well into sealing and ingest.
      await Promise.race([sleep(600 + Math.random() * 2_500), exit]);
      child.kill("SIGKILL");
      await exit;
    }
    const last = spawnSync(process.execPath, all, { encoding: "utf8" });
    assert.equal(last.status, 0, last.stderr);
    const found = await storeDigests(new DataFolder(data).store);
    const store = await Store.open({ folder: new DataFolder(data).store });
    const [complete] = await store.query<{ rows: number; ids: number }>(
      `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(exchange)) AS ids
       FROM exchange_features WHERE status > 0`,
    );
    await store.close();
    assert.deepEqual(
      complete,
      { rows: EXCHANGES, ids: EXCHANGES },
      "each exchange with its answer exactly once",
    );

    const rebuilt = spawnSync(process.execPath, [ADYTON, "store", "rebuild", "--data", data], {
      encoding: "utf8",
    });
    assert.equal(rebuilt.status, 0, rebuilt.stderr);
    assert.deepEqual(found, await storeDigests(new DataFolder(data).store));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
