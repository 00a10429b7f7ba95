// A finding's accounts read as one: a pool that asks unlike the others stands out, and one like them does not.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { embed } from "../../src/detect/features/embedding.ts";
import { FEATURE_VERSION } from "../../src/detect/features/rows.ts";
import { shapeOf } from "../../src/detect/features/shape.ts";
import { comparePool } from "../../src/detect/sketch/pool.ts";
import { Store } from "../../src/store/store.ts";
import { generator } from "../statistics/generator.ts";

const START_MS = Date.parse("2026-01-05T00:00:00Z");
const HOUR_MS = 3_600_000;

/** Accounts of one kind: people ask what they like by day and go on with it; machines take a list in turn, all day long. */
function rowsOf(
  prefix: string,
  accounts: number,
  kind: "people" | "machines",
  random: () => number,
): object[] {
  return Array.from({ length: accounts }, (_, account) =>
    Array.from({ length: 24 }, (_, at) => {
      const person = kind === "people";
      const words = Array.from({ length: 10 }, () => `w${Math.floor(random() * (person ? 900 : 20))}`);
      const text = words.join(" ");
      return {
        exchange: `${prefix}${account}-${at}`,
        account: `${prefix}${account}`,
        time: new Date(START_MS + HOUR_MS * (person ? 24 * at + 9 + (at % 3) : at)).toISOString(),
        version: FEATURE_VERSION,
        served: 1,
        continued: person && at % 3 === 2 ? 1 : 0,
        prompt_chars: text.length,
        input: String(Math.floor(random() * 2 ** 52)),
        skeleton: String(person ? Math.floor(random() * 2 ** 52) : 7),
        embedding: embed(words, 1),
        shape: shapeOf(person ? text : `${text}?`),
      };
    }),
  ).flat();
}

test("a pool of machines stands out among people, and a pool of people does not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-pool-"));
  const store = await Store.open({ folder });
  try {
    const random = generator(21);
    await store.insert("exchange_features", [
      ...rowsOf("person-", 40, "people", random),
      ...rowsOf("machine-", 6, "machines", random),
    ]);
    const untilMs = START_MS + 40 * 24 * HOUR_MS;
    const machines = Array.from({ length: 6 }, (_, at) => `machine-${at}`);
    const odd = await comparePool(store, machines, untilMs);
    assert.ok(odd !== null);
    assert.deepEqual([odd.members, odd.others], [6, 40]);
    assert.ok(odd.bytesEach <= 4_096);
    for (const name of ["distance", "skeletonRepetition", "rhythm", "nearPairs"] as const) {
      const measure = odd.measures.find((one) => one.name === name);
      assert.ok(measure !== undefined && measure.pValue <= 0.02, `${name}: ${JSON.stringify(measure)}`);
    }
    assert.deepEqual(await comparePool(store, machines, untilMs), odd);
    assert.equal(await comparePool(store, machines, START_MS), null);
    // People alone: the six are a random draw, so no measure may stand out at a twentieth of a hundredth.
    await store.execute(
      "ALTER TABLE exchange_features DELETE WHERE account LIKE 'machine%' SETTINGS mutations_sync = 2",
    );
    const people = Array.from({ length: 6 }, (_, at) => `person-${at}`);
    const usual = await comparePool(store, people, untilMs);
    assert.ok(usual !== null && usual.pValue > 0.05, JSON.stringify(usual));
    assert.equal(await comparePool(store, ["nobody"], untilMs), null);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
