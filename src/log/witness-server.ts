// The witness over HTTP (C2SP tlog-witness): add-checkpoint for logs, cosigned checkpoints for monitors, nothing else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MAX_ADD_CHECKPOINT_BYTES } from "../core/add-checkpoint.ts";
import type { Witness } from "./witness.ts";

const MAX_CONNECTIONS = 1024;
const MAX_HEADER_BYTES = 8192;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Logs come back every few seconds; connections in between are worth keeping. */
const KEEP_ALIVE_MS = 60_000;
/** Requests being answered get this long when the server stops. */
const DRAIN_MS = 5_000;
const CHECKPOINT_PATH = /^\/([0-9a-f]{64})\/checkpoint$/;
const TEXT = "text/plain; charset=utf-8";

export interface WitnessServerOptions {
  readonly witness: Witness;
  readonly host: string;
  /** 0: the operating system chooses. */
  readonly port: number;
  /** Hears of requests that failed because of the disk; the client gets a 500 without reasons. */
  readonly onError?: (error: unknown) => void;
}

export interface WitnessServer {
  readonly port: number;
  /** Takes no more requests, answers those it has, then ends every connection. */
  close(): Promise<void>;
}

/** Null when the body is larger than any request may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_ADD_CHECKPOINT_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = { "content-type": TEXT },
): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function handle(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (path === "/add-checkpoint") {
    if (request.method !== "POST")
      return answer(response, 405, "expected POST\n", { "content-type": TEXT, allow: "POST" });
    const body = await readBody(request);
    if (body === null)
      return answer(response, 413, "the request is too large\n", {
        "content-type": TEXT,
        connection: "close",
      });
    const { status, type, body: text } = await witness.add(body);
    return answer(response, status, text, { "content-type": type });
  }
  const originHash = CHECKPOINT_PATH.exec(path)?.[1];
  if (originHash === undefined) return answer(response, 404, "there is nothing here\n");
  if (request.method !== "GET" && request.method !== "HEAD")
    return answer(response, 405, "expected GET\n", { "content-type": TEXT, allow: "GET, HEAD" });
  const checkpoint = witness.checkpoint(originHash);
  if (checkpoint === null) return answer(response, 404, "no checkpoint of this log was cosigned\n");
  return answer(response, 200, checkpoint, {
    "content-type": TEXT,
    "cache-control": "no-cache",
    "access-control-allow-origin": "*",
  });
}

/** Starts listening. Rejects with Node's own error when the port is taken. */
export async function startWitnessServer(options: WitnessServerOptions): Promise<WitnessServer> {
  const { witness, host, port, onError } = options;
  const server: Server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      handle(witness, request, response).catch((error: unknown) => {
        if (request.destroyed && !request.complete) return; // the client hung up in the middle of its request
        onError?.(error);
        if (response.headersSent) response.destroy();
        else answer(response, 500, "the witness could not answer\n");
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => onError?.(error));
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}
