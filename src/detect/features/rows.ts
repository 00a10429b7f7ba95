// One exchange in, the rows of the analytical store out: a pure function, versioned, that lets no content through.
import type { Exchange } from "../../core/exchange.ts";
import { embedHashes } from "./embedding.ts";
import { type FeatureKeys, KeyedHash, NO_HASH } from "./keyed-hash.ts";
import { nearKeys } from "./near-keys.ts";
import { type NumericColumns, numericOf } from "./numeric.ts";
import { type Message, type Prompt, promptOf } from "./prompt.ts";
import { blanksOf, recallBits } from "./recall.ts";
import { longestRun } from "./repetition.ts";
import { MaskedText } from "./text.ts";

/** Raised when a column's meaning changes; rows of an older version are derived again by a rebuild. */
export const FEATURE_VERSION = 4;

/** One row of `exchange_features`; units in the names, hashes are unsigned 64-bit numbers, 0 for absent. */
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
  /** Of the biased tokens with their values; 0 without any. */
  readonly bias_values: bigint;
  readonly tools: number;
  readonly parameters: bigint;
  readonly system: bigint;
  /** What a template leaves at the ends of the last user message: at most four different hashes. */
  readonly affixes: readonly bigint[];
  readonly skeleton: bigint;
  /** The last user message, exactly but for white space around it. */
  readonly input: bigint;
  /** The whole conversation, message by message as `input`: equal ones are the same prompt prefix. */
  readonly conversation: bigint;
  readonly toolset: bigint;
  readonly client: bigint;
  readonly ip: bigint;
  readonly network: bigint;
  readonly asn: number;
  readonly country: string;
  readonly embedding: readonly number[];
  /** Keys of the last user message that versions of the same text share (see `near-keys.ts`); none for short ones. */
  readonly near: readonly number[];
  /** Words of the last user message that were read. */
  readonly asked_words: number;
  /** Surroundings of the blanks in the last user message, at most four; and bits that `recall.ts` names. */
  readonly blanks: readonly bigint[];
  readonly recall: number;
  /** Longest run of one word in the last user message, and in the answer. */
  readonly asked_run: number;
  readonly answered_run: number;
}

/** What reads texts under one key: it keeps memory and answers between exchanges, and no state. */
interface Reader {
  readonly hasher: KeyedHash;
  readonly text: MaskedText;
}

const readers = new WeakMap<FeatureKeys, Reader>();

function readerOf(keys: FeatureKeys): Reader {
  const known = readers.get(keys);
  if (known !== undefined) return known;
  const hasher = new KeyedHash(keys);
  const made = { hasher, text: new MaskedText(hasher.wordSeed) };
  readers.set(keys, made);
  return made;
}

/**
 * The feature rows of one exchange. Pure: equal exchanges and keys give equal rows. Total: any body, however malformed,
 * gives one row.
 */
export function rowsOf(exchange: Exchange, keys: FeatureKeys): { exchange_features: [FeatureRow] } {
  const reader = readerOf(keys);
  const { hasher } = reader;
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
        ...textColumns(prompt, reader),
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

function textColumns(prompt: Prompt, { hasher, text }: Reader): TextColumns {
  const { messages } = prompt;
  const asked = messages.findLast((message) => message.role === "user")?.text ?? "";
  const input = hasher.of("input", asked.trim());
  let [chars, turns, system] = [0, 0, ""];
  let continued: 0 | 1 = 0;
  for (const message of messages) {
    chars += message.text.length;
    if (message.role === "system") system += system === "" ? message.text : `\u0002${message.text}`;
    else turns += 1;
    if (message.role === "assistant" || message.role === "tool") continued = 1;
  }
  const systemHash = hasher.ofRepeated("system", system, (whole) =>
    maskedHash("system", whole, hasher, text),
  );
  text.read(asked);
  return {
    prompt_chars: chars,
    turns: Math.min(turns, 65_535),
    continued,
    system: systemHash,
    affixes: affixesOf(text, hasher),
    skeleton: hasher.ofBytes("skeleton", text.bytes, ...text.bytesOf({ from: 0, to: text.count })),
    input,
    conversation: conversationHash(messages, hasher, { asked, input }),
    embedding: embedHashes(text.hashes, text.count),
    near: nearKeys(text.hashes, text.count),
    asked_words: text.count,
    blanks: blanksOf(asked, hasher),
    recall: recallBits(asked, system),
    asked_run: longestRun(asked),
  };
}

/** Up to four different hashes of what a template leaves at the ends of a message. */
function affixesOf(text: MaskedText, hasher: KeyedHash): bigint[] {
  const { opening, closing, head, tail } = text.affixes();
  const affixes: bigint[] = [];
  for (const [role, range] of [
    ["opening", opening],
    ["closing", closing],
    ["opening", head],
    ["closing", tail],
  ] as const) {
    const made = hasher.ofBytes(role, text.bytes, ...text.bytesOf(range));
    if (made !== NO_HASH && !affixes.includes(made)) affixes.push(made);
  }
  return affixes;
}

function maskedHash(role: "system", whole: string, hasher: KeyedHash, text: MaskedText): bigint {
  text.read(whole);
  return hasher.ofBytes(role, text.bytes, ...text.bytesOf({ from: 0, to: text.count }));
}

const ROLE_CODES = { system: 1, user: 2, assistant: 3, tool: 4 } as const;
const BYTES_A_MESSAGE = 9;

/** Of the hashes of its messages and who says them. */
function conversationHash(
  messages: readonly Message[],
  hasher: KeyedHash,
  known: { readonly asked: string; readonly input: bigint },
): bigint {
  const bytes = new Uint8Array(messages.length * BYTES_A_MESSAGE);
  const view = new DataView(bytes.buffer);
  messages.forEach(({ role, text }, index) => {
    view.setUint8(index * BYTES_A_MESSAGE, ROLE_CODES[role]);
    const input = text === known.asked ? known.input : hasher.of("input", text.trim());
    view.setBigUint64(index * BYTES_A_MESSAGE + 1, input);
  });
  return hasher.ofBytes("conversation", bytes, 0, bytes.length);
}

/** The client program as it shows itself: TLS fingerprint, header order, user agent. Versions stay in: they are evidence. */
function clientHash(exchange: Exchange, hasher: KeyedHash): bigint {
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
