// One exchange in, the rows of the analytical store out: a pure function, versioned, that lets no content through.
import type { Exchange } from "../../core/exchange.ts";
import { embed } from "./embedding.ts";
import { type FeatureKeys, KeyedHash, NO_HASH } from "./keyed-hash.ts";
import { nearKeys } from "./near-keys.ts";
import { type NumericColumns, numericOf } from "./numeric.ts";
import { type Message, type Prompt, promptOf } from "./prompt.ts";
import { blanksOf, recallBits } from "./recall.ts";
import { longestRun } from "./repetition.ts";
import { affixesOf, ends, wordsOf } from "./text.ts";

/** Raised when a column's meaning changes; rows of an older version are derived again by a rebuild. */
export const FEATURE_VERSION = 3;

/** One row of `exchange_features`; units in the names, hashes are UInt64 as decimal strings, "0" for absent. */
export interface FeatureRow extends NumericColumns {
  readonly exchange: string;
  readonly account: string;
  /** When the request was opened, ISO 8601 UTC. */
  readonly time: string;
  readonly version: number;
  readonly endpoint: string;
  readonly model: string;
  readonly status: number;
  /** 1 when the client got an answer it can learn from. */
  readonly served: 0 | 1;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_chars: number;
  readonly answer_chars: number;
  /** Messages of the conversation without system messages. */
  readonly turns: number;
  /** 1 when the model or a tool has already spoken in it. */
  readonly continued: 0 | 1;
  readonly temperature: number | null;
  readonly max_tokens: number | null;
  readonly choices: number;
  readonly top_logprobs: number;
  readonly bias_count: number;
  readonly bias_tokens: readonly number[];
  /** Of the biased tokens with their values; "0" without any. */
  readonly bias_values: string;
  readonly tools: number;
  readonly parameters: string;
  readonly system: string;
  /** What a template leaves at the ends of the last user message: at most four different hashes. */
  readonly affixes: readonly string[];
  readonly skeleton: string;
  /** The last user message, exactly but for white space around it. */
  readonly input: string;
  /** The whole conversation, message by message as `input`: equal ones are the same prompt prefix. */
  readonly conversation: string;
  readonly toolset: string;
  readonly client: string;
  readonly ip: string;
  readonly network: string;
  readonly asn: number;
  readonly country: string;
  readonly embedding: readonly number[];
  /** Keys of the last user message that versions of the same text share (see `near-keys.ts`); none for short ones. */
  readonly near: readonly number[];
  /** Words of the last user message that were read. */
  readonly asked_words: number;
  /** Surroundings of the blanks in the last user message, at most four; and bits that `recall.ts` names. */
  readonly blanks: readonly string[];
  readonly recall: number;
  /** Longest run of one word in the last user message, and in the answer. */
  readonly asked_run: number;
  readonly answered_run: number;
}

const hashers = new WeakMap<FeatureKeys, KeyedHash>();

function hasherOf(keys: FeatureKeys): KeyedHash {
  const known = hashers.get(keys);
  if (known !== undefined) return known;
  const made = new KeyedHash(keys);
  hashers.set(keys, made);
  return made;
}

/**
 * The feature rows of one exchange. Pure: equal exchanges and keys give equal rows. Total: any body, however malformed,
 * gives one row.
 */
export function rowsOf(exchange: Exchange, keys: FeatureKeys): { exchange_features: [FeatureRow] } {
  const hasher = hasherOf(keys);
  const prompt = promptOf(exchange.request);
  const { answer, client } = exchange;
  const served = answer.status >= 200 && answer.status < 300 && exchange.outcome !== "upstream-failed";
  return {
    exchange_features: [
      {
        exchange: exchange.id,
        account: exchange.account,
        time: new Date(exchange.openedAtMs).toISOString(),
        version: FEATURE_VERSION,
        endpoint: exchange.endpoint,
        model: prompt.model,
        status: answer.status,
        served: served ? 1 : 0,
        prompt_tokens: answer.usage?.promptTokens ?? 0,
        completion_tokens: answer.usage?.completionTokens ?? 0,
        answer_chars: answer.text.length,
        ...parameterColumns(prompt, hasher),
        ...textColumns(prompt, hasher),
        client: clientHash(exchange, hasher),
        ip: hasher.ofRepeated("ip", client.ip ?? ""),
        network: hasher.ofRepeated("network", networkOf(client.ip ?? "")),
        asn: client.asn ?? 0,
        country: client.country ?? "",
        answered_run: longestRun(answer.text),
        ...numericOf(exchange.request, answer.text, hasher.wordSeed),
      },
    ],
  };
}

