// One exchange in, the rows of the analytical store out: a pure function, versioned, that lets no content through.
import type { Exchange } from "../../core/exchange.ts";
import type { FeatureRow } from "./feature-row.ts";
import { type FeatureKeys, type KeyedHash, NO_HASH } from "./keyed-hash.ts";
import { numericOf } from "./numeric.ts";
import { type Prompt, promptOf } from "./prompt.ts";
import { machineOf, relayBits } from "./relay.ts";
import { longestRun } from "./repetition.ts";
import { Reader, textColumns } from "./text-columns.ts";

/** Raised when a column's meaning changes; rows of an older version are derived again by a rebuild. */
export const FEATURE_VERSION = 8;

const readers = new WeakMap<FeatureKeys, Reader>();

function readerOf(keys: FeatureKeys): Reader {
  const known = readers.get(keys);
  if (known !== undefined) return known;
  const made = new Reader(keys);
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
        ...machineColumns(exchange, hasher, prompt),
      },
    ],
  };
}

function machineColumns(
  { client }: Exchange,
  hasher: KeyedHash,
  prompt: Prompt,
): Pick<FeatureRow, "relay" | "home"> {
  const machine = machineOf(prompt.messages);
  return { relay: relayBits(client, machine), home: hasher.of("home", machine.home) };
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
