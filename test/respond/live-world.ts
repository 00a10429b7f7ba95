// A campaign of 200 accounts among honest ones: from the tools that make labelled worlds, or written here where they are absent.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readLines } from "../../src/cli/lines.ts";
import { adyton } from "../helpers/installation.ts";

/** Lines of exchanges in the neutral form, with the labels that say who acts for whom. */
export interface LiveWorld {
  /** Where it comes from, for whoever reads the test's output. */
  readonly source: string;
  /** What is in the log when the gateways start. */
  readonly first: readonly string[];
  /** What comes to it later; the campaign's accounts that are known by then have no part in it. */
  readonly later: (known: ReadonlySet<string>) => readonly string[];
  /** Lines of facts about accounts. */
  readonly facts: readonly string[];
  readonly isOfCampaign: (account: string) => boolean;
  /** An account of the campaign that acts from the beginning. */
  readonly member: string;
  /** Accounts of the campaign that begin later, the busiest first, each with enough to be recognised. */
  readonly replacements: readonly string[];
}

const BESIDE = fileURLToPath(new URL("../../../shared/", import.meta.url));
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const FLEET = 200;
const DAYS = 4;
/** Share of the time that is in the log when the gateways start. */
const CUT = 0.6;
/** A detector says nothing about an account of fewer inputs. */
const RECOGNISABLE = 9;
/** Of a plain campaign: one wording, dealt out in turn, eight accounts a card; whoever is blocked is replaced. */
const CONFIGURATION = {
  name: "live",
  days: DAYS,
  models: { release: { name: "atlas-large-2", day: 2 } },
  populations: { individuals: { accounts: 300 }, applications: { accounts: 50, exchanges: 2500 } },
  fleets: [
    {
      ...{
        id: "fleet-1",
        family: "reasoning",
        size: FLEET,
        harvest: 6500,
        partition: "disjoint",
        templates: 1,
      },
      ...{ timing: "poisson", balance: "round-robin", age: "rolling", payment: "shared:8", start_day: 0.5 },
      failover: 80,
    },
  ],
};

interface Act {
  readonly atMs: number;
  readonly account: string;
  readonly line: string;
}

/** Null without the tools. The world ends now: nothing in it is later. */
export async function labelledWorld(folder: string): Promise<LiveWorld | null> {
  if (!existsSync(join(BESIDE, "worlds", "make-world.mjs"))) return null;
  const shared = realpathSync(BESIDE);
  const [config, out] = [join(folder, "world.json"), join(folder, "world")];
  const start = new Date(Date.now() - DAYS * DAY_MS).toISOString();
  await writeFile(config, JSON.stringify({ ...CONFIGURATION, start }));
  const options = [
    "--config",
    config,
    "--data",
    join(shared, "data"),
    "--seed",
    "7",
    "--out",
    out,
    "--quiet",
  ];
  const maker = spawn(process.execPath, [join(shared, "worlds", "make-world.mjs"), ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve) => maker.once("close", resolve));
  if (code !== 0) throw new Error(`expected a world, got exit code ${code}`);
  const { accounts } = truth.parse(JSON.parse(await readFile(join(out, "truth.json"), "utf8")));
  const acts: Act[] = [];
  for (const line of await linesOf(join(out, "exchanges.jsonl.gz"))) {
    const { time, account } = exchange.parse(JSON.parse(line));
    acts.push({ atMs: Date.parse(time), account, line });
  }
  return divided("the tools for labelled worlds", {
    acts,
    cutMs: Date.parse(start) + CUT * DAYS * DAY_MS,
    facts: await linesOf(join(out, "accounts.jsonl")),
    isOfCampaign: (account) => accounts[account]?.population === "fleet",
  });
}

const truth = z.object({ accounts: z.record(z.string(), z.looseObject({ population: z.string() })) });
const exchange = z.looseObject({ time: z.string(), account: z.string() });

async function linesOf(file: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { lines } of readLines(file))
    for (const line of lines) if (line !== null && line !== "") all.push(line);
  return all;
}

/** What honest people begin their questions with: as many use one as its place in the list says, and few come back to it. */
const HABITS = [
  ...["what do people mean by this", "explain this like i am five", "write a short note about it"],
  ...["what is wrong with my code", "what can i cook with these", "tell me a story about this"],
  ...["plan a trip to this place", "how do i tell my child", "help me to understand this word"],
  ...["give me a hint for this", "a rhyme for the word below", "when should i plant this one"],
  ...["make a training plan from this", "which of these should i buy", "is my landlord allowed to do"],
  ...["summarise the text below for me", "make this mail more polite please", "translate it for my aunt"],
];

