// A detector's cases: traffic described in a few lines, the rows it makes, and what the detector must say about it.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Detector } from "./catalog.ts";
import { DetectError } from "./errors.ts";
import { EMBEDDING_DIMENSIONS, embed } from "./features/embedding.ts";
import { FEATURE_VERSION } from "./features/rows.ts";

/** One stretch of like traffic. Names stand for keyed hashes: equal names, equal hashes. */
export interface Traffic {
  /** Accounts named `<prefix>-1` … `<prefix>-<count>`. */
  readonly accounts: string;
  readonly count: number;
  /** Exchanges of each account; with `uneven`, of the first one: each next one sends half as many. */
  readonly exchanges: number;
  readonly uneven: boolean;
  /** Hour of the first exchange after the case's beginning, and minutes between two of one account. */
  readonly fromHour: number;
  readonly everyMinutes: number;
  /** `new`: every input is different; a number: each account cycles through that many inputs common to all. */
  readonly inputs: "new" | number;
  readonly wording: string;
  /** Words that inputs are drawn from: topics. `own`: each account has its own; `everything`: hardly a word twice. */
  readonly topic: string;
  readonly answerTokens: number;
  /** Longest prompt over shortest, above 1: inputs of all lengths between. */
  readonly lengths: number;
  /** Longest run of one word in each answer. */
  readonly answerRun: number;
  /** Biased tokens of each request: none, the same set each time, or the next so many new ones. */
  readonly bias: { readonly kind: "none" | "fixed" | "rotating"; readonly tokens: number };
  readonly payment: string;
}

export interface DetectorCase {
  readonly name: string;
  readonly about: string;
  readonly traffic: readonly Traffic[];
  /** Hours after the beginning at which the detector looks. */
  readonly lookAtHour: number;
  /** Prefixes of accounts (see `Traffic`) that must be found together, one entry a finding; empty: nothing may be found. */
  readonly expect: readonly string[];
}

const traffic: z.ZodType<Traffic> = z.strictObject({
  accounts: z.string().min(1),
  count: z.int().min(1).max(1000).default(1),
  exchanges: z.int().min(1).max(10_000),
  uneven: z.boolean().default(false),
  fromHour: z.number().min(0).default(0),
  everyMinutes: z.number().positive().default(60),
  inputs: z.union([z.literal("new"), z.int().min(1)]).default("new"),
  wording: z.string().default(""),
  topic: z.string().default("common"),
  answerTokens: z.int().min(0).default(50),
  answerRun: z.int().min(0).max(65_535).default(1),
  lengths: z.number().min(1).max(1000).default(1),
  bias: z
    .strictObject({ kind: z.enum(["none", "fixed", "rotating"]), tokens: z.int().min(1).max(100) })
    .default({ kind: "none", tokens: 1 }),
  payment: z.string().default(""),
});

const caseFile: z.ZodType<Omit<DetectorCase, "name">> = z.strictObject({
  about: z.string().min(10),
  lookAtHour: z.number().positive(),
  traffic: z.array(traffic).min(1),
  expect: z.array(z.string()),
});

/** @throws DetectError detector-invalid */
export async function loadCases(detector: Detector): Promise<readonly DetectorCase[]> {
  const folder = join(detector.folder, "cases");
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(
    names.map(async (name) => {
      const parsed = caseFile.safeParse(parse(await readFile(join(folder, name), "utf8")));
      if (!parsed.success) {
        throw new DetectError("detector-invalid", `${join(folder, name)}: ${z.prettifyError(parsed.error)}`);
      }
      return { name: name.replace(/\.yaml$/, ""), ...parsed.data };
    }),
  );
}

/** 2026-01-05T00:00:00Z: a case's beginning. Any time would do. */
export const CASE_START_MS = 1_767_571_200_000;

/** Rows by table of a case's traffic. Pure. */
export function rowsOfCase(detectorCase: DetectorCase): {
  readonly exchange_features: readonly object[];
  readonly account_facts: readonly object[];
} {
  const exchanges: object[] = [];
  const facts: object[] = [];
  detectorCase.traffic.forEach((part, partIndex) => {
    for (let member = 1; member <= part.count; member += 1) {
      const account = `${part.accounts}-${member}`;
      facts.push({
        leaf: facts.length,
        account,
        created: null,
        plan: "",
        payment: number(part.payment),
        domain: "0",
        organization: "0",
      });
      const amount = part.uneven
        ? Math.max(1, Math.floor(part.exchanges / 2 ** (member - 1)))
        : part.exchanges;
      for (let at = 0; at < amount; at += 1) exchanges.push(rowOf(part, { partIndex, member, at, account }));
    }
  });
  return { exchange_features: exchanges, account_facts: facts };
}

interface Place {
  readonly partIndex: number;
  readonly member: number;
  readonly at: number;
  readonly account: string;
}

const WORDS_AN_INPUT = 12;
/** Words of a narrow topic, and of one that is everything. */
const WORDS_A_TOPIC = 60;
const WORDS_OF_EVERYTHING = 100_000;
const LENGTH_STEPS = 7;

function rowOf(part: Traffic, { partIndex, member, at, account }: Place): object {
  const input =
    part.inputs === "new" ? `${partIndex}/${member}/${at}` : `shared/${part.topic}/${at % part.inputs}`;
  const topic = part.topic === "own" ? account : part.topic;
  const vocabulary = topic === "everything" ? WORDS_OF_EVERYTHING : WORDS_A_TOPIC;
  const words = Array.from(
    { length: WORDS_AN_INPUT },
    (_, i) => `${topic}-${Number(`0x${digest(`${input}/${i}`).slice(0, 8)}`) % vocabulary}`,
  );
  const { kind, tokens } = part.bias;
  const first = kind === "rotating" ? (at * part.count + member) * tokens : 0;
  const biased = kind === "none" ? [] : Array.from({ length: tokens }, (_, i) => first + i);
  const minutes = part.fromHour * 60 + at * part.everyMinutes + member / 100;
  return {
    leaf: 0,
    exchange: `${account}-${partIndex}-${at}`,
    account,
    time: new Date(CASE_START_MS + minutes * 60_000).toISOString(),
    version: FEATURE_VERSION,
    endpoint: "/v1/chat/completions",
    model: "sample",
    status: 200,
    served: 1,
    completion_tokens: part.answerTokens,
    prompt_chars: Math.round(100 * part.lengths ** ((at % LENGTH_STEPS) / (LENGTH_STEPS - 1))),
    answered_run: part.answerRun,
    turns: 1,
    top_logprobs: biased.length > 0 ? 5 : 0,
    bias_count: biased.length,
    bias_tokens: biased,
    affixes: part.wording === "" ? [] : [number(part.wording)],
    input: number(input),
    conversation: number(input),
    ip: number(`address of ${account}`),
    embedding: embed([...words, ...part.wording.split(" ")], 1).slice(0, EMBEDDING_DIMENSIONS),
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A name as the decimal string of an unsigned 64-bit number; "0" for none. */
function number(name: string): string {
  return name === "" ? "0" : BigInt(`0x${digest(name).slice(0, 16)}`).toString();
}
