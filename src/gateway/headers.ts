// What happens to each header on its way: everything passes unchanged but what these lists name.
import { END_USER_HEADER } from "../core/end-user.ts";
import type { HeaderPairs } from "../core/record.ts";

/** RFC 9110 section 7.6.1: fields that concern one connection. `expect` is answered by this server itself. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "proxy-authenticate",
  "proxy-authorization",
  "host",
  "content-length",
]);

/** Fields that carry a secret. Their values never enter the log; clients' ones never leave in virtual key mode. */
export const CREDENTIALS: ReadonlySet<string> = new Set([
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-amz-security-token",
  "openai-ephemeral-user-key",
]);

/** What proxies and tenants in front say about the client: meant for Adyton, and none of the upstream's business. */
const PROXY_FACTS: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-real-ip",
  "forwarded",
  "true-client-ip",
  // A tenant tells us who its user is, not the model's maker.
  END_USER_HEADER,
]);

export const WITHHELD = "(withheld)";

/** What the lists say of one name, worked out once: a client sends the same dozen names with every request. */
interface Treatment {
  readonly lower: string;
  readonly isSecret: boolean;
  /** Never goes to an upstream. */
  readonly staysHere: boolean;
  readonly isHop: boolean;
}

/** Names are attacker-controlled; beyond this many distinct ones each is worked out anew. */
const MAX_KNOWN_NAMES = 4_096;
const KNOWN_NAMES: Map<string, Treatment> = new Map();

function treatmentOf(name: string): Treatment {
  const known = KNOWN_NAMES.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const isHop = HOP_BY_HOP.has(lower);
  const treatment = {
    lower,
    isSecret: CREDENTIALS.has(lower),
    staysHere: isHop || PROXY_FACTS.has(lower),
    isHop,
  };
  if (KNOWN_NAMES.size < MAX_KNOWN_NAMES) KNOWN_NAMES.set(name, treatment);
  return treatment;
}

/** The header and value with which an upstream expects its key. */
export interface UpstreamCredential {
  readonly name: string;
  readonly value: string;
}

/**
 * Headers for the upstream: flat name, value list with the client's own order and spelling. `credential` replaces
 * the client's; null with `keepClients` lets the client's pass (pass-through mode).
 */
export function upstreamHeaders(
  raw: readonly string[],
  options: {
    credential: UpstreamCredential | null;
    keepClients: boolean;
    host: string;
    dropped: ReadonlySet<string>;
    connection: string | undefined;
  },
): string[] {
  const named = namedByConnection(options.connection);
  const out: string[] = ["host", options.host];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const { lower, isSecret, staysHere } = treatmentOf(name);
    if (staysHere || (isSecret && !options.keepClients)) continue;
    if (options.dropped.has(lower) || named?.has(lower) === true) continue;
    out.push(name, raw[index + 1] ?? "");
  }
  if (options.credential !== null) out.push(options.credential.name, options.credential.value);
  return out;
}

/** Fields that a Connection header declares to be about this hop only (RFC 9110 section 7.6.1). */
function namedByConnection(value: string | undefined): ReadonlySet<string> | null {
  if (value === undefined || value === "keep-alive" || value === "close") return null;
  return new Set(
    value
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}

/** The upstream's head as text, and what the gateway needs to know of it. */
export interface UpstreamHead {
  readonly status: number;
  readonly message: string;
  /** Every pair as received, credentials withheld, and what a measure adds: for the log. */
  readonly pairs: [string, string][];
  /** Flat name, value list for the client. */
  readonly forClient: string[];
  /** -1 where the upstream did not say. */
  readonly contentLength: number;
  readonly isStream: boolean;
}

/**
 * Reads the raw head (name and value alternate). The client's request id wins: an upstream's own `x-request-id`
 * goes on as `x-upstream-request-id`, so that one name always means one thing. An upstream's cookies belong to
 * Adyton's account there and stay here, except in pass-through mode.
 */
export function readUpstreamHead(
  status: number,
  message: string,
  raw: readonly (Buffer | string)[],
  { requestId, keepCookies }: { requestId: string; keepCookies: boolean },
): UpstreamHead {
  const pairs: [string, string][] = [];
  const forClient: string[] = ["x-request-id", requestId];
  let contentLength = -1;
  let isStream = false;
  let hasAccelHeader = false;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = latin1(raw[index]);
    const value = latin1(raw[index + 1]);
    const { lower, isSecret, isHop } = treatmentOf(name);
    pairs.push([name, isSecret ? WITHHELD : value]);
    if (lower === "content-length") {
      contentLength = Number(value);
      forClient.push(name, value);
      continue;
    }
    if (isHop || (isSecret && !keepCookies)) continue;
    if (lower === "content-type")
      isStream = /^(text\/event-stream|application\/(x-ndjson|jsonl))/i.test(value);
    if (lower === "x-accel-buffering") hasAccelHeader = true;
    forClient.push(lower === "x-request-id" ? "x-upstream-request-id" : name, value);
  }
  // Proxies in front (nginx) must not gather a stream.
  if (isStream && !hasAccelHeader) forClient.push("x-accel-buffering", "no");
  return { status, message, pairs, forClient, contentLength, isStream };
}

function latin1(value: Buffer | string | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : value.toString("latin1");
}

/** A request's headers for the log: pairs in the order received, secrets withheld. */
export function loggedPairs(raw: readonly string[]): HeaderPairs {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    pairs.push([name, treatmentOf(name).isSecret ? WITHHELD : (raw[index + 1] ?? "")]);
  }
  return pairs;
}
