// Why the API refused or failed: a code and a status for programs, a sentence for people, never internals.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AdytonError } from "../core/errors.ts";

/** What each code means and what to do about it; docs/errors.md is made from this. */
export const API_ERROR_CODES = {
  "api.bad-request": "The request has another shape than the API's contract. The message names the member.",
  "api.not-signed-in":
    "There is no session or token, or it has ended. Sign in with a one-time link from adyton sign-in.",
  "api.sign-in-refused":
    "The sign-in link is unknown, was used, or has expired. Make another with adyton sign-in.",
  "api.too-many-attempts": "Too many sign-in attempts came from this address. Wait a minute.",
  "api.forbidden":
    "The signed-in user's role, or the token's scopes, do not allow this. An administrator can give another.",
  "api.cross-site":
    "A change was asked for from another site, or without the header x-adyton-console. Use the console itself.",
  "api.not-found": "There is no such thing at this address.",
  "api.not-sealed": "The records of this exchange are not sealed in the log yet. Try again in a second.",
  "api.conflict":
    "This can't be done at the stage that has been reached: somebody else decided meanwhile. Load it again.",
  "api.erased": "The content was erased: its key is destroyed. Proofs of the record stay valid.",
  "api.approval-needed":
    "A second person must agree first, because the configuration asks for it. The request waits under Cases.",
  "api.body-too-large": "The request's body is larger than the API's limit.",
  "api.log-unavailable":
    "The act could not be written to the log, so what it would have recorded was not done. Check the disk.",
  "api.busy": "The analytical store did not answer in time. Narrow the filter or try again.",
  "api.not-available": "This part is not running in this process.",
  "api.provider-unavailable":
    "The identity provider did not answer. Use a one-time link meanwhile; check console.provider.issuer and the network.",
  "api.console-not-built":
    "The console's files are missing. Run npm run build, or node scripts/build-console.ts in a clone.",
  "api.internal": "An error inside Adyton. The diagnostics name it under the request id.",
} as const;

export type ApiErrorCode = keyof typeof API_ERROR_CODES;

const STATUS: Readonly<Record<ApiErrorCode, ContentfulStatusCode>> = {
  "api.bad-request": 400,
  "api.not-signed-in": 401,
  "api.sign-in-refused": 401,
  "api.too-many-attempts": 429,
  "api.forbidden": 403,
  "api.cross-site": 403,
  "api.not-found": 404,
  "api.not-sealed": 409,
  "api.conflict": 409,
  "api.erased": 410,
  "api.approval-needed": 409,
  "api.body-too-large": 413,
  "api.log-unavailable": 503,
  "api.busy": 503,
  "api.not-available": 503,
  "api.provider-unavailable": 502,
  "api.console-not-built": 503,
  "api.internal": 500,
};

export class ApiError extends AdytonError<ApiErrorCode> {
  get status(): ContentfulStatusCode {
    return STATUS[this.code];
  }
}

/** Other rooms' errors that a client may understand, as the API says them; everything else is `api.internal`. */
const TRANSLATED: Readonly<Record<string, ApiErrorCode>> = {
  "finding-unknown": "api.not-found",
  "account-unknown": "api.not-found",
  "organization-unknown": "api.not-found",
  "declared-use-unknown": "api.not-found",
  "key-unknown": "api.not-found",
  "token-unknown": "api.not-found",
  "user-unknown": "api.not-found",
  "too-many-keys": "api.bad-request",
  "state-unavailable": "api.busy",
  "invalid-fact": "api.bad-request",
  "verdict-unknown": "api.not-found",
  "verdict-step": "api.conflict",
  "appeal-unknown": "api.not-found",
  "appeal-step": "api.conflict",
  "case-unknown": "api.not-found",
  "case-closed": "api.conflict",
  "approval-unknown": "api.not-found",
  "approval-step": "api.conflict",
  "state-busy": "api.busy",
  "store.query-timeout": "api.busy",
  "log.not-found": "api.not-found",
  "log.unhealthy": "api.log-unavailable",
  "log.disk-full": "api.log-unavailable",
  "log.write-failed": "api.log-unavailable",
  "log.queue-full": "api.log-unavailable",
  "log.closed": "api.log-unavailable",
};

/** The error as the client is told it. Messages of other rooms stay inside. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = error instanceof AdytonError ? (TRANSLATED[error.code] ?? "api.internal") : "api.internal";
  return new ApiError(code, API_ERROR_CODES[code], { cause: error });
}
