// `adyton erase` and `adyton hold` as a person runs them: refused under a hold, done after it, and said in the log.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Place } from "../cli/run.ts";

test("an account is held, released, erased, and found in no file any more", async (t) => {
  const place = new Place();
  t.after(() => place.end());
  await place.adyton("accounts add zebra-industries --plan striped --organization 'Zebra Ltd'");
  await place.adyton("keys create --account zebra-industries --label zoo");
  const held = await place.adyton(
    "hold place --account zebra-industries --authority Court --reference 1/26 --reason order --json",
  );
  const { hold } = JSON.parse(held.out) as { hold: string };
  const dry = await place.adyton("erase --account zebra-industries --dry-run --json");
  const plan = JSON.parse(dry.out) as { records: number; keys: number; holds: object[] };
  assert.deepEqual([plan.records, plan.keys, plan.holds.length], [2, 1, 1]);
  const refused = await place.adyton("erase --account zebra-industries --legal-basis 'GDPR 17'");
  assert.deepEqual([refused.code, /log\.held/.test(refused.err)], [1, true]);
  assert.equal((await place.adyton(`hold release ${hold} --authority Court --reason over`)).code, 0);
  const done = await place.adyton("erase --account zebra-industries --legal-basis 'GDPR 17' --json");
  const { erased } = JSON.parse(done.out) as {
    erased: { records: number; keys: number; tombstone: number }[];
  };
  assert.deepEqual([erased[0]?.records, erased[0]?.keys], [2, 1]);
  const files = readdirSync(place.data, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const { parentPath, name } of files) {
    const bytes = readFileSync(join(parentPath, name));
    for (const secret of ["zebra-industries", "striped", "Zebra Ltd"])
      assert.ok(!bytes.includes(secret), `${name} holds ${secret}`);
  }
  assert.equal((await place.adyton("log fsck")).code, 0);
});
