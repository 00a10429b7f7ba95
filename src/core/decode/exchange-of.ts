// Joins an open record with its close (or interruption) into one Exchange: what features and the analyst read.
import type { Answer, Client, Exchange, Outcome } from "../exchange.ts";
import type { RecordKind } from "../record.ts";
import { readBody } from "./body.ts";
import { asArray, asCount, asObject, asText, asTextOrNull, type JsonObject, parseJsonBytes } from "./json.ts";

/** What decoding needs of a record read back from the sealed log. */
export interface ReadableRecord {
  readonly leaf: { readonly kind: RecordKind; readonly time: string; readonly exchange?: string | undefined };
  readonly account: string | null;
  /** Fields by name; null when the content was erased, or was never there (`interrupted`). */
  readonly content: ReadonlyMap<string, Uint8Array> | null;
}

export interface DecodeOptions {
  /**
   * Undoes `content-encoding`; null when it can't. Given by the caller because it inflates what a stranger sent: the
   * limit belongs to who has the memory.
   */
  readonly decompress: (bytes: Uint8Array, encoding: string) => Uint8Array | null;
}

const OUTCOMES: ReadonlySet<string> = new Set(["complete", "aborted", "upstream-failed", "refused"]);
/** Encodings applied on top of each other that are undone; an honest peer uses one. */
const MAX_ENCODINGS = 2;
const NO_BYTES = new Uint8Array(0);

/**
 * The exchange in clear, or null when its content was erased. Everything in it but `id`, `account`, `key` and the
 * times is attacker-controlled or upstream-controlled. Never throws: what can't be read becomes empty.
 */
export function exchangeOf(
  open: ReadableRecord,
  close: ReadableRecord,
  options: DecodeOptions,
): Exchange | null {
  if (open.content === null || open.account === null) return null;
  const interrupted = close.leaf.kind === "interrupted";
  if (close.content === null && !interrupted) return null;
  const network = fieldObject(open.content, "network");
  const headers = headerPairs(open.content);
  const figures = close.content === null ? {} : fieldObject(close.content, "figures");
  return {
    id: open.leaf.exchange ?? "",
    account: open.account,
    key: asTextOrNull(network["key"]),
    openedAtMs: timeMs(open.leaf.time),
    closedAtMs: timeMs(close.leaf.time),
    client: clientOf(network, headers),
    endpoint: asText(network["path"]).split("?", 1)[0] ?? "",
    request: parseJsonBytes(plainField(open.content, "request", headers, options)) ?? null,
    answer: close.content === null ? emptyAnswer(0) : answerOf(close.content, figures, options),
    outcome: interrupted ? "interrupted" : outcomeOf(figures["outcome"]),
  };
}

function answerOf(
  content: ReadonlyMap<string, Uint8Array>,
  figures: JsonObject,
  options: DecodeOptions,
): Answer {
  const status = asCount(figures["status"]) ?? 0;
  if (figures["format"] === "neutral") return neutralAnswer(content.get("response") ?? NO_BYTES, status);
  return readBody(plainField(content, "response", headerPairs(content), options), status);
}

/** An imported answer: a core `Answer` as JSON. */
function neutralAnswer(bytes: Uint8Array, status: number): Answer {
  const stored = asObject(parseJsonBytes(bytes));
  if (stored === undefined) return emptyAnswer(status);
  const usage = asObject(stored["usage"]);
  return {
    status,
    text: asText(stored["text"]),
    finishReason: asTextOrNull(stored["finishReason"]),
    toolCalls: asArray(stored["toolCalls"]),
    usage:
      usage === undefined
        ? null
        : {
            promptTokens: asCount(usage["promptTokens"]) ?? 0,
            completionTokens: asCount(usage["completionTokens"]) ?? 0,
          },
  };
}

function emptyAnswer(status: number): Answer {
  return { status, text: "", finishReason: null, toolCalls: [], usage: null };
}

function clientOf(network: JsonObject, headers: readonly (readonly [string, string])[]): Client {
  const declaredSystem = headerValue(headers, "x-stainless-os") ?? headerValue(headers, "sec-ch-ua-platform");
  return {
    ip: asTextOrNull(network["ip"]),
    asn: asCount(network["asn"]),
    country: asTextOrNull(network["country"]),
    userAgent: headerValue(headers, "user-agent"),
    ...(declaredSystem === null ? {} : { declaredSystem }),
    ja4: asTextOrNull(network["ja4"]),
    headers: headers.map(([name]) => name),
  };
}

function fieldObject(content: ReadonlyMap<string, Uint8Array>, field: string): JsonObject {
  return asObject(parseJsonBytes(content.get(field) ?? NO_BYTES)) ?? {};
}

/** Pairs with their names in lower case. */
function headerPairs(content: ReadonlyMap<string, Uint8Array>): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const entry of asArray(parseJsonBytes(content.get("headers") ?? NO_BYTES))) {
    const [name, value] = asArray(entry);
    if (typeof name === "string") pairs.push([name.toLowerCase(), asText(value)]);
  }
  return pairs;
}

function headerValue(headers: readonly (readonly [string, string])[], name: string): string | null {
  return headers.find(([each]) => each === name)?.[1] ?? null;
}

/** Bytes of a body without its content encodings, which were applied in the order they are listed (RFC 9110, 8.4). */
function plainField(
  content: ReadonlyMap<string, Uint8Array>,
  field: string,
  headers: readonly (readonly [string, string])[],
  options: DecodeOptions,
): Uint8Array {
  let bytes = content.get(field) ?? NO_BYTES;
  const encodings = (headerValue(headers, "content-encoding") ?? "")
    .toLowerCase()
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && each !== "identity");
  if (encodings.length > MAX_ENCODINGS) return NO_BYTES;
  for (const encoding of encodings.reverse()) {
    if (bytes.length > 0) bytes = options.decompress(bytes, encoding) ?? NO_BYTES;
  }
  return bytes;
}

function outcomeOf(value: unknown): Outcome {
  return typeof value === "string" && OUTCOMES.has(value) ? (value as Outcome) : "upstream-failed";
}

function timeMs(iso: string): number {
  const parsed = Date.parse(iso);
  return Number.isNaN(parsed) ? 0 : parsed;
}
