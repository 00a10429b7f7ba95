// Answers what Node's HTTP parser rejects: there is no request object then, only a socket and an error.
import { STATUS_CODES } from "node:http";
import type { GatewayErrorCode } from "./errors.ts";
import { refusalOf } from "./refusal.ts";
import { familyOfPath } from "./routes.ts";

const CODES: ReadonlyMap<string, GatewayErrorCode> = new Map<string, GatewayErrorCode>([
  ["HPE_HEADER_OVERFLOW", "gateway.headers-too-large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "gateway.request-timeout"],
]);

/** Enough of a packet to find the request line in. */
const MAX_LINE_BYTES = 2_048;

export interface BrokenRequest {
  readonly code: GatewayErrorCode;
  /** The whole answer, ready for the socket. */
  readonly bytes: Buffer;
}

/**
 * The answer to a request that could not be parsed. `rawPacket` is what arrived, attacker-controlled: when it begins
 * with a request line, the error has that API's shape.
 */
export function brokenRequestAnswer(
  error: Error & { readonly code?: string; readonly rawPacket?: Buffer },
  requestId: string,
): BrokenRequest {
  const code = CODES.get(error.code ?? "") ?? "gateway.bad-request";
  const line = error.rawPacket?.toString("latin1", 0, MAX_LINE_BYTES) ?? "";
  const path = /^[A-Z]{1,16} (\/[^ ?\r\n]*)/.exec(line)?.[1] ?? "/v1/";
  const refusal = refusalOf(code, familyOfPath(path), requestId);
  const lines = [`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`];
  for (let index = 0; index + 1 < refusal.headers.length; index += 2) {
    lines.push(`${refusal.headers[index]}: ${refusal.headers[index + 1]}`);
  }
  const head = Buffer.from(`${lines.join("\r\n")}\r\nconnection: close\r\n\r\n`, "latin1");
  return { code, bytes: Buffer.concat([head, refusal.body]) };
}
