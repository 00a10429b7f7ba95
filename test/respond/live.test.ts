// Response on real servers: two installations share PostgreSQL and Redis, a campaign of 200 accounts is found in the
// log, quarantined on both after approval, and its replacements inherit; a customer notices nothing.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { unknownAccount } from "../../src/core/account.ts";
import { State } from "../../src/state/state.ts";
import type { Verdict } from "../../src/state/verdict-rows.ts";
import { freePort } from "../helpers/free-port.ts";
import {
  type RunningInstallation,
  removeFolder,
  startInstallation,
  temporaryFolder,
} from "../helpers/installation.ts";
import { startPostgres, type TestPostgres } from "../helpers/postgres.ts";
import { type RunningRedis, startRedis } from "../helpers/redis.ts";
import { json, startUpstream, type Upstream } from "../helpers/upstream.ts";
import { importInto, type LiveWorld, labelledWorld, writtenWorld } from "./live-world.ts";
import { decide, local } from "./local-api.ts";
import { asked, compare, type Pair } from "./paired.ts";

const FLEET = 200;
const WAIT_MS = 300_000;
/** Gateways that hear of a decision sooner were told over Redis: the poll comes that late. */
const POLL_MS = 60_000;
/** Far from an account's own budget of a minute, however fast the machine is. */
const LOOKS_APART_MS = 200;
const WARM_UP = 30;
const PAIRS = 400;
/** A campaign's account asks again now and then while it is refused. */
const PAIRS_A_REFUSAL = 10;
const ANSWER = {
  ...{ id: "c1", object: "chat.completion", created: 1, model: "m" },
  choices: [
    { index: 0, finish_reason: "stop", logprobs: null, message: { role: "assistant", content: "Hello." } },
  ],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
};

