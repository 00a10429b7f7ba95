// Accounts by how unlike their kind they work, over the API: the list, one account's place, and how long a ranking is kept.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { z } from "zod";
import { createApi } from "../../src/api/app.ts";
import * as accountsContract from "../../src/api/contract/accounts.ts";
import { UnusualAccounts } from "../../src/api/unusual-accounts.ts";
import { fleetScene } from "../helpers/fleet.ts";
import { openWorld, type World } from "../helpers/world.ts";

const scene = fleetScene(Date.UTC(2026, 2, 14), { days: 3, perDay: 3 });
let world: World;
let analyst: string;

before(async () => {
  world = await openWorld();
  await world.record(scene.exchanges, scene.facts);
  analyst = await world.signIn("analyst");
});
after(() => world.close());

test("accounts are listed by how unlike their kind they work, with the evidence, and pages and searches of it", async () => {
  const api = await createApi({ ...world.options, clock: () => Date.UTC(2026, 2, 18) });
  const list = async (query: string): Promise<z.infer<typeof accountsContract.accountPage>> => {
    const path = `/api/accounts?sort=unusual${query}`;
    const response = await api.request(path, { headers: { cookie: analyst } });
    return accountsContract.accountPage.parse(await response.json());
  };
  const { items, total } = await list("&limit=200");
  const served = new Set(scene.exchanges.map(({ account }) => account));
  assert.equal(total, served.size);
  const eValues = items.map(({ unusual }) => unusual?.eValue ?? Number.NaN);
  assert.deepEqual(
    eValues,
    [...eValues].sort((a, b) => b - a),
  );
  assert.ok(items.every(({ exchanges, lastAt }) => exchanges > 0 && lastAt !== null));
  const page = await list("&limit=2&page=2");
  assert.deepEqual(page.items, items.slice(2, 4));
  const last = await list("&limit=1&direction=asc");
  assert.equal(last.items[0]?.account, items.at(-1)?.account);
  const found = await list("&q=TEAWOOD");
  assert.deepEqual(
    found.items.map(({ account }) => account),
    ["acct_teawood"],
  );
  const path = `/api/accounts/${items[0]?.account}`;
  const response = await api.request(path, { headers: { cookie: analyst } });
  assert.deepEqual(accountsContract.account.parse(await response.json()).unusual, items[0]?.unusual);
  // On today's clock the traffic is older than a month.
  const today = await world.api.request(path, { headers: { cookie: analyst } });
  assert.equal(accountsContract.account.parse(await today.json()).unusual, null);
});

test("a ranking is made once in half an hour, for all who ask; a failure is not kept", async () => {
  let [nowMs, asked, isBroken] = [Date.UTC(2026, 2, 18), 0, true];
  const query = async <T>(...question: Parameters<World["store"]["query"]>): Promise<T[]> => {
    asked += 1;
    if (isBroken) throw new Error("the store is away");
    return world.store.query<T>(...question);
  };
  const unusual = new UnusualAccounts({ store: { query }, clock: () => nowMs });
  await assert.rejects(unusual.ranking(), /away/);
  isBroken = false;
  const [one, other] = await Promise.all([unusual.ranking(), unusual.ranking()]);
  assert.equal(one, other);
  assert.equal(asked, 2);
  nowMs += 29 * 60_000;
  assert.equal(await unusual.ranking(), one);
  nowMs += 2 * 60_000;
  assert.notEqual(await unusual.ranking(), one);
  assert.equal(asked, 3);
});
