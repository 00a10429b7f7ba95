// `adyton accounts unusual` on a store with a harvester among people, as a person would run it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DataFolder } from "../../src/config/data-folder.ts";
import { FEATURE_VERSION } from "../../src/detect/features/rows.ts";
import { Store } from "../../src/store/store.ts";
import { Place } from "./run.ts";

const START_MS = Date.parse("2026-01-05T00:00:00Z");
const place = new Place();

before(async () => {
  const { store: folder } = await DataFolder.create(place.data);
  const store = await Store.open({ folder });
  const row = (account: string, minutes: number, at: number): object => ({
    leaf: 0,
    exchange: `${account}-${at}`,
    account,
    time: new Date(START_MS + 60_000 * minutes).toISOString(),
    version: FEATURE_VERSION,
    served: 1,
    prompt_chars: 100,
    completion_tokens: 100,
    input: String(1_000_003 * (at + 1) + minutes),
  });
  const people = Array.from({ length: 60 }, (_, person) =>
    Array.from({ length: 3 }, (_, at) => row(`person-${person}`, (person % 24) * 60 + at, at)),
  );
  const harvester = Array.from({ length: 200 }, (_, at) => row("harvester", 20 * at, at));
  // Rows beyond the position are what a crash left; the next open would remove them.
  await store.insertBatch({
    rows: { exchange_features: [...people.flat(), ...harvester] },
    position: 1,
  });
  await store.close();
});
after(() => place.end());

test("the ranking names who is unlike its kind, why, and that nobody is accused", async () => {
  const { code, out, err } = await place.adyton("accounts unusual --at 2026-01-08 --limit 3");
  assert.equal(code, 0, err);
  const [title, first, ...rest] = out.trimEnd().split("\n");
  assert.match(title ?? "", /^account +e +p in its kind +mostly because it/);
  assert.match(first ?? "", /^harvester +\d.* works through a list +200 +67 +61: all accounts$/);
  assert.match(
    rest.at(-1) ?? "",
    /^61 accounts of 1 kinds\. e-BH .* rejects 0; one account alone would need e = 6100\.$/,
  );
  assert.equal(rest.length, 4);
});

test("as JSON it holds the evidence of each stream, and looks only at what was there", async () => {
  const value = await place.json("accounts unusual --at 2026-01-05T06:00:00Z --limit 1000");
  const { accounts, streams, total, rejected } = value as {
    accounts: { account: string; eValue: number; streams: number[]; counts: { inputs: number } }[];
    streams: { weight: number }[];
    total: number;
    rejected: number;
  };
  assert.deepEqual([accounts.length, total, rejected], [19, 19, 0]);
  const weights = streams.reduce((sum, { weight }) => sum + weight, 0);
  assert.ok(Math.abs(weights - 1) < 1e-9);
  const harvester = accounts.find(({ account }) => account === "harvester");
  assert.equal(harvester?.counts.inputs, 18);
  const mean = streams.reduce((sum, { weight }, at) => sum + weight * (harvester?.streams[at] ?? 0), 0);
  assert.ok(Math.abs(mean - (harvester?.eValue ?? 0)) < 1e-9);
});
