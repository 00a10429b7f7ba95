// Detectors that run beside ticks find what looks find, hold up nobody, lose nobody, and bring nobody back who is erased.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CASE_START_MS } from "../../src/detect/case-rows.ts";
import { type Detector, loadDetectors } from "../../src/detect/catalog.ts";
import { type HuntResult, Watch } from "../../src/detect/hunt.ts";
import type { Source } from "../../src/detect/reader.ts";
import { Store } from "../../src/store/store.ts";
import {
  CLAIMED_MS,
  detectorNamed,
  endlessDetector,
  fillWithJoiners,
  JOINED_MS,
} from "../helpers/campaign-with-joiners.ts";

const HOUR_MS = 3_600_000;
const NOTHING = { findings: [], failures: [] };
const wording = await detectorNamed("shared-wording", { everyHours: 1 });
const endless = await endlessDetector();

function followUp({ followUps }: Detector, name: string): string {
  const sql = followUps[name];
  assert.ok(sql, name);
  return sql;
}

function accountsOf({ findings }: HuntResult): string[] {
  return findings.flatMap(({ accounts }) => accounts);
}

function joinersOf(result: HuntResult): string[] {
  return accountsOf(result).filter((account) => account.startsWith("joiner"));
}

/** A store that counts statements and can hold an answer back. */
function between(store: Store): {
  readonly store: Source;
  readonly count: (sql: string) => number;
  /** Of the next answer to `sql`. */
  readonly hold: (sql: string) => { readonly asked: Promise<void>; readonly letGo: () => void };
} {
  const counts = new Map<string, number>();
  const holds = new Map<string, { tell: () => void; until: Promise<void> }>();
  return {
    store: {
      get erasures() {
        return store.erasures;
      },
      async query<T>(...args: Parameters<Store["query"]>): Promise<T[]> {
        const [sql] = args;
        counts.set(sql, (counts.get(sql) ?? 0) + 1);
        const rows = await store.query<T>(...args);
        const hold = holds.get(sql);
        holds.delete(sql);
        hold?.tell();
        await hold?.until;
        return rows;
      },
    },
    count: (sql) => counts.get(sql) ?? 0,
    hold: (sql) => {
      const asked = Promise.withResolvers<void>();
      const until = Promise.withResolvers<void>();
      holds.set(sql, { tell: asked.resolve, until: until.promise });
      return { asked: asked.promise, letGo: until.resolve };
    },
  };
}

