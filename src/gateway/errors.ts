// Every reason for which the gateway itself answers a client. Every code is listed in docs/errors.md.
import { AdytonError } from "../core/errors.ts";

const CODES = {
  "gateway.key-missing":
    "The request carries no key. Send one of Adyton's keys as `authorization: Bearer ady_…` or `x-api-key: ady_…`.",
  "gateway.key-unknown":
    "The key is not known here, or is mistyped. Ask the operator for a key of this gateway; a key of the model's provider does not work in virtual key mode.",
  "gateway.key-revoked": "The key was revoked. Ask the operator for a new one.",
  "gateway.key-expired": "The key's time is over. Ask the operator for a new one.",
  "gateway.account-suspended":
    "The account is suspended. Ask the operator; the request id identifies the refusal.",
  "gateway.quarantined":
    "Requests of this account are refused for the time being. The page in `adyton-appeal` says why and until when, and takes an objection.",
  "gateway.verification-required":
    "A step has to be taken before further requests of this account are served. The page in `adyton-appeal` says which.",
  "gateway.slowed":
    "This account is served at a lower pace for the time being. Try again after the time in `retry-after`; the page in `adyton-appeal` says why.",
  "gateway.not-reducible":
    "Under the measure `reduce` a request has to be a JSON object in UTF-8, sent without content-encoding. The page in `adyton-appeal` says why the measure holds.",
  "gateway.budget-spent":
    "A budget of this account, or one that it shares, is used up. Try again after the time in `retry-after`.",
  "gateway.budget-unavailable":
    "Nobody can say at the moment whether a budget is used up, and the operator chose to refuse then (respond.onRedisFailure). Try again after the time in `retry-after`.",
  "gateway.not-found":
    "The path is not one of a served API and the configuration does not let it pass. Correct the base URL, or add the path to gateway.passThroughPaths.",
  "gateway.method-not-allowed": "The path exists but not with this HTTP method.",
  "gateway.upstream-not-configured":
    "No upstream serves this API (or this model). Add one of the right family to gateway.upstreams.",
  "gateway.bad-request": "The request is not well-formed HTTP. Correct the client.",
  "gateway.headers-too-large": "The request head is larger than gateway.limits.maxHeaderBytes.",
  "gateway.body-too-large": "The request body is larger than gateway.limits.maxBodyBytes.",
  "gateway.request-timeout":
    "The request did not arrive in full within gateway.limits.requestTimeoutMs. Send it faster, or in smaller parts.",
  "gateway.too-many-streams":
    "As many exchanges are in flight as gateway.limits.maxConcurrentStreams allows, or their bodies fill gateway.limits.maxBufferedBytes. Try again after the time in `retry-after`.",
  "gateway.too-many-for-account":
    "The account has as many exchanges in flight as gateway.limits.maxConcurrentPerAccount allows. Try again after the time in `retry-after`.",
  "gateway.too-many-for-end-user":
    "The tenant's user, named in a signed `adyton-end-user`, has as many exchanges in flight as gateway.limits.maxConcurrentPerEndUser allows. Others of the tenant's users go on.",
  "gateway.upstream-unreachable":
    "The model's server could not be reached, or broke off before its answer began.",
  "gateway.upstream-timeout":
    "The model's server did not begin its answer within gateway.limits.upstreamHeadersTimeoutMs, or the exchange took longer than gateway.limits.totalTimeoutMs.",
  "gateway.log-unavailable":
    "The query log can't be written and the operator chose to serve nothing without a record. Free disk space or repair the disk; see `adyton doctor`.",
  "gateway.stopping": "The gateway is stopping. Connect again.",
  "gateway.options-invalid":
    "The gateway could not start with these settings: a port in use, or an upstream URL that can't be used. The message says which.",
} as const;

export type GatewayErrorCode = keyof typeof CODES;

export const GATEWAY_ERROR_CODES: Readonly<Record<GatewayErrorCode, string>> = CODES;

/** Thrown to whoever starts the gateway. Clients never see it: they get a refusal in their API's own shape. */
export class GatewayError extends AdytonError<GatewayErrorCode> {}
