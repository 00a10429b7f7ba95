// Reads the neutral form in which exchanges and accounts come from other systems, one JSON object a line.
import type { AccountFacts } from "../account.ts";
import type { Answer, Client } from "../exchange.ts";
import { asArray, asCount, asObject, type JsonObject, parseJson } from "./json.ts";

/** Longest identifier of an exchange, account or key, characters. */
const MAX_ID_LENGTH = 200;
/** Header names one client may have. */
const MAX_HEADERS = 200;
/** Last millisecond of the year 9998: a close a day later still has a year of four digits. */
const MAX_TIME_MS = 253_370_764_799_999;

/** One line of an exchanges file. Times are as the other system saw them. */
export interface NeutralExchange {
  readonly id: string;
  readonly account: string;
  readonly key: string | null;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly client: Client;
  readonly endpoint: string;
  /** The request body: any JSON object. */
  readonly request: JsonObject;
  readonly answer: Answer;
}

/** What a line was: a value, or the reason why it is none. */
export type Read<T> = { readonly value: T } | { readonly reason: string };

class Malformed extends Error {}

/**
 * One line of an exchanges file: `id`, `time` (ISO 8601, UTC), `account`, `request`, `response {status, text, …}`; and
 * where known `key`, `client`, `endpoint`, `latency_ms`, `response.finish_reason`, `.tool_calls`, `.usage`. Members
 * that are not named here are not kept.
 */
export function readNeutralExchange(line: string): Read<NeutralExchange> {
  return reading(line, (entry) => {
    const openedAtMs = time(entry, "time");
    return {
      id: identifier(entry, "id"),
      account: identifier(entry, "account"),
      key: entry["key"] == null ? null : identifier(entry, "key"),
      openedAtMs,
      closedAtMs: openedAtMs + (entry["latency_ms"] == null ? 0 : duration(entry, "latency_ms")),
      client: client(entry["client"]),
      endpoint: endpoint(entry["endpoint"]),
      request: object(entry, "request"),
      answer: answer(object(entry, "response")),
    };
  });
}

/** One line of an accounts file: `account`, and where known the facts in snake case. */
export function readNeutralAccount(line: string): Read<AccountFacts> {
  return reading(line, (entry) => ({
    account: identifier(entry, "account"),
    created: entry["created"] == null ? null : new Date(time(entry, "created")).toISOString(),
    plan: fact(entry, "plan"),
    payment: fact(entry, "payment"),
    emailDomain: fact(entry, "email_domain"),
    country: fact(entry, "country"),
    organization: fact(entry, "organization"),
    declaredUse: fact(entry, "declared_use"),
  }));
}

function reading<T>(line: string, read: (entry: JsonObject) => T): Read<T> {
  const entry = asObject(parseJson(line));
  if (entry === undefined) return { reason: "expected a JSON object" };
  try {
    return { value: read(entry) };
  } catch (error) {
    if (error instanceof Malformed) return { reason: error.message };
    throw error;
  }
}

function answer(response: JsonObject): Answer {
  const usage = asObject(response["usage"]);
  const calls = response["tool_calls"];
  if (calls != null && !Array.isArray(calls)) throw wrong("response.tool_calls", "an array", calls);
  return {
    status: count(response, "status", "response."),
    text: text(response, "text", "response."),
    finishReason: response["finish_reason"] == null ? null : text(response, "finish_reason", "response."),
    toolCalls: asArray(calls),
    usage:
      usage === undefined
        ? null
        : {
            promptTokens: count(usage, "prompt_tokens", "response.usage."),
            completionTokens: count(usage, "completion_tokens", "response.usage."),
          },
  };
}

function client(value: unknown): Client {
  const entry = value == null ? {} : asObject(value);
  if (entry === undefined) throw wrong("client", "an object", value);
  const headers = asArray(entry["headers"]);
  if (headers.length > MAX_HEADERS || !headers.every((name) => typeof name === "string")) {
    throw wrong("client.headers", `at most ${MAX_HEADERS} names`, entry["headers"]);
  }
  return {
    ip: optional(entry, "ip"),
    asn: asCount(entry["asn"]),
    country: optional(entry, "country"),
    userAgent: optional(entry, "user_agent"),
    ja4: optional(entry, "ja4"),
    headers: headers.map((name) => String(name).toWellFormed().toLowerCase()),
  };
}

function endpoint(value: unknown): string {
  if (value == null) return "/v1/chat/completions";
  if (typeof value !== "string" || !value.startsWith("/")) throw wrong("endpoint", "a path", value);
  return value.toWellFormed();
}

function identifier(entry: JsonObject, name: string): string {
  const value = entry[name];
  const fits =
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= MAX_ID_LENGTH &&
    // Identifiers are printed, logged and compared: visible ASCII only.
    /^[\x21-\x7e]+$/.test(value);
  if (!fits) throw wrong(name, `1 to ${MAX_ID_LENGTH} visible ASCII characters`, value);
  return value;
}

function time(entry: JsonObject, name: string): number {
  const value = entry[name];
  const parsed = typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (!(parsed >= 0 && parsed <= MAX_TIME_MS)) throw wrong(name, "an ISO 8601 time from 1970 to 9998", value);
  return parsed;
}

function duration(entry: JsonObject, name: string): number {
  const value = entry[name];
  if (typeof value !== "number" || !(value >= 0 && value <= 86_400_000)) {
    throw wrong(name, "milliseconds up to a day", value);
  }
  return Math.round(value);
}

function count(entry: JsonObject, name: string, prefix: string): number {
  const value = asCount(entry[name]);
  if (value === null) throw wrong(prefix + name, "a count", entry[name]);
  return value;
}

function text(entry: JsonObject, name: string, prefix: string): string {
  const value = entry[name];
  if (typeof value !== "string") throw wrong(prefix + name, "a text", value);
  return value.toWellFormed();
}

function optional(entry: JsonObject, name: string): string | null {
  return entry[name] == null ? null : text(entry, name, "client.");
}

function fact(entry: JsonObject, name: string): string | null {
  return entry[name] == null ? null : text(entry, name, "");
}

function object(entry: JsonObject, name: string): JsonObject {
  const value = asObject(entry[name]);
  if (value === undefined) throw wrong(name, "an object", entry[name]);
  return value;
}

/** Never quotes a whole value: lines hold customers' content. */
function wrong(name: string, expected: string, got: unknown): Malformed {
  const kind = got === null ? "null" : Array.isArray(got) ? "an array" : typeof got;
  const short = typeof got === "number" || typeof got === "boolean" ? String(got) : kind;
  return new Malformed(`expected ${name} to be ${expected}, got ${got === undefined ? "nothing" : short}`);
}