describe("a live watch", () => {
  let folder = "";
  let store: Store;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "adyton-live-"));
    store = await Store.open({ folder });
    await fillWithJoiners(store);
  });

  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("finds by runs between ticks what looks find", async () => {
    const detectors = await loadDetectors();
    const [looking, live] = [new Watch({ store, detectors }), new Watch({ store, detectors })];
    let found = 0;
    for (const hour of [30, 48, 60, 72]) {
      const nowMs = CASE_START_MS + hour * HOUR_MS;
      const look = await looking.look(nowMs);
      assert.equal(live.isDue(nowMs), true);
      await live.run(nowMs);
      assert.deepEqual(await live.tick(nowMs), look, `hour ${hour}`);
      assert.equal(live.isDue(nowMs), false);
      found += look.findings.length;
    }
    assert.ok(found >= 3, String(found));
  });

  test("sees who joins while detectors run, and what they find afterwards", async () => {
    const asked = between(store);
    const watch = new Watch({ store: asked.store, detectors: [wording] });
    const first = asked.hold(wording.sql);
    const claiming = watch.run(CLAIMED_MS);
    await first.asked;
    assert.deepEqual(await watch.tick(CLAIMED_MS), NOTHING);
    first.letGo();
    await claiming;
    const claimed = await watch.tick(CLAIMED_MS);
    assert.deepEqual([accountsOf(claimed).length, joinersOf(claimed)], [12, []]);

    const second = asked.hold(wording.sql);
    const again = watch.run(JOINED_MS);
    await second.asked;
    const meanwhile = await watch.tick(JOINED_MS);
    assert.deepEqual([accountsOf(meanwhile).length, joinersOf(meanwhile)], [14, ["joiner-1", "joiner-2"]]);
    assert.equal(meanwhile.findings[0]?.contributions.at(-1)?.name, "joined since");
    second.letGo();
    await again;
    assert.deepEqual(joinersOf(await watch.tick(JOINED_MS)), ["joiner-1", "joiner-2"]);
  });

  test("loses nobody when a run renews a claim while a tick asks who joined it", async () => {
    const joiners = followUp(wording, "joiners");
    const asked = between(store);
    const watch = new Watch({ store: asked.store, detectors: [wording] });
    await watch.run(CLAIMED_MS);
    assert.equal(joinersOf(await watch.tick(JOINED_MS)).length, 2);
    const countBefore = asked.count(joiners);
    const held = asked.hold(joiners);
    const tick = watch.tick(JOINED_MS);
    await held.asked;
    // As of before they joined: the new claim has nobody of them, and the old one is gone.
    await watch.run(CLAIMED_MS + HOUR_MS);
    held.letGo();
    assert.deepEqual(joinersOf(await tick), ["joiner-1", "joiner-2"]);
    assert.equal(asked.count(joiners) - countBefore, 2, "by the tick, and by the tick again");
  });

  test("tells once of a detector that fails in a run; the others go on", async () => {
    const broken = { ...endless, id: "broken", sql: "SELECT * FROM no_such_table" };
    const watch = new Watch({ store, detectors: [broken, wording] });
    await watch.run(CLAIMED_MS);
    const { findings, failures } = await watch.tick(CLAIMED_MS);
    assert.equal(findings.length, 1);
    assert.deepEqual(
      failures.map(({ detector, error }) => [detector, error.code]),
      [["broken", "detector-failed"]],
    );
    assert.deepEqual((await watch.tick(CLAIMED_MS)).failures, []);
    assert.equal(watch.isDue(CLAIMED_MS), true, "it is tried again");
  });

  test("looks for a person after the run under way: no detector runs twice at once", async () => {
    const asked = between(store);
    const watch = new Watch({ store: asked.store, detectors: [wording] });
    const held = asked.hold(wording.sql);
    const run = watch.run(JOINED_MS);
    await held.asked;
    const look = watch.look(JOINED_MS, { everything: true });
    assert.deepEqual(await watch.tick(JOINED_MS), NOTHING);
    assert.equal(asked.count(wording.sql), 1);
    held.letGo();
    await run;
    const alone = new Watch({ store, detectors: [wording] });
    await alone.look(JOINED_MS);
    assert.deepEqual(await look, await alone.look(JOINED_MS, { everything: true }));
    assert.equal(asked.count(wording.sql), 2);
  });

  test("ends the statement of a run that is told to, and begins no further detector", async () => {
    const asked = between(store);
    const stop = new AbortController();
    const watch = new Watch({ store: asked.store, detectors: [endless, wording] });
    const run = watch.run(CLAIMED_MS, { signal: stop.signal });
    assert.deepEqual(await watch.tick(CLAIMED_MS), NOTHING);
    stop.abort();
    await run;
    assert.equal(asked.count(wording.sql), 0);
    assert.deepEqual(await watch.tick(CLAIMED_MS), NOTHING);
    assert.ok((await watch.run(CLAIMED_MS, { signal: stop.signal })) < 1000);
  });
});

test("an account that is erased while a detector reads does not come back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-live-erased-"));
  const store = await Store.open({ folder });
  try {
    await fillWithJoiners(store);
    const erase = (account: string): Promise<void> =>
      store.erase({ records: [], account: { isErased: (name) => name === account, before: 2 ** 40 } });
    const asked = between(store);
    const watch = new Watch({ store: asked.store, detectors: [wording] });
    const members = asked.hold(followUp(wording, "members"));
    const run = watch.run(CLAIMED_MS);
    await members.asked;
    await erase("dealt-3");
    members.letGo();
    await run;
    const claimed = await watch.tick(CLAIMED_MS);
    assert.deepEqual(claimed.failures, []);
    assert.deepEqual(
      [accountsOf(claimed).includes("dealt-4"), accountsOf(claimed).includes("dealt-3")],
      [true, false],
    );
    assert.equal(asked.count(wording.sql), 2, "what the erasure overtook is read again");

    const joiners = asked.hold(followUp(wording, "joiners"));
    const tick = watch.tick(JOINED_MS);
    await joiners.asked;
    await erase("joiner-1");
    joiners.letGo();
    assert.deepEqual(joinersOf(await tick), ["joiner-2"]);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
