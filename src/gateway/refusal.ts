// An answer that Adyton gives in the model's place, in the error shape that the caller's SDK understands.
import { GATEWAY_ERROR_CODES, type GatewayErrorCode } from "./errors.ts";
import type { Notice } from "./measures.ts";
import type { Family } from "./routes.ts";

export interface Refusal {
  readonly status: number;
  readonly code: GatewayErrorCode;
  /** Flat name, value list, as `writeHead` takes it. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

interface Kind {
  readonly status: number;
  /** `error.type` of the OpenAI API. */
  readonly openai: string;
  /** `error.type` of the Anthropic API, one of its closed list. */
  readonly anthropic: string;
  readonly retryAfterSeconds?: number;
}

const invalid: Kind = { status: 400, openai: "invalid_request_error", anthropic: "invalid_request_error" };
const unauthorised: Kind = {
  status: 401,
  openai: "invalid_request_error",
  anthropic: "authentication_error",
};
const busy: Kind = { status: 429, openai: "requests", anthropic: "rate_limit_error", retryAfterSeconds: 1 };
const failed: Kind = { status: 502, openai: "server_error", anthropic: "api_error" };
const unavailable: Kind = {
  status: 503,
  openai: "server_error",
  anthropic: "overloaded_error",
  retryAfterSeconds: 5,
};

const KINDS: Readonly<Record<GatewayErrorCode, Kind>> = {
  "gateway.key-missing": unauthorised,
  "gateway.key-unknown": unauthorised,
  "gateway.key-revoked": unauthorised,
  "gateway.key-expired": unauthorised,
  "gateway.account-suspended": { status: 403, openai: "permission_error", anthropic: "permission_error" },
  "gateway.quarantined": { status: 403, openai: "permission_error", anthropic: "permission_error" },
  "gateway.verification-required": { status: 403, openai: "permission_error", anthropic: "permission_error" },
  "gateway.slowed": busy,
  "gateway.not-reducible": invalid,
  "gateway.budget-spent": busy,
  "gateway.budget-unavailable": unavailable,
  "gateway.not-found": { ...invalid, status: 404, anthropic: "not_found_error" },
  "gateway.method-not-allowed": { ...invalid, status: 405 },
  "gateway.upstream-not-configured": { ...invalid, status: 404, anthropic: "not_found_error" },
  "gateway.bad-request": invalid,
  "gateway.headers-too-large": { ...invalid, status: 431 },
  "gateway.body-too-large": { ...invalid, status: 413, anthropic: "request_too_large" },
  "gateway.request-timeout": { ...invalid, status: 408, anthropic: "timeout_error" },
  "gateway.too-many-streams": { ...busy, status: 503, openai: "server_error", anthropic: "overloaded_error" },
  "gateway.too-many-for-account": busy,
  "gateway.too-many-for-end-user": busy,
  "gateway.upstream-unreachable": failed,
  "gateway.upstream-timeout": { ...failed, status: 504, anthropic: "timeout_error" },
  "gateway.log-unavailable": unavailable,
  "gateway.stopping": { ...unavailable, retryAfterSeconds: 1 },
  "gateway.options-invalid": { ...failed, status: 500 },
};

/**
 * The answer for `code` in the shape of `family`. The code is in a header of its own for every family, and in the
 * body wherever the API's schema has room. `notice` tells of a measure; nothing depends on content, keys or upstreams.
 */
export function refusalOf(
  code: GatewayErrorCode,
  family: Family,
  requestId: string,
  notice: Notice | null = null,
): Refusal {
  const kind = KINDS[code];
  const said = GATEWAY_ERROR_CODES[code];
  const message = notice === null || notice.text === "" ? said : `${said} ${notice.text}`;
  const body = Buffer.from(JSON.stringify(shaped(code, message, kind, family, requestId)));
  const headers = ["content-type", "application/json", "x-request-id", requestId, "adyton-code", code];
  if (notice !== null) headers.push(...notice.headers);
  if (kind.retryAfterSeconds !== undefined && !headers.includes("retry-after"))
    headers.push("retry-after", String(kind.retryAfterSeconds));
  if (family === "anthropic") headers.push("request-id", requestId);
  headers.push("content-length", String(body.length));
  return { status: kind.status, code, headers, body };
}

function shaped(
  code: GatewayErrorCode,
  message: string,
  kind: Kind,
  family: Family,
  requestId: string,
): unknown {
  switch (family) {
    case "anthropic":
      return { type: "error", error: { type: kind.anthropic, message, code }, request_id: requestId };
    case "ollama":
    case "v2":
      return { error: message, code, request_id: requestId };
    default:
      return { error: { message, type: kind.openai, param: null, code }, request_id: requestId };
  }
}