type ParameterColumns = Pick<
  FeatureRow,
  | "temperature"
  | "max_tokens"
  | "choices"
  | "top_logprobs"
  | "bias_count"
  | "bias_tokens"
  | "bias_values"
  | "tools"
  | "toolset"
  | "parameters"
>;

function parameterColumns(prompt: Prompt, hasher: KeyedHash): ParameterColumns {
  const habit = [
    prompt.temperature,
    prompt.topP,
    prompt.maxTokens,
    prompt.stream,
    prompt.format,
    prompt.fields.join(","),
  ];
  return {
    temperature: prompt.temperature,
    max_tokens: prompt.maxTokens,
    choices: Math.min(Math.max(Math.trunc(prompt.choices), 0), 65_535),
    top_logprobs: Math.min(
      Math.max(Math.trunc(prompt.logprobs ? Math.max(prompt.topLogprobs, 1) : 0), 0),
      65_535,
    ),
    bias_count: prompt.biasedTokens.length,
    bias_tokens: prompt.biasedTokens,
    bias_values: hasher.of("bias", prompt.biasValues),
    tools: prompt.tools.length,
    toolset: hasher.ofRepeated("tools", [...prompt.tools].sort().join(",")),
    parameters: hasher.ofRepeated("parameters", habit.join("|")),
  };
}

type TextColumns = Pick<
  FeatureRow,
  | "prompt_chars"
  | "turns"
  | "continued"
  | "system"
  | "affixes"
  | "skeleton"
  | "input"
  | "conversation"
  | "embedding"
  | "near"
  | "asked_words"
  | "blanks"
  | "recall"
  | "asked_run"
>;

function textColumns(prompt: Prompt, hasher: KeyedHash): TextColumns {
  const spoken = prompt.messages.filter((message) => message.role !== "system");
  const system = prompt.messages.filter((message) => message.role === "system");
  const instructions = joined(system);
  const asked = spoken.findLast((message) => message.role === "user")?.text ?? "";
  const text = wordsOf(ends(asked));
  const { opening, closing, head, tail } = affixesOf(text);
  const affixes = new Set([
    hasher.ofRepeated("opening", opening),
    hasher.ofRepeated("closing", closing),
    hasher.ofRepeated("opening", head),
    hasher.ofRepeated("closing", tail),
  ]);
  affixes.delete(NO_HASH);
  return {
    prompt_chars: prompt.messages.reduce((sum, message) => sum + message.text.length, 0),
    turns: Math.min(spoken.length, 65_535),
    continued: spoken.some((message) => message.role !== "user") ? 1 : 0,
    system: hasher.ofRepeated("system", instructions, (text) => wordsOf(ends(text)).words.join(" ")),
    affixes: [...affixes],
    skeleton: hasher.of("skeleton", text.words.join(" ")),
    input: hasher.ofRepeated("input", asked.trim()),
    conversation: conversationHash(prompt.messages, hasher),
    embedding: embed(text.words, hasher.wordSeed),
    near: nearKeys(text.words, hasher.wordSeed),
    asked_words: Math.min(text.words.length, 65_535),
    blanks: blanksOf(asked, hasher),
    recall: recallBits(asked, instructions),
    asked_run: longestRun(asked),
  };
}

/** Of the hashes of its messages: a history that grows is hashed once a message, not once a turn. */
function conversationHash(messages: readonly Message[], hasher: KeyedHash): string {
  const parts = messages.map(({ role, text }) => `${role} ${hasher.ofRepeated("input", text.trim())}`);
  return hasher.of("conversation", parts.join("\n"));
}

function joined(messages: readonly Message[]): string {
  return messages.map((message) => `${message.role}\u0001${message.text}`).join("\u0002");
}

/** The client program as it shows itself: TLS fingerprint, header order, user agent. Versions stay in: they are evidence. */
function clientHash(exchange: Exchange, hasher: KeyedHash): string {
  const { ja4, headers, userAgent } = exchange.client;
  if (ja4 === null && userAgent === null && headers.length === 0) return NO_HASH;
  return hasher.ofRepeated("client", `${ja4 ?? ""}|${userAgent ?? ""}|${headers.join(",")}`);
}

/** The /24 of an IPv4 address, the /48 of an IPv6 one. */
function networkOf(ip: string): string {
  if (ip.includes(":")) return ip.split(":").slice(0, 3).join(":");
  const cut = ip.lastIndexOf(".");
  return cut < 0 ? "" : ip.slice(0, cut);
}
