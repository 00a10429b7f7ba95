// A finding's graph over the API, from real records: lanes, marks and the facts that set its accounts apart.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type FindingGraph,
  findingGraph,
  GRAPH_FACTS_MAX,
  GRAPH_LANES_MAX,
} from "../../src/api/contract/finding-graph.ts";
import { unknownAccount } from "../../src/core/account.ts";
import type { NeutralExchange } from "../../src/core/decode/neutral.ts";
import { FLEET_FINDING, fleetScene } from "../helpers/fleet.ts";
import { openWorld, type World } from "../helpers/world.ts";

const END_MS = Date.UTC(2026, 2, 14);
const scene = fleetScene(END_MS, { days: 3, perDay: 3 });
const WIDE = "campaign-wide";
/** More accounts than lanes; each account has one exchange more than the one before. */
const crowd = Array.from({ length: GRAPH_LANES_MAX + 7 }, (_, index) => `crowd-${100 + index}`);
let world: World;
let viewer: string;

before(async () => {
  world = await openWorld();
  const [model] = scene.exchanges;
  const [finding] = scene.findings;
  assert.ok(model !== undefined && finding !== undefined);
  await world.record([...scene.exchanges, ...crowdExchanges(model)], scene.facts);
  const wide = {
    ...finding,
    id: WIDE,
    accounts: [...crowd, "crowd-silent"],
    timeMs: END_MS + 86_400_000,
    firstMs: END_MS,
  };
  await world.state.accounts.ensureAll(wide.accounts.map((account) => unknownAccount(account)));
  await world.state.findings.upsert([...scene.findings, wide]);
  viewer = await world.signIn("viewer");
});
after(() => world.close());

/** Each on a network of its own with a prompt of its own: nothing links them but one system prompt. */
function crowdExchanges(model: NeutralExchange): NeutralExchange[] {
  return crowd.flatMap((account, index) =>
    Array.from({ length: 1 + (index % 5) }, (_, turn) => ({
      ...model,
      id: `${account}-${turn}`,
      account,
      openedAtMs: END_MS + index * 60_000 + turn,
      closedAtMs: END_MS + index * 60_000 + turn + 5,
      client: { ...model.client, ip: `198.51.${index}.1`, userAgent: `agent ${index}` },
      request: {
        model: "atlas-large",
        messages: [
          { role: "system", content: "Answer as the oracle of Delphi would." },
          { role: "user", content: `word${index} thing${turn} ${account}` },
        ],
      },
    })),
  );
}

async function graph(id: string): Promise<{ graph: FindingGraph; text: string }> {
  const response = await world.api.request(`/api/findings/${id}/graph`, { headers: { cookie: viewer } });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { graph: findingGraph.parse(JSON.parse(text)), text };
}

test("each account is a lane with its exchanges by bucket, in the order of first exchanges", async () => {
  const { graph: drawn } = await graph(FLEET_FINDING);
  assert.deepEqual(drawn.lanes.map(({ account }) => account).sort(), [...scene.fleet].sort());
  assert.deepEqual(
    [drawn.accounts, drawn.active, drawn.raisedAt],
    [14, 14, new Date(END_MS - 86_400_000).toISOString()],
  );
  const firsts = drawn.lanes.map(({ firstAt }) => firstAt);
  assert.deepEqual(firsts, [...firsts].sort());
  for (const lane of drawn.lanes) {
    const own = scene.exchanges.filter(({ account }) => account === lane.account);
    const bucketOf = (atMs: number): number =>
      Math.floor((atMs - Date.parse(drawn.from)) / (drawn.bucketSeconds * 1000));
    const counts = Map.groupBy(own, ({ openedAtMs }) => bucketOf(openedAtMs));
    const expected = [...counts].map(([bucket, list]) => [bucket, list.length]);
    assert.deepEqual(
      lane.marks,
      expected.sort(([a = 0], [b = 0]) => a - b),
    );
    assert.ok(lane.marks.every(([bucket]) => bucket < drawn.buckets));
  }
});

test("facts are those that set its accounts apart, as keyed hashes, with who has them", async () => {
  const { graph: drawn, text } = await graph(FLEET_FINDING);
  const holders = (kind: string): string[][] =>
    drawn.facts
      .filter((fact) => fact.kind === kind)
      .map(({ lanes }) => lanes.map((lane) => drawn.lanes[lane]?.account ?? "").sort());
  const cards = [1, 2, 3].map((card) =>
    scene.facts.filter(({ payment }) => payment === `card_${card}`).map(({ account }) => account),
  );
  const sorted = (lists: string[][]): string[] => lists.map((list) => [...list].sort().join()).sort();
  assert.deepEqual(sorted(holders("payment")), sorted(cards));
  assert.deepEqual(sorted(holders("domain")), sorted([scene.fleet]));
  const [wording] = drawn.facts.filter(({ kind }) => kind === "wording");
  assert.deepEqual([wording?.members, wording?.others], [14, 0]);
  // Everybody in the scene has the same program and network: that links nobody.
  assert.deepEqual(holders("network"), []);
  for (const clear of ["card_", "mail.example", "203.0.113", "Think step", "OpenAI/Python"])
    assert.ok(!text.includes(clear), clear);
});

test("a larger finding is drawn by its busiest accounts, and all of them are counted", async () => {
  const { graph: drawn } = await graph(WIDE);
  assert.deepEqual([drawn.accounts, drawn.active], [crowd.length + 1, crowd.length]);
  assert.equal(drawn.raisedAt, new Date(END_MS).toISOString(), "where it was first raised");
  assert.equal(drawn.lanes.length, GRAPH_LANES_MAX);
  const fewest = Math.min(...drawn.lanes.map(({ exchanges }) => exchanges));
  const left = crowd.filter((name) => !drawn.lanes.some(({ account }) => account === name));
  assert.equal(left.length, crowd.length - GRAPH_LANES_MAX);
  assert.ok(left.every((name) => 1 + (crowd.indexOf(name) % 5) <= fewest));
  assert.ok(drawn.facts.length <= GRAPH_FACTS_MAX);
  const system = drawn.facts.find(({ kind }) => kind === "system");
  assert.deepEqual([system?.members, system?.others], [crowd.length, 0]);
  assert.equal(system?.lanes.length, GRAPH_LANES_MAX);
});

test("a finding whose accounts have no exchange has no lanes; an unknown one is not found", async () => {
  const [finding] = scene.findings;
  assert.ok(finding !== undefined);
  await world.state.findings.upsert([{ ...finding, id: "campaign-silent", accounts: ["crowd-silent"] }]);
  const { graph: drawn } = await graph("campaign-silent");
  assert.deepEqual(
    [drawn.lanes, drawn.facts, drawn.accounts, drawn.active, drawn.buckets],
    [[], [], 1, 0, 0],
  );
  const response = await world.api.request("/api/findings/none/graph", { headers: { cookie: viewer } });
  assert.equal(response.status, 404);
});
