// Of a wording with many users a part is counted: what it says agrees with the count of all, and is the same every time.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CASE_START_MS, rowsOfCase } from "../../src/detect/case-rows.ts";
import { loadCases } from "../../src/detect/cases.ts";
import { type Detector, listParameter, loadDetectors } from "../../src/detect/catalog.ts";
import { rowsOf } from "../../src/detect/claims/claim.ts";
import { FEATURE_VERSION } from "../../src/detect/features/rows.ts";
import { hunt } from "../../src/detect/hunt.ts";
import { MIN_PERSISTENT, WHOLE_USERS } from "../../src/detect/judges/shared-wording.ts";
import { SKETCH_SIZE, type WordingCount } from "../../src/detect/judges/wording-families.ts";
import { Store } from "../../src/store/store.ts";
import { generator } from "../statistics/generator.ts";

const HOUR_MS = 3_600_000;
const USERS = 6_000;
const NOW_MS = CASE_START_MS + 100 * HOUR_MS;

const detector = (await loadDetectors()).find(({ id }) => id === "shared-wording") as Detector; // it is in the catalogue

/** 6,000 users of one wording, of whom a fifth come back to it, some with a question of others; and some small wordings. */
function madeRows(): object[] {
  const random = generator(3);
  const rows: object[] = [];
  const ask = (account: string, hour: number, affixes: readonly number[], input: string): void => {
    rows.push({
      leaf: rows.length,
      exchange: `x${rows.length}`,
      account,
      time: new Date(CASE_START_MS + Math.round((hour + random()) * HOUR_MS)).toISOString(),
      version: FEATURE_VERSION,
      served: 1,
      affixes: affixes.map(String),
      input,
    });
  };
  for (let user = 0; user < USERS; user += 1) {
    const hours = random() < 0.2 ? 2 + Math.floor(random() * 8) : 1;
    for (let turn = 0; turn < hours; turn += 1) {
      const shared = random() < 0.1;
      const input = shared ? 1_000_000 + Math.floor(random() * 500) : 2_000_000 + rows.length;
      ask(`user ${user}`, Math.floor(random() * 90), [7, user % 2 === 0 ? 8 : 100 + (user % 40)], `${input}`);
    }
  }
  return rows;
}

async function surveyed(store: Store, wholeUsers: number): Promise<Map<string, WordingCount>> {
  const options = { nowMs: NOW_MS, level: 0.01 };
  const rows = await rowsOf<WordingCount>(store, detector, options, {
    hourLevels: listParameter(detector, "hourLevels"),
    minPersistent: MIN_PERSISTENT,
    sketchSize: SKETCH_SIZE,
    wholeUsers,
  });
  return new Map(rows.map((row) => [row.affix, row]));
}

describe("halved wordings", () => {
  let folder = "";
  let store: Store;
  const fill = async (batches: readonly (readonly object[])[]): Promise<void> => {
    await store.clear();
    for (const batch of batches) await store.insert("exchange_features", batch);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "adyton-halved-"));
    store = await Store.open({ folder });
    await fill([madeRows()]);
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("the part that is counted agrees with the whole within its sampling error", async () => {
    const [whole, part] = [await surveyed(store, 1e9), await surveyed(store, WHOLE_USERS)];
    assert.deepEqual([...part.keys()], [...whole.keys()]);
    for (const affix of ["7", "8"]) {
      const [all, some] = [whole.get(affix), part.get(affix)];
      assert.ok(all !== undefined && some !== undefined);
      assert.equal(all.halvings, 0);
      const factor = 2 ** some.halvings;
      assert.ok(
        some.sharers > WHOLE_USERS / 4 && some.sharers < WHOLE_USERS * 1.5,
        `${some.sharers} counted`,
      );
      // Four standard deviations: of a binomial draw of users, and of the share of users that come back.
      const drawn = Math.sqrt((all.sharers / factor) * (1 - 1 / factor));
      assert.ok(Math.abs(some.sharers - all.sharers / factor) < 4 * drawn, `${some.sharers} x ${factor}`);
      for (const [level, hits] of all.hits.entries()) {
        const share = hits / all.sharers;
        const error = Math.sqrt((share * (1 - share)) / some.sharers);
        const found = (some.hits[level] ?? 0) / some.sharers;
        assert.ok(Math.abs(found - share) < 4 * error, `level ${level}: ${found}, expected ${share}`);
      }
      const mean = some.inputs / some.sharers;
      assert.ok(Math.abs(mean - all.inputs / all.sharers) < 0.5, `${mean} inputs a user`);
      // Both know the users with the smallest hashes, and some know all of their beginnings.
      assert.deepEqual(some.users, all.users);
      assert.equal(some.users.length, SKETCH_SIZE);
      const begun = new Set(all.startsMs);
      assert.ok(some.startsMs.length > 0 && some.startsMs.every((ms) => begun.has(ms)));
    }
  });

  test("small wordings are counted whole", async () => {
    const [whole, part] = [await surveyed(store, 1e9), await surveyed(store, WHOLE_USERS)];
    const small = [...whole].filter(([, { sharers }]) => sharers < WHOLE_USERS / 2);
    assert.equal(small.length, 20);
    for (const [affix, row] of small) assert.deepEqual(part.get(affix), row);
  });

  test("equal stores give equal rows, whatever the order in which they were filled", async () => {
    const rows = madeRows();
    const [later, earlier] = [rows.filter((_, at) => at % 3 === 0), rows.filter((_, at) => at % 3 !== 0)];
    const first = await surveyed(store, WHOLE_USERS);
    assert.deepEqual(await surveyed(store, WHOLE_USERS), first);
    await fill([later, earlier.reverse()]);
    assert.deepEqual(await surveyed(store, WHOLE_USERS), first);
  });

  test("a claim names all its members, counts all their inputs, and says of how many users it speaks", async () => {
    const dealt = (await loadCases(detector)).find(({ name }) => name === "hit-dealt-list");
    assert.ok(dealt);
    const traffic = dealt.traffic.map((part) =>
      part.accounts === dealt.expect[0] ? { ...part, count: 1_200 } : part,
    );
    await fill([rowsOfCase({ ...dealt, traffic }).exchange_features]);
    const nowMs = CASE_START_MS + dealt.lookAtHour * HOUR_MS;
    const { findings, failures } = await hunt({ store, detectors: [detector], nowMs });
    assert.deepEqual(failures, []);
    const [finding] = findings;
    assert.equal(finding?.accounts.length, 1_200);
    const inputs = 1_200 * (traffic.find(({ count }) => count === 1_200)?.exchanges ?? 0);
    assert.match(finding?.summary ?? "", new RegExp(`: ${inputs} inputs under one wording`));
    assert.match(finding?.contributions[0]?.value ?? "", /sharers \(a random part: one in 4\) over/);
  });
});
