// Honest groups that share a wording and a start, in a made-up world without an attacker: nobody is accused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadDetectors } from "../../src/detect/catalog.ts";
import { Watch } from "../../src/detect/hunt.ts";
import { inMadeWorld, skipWorlds } from "../helpers/made-world.ts";

const SEED = 31;
const HOUR_MS = 3_600_000;
const EVERY_HOURS = 12;

test("a launch, a course, homework, a company, a platform, a fashion and a release are no campaigns and no probes", {
  skip: skipWorlds,
}, async () => {
  await inMadeWorld({ config: "look-alikes.json", seed: SEED }, async (store, truth) => {
    const watch = new Watch({ store, detectors: await loadDetectors() });
    const accused = new Map<string, string>();
    const startMs = Date.parse(truth.world.start);
    for (let hour = EVERY_HOURS; hour <= 24 * truth.world.days; hour += EVERY_HOURS) {
      const { findings, failures } = await watch.look(startMs + hour * HOUR_MS);
      assert.deepEqual(failures, []);
      for (const { accounts, summary } of findings)
        for (const account of accounts)
          accused.set(account, `${truth.accounts[account]?.group ?? "nobody's"}: ${summary}`);
    }
    assert.deepEqual([...new Set(accused.values())], []);
  });
});