/** Exchanges of the last two days: 200 accounts deal out one list under one wording, among some 600 honest ones. */
export function writtenWorld(): LiveWorld {
  const nowMs = Date.now();
  const acts: Act[] = [];
  const add = (account: string, at: number, atMs: number, content: string): void => {
    acts.push({ atMs, account, line: written(account, at, atMs, content) });
  };
  const dealt = (name: string, at: number): string =>
    `Think about it step by step aloud and number each step: ${words(`${name}/${at}`)}`;
  for (let member = 0; member < FLEET; member += 1) {
    const name = `fleet-${String(member).padStart(3, "0")}`;
    for (let at = 0; at < 10; at += 1)
      add(name, at, nowMs - 40 * HOUR_MS + at * 2 * HOUR_MS + member * 20_000, dealt(name, at));
  }
  for (let replacement = 0; replacement < 20; replacement += 1) {
    const name = `fleet-later-${replacement}`;
    for (let at = 0; at < 12; at += 1)
      add(name, at, nowMs - 14 * HOUR_MS + at * HOUR_MS + replacement * 60_000, dealt(name, at));
  }
  for (const [place, habit] of HABITS.entries()) {
    const startMs = nowMs - 46 * HOUR_MS + ((place * 5) % 20) * HOUR_MS;
    for (let person = 0; person < 15 + 2 * place; person += 1) {
      const name = `person-${place}-${person}`;
      for (let at = 0; at < 1 + (person % 2); at += 1)
        add(
          name,
          at,
          startMs + person * 20 * MINUTE_MS + at * 4 * MINUTE_MS,
          `${habit}: ${words(`${name}/${at}`)}`,
        );
    }
    // Somebody who comes back to it again and again, about matters of their own.
    for (let regular = 0; regular < place % 3; regular += 1) {
      const name = `regular-${place}-${regular}`;
      const beganMs = startMs + regular * 7 * HOUR_MS;
      for (let at = 0; at < 9; at += 1)
        add(name, at, beganMs + at * HOUR_MS, `${habit}: ${words(`${name}/${at}`, name)}`);
    }
  }
  acts.sort((a, b) => a.atMs - b.atMs);
  return divided("this test", {
    acts,
    cutMs: nowMs - 15 * HOUR_MS,
    facts: [],
    isOfCampaign: (account) => account.startsWith("fleet-"),
  });
}

/** Into the log of the installation whose data folder lies in `place`, whether it runs or not. */
export async function importInto(
  place: string,
  settings: object,
  exchanges: readonly string[],
  facts: readonly string[],
): Promise<void> {
  const [file, accounts] = [join(place, "exchanges.jsonl"), join(place, "accounts.jsonl")];
  const config = join(place, "import.yaml");
  await writeFile(file, `${exchanges.join("\n")}\n`);
  await writeFile(accounts, facts.map((line) => `${line}\n`).join(""));
  await writeFile(config, JSON.stringify({ data: join(place, "data"), ...settings }));
  const args = ["import", "exchanges", file, "--accounts", accounts, "--config", config];
  const { code, err } = await adyton(args);
  assert.equal(code, 0, err);
}

function divided(
  source: string,
  parts: { acts: readonly Act[]; cutMs: number; facts: readonly string[] } & Pick<LiveWorld, "isOfCampaign">,
): LiveWorld {
  const { acts, cutMs, facts, isOfCampaign } = parts;
  const [first, rest] = [acts.filter(({ atMs }) => atMs < cutMs), acts.filter(({ atMs }) => atMs >= cutMs)];
  const counts = new Map<string, number>();
  for (const { account } of first) if (isOfCampaign(account)) counts.set(account, 1);
  const later = new Map<string, number>();
  for (const { account } of rest)
    if (isOfCampaign(account) && !counts.has(account)) later.set(account, (later.get(account) ?? 0) + 1);
  const busiest = [...later].filter(([, count]) => count >= RECOGNISABLE).sort((a, b) => b[1] - a[1]);
  // Of those who are still there when the gateways start: somebody whom nobody has replaced.
  const lasting = rest.find(({ account }) => counts.has(account));
  return {
    ...{ source, facts, isOfCampaign },
    first: first.map(({ line }) => line),
    later: (known) => rest.filter(({ account }) => !known.has(account)).map(({ line }) => line),
    member: lasting?.account ?? [...counts.keys()][0] ?? "",
    replacements: busiest.map(([account]) => account),
  };
}

function written(account: string, at: number, atMs: number, content: string): string {
  const [a = 0, b = 0, c = 0] = createHash("sha256").update(account).digest();
  return JSON.stringify({
    ...{ id: `${account}-${at}`, time: new Date(atMs).toISOString(), account, key: null, latency_ms: 400 },
    client: {
      ...{ ip: `10.${a}.${b}.${c}`, asn: 64_500, country: "NL", user_agent: "client", ja4: null },
      headers: ["host"],
    },
    endpoint: "/v1/chat/completions",
    request: { model: "m", messages: [{ role: "user", content }] },
    response: {
      ...{ status: 200, text: "An answer.", finish_reason: "stop" },
      usage: { prompt_tokens: 30, completion_tokens: 90 },
    },
  });
}

/** Twelve words that nobody else has in this order; of one `topic`, out of thirty that are its own. */
function words(seed: string, topic: string | null = null): string {
  const digest = createHash("sha256").update(seed).digest();
  return Array.from({ length: 12 }, (_, index) => {
    const number = digest.readUInt16BE(index * 2);
    return topic === null ? `word${(number % 20_000).toString(36)}` : `${topic}${(number % 30).toString(36)}`;
  }).join(" ");
}
