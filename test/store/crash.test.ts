// A store that was killed again and again in the middle of its batches ends equal to one that never was.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Store } from "../../src/store/store.ts";
import { fill } from "./crash-child.ts";

const KILLS = 6;
const GOAL = 30_000;
const CHILD: string = fileURLToPath(new URL("crash-child.ts", import.meta.url));
const OWN: string = fileURLToPath(
  new URL("../../src/store/migrations/0001_ingest_positions.sql", import.meta.url),
);
const DIGEST = `
SELECT toUInt32(count()) AS rows, hex(groupBitXor(sipHash64(leaf, value))) AS digest
FROM (SELECT leaf, toString(n) AS value FROM numbers UNION ALL SELECT leaf, name AS value FROM names)`;

let root = "";
let migrations = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-store-crash-"));
  migrations = join(root, "migrations");
  await mkdir(migrations);
  await copyFile(OWN, join(migrations, "0001_ingest_positions.sql"));
  await writeFile(
    join(migrations, "0002_tables.sql"),
    `CREATE TABLE IF NOT EXISTS numbers (leaf UInt64, n UInt64) ENGINE = MergeTree ORDER BY leaf;
CREATE TABLE IF NOT EXISTS names (leaf UInt64, name String) ENGINE = MergeTree ORDER BY name;`,
  );
});
after(() => rm(root, { recursive: true, force: true }));

/** Runs the child until it has taken in some batches and a random moment has passed, then kills it. */
async function killSomewhere(folder: string): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, folder, migrations, String(GOAL)]);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exit = once(child, "exit");
  const batches = 1 + Math.floor(Math.random() * 6);
  while (child.exitCode === null && output.length < batches) await sleep(2);
  await sleep(Math.random() * 20);
  child.kill("SIGKILL");
  await exit;
  assert.doesNotMatch(output, /[^.done]/, "the child must only ever report batches");
  return output.endsWith("done");
}

test(`${KILLS} kills later every row is there exactly once`, { timeout: 300_000 }, async () => {
  const folder = join(root, "killed");
  for (let kill = 0; kill < KILLS; kill += 1) await killSomewhere(folder);
  const killed = await Store.open({ folder, migrations });
  const position = await killed.position();
  const [known] = await killed.query<{ rows: number }>(DIGEST);
  assert.equal(
    known?.rows,
    position + Math.ceil(position / 3),
    "nothing beyond the position, nothing missing before it",
  );
  await fill(killed, GOAL);
  const found = await killed.query(DIGEST);
  await killed.clear();
  await fill(killed, GOAL);
  assert.deepEqual(found, await killed.query(DIGEST));
  await killed.close();
});
