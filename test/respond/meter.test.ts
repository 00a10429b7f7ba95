// Budgets that the analytical store counts: what was drawn in a window, by whom, and until when it is spent.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type BudgetConfig, respondSection } from "../../src/config/respond-section.ts";
import { unknownAccount } from "../../src/core/account.ts";
import type { Act } from "../../src/core/acts.ts";
import type { NeutralExchange } from "../../src/core/decode/neutral.ts";
import { MEASURE_EVERY_MS, Meter } from "../../src/respond/meter.ts";
import { VerdictTable } from "../../src/state/verdict-table.ts";
import { selectSpent } from "../../src/store/queries/budgets.ts";
import { openWorld, type World } from "../helpers/world.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.now();

describe("the meter", () => {
  let world: World;
  const nowMs = NOW_MS;

  before(async () => {
    world = await openWorld();
    const facts = ["a", "b", "c"].map((account) => ({
      ...unknownAccount(account),
      organization: account === "c" ? null : "Acme",
    }));
    const exchanges = [
      exchange("1", "a", { ago: 3 * HOUR_MS, prompt: "a first question about tides", tokens: 10 }),
      exchange("2", "a", { ago: 2 * HOUR_MS, prompt: "a second one, about bees", tokens: 20 }),
      exchange("3", "a", { ago: 1 * HOUR_MS, prompt: "a second one, about bees", tokens: 30 }),
      exchange("4", "b", { ago: 1 * HOUR_MS, prompt: "why is the sky blue", tokens: 5, topLogprobs: 20 }),
      exchange("5", "c", { ago: 1 * HOUR_MS, prompt: "how do lenses work", tokens: 7, status: 500 }),
    ];
    await world.record(exchanges, facts);
  });
  after(() => world.close());

  async function measure(
    budget: Partial<BudgetConfig>,
    clock: () => number = () => nowMs,
  ): Promise<{ spent: Record<string, number>; acts: Act[]; table: VerdictTable }> {
    const acts: Act[] = [];
    const name = `b-${budget.unit?.toLowerCase()}-${budget.scope}`;
    const config = respondSection.parse({
      budgets: [{ name, windowSeconds: 2 * 86_400, scope: "account", limit: 1, ...budget }],
    });
    const meter = new Meter({
      ...{ state: world.state, config, now: clock },
      record: async (some) => {
        acts.push(...some);
      },
      ask: async ({ unit, sinceMs, ...rest }) => {
        const rows = await world.store.query<{ scope: string; oldest_ms: number }>(selectSpent(unit), {
          since_ms: sinceMs,
          ...rest,
        });
        return rows.map(({ scope, oldest_ms }) => ({ scope, oldestMs: oldest_ms }));
      },
    });
    await meter.look();
    const table = await VerdictTable.open(world.state, { refreshMs: HOUR_MS, now: clock });
    table.close();
    const listed = await world.state.budgetStops.list(name);
    for (const { scope, untilMs } of listed) assert.equal(table.spentUntil(name, scope), untilMs);
    return { spent: Object.fromEntries(listed.map(({ scope, untilMs }) => [scope, untilMs])), acts, table };
  }

  const who = async (budget: Partial<BudgetConfig>): Promise<string[]> =>
    Object.keys((await measure(budget)).spent);

  it("counts each unit over what was served", async () => {
    assert.deepEqual(await who({ unit: "requests", limit: 3 }), ["account:a"]);
    assert.deepEqual(await who({ unit: "requests", limit: 1 }), ["account:a", "account:b"]);
    assert.deepEqual(await who({ unit: "outputTokens", limit: 60 }), ["account:a"]);
    assert.deepEqual(await who({ unit: "outputTokens", limit: 61 }), []);
    assert.deepEqual(await who({ unit: "distinctPrompts", limit: 2 }), ["account:a"]);
    assert.deepEqual(await who({ unit: "distinctPrompts", limit: 3 }), []);
    assert.deepEqual(await who({ unit: "logprobEntries", limit: 100 }), ["account:b"]);
    assert.deepEqual(await who({ unit: "logprobEntries", limit: 101 }), []);
    assert.deepEqual(await who({ unit: "embeddingCells", limit: 1 }), ["account:a", "account:b"]);
    assert.deepEqual(await who({ unit: "embeddingCells", limit: 4 }), [], "at most one for each exchange");
  });

  it("adds up organisations, live verdicts and everybody", async () => {
    assert.deepEqual(await who({ unit: "distinctPrompts", limit: 3, scope: "organization" }), [
      "organization:Acme",
    ]);
    assert.deepEqual(await who({ unit: "distinctPrompts", limit: 3, scope: "global" }), ["global"]);
    const { id } = await world.state.verdicts.propose({
      ...{ measure: "slow", reason: "unusual-use", shadow: false, lifeMs: HOUR_MS, inheritLimit: 0 },
      ...{ accounts: ["a", "b"], by: "user:ada" },
    });
    assert.deepEqual(await who({ unit: "distinctPrompts", limit: 3, scope: "campaign" }), []);
    await world.state.verdicts.approve(id, { by: "user:ada", note: "seen", effectiveMs: nowMs });
    assert.deepEqual(await who({ unit: "distinctPrompts", limit: 3, scope: "campaign" }), [`verdict:${id}`]);
  });

  it("frees whoever is within the budget again, and tells the log who is new", async () => {
    const budget = { unit: "inputTokens", scope: "account", limit: 3 } as const;
    const { spent, acts } = await measure(budget);
    const oldestMs = nowMs - 3 * HOUR_MS;
    assert.equal(
      spent["account:a"],
      oldestMs + 2 * 86_400_000,
      "no sooner than the oldest leaves the window",
    );
    assert.deepEqual(
      acts.map(({ act }) => act),
      ["budget.spent", "budget.spent"],
    );
    assert.deepEqual((await measure(budget)).acts, [], "nobody is new");
    const later = nowMs + 2 * 86_400_000 - HOUR_MS - MEASURE_EVERY_MS;
    const again = await measure({ ...budget, limit: 1000 }, () => later);
    assert.deepEqual(again.spent, {});
  });

  it("counts a cell of the embedding space once, however far out in it", async () => {
    const along = (value: number): number[] => [value, ...new Array<number>(63).fill(0)];
    const row = { account: "z", time: NOW_MS - 60_000, served: 1, status: 200 };
    await world.store.insert("exchange_features", [
      { ...row, exchange: "z-1", embedding: along(50) },
      { ...row, exchange: "z-2", embedding: along(100) },
      { ...row, exchange: "z-3", embedding: along(-100) },
    ]);
    const z = async (limit: number): Promise<boolean> =>
      (await who({ unit: "embeddingCells", limit })).includes("account:z");
    assert.equal(await z(2), true);
    assert.equal(await z(3), false);
  });
});

function exchange(
  id: string,
  account: string,
  given: { ago: number; prompt: string; tokens: number; topLogprobs?: number; status?: number },
): NeutralExchange {
  const { ago, prompt, tokens, topLogprobs, status = 200 } = given;
  const openedAtMs = NOW_MS - ago;
  const asks = topLogprobs === undefined ? {} : { logprobs: true, top_logprobs: topLogprobs };
  return {
    id: `x-${id}`,
    account,
    key: null,
    openedAtMs,
    closedAtMs: openedAtMs + 500,
    client: { ip: "203.0.113.7", asn: null, country: null, userAgent: null, ja4: null, headers: [] },
    endpoint: "/v1/chat/completions",
    request: { model: "atlas", messages: [{ role: "user", content: prompt }], ...asks },
    answer: {
      status,
      text: status === 200 ? "An answer." : "",
      finishReason: "stop",
      toolCalls: [],
      usage: status === 200 ? { promptTokens: 4, completionTokens: tokens } : null,
    },
  };
}
