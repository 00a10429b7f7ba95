// The rows that a detector's case makes: what the features would be of the traffic it describes, without its texts.
import { createHash } from "node:crypto";
import type { DetectorCase, Traffic } from "./cases.ts";
import { CAPABILITY } from "./features/capability-words.ts";
import { EMBEDDING_DIMENSIONS, embed, wordHashes } from "./features/embedding.ts";
import { nearKeys } from "./features/near-keys.ts";
import { numericOf } from "./features/numeric.ts";
import { CUE_BIT, CUT_BIT } from "./features/recall.ts";
import { FEATURE_VERSION } from "./features/rows.ts";

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
      for (let at = 0; at < amount; at += 1) {
        exchanges.push({ leaf: exchanges.length, ...rowOf(part, { partIndex, member, at, account }) });
      }
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
  const words = wordsOf(part, input, { partIndex, member, at, account });
  const stretch = part.lengths ** ((at % LENGTH_STEPS) / (LENGTH_STEPS - 1));
  const minutes = part.fromHour * 60 + part.everyMinutes * roundsBefore(part, { member, at, account });
  return {
    exchange: `${account}-${partIndex}-${at}`,
    account,
    time: new Date(CASE_START_MS + minutes * 60_000).toISOString(),
    version: FEATURE_VERSION,
    endpoint: part.endpoint,
    model: "sample",
    status: 200,
    served: 1,
    completion_tokens: part.answerTokens,
    prompt_chars: Math.round(100 * stretch),
    answered_run: part.answerRun,
    turns: 1,
    ...biasOf(part, member, at),
    choices: part.samples,
    temperature: part.temperature,
    asked_words: Math.round(words.length * stretch),
    near: nearKeys(wordHashes(words, 1), words.length),
    ...openOf(part, input),
    capabilities: part.asks === "nothing" ? 0 : CAPABILITY[part.asks],
    ...numbersOf(part, { partIndex, member, at, account }),
    affixes: part.wording === "" ? [] : [number(part.wording)],
    system: part.system === "" ? "0" : number(part.system),
    input: number(input),
    conversation: number(input),
    ip: number(`address of ${account}`),
    embedding: embed(words, 1).slice(0, EMBEDDING_DIMENSIONS),
  };
}

/** How many rounds of `everyMinutes` pass before an account's exchange number `at`. */
function roundsBefore(
  part: Traffic,
  { member, at, account }: Pick<Place, "member" | "at" | "account">,
): number {
  if (part.pace === "steady") return at + member / 100 / part.everyMinutes;
  const whose = part.pace === "turns" ? part.accounts : account;
  // A fifth of the mean to three times as long, mean 1 (uniform in logarithms, but for a constant).
  const long = (round: number): number => (0.2 * 15 ** (hashed(`${whose}/round/${round}`) / 2 ** 32)) / 1.034;
  let before = (long(at) * member) / (part.count + 1);
  for (let round = 0; round < at; round += 1) before += long(round);
  return before;
}

/** Words of the input, then those of the wording. */
function wordsOf(part: Traffic, input: string, { partIndex, member, at, account }: Place): string[] {
  const topic = part.topic === "own" ? account : part.topic;
  const vocabulary = topic === "everything" ? WORDS_OF_EVERYTHING : WORDS_A_TOPIC;
  const draw = (name: string): string => `${topic}-${hashed(name) % vocabulary}`;
  const count = part.words === 0 ? WORDS_AN_INPUT : part.words;
  const version = at % part.versions;
  const text =
    part.versions === 1 ? input : `${partIndex}/${member}/version/${(at - version) / part.versions}`;
  const words = Array.from({ length: count }, (_, i) => draw(`${text}/${i}`));
  // A star's version changes two words of the first; a chain's changes two further words of the one before.
  for (let edit = part.edits === "chain" ? 1 : version; edit <= version && version > 0; edit += 1) {
    for (const side of [0, 1])
      words[hashed(`${text}/${edit}/${side}`) % count] = draw(`${text}/${edit}/${side}/new`);
  }
  return [...words, ...part.wording.split(" ")];
}

function biasOf(part: Traffic, member: number, at: number): object {
  const { kind, tokens } = part.bias;
  const turn = at * part.count + member;
  const first = kind === "rotating" ? turn * tokens : 0;
  const biased = kind === "none" ? [] : Array.from({ length: tokens }, (_, i) => first + i);
  return {
    top_logprobs: part.logprobs ?? (biased.length > 0 ? 5 : 0),
    bias_count: biased.length,
    bias_tokens: biased,
    bias_values: biased.length === 0 ? "0" : number(`bias/${first}/${kind === "bisecting" ? turn : 0}`),
  };
}

function openOf(part: Traffic, input: string): object {
  const blank = part.open === "mention" ? part.wording : part.open === "blank" ? input : "";
  const cut = part.open.startsWith("end") ? CUT_BIT : 0;
  const cue = part.open === "end" || part.open === "end-of-wording" ? CUE_BIT : 0;
  const ending = cut === 0 ? "" : `ending/${part.open === "end-of-wording" ? part.wording : input}`;
  return {
    blanks: blank === "" ? [] : [number(`blank/${blank}`)],
    recall: cut | cue,
    ending: number(ending),
  };
}

/** Values of one numeric input, distance of two versions of one, and of two steps of a walk. */
const VALUES = 24;
const VERSION_STEP = 0.02;

function numbersOf(part: Traffic, { partIndex, member, at, account }: Place): object {
  const { numbers, versions } = part;
  if (numbers === "none") return {};
  const noise = (name: string, i: number): number => 2 * (hashed(`${account}/${name}/${i}`) / 2 ** 32) - 1;
  const values = Array.from({ length: VALUES }, (_, i) => {
    const place = `${partIndex}/${member}`;
    if (numbers === "own") return noise(`${place}/${at}`, i);
    if (numbers === "versions")
      return noise(`${place}/${Math.floor(at / versions)}`, i) + VERSION_STEP * noise(`${place}/v${at}`, i);
    if (numbers === "rest") return noise(place, i) + VERSION_STEP * noise(`${place}/${at}`, i);
    let walked = noise(place, i);
    for (let step = 1; step <= at; step += 1) walked += VERSION_STEP * noise(`${place}/${step}`, i);
    return walked;
  });
  return numericOf({ inputs: [{ shape: [1, VALUES], data: values }] }, String(at % 2), 1);
}

function hashed(name: string): number {
  return Number(`0x${digest(name).slice(0, 8)}`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A name as the decimal string of an unsigned 64-bit number; "0" for none. */
function number(name: string): string {
  return name === "" ? "0" : BigInt(`0x${digest(name).slice(0, 16)}`).toString();
}
