// An erased account: the state knows its pseudonym and nothing else, on both databases.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { sql } from "kysely";
import type { Finding } from "../../src/core/finding.ts";
import { State } from "../../src/state/state.ts";
import { type FreshState, onEachDatabase } from "../helpers/state-databases.ts";

const PSEUDONYM = "p_AAAAAAAAAAAAAAAAAAAAAA";
const NAME = "jane.doe@mail.example";

const finding: Finding = {
  id: "f-1",
  kind: "campaign",
  detector: "test/one",
  accounts: [NAME, "other"],
  timeMs: 1000,
  errorRate: "1 %",
  technique: null,
  summary: `${NAME} and other act as one`,
  contributions: [{ name: "busiest", value: NAME }],
};

let place: FreshState;
let state: State;

onEachDatabase((fresh) => {
  beforeEach(async () => {
    place = await fresh();
    state = await State.open({ ...place, now: () => 5000 });
  });
  afterEach(async () => {
    await state.close();
    place.remove();
  });

  test("facts, keys and names go; findings stay under the pseudonym; it can be repeated", async () => {
    const facts = {
      created: "2026-01-31T00:00:00.000Z",
      plan: "plan-of-jane",
      payment: "card-of-jane",
      country: "DE",
    };
    await state.accounts.ensure({
      account: NAME,
      emailDomain: "mail.example",
      organization: "Doe Ltd",
      declaredUse: "poems",
      ...facts,
    });
    await state.accounts.ensure({
      account: "other",
      emailDomain: null,
      organization: "Doe Ltd",
      declaredUse: null,
      ...facts,
    });
    await state.keys.create({ account: NAME, label: "laptop of jane", expiresAtMs: null });
    await state.findings.upsert([finding]);
    await state.eraseAccount({ name: NAME, pseudonym: PSEUDONYM });
    await state.findings.upsert([finding]); // detection may say it again before the store has forgotten
    await state.eraseAccount({ name: NAME, pseudonym: PSEUDONYM });

    assert.equal(await state.accounts.get(NAME), null);
    const alias = await state.accounts.demand(PSEUDONYM);
    assert.deepEqual([alias.status, alias.plan, alias.organization], ["suspended", null, null]);
    assert.equal((await state.accounts.demand("other")).plan, "plan-of-jane");
    const [key] = await state.keys.list({ account: PSEUDONYM });
    assert.deepEqual([key?.label, key?.revokedMs], ["(erased)", 5000]);
    const kept = (await state.findings.list({})).items[0]?.finding;
    assert.deepEqual(kept?.accounts, [PSEUDONYM, "other"]);
    assert.equal(kept?.summary, `${PSEUDONYM} and other act as one`);
    assert.equal(kept?.contributions[0]?.value, PSEUDONYM);

    for (const table of await state.database.introspection.getTables()) {
      const { rows } = await sql`select * from ${sql.table(table.name)}`.execute(state.database);
      assert.ok(!JSON.stringify(rows).includes("jane.doe"), table.name);
    }
    if (place.config.url !== null) return;
    for (const name of readdirSync(place.folder))
      for (const secret of [NAME, "laptop of jane", "poems"])
        assert.ok(!readFileSync(join(place.folder, name)).includes(secret), `${name}: ${secret}`);
  });
});
