// Reads a request's body whole, within limits: the log needs all of it before the answer may begin.
import type { IncomingMessage } from "node:http";

const EMPTY = Buffer.alloc(0);

export interface BodyLimits {
  readonly maxBytes: number;
  /** Reserves memory for bytes that have arrived; false when the worker's budget is spent. */
  reserve(bytes: number): boolean;
}

/** `too-large`, `no-room`: stopped reading. `gone`: the client left before it had sent everything. */
export type BodyResult = Buffer | "too-large" | "no-room" | "gone";

/**
 * Calls `done` exactly once. Chunks stay as received (one chunk is not copied). After a refusal nothing more is kept;
 * the caller decides what becomes of the connection.
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  done: (result: BodyResult) => void,
): void {
  const declared = request.headers["content-length"];
  if (declared === undefined && request.headers["transfer-encoding"] === undefined) {
    request.resume();
    done(EMPTY);
    return;
  }
  if (declared !== undefined && Number(declared) > limits.maxBytes) {
    done("too-large");
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A flag and not `off`: taking listeners away costs more than the calls that come to nothing.
  let settled = false;
  const settle = (result: BodyResult): void => {
    settled = true;
    done(result);
  };
  const onData = (chunk: Buffer): void => {
    if (settled) return;
    bytes += chunk.length;
    if (bytes > limits.maxBytes) settle("too-large");
    else if (!limits.reserve(chunk.length)) settle("no-room");
    else chunks.push(chunk);
  };
  const onEnd = (): void => {
    if (settled) return;
    const [only] = chunks;
    settle(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes));
  };
  const onClose = (): void => {
    if (!settled) settle("gone");
  };
  request.on("data", onData);
  request.on("end", onEnd);
  request.on("close", onClose);
}
