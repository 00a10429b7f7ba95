// Sends refusals, and records those whose caller is known before a byte of them leaves.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CloseFigures } from "../core/record.ts";
import { loggedPairs } from "./headers.ts";
import { closeDraft, type Identity, openDraft } from "./recorder.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import type { Family } from "./routes.ts";
import type { Shared } from "./shared.ts";

/**
 * A client that is still sending reads no answer from a connection that is reset under it: so its rest is read and
 * thrown away for this long before the connection closes.
 */
const LINGER_MS = 2_000;
const NO_BYTES = Buffer.alloc(0);

/** Sends a refusal now. A request that has not arrived in full costs its connection. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.destroyed) return;
  if (request.complete || hasNoBody(request)) {
    response.writeHead(refusal.status, [...refusal.headers]);
    response.end(refusal.body);
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(refusal.status, [...refusal.headers]);
  response.write(refusal.body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once("end", end);
  request.once("close", end);
  request.resume();
}

function hasNoBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] === undefined && headers["transfer-encoding"] === undefined;
}

export interface RefusedExchange {
  readonly refusal: Refusal;
  readonly identity: Identity;
  readonly shared: Shared;
  readonly startedMs: number;
  readonly family: Family;
  readonly requestId: string;
}

/**
 * Records a refused exchange, then answers. The body is not kept: it was refused, or nobody asked for it; its declared
 * length is among the headers.
 */
export function recordRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refused: RefusedExchange,
): void {
  const { refusal, identity, shared, startedMs, family, requestId } = refused;
  const figures: CloseFigures = {
    status: refusal.status,
    outcome: "refused",
    code: refusal.code,
    latencyMs: Math.round((performance.now() - startedMs) * 1_000) / 1_000,
    firstByteMs: null,
    responseBytes: 0,
    truncated: false,
    format: "wire",
  };
  let opened = false;
  shared.recorder.append(openDraft(identity, NO_BYTES, loggedPairs(request.rawHeaders)), (recorded) => {
    opened = recorded === "durable";
    if (recorded === "unrecorded") shared.metrics.unrecorded += 1;
  });
  shared.recorder.append(closeDraft(identity, NO_BYTES, [], figures), (recorded) => {
    if (recorded === "unrecorded" && opened) shared.metrics.unrecorded += 1;
    const unavailable = recorded === "failed";
    if (shared.isStopping) response.shouldKeepAlive = false;
    sendRefusal(
      request,
      response,
      unavailable ? refusalOf("gateway.log-unavailable", family, requestId) : refusal,
    );
  });
}
