// Response on real servers: two installations share PostgreSQL and Redis, a campaign of 200 accounts is found in the
// log, quarantined on both after approval, and its replacements inherit; a customer notices nothing.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { unknownAccount } from "../../src/core/account.ts";
import type { Finding } from "../../src/core/finding.ts";
import { State } from "../../src/state/state.ts";
import type { Verdict } from "../../src/state/verdict-rows.ts";
import {
  adyton,
  freePort,
  type RunningInstallation,
  removeFolder,
  startInstallation,
  temporaryFolder,
} from "../helpers/installation.ts";
import { startPostgres, type TestPostgres } from "../helpers/postgres.ts";
import { type RunningRedis, startRedis } from "../helpers/redis.ts";
import { json, startUpstream, type Upstream } from "../helpers/upstream.ts";

const HOUR_MS = 3_600_000;
const FLEET = 200;
const WAIT_MS = 120_000;
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
  const folders: string[] = [];
  const running: RunningInstallation[] = [];

  before(async () => {
    [postgres, redis, upstream] = [
      await startPostgres(),
      await startRedis(),
      await startUpstream(json(ANSWER)),
    ];
    const shared = await postgres.database();
    const policy = join(await folder("policy"), "policy.yaml");
    await writeFile(
      policy,
      "version: 1\ndelayMinutes: {least: 0, most: 0}\nrules: [{id: campaign, measure: quarantine, when: {kinds: [campaign], pAtMost: 0.01}}]\n",
    );
    const common = {
      state: shared,
      gateway: { upstreams: [{ name: "model", family: "openai", url: upstream.url }], workers: 1 },
      respond: {
        ...{
          mode: "enforce",
          policy,
          redis: { url: redis.url, timeoutMs: 30_000 },
          gateways: 2,
          onRedisFailure: "closed",
        },
        // Found only by the news: the poll comes too late for the tests below.
        pollMs: 60_000,
        budgets: [{ name: "hourly", scope: "account", unit: "requests", windowSeconds: 3600, limit: 500 }],
      },
      detect: { tickMs: 500 },
    };
    const exchanges = await campaign();
    for (const name of ["first", "second"]) {
      const place = await folder(name);
      const settings = {
        ...common,
        gateway: { ...common.gateway, listen: { port: await freePort() } },
        console: { listen: { port: await freePort() } },
      };
      if (name === "first") await importInto(place, settings, exchanges);
      running.push(await startInstallation(place, settings));
    }
    state = await State.open({ folder: await folder("state"), config: shared });
  });

  after(async () => {
    await state?.close();
    for (const installation of running) await installation.stop();
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
  async function keyOf(account: string): Promise<string> {
    await state.accounts.ensure(unknownAccount(account));
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

  it("a campaign is found, quarantined as a whole, and inherited by its replacements; a customer sees no other byte", async () => {
    const member = await keyOf(memberName(7));
    const customer = await keyOf("customer");
    const clients = running.map(
      ({ welcome }) => new OpenAI({ apiKey: customer, baseURL: `${welcome.gateway}/v1`, maxRetries: 0 }),
    );
    const asCustomer = async (): Promise<void> => {
      for (const client of clients) {
        const answer = await client.chat.completions
          .create({ model: "m", logprobs: true, messages: [{ role: "user", content: "Say hello." }] })
          .asResponse();
        assert.equal(await answer.text(), JSON.stringify(ANSWER));
        assert.ok(![...answer.headers.keys()].some((name) => name.startsWith("adyton-")));
      }
    };
    await asCustomer();

    let verdict: Verdict | undefined;
    await until("a proposal about the campaign", async () => {
      [verdict] = (await state.verdicts.list({ status: "proposed" })).items;
      return verdict !== undefined;
    });
    assert.ok(verdict !== undefined && verdict.accounts >= 0.9 * FLEET, `${verdict?.accounts} accounts`);
    const members = await state.verdicts.members(verdict.id, { limit: 1000 });
    assert.ok(
      members.every(({ account }) => account.startsWith("fleet-")),
      "nobody else is named",
    );
    assert.deepEqual(await everywhere(member), [200, 200], "a proposal changes nothing");
    await asCustomer();

    // Decided where the operator sits: over the first installation's API, by its local socket's administrator.
    await decide(running[0], verdict.id, {
      decision: "approve",
      note: "one list dealt out over 200 accounts",
    });
    await until("the quarantine at both gateways", async () =>
      (await everywhere(member)).every((status) => status === 403),
    );
    await asCustomer();

    const replacement = await keyOf("replacement");
    assert.deepEqual(await everywhere(replacement), [200, 200]);
    const { finding } = await state.findings.demand(verdict.finding ?? "");
    const grown: Finding = { ...finding, accounts: [...finding.accounts, "replacement"] };
    await until("the inherited quarantine at both gateways", async () => {
      // The detector looks again all the time, and says again what it knows: so does the test.
      await state.findings.upsert([grown]);
      return (await everywhere(replacement)).every((status) => status === 403);
    });
    await asCustomer();

    await decide(running[0], verdict.id, { decision: "lift", note: "the test is over" });
    await until("the end at both gateways", async () =>
      (await everywhere(member)).every((status) => status === 200),
    );
    assert.deepEqual(await everywhere(replacement), [200, 200]);
    await everyStepIsRecorded(running);
  });

  it("budgets hold exactly over both gateways, and with Redis killed as the configuration says", async () => {
    const key = await keyOf("busy");
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
    const patient = await keyOf("patient");
    await redis.kill();
    await until("the end of Redis at both gateways", async () =>
      (await everywhere(patient)).every((status) => status === 503),
    );
    await redis.restart();
    await until("Redis again", async () => (await everywhere(patient)).every((status) => status === 200));
  });
});

/** Exchanges of the last two days: 200 accounts deal out one list under one wording, among 700 honest ones. */
async function campaign(): Promise<string[]> {
  const nowMs = Date.now();
  const lines: { atMs: number; line: string }[] = [];
  const add = (account: string, at: number, atMs: number, content: string): void => {
    const line = JSON.stringify({
      ...{ id: `${account}-${at}`, time: new Date(atMs).toISOString(), account, key: null, latency_ms: 400 },
      client: {
        ip: ipOf(account),
        asn: 64_500,
        country: "NL",
        user_agent: "client",
        ja4: null,
        headers: ["host"],
      },
      endpoint: "/v1/chat/completions",
      request: { model: "m", messages: [{ role: "user", content }] },
      response: {
        ...{ status: 200, text: "An answer.", finish_reason: "stop" },
        usage: { prompt_tokens: 30, completion_tokens: 90 },
      },
    });
    lines.push({ atMs, line });
  };
  for (let member = 0; member < FLEET; member += 1) {
    for (let at = 0; at < 10; at += 1) {
      const atMs = nowMs - 40 * HOUR_MS + at * 3 * HOUR_MS + member * 20_000;
      add(
        memberName(member),
        at,
        atMs,
        `Think about it step by step aloud and number each step: ${words(`f${member}/${at}`)}`,
      );
    }
  }
  const habits = [
    "What do people mean by this",
    "Explain this like I am five",
    "Write a short note about it",
    "What can I cook with these",
  ];
  for (let person = 0; person < 700; person += 1) {
    for (let at = 0; at < 3; at += 1) {
      const atMs = nowMs - 46 * HOUR_MS + ((person * 7 + at * 11) % 44) * HOUR_MS + person * 1000;
      add(`person-${person}`, at, atMs, `${habits[(person + at) % 4]}: ${words(`p${person}/${at}`)}`);
    }
  }
  return lines.sort((a, b) => a.atMs - b.atMs).map(({ line }) => line);
}

function memberName(member: number): string {
  return `fleet-${String(member).padStart(3, "0")}`;
}

/** Twelve words that nobody else has in this order. */
function words(seed: string): string {
  const digest = createHash("sha256").update(seed).digest();
  return Array.from(
    { length: 12 },
    (_, index) => `word${(digest.readUInt16BE(index * 2) % 20_000).toString(36)}`,
  ).join(" ");
}

function ipOf(account: string): string {
  const [a = 0, b = 0, c = 0] = createHash("sha256").update(account).digest();
  return `10.${a}.${b}.${c}`;
}

async function importInto(place: string, settings: object, exchanges: readonly string[]): Promise<void> {
  const file = join(place, "exchanges.jsonl");
  const config = join(place, "import.yaml");
  await writeFile(file, `${exchanges.join("\n")}\n`);
  await writeFile(config, JSON.stringify({ data: join(place, "data"), ...settings }));
  const { code, err } = await adyton(["import", "exchanges", file, "--config", config]);
  assert.equal(code, 0, err);
}

/** As the operator of the machine, over the local socket. */
async function local(
  { folder }: RunningInstallation,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  return await new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ socketPath: join(folder, "run", "adyton.sock"), method, path },
        headers: { "content-type": "application/json" },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.once("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function decide(
  installation: RunningInstallation | undefined,
  verdict: string,
  body: object,
): Promise<void> {
  assert.ok(installation !== undefined);
  const { status, text } = await local(installation, "POST", `/api/verdicts/${verdict}/decision`, body);
  assert.equal(status, 200, text);
}

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

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${WAIT_MS} ms`);
    await sleep(250);
  }
}
