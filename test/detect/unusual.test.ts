// Accounts ranked on the real engine: who works through a list among people and products comes first, and nobody is accused.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FEATURE_VERSION } from "../../src/detect/features/rows.ts";
import { STREAMS } from "../../src/detect/unusual/rank-accounts.ts";
import { rankStored } from "../../src/detect/unusual/rank-stored.ts";
import { type AccountCounts, SELECT_ACCOUNT_COUNTS } from "../../src/store/queries/account-counts.ts";
import { Store } from "../../src/store/store.ts";
import { generator } from "../statistics/generator.ts";

const START_MS = Date.parse("2026-01-05T00:00:00Z");
const HOUR_MS = 3_600_000;
const LEVEL = 0.01;

interface Asked {
  readonly atHours: number;
  readonly input: number;
  readonly continued?: boolean;
  readonly system?: boolean;
  readonly served?: boolean;
}

function rowsOf(account: string, asked: readonly Asked[]): object[] {
  return asked.map(({ atHours, input, continued = false, system = false, served = true }, at) => ({
    exchange: `${account}-${at}`,
    account,
    time: new Date(START_MS + Math.round(atHours * HOUR_MS)).toISOString(),
    version: FEATURE_VERSION,
    served: served ? 1 : 0,
    continued: continued ? 1 : 0,
    system: system ? "1" : "0",
    prompt_chars: 200,
    completion_tokens: system ? 20 : 200,
    capabilities: 0,
    input: String(input),
  }));
}

async function withStore(run: (store: Store) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-unusual-"));
  const store = await Store.open({ folder });
  try {
    await run(store);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

test("hours of a list are those in which nearly everything is new: by hand", () =>
  withStore(async (store) => {
    await store.insert("exchange_features", [
      ...rowsOf("ann", [
        { atHours: 1.0, input: 1 },
        { atHours: 1.1, input: 2 },
        { atHours: 1.2, input: 2 }, // again in the hour: no list
        { atHours: 9.0, input: 3 },
        { atHours: 9.1, input: 4, continued: true }, // followed up: no list
        { atHours: 14.0, input: 5, system: true },
        { atHours: 14.5, input: 6, served: false }, // no answer: counts for nothing
        { atHours: 20.0, input: 1 }, // asked before: no list
        { atHours: 27.0, input: 7 },
        { atHours: 29.0, input: 8 }, // the same quarter of the day as 27
        { atHours: 60.0, input: 9 }, // after the look
      ]),
    ]);
    const [row] = await store.query<AccountCounts>(SELECT_ACCOUNT_COUNTS, {
      fromMs: START_MS,
      nowMs: START_MS + 48 * HOUR_MS,
    });
    assert.ok(row !== undefined);
    const { hours, exchanges, inputs, listHours, laterListQuarters, blocks, withSystem, sinceMs } = row;
    assert.deepEqual(
      { hours, exchanges, inputs, listHours, laterListQuarters, blocks, withSystem, sinceMs },
      {
        hours: 6,
        exchanges: 9,
        inputs: 6,
        listHours: 3,
        laterListQuarters: 2,
        blocks: [2, 1, 1, 1, 0, 1],
        withSystem: 1,
        sinceMs: START_MS + HOUR_MS,
      },
    );
  }));

test("a harvester among people comes first after a day, by evidence that stays bounded, and e-BH rejects nobody", () =>
  withStore(async (store) => {
    const random = generator(5);
    let asked = 0;
    const fresh = (): number => {
      asked += 1;
      return asked;
    };
    // People sit down now and then and mostly ask new things; products ask all day, mostly what they asked before.
    const people = Array.from({ length: 120 }, (_, person) => {
      const hours = Array.from({ length: 1 + Math.floor(6 * random()) }, () => Math.floor(80 * random()) + 9);
      return rowsOf(
        `person-${person}`,
        hours.flatMap((hour) => [
          { atHours: hour, input: fresh() },
          { atHours: hour + 0.2, input: fresh(), continued: random() < 0.3 },
        ]),
      );
    });
    const products = Array.from({ length: 60 }, (_, product) =>
      rowsOf(
        `product-${product}`,
        Array.from({ length: 200 }, (_, at) => ({
          atHours: at / 2,
          input: 1_000_000 * (product + 1) + Math.floor(40 * random()),
          system: true,
        })),
      ),
    );
    const harvester = rowsOf(
      "harvester",
      Array.from({ length: 300 }, (_, at) => ({ atHours: at / 3, input: fresh() })),
    );
    await store.insert("exchange_features", [...people.flat(2), ...products.flat(), ...harvester]);
    const young = await rankStored(store, { nowMs: START_MS + 36 * HOUR_MS, level: LEVEL });
    assert.equal(young.accounts[0]?.account, "harvester");
    const ranking = await rankStored(store, { nowMs: START_MS + 100 * HOUR_MS, level: LEVEL });
    const [first, second] = ranking.accounts;
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.account, "harvester");
    assert.ok(first.eValue >= 5 && first.eValue > second.eValue, `${first.eValue} over ${second.eValue}`);
    assert.ok(first.kind.includes("without a system prompt"), first.kind);
    assert.equal(first.rank, 1 / first.kindAccounts);
    assert.equal(first.streams.length, STREAMS.length);
    assert.deepEqual([ranking.rejected, ranking.neededAlone, ranking.accounts.length], [0, 18_100, 181]);
    const products10 = ranking.accounts.slice(0, 10).filter(({ account }) => account.startsWith("product"));
    assert.deepEqual(products10, []);
    const again = await rankStored(store, { nowMs: START_MS + 100 * HOUR_MS, level: LEVEL });
    assert.deepEqual(again, ranking);
  }));

test("an empty store ranks nobody", () =>
  withStore(async (store) => {
    const { accounts, rejected } = await rankStored(store, { nowMs: START_MS, level: LEVEL });
    assert.deepEqual([accounts, rejected], [[], 0]);
  }));