describe("two gateways with PostgreSQL and Redis", () => {
  let postgres: TestPostgres;
  let redis: RunningRedis;
  let upstream: Upstream;
  let state: State;
  let world: LiveWorld;
  /** The same without a campaign: a gateway that enforces nothing, with a state of its own. */
  let control: RunningInstallation;
  let controlState: State;
  const folders: string[] = [];
  const running: RunningInstallation[] = [];
  const settingsOf: Record<string, unknown>[] = [];

  before(async () => {
    [postgres, redis, upstream] = [
      await startPostgres(),
      await startRedis(),
      await startUpstream(json(ANSWER)),
    ];
    const [shared, apart] = [await postgres.database(), await postgres.database()];
    const policy = join(await folder("policy"), "policy.yaml");
    await writeFile(
      policy,
      "version: 1\ndelayMinutes: {least: 0.1, most: 0.2}\nrules: [{id: campaign, measure: quarantine, when: {kinds: [campaign], pAtMost: 0.01}}]\n",
    );
    world = (await labelledWorld(await folder("world"))) ?? writtenWorld();
    const common = {
      gateway: { upstreams: [{ name: "model", family: "openai", url: upstream.url }], workers: 1 },
      respond: {
        ...{ policy, redis: { url: redis.url, timeoutMs: 30_000 }, gateways: 2, onRedisFailure: "closed" },
        pollMs: POLL_MS,
        budgets: [
          { name: "hourly", scope: "organization", unit: "requests", windowSeconds: 3600, limit: 500 },
        ],
      },
      // One look as it starts; the next ones are asked for, so that each step's look is known.
      detect: { tickMs: 3_600_000 },
    };
    const settings = async (mode: string, stateOf: object): Promise<Record<string, unknown>> => ({
      ...common,
      ...{ state: stateOf, respond: { ...common.respond, mode } },
      gateway: { ...common.gateway, listen: { port: await freePort() } },
      ...{ console: { listen: { port: await freePort() } } },
    });
    for (const name of ["first", "second"]) {
      const place = await folder(name);
      settingsOf.push(await settings("enforce", shared));
      if (name === "first") await importInto(place, settingsOf[0] ?? {}, world.first, world.facts);
      running.push(await startInstallation(place, settingsOf.at(-1) ?? {}));
    }
    const quiet = { ...(await settings("shadow", apart)), detect: { enabled: false } };
    control = await startInstallation(await folder("control"), quiet);
    state = await State.open({ folder: await folder("state"), config: shared });
    controlState = await State.open({ folder: await folder("control-state"), config: apart });
  });

  after(async () => {
    await state?.close();
    await controlState?.close();
    for (const installation of [...running, control]) await installation?.stop();
    await upstream?.close();
    await redis?.close();
    await postgres?.close();
    for (const one of folders) await removeFolder(one);
  });

  async function folder(name: string): Promise<string> {
    const made = await temporaryFolder(`live-${name}`);
    folders.push(made);
    return made;
  }

  /** A key of an account, known to both gateways. */
  async function keyOf(account: string, organization: string | null = null): Promise<string> {
    await state.accounts.ensure({ ...unknownAccount(account), organization });
    const { secret } = await state.keys.create({ account, label: "live" });
    for (const { welcome } of running) {
      await until(
        `${account}'s key at ${welcome.gateway}`,
        async () => (await statusOf(welcome.gateway, secret)) !== 401,
      );
    }
    return secret;
  }

  /** A request without a model: it asks for the list, which budgets count as well. */
  async function statusOf(gateway: string, key: string): Promise<number> {
    // A connection of its own: one that was kept might be closed by the other side just now.
    const headers = { authorization: `Bearer ${key}`, connection: "close" };
    const response = await fetch(`${gateway}/v1/models`, { headers });
    await response.arrayBuffer();
    return response.status;
  }

  const everywhere = async (key: string): Promise<number[]> =>
    await Promise.all(running.map(({ welcome }) => statusOf(welcome.gateway, key)));

  const clientOf = ({ welcome }: RunningInstallation, apiKey: string): OpenAI =>
    new OpenAI({ apiKey, baseURL: `${welcome.gateway}/v1`, maxRetries: 0 });

  it("a campaign is found, quarantined as a whole, and inherited by its replacements; a customer sees no other byte and waits no longer", {
    timeout: 1_500_000,
  }, async (t) => {
    t.diagnostic(`the campaign comes from ${world.source}`);
    const member = await keyOf(world.member);
    const customer = await keyOf("customer");
    const clients = running.map((installation) => clientOf(installation, customer));
    const asCustomer = async (): Promise<void> => {
      for (const client of clients) assert.deepEqual((await asked(client)).body, JSON.stringify(ANSWER));
    };
    await asCustomer();

    const verdict = await proposalAboutTheCampaign();
    assert.ok(verdict.accounts >= 0.9 * FLEET, `${verdict.accounts} accounts`);
    const members = (await state.verdicts.members(verdict.id, { limit: 1000 })).map(({ account }) => account);
    const honest = members.filter((account) => !world.isOfCampaign(account));
    assert.ok(honest.length <= 0.05 * members.length, `${honest.length} of ${members.length} are honest`);
    assert.deepEqual(await everywhere(member), [200, 200], "a proposal changes nothing");
    const named = members.filter((account) => world.isOfCampaign(account) && account !== world.member);
    const others = await Promise.all(named.slice(0, 3).map((account) => keyOf(account)));
    await asCustomer();

    // Decided where the operator sits: over the first installation's API, by its local socket's administrator.
    await decide(running[0], verdict.id, {
      decision: "approve",
      note: "one list dealt out over 200 accounts",
    });
    await holdsForAllAtOnce(t, verdict.id, [member, ...others]);
    await asCustomer();
    await customerWaitsNoLonger(t, { clients, customer, member });

    await replacementsInherit(t, { verdict, known: new Set(members) });
    await asCustomer();

    await decide(running[0], verdict.id, { decision: "lift", note: "the test is over" });
    await inTime(t, "from its end to both gateways", async () =>
      (await everywhere(member)).every((status) => status === 200),
    );
    await everyStepIsRecorded(running);
  });

  /**
   * The delay lies between its bounds, and one draw of it holds for the whole campaign: on both gateways no account is
   * refused before that moment and none is served after it.
   */
  async function holdsForAllAtOnce(t: TestContext, id: string, keys: readonly string[]): Promise<void> {
    const { effectiveMs } = await state.verdicts.demand(id);
    const approved = (await state.verdicts.history(id)).find(({ step }) => step === "approved");
    assert.ok(effectiveMs !== null && approved !== undefined);
    const delayMs = effectiveMs - approved.atMs;
    assert.ok(delayMs >= 5_000 && delayMs <= 12_000, `${delayMs} ms`);
    let [before, after] = [0, 0];
    while (after < 2 * running.length * keys.length) {
      await sleep(LOOKS_APART_MS);
      const looks = keys.flatMap((key) =>
        running.map(async ({ welcome }) => {
          const startedMs = Date.now();
          const status = await statusOf(welcome.gateway, key);
          return { startedMs, endedMs: Date.now(), status };
        }),
      );
      for (const { startedMs, endedMs, status } of await Promise.all(looks)) {
        if (endedMs < effectiveMs) {
          assert.equal(status, 200, `${effectiveMs - endedMs} ms before the effect`);
          before += 1;
        } else if (startedMs >= effectiveMs) {
          assert.equal(status, 403, `${startedMs - effectiveMs} ms after the effect`);
          after += 1;
        }
      }
    }
    t.diagnostic(
      `in effect ${delayMs} ms after the decision: ${before} looks before it all served, ${after} after it all refused`,
    );
  }

  /** Detection may have proposals about others, too: who approves reads whom they name. */
  async function proposalAboutTheCampaign(): Promise<Verdict> {
    let found: Verdict | undefined;
    await until("a proposal about the campaign", async () => {
      const { items } = await state.verdicts.list({ status: "proposed" });
      for (const verdict of items) {
        const members = await state.verdicts.members(verdict.id, { limit: 1000 });
        const ofCampaign = members.filter(({ account }) => world.isOfCampaign(account));
        if (2 * ofCampaign.length > members.length) found = verdict;
      }
      return found !== undefined;
    });
    assert.ok(found !== undefined);
    return found;
  }

  /** The rest of the campaign comes into the log; detection finds it, and what it finds is in quarantine in the same tick. */
  async function replacementsInherit(
    t: TestContext,
    { verdict, known }: { verdict: Verdict; known: ReadonlySet<string> },
  ): Promise<void> {
    const [first] = running;
    assert.ok(
      first !== undefined && world.replacements.length >= 5,
      `${world.replacements.length} replacements`,
    );
    const names = world.replacements.slice(0, 3);
    const keys = new Map<string, string>();
    for (const name of names) keys.set(name, await keyOf(name));
    for (const key of keys.values()) assert.deepEqual(await everywhere(key), [200, 200]);

    const later = world.later(known);
    await importInto(join(first.folder, ".."), settingsOf[0] ?? {}, later, world.facts);
    const counts = new Map<string, number>();
    for (const line of later) {
      const { account } = JSON.parse(line) as { account: string };
      counts.set(account, (counts.get(account) ?? 0) + 1);
    }
    const last = (JSON.parse(later.at(-1) ?? "{}") as { account: string }).account;
    await until("the rest in the store", async () => {
      const { status, text } = await local(first, "GET", `/api/accounts/${encodeURIComponent(last)}`);
      return status === 200 && JSON.parse(text).figures?.exchanges >= (counts.get(last) ?? 0);
    });

    const { status, text } = await local(first, "POST", "/api/hunt");
    assert.equal(status, 200, text);
    // One look, and whoever it names has inherited as it returns: that is the tick.
    const { finding, updatedMs } = await state.findings.demand(verdict.finding ?? "");
    const held = new Map(
      (await state.verdicts.members(verdict.id, { limit: 1000 })).map((one) => [one.account, one]),
    );
    assert.deepEqual(
      finding.accounts.filter((account) => !held.has(account)),
      [],
      "all that the finding names",
    );
    const inherited = world.replacements.filter((account) => held.get(account)?.inherited === true);
    t.diagnostic(`${inherited.length} of ${world.replacements.length} replacements were recognised`);
    assert.ok(2 * inherited.length > world.replacements.length, "most of those that can be recognised");
    const joinedMs = Math.max(...inherited.map((account) => held.get(account)?.joinedMs ?? 0));
    t.diagnostic(`inherited ${joinedMs - updatedMs} ms after the finding had grown`);
    const refused = names.filter((name) => inherited.includes(name)).map((name) => keys.get(name) ?? "");
    await inTime(t, "from the look to the inherited quarantine at both gateways", async () =>
      (await Promise.all(refused.map(everywhere))).flat().every((one) => one === 403),
    );
  }

  /** The same questions in turn to a gateway that enforces and to one that doesn't, while the campaign is refused. */
  async function customerWaitsNoLonger(
    t: TestContext,
    { clients, customer, member }: { clients: readonly OpenAI[]; customer: string; member: string },
  ): Promise<void> {
    await controlState.accounts.ensure(unknownAccount("customer"));
    const { key } = await controlState.keys.create({ account: "customer", label: "control" });
    assert.equal(key.account, "customer");
    const { secret } = await controlState.keys.create({ account: "customer", label: "control" });
    await until(
      "the key at the control",
      async () => (await statusOf(control.welcome.gateway, secret)) === 200,
    );
    assert.ok(customer !== secret);
    const without = clientOf(control, secret);
    const pairs: Pair[] = [];
    for (let pair = 0; pair < WARM_UP + PAIRS; pair += 1) {
      if (pair % PAIRS_A_REFUSAL === 0) assert.deepEqual(await everywhere(member), [403, 403]);
      const enforcing = clients[pair % clients.length];
      assert.ok(enforcing !== undefined);
      // Who goes first alternates, so that neither has the warmer machine.
      const isFirst = Math.floor(pair / clients.length) % 2 === 0;
      const one = await asked(isFirst ? without : enforcing);
      const other = await asked(isFirst ? enforcing : without);
      assert.deepEqual([one.body, one.headers], [other.body, other.headers], "not one byte is another");
      if (pair >= WARM_UP) pairs.push(isFirst ? [one.tookMs, other.tookMs] : [other.tookMs, one.tookMs]);
    }
    const { p99Without, p99With, chance } = compare(pairs);
    const figures = `p99 ${p99Without.toFixed(1)} ms without, ${p99With.toFixed(1)} ms with enforcement, ${PAIRS} pairs, p = ${chance.toFixed(4)}`;
    t.diagnostic(figures);
    // Slower is what chance does once in a thousand runs at most, and what anybody would feel.
    assert.ok(chance > 0.001 || p99With < 1.25 * p99Without + 5, figures);
  }

  it("budgets hold exactly over both gateways, and with Redis killed as the configuration says", async () => {
    const key = await keyOf("busy", "Busy");
    const spent = running.length;
    const ask = async (times: number): Promise<number[]> =>
      (await Promise.all(Array.from({ length: times }, () => everywhere(key)))).flat();
    const statuses = await ask(300);
    assert.equal(
      statuses.filter((status) => status === 200).length,
      500 - spent,
      "two had asked whether the key is known",
    );
    assert.ok(statuses.every((status) => status === 200 || status === 429));
    const patient = await keyOf("patient", "Patient");
    await redis.kill();
    await until("the end of Redis at both gateways", async () =>
      (await everywhere(patient)).every((status) => status === 503),
    );
    await redis.restart();
    await until("Redis again", async () => (await everywhere(patient)).every((status) => status === 200));
  });
});

/** Both logs together hold every step, sealed. */
async function everyStepIsRecorded(installations: readonly RunningInstallation[]): Promise<void> {
  const wanted = [
    ...["policy.changed", "finding.raised", "verdict.proposed", "verdict.joined", "verdict.approved"],
    ...["verdict.in-effect", "verdict.lifted"],
  ];
  await until("every step in the logs", async () => {
    let seen = "";
    for (const installation of installations) {
      for (const act of ["policy", "finding", "verdict"])
        seen += (await local(installation, "GET", `/api/ledger/records?act=${act}&limit=50`)).text;
    }
    return wanted.every((name) => seen.includes(`"${name}"`));
  });
}

async function until(what: string, condition: () => Promise<boolean>, pauseMs = 250): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${WAIT_MS} ms`);
    await sleep(pauseMs);
  }
}

/** Waits for it, says how long that took, and that it did not take the poll. */
async function inTime(t: TestContext, what: string, condition: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  await until(what, condition, 10);
  const tookMs = performance.now() - startedMs;
  t.diagnostic(`${what}: ${tookMs.toFixed(0)} ms`);
  assert.ok(tookMs < POLL_MS, `${what} took ${tookMs} ms: nobody was told`);
}
