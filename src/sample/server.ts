// A small built-in model server, so that everything can be tried without a model: plainly a sample, never more.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { countMessageTokens, invalidMessage, messages } from "./anthropic.ts";
import { Answering, type Call } from "./call.ts";
import { isObject } from "./example.ts";
import { infer, metadata } from "./infer.ts";
import { chat, embedTexts, generate, tags } from "./ollama.ts";
import { chatCompletions, completions, invalid } from "./openai-chat.ts";
import { embeddings, models, responses } from "./openai-responses.ts";

const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Pace of a stream: quick enough to read along, slow enough to be seen streaming. */
const PIECE_DELAY_MS = 8;

export interface SampleOptions {
  /** 0 lets the operating system choose. */
  readonly port: number;
  readonly host?: string;
  readonly pieceDelayMs?: number;
  readonly now?: () => number;
}

export interface RunningSample {
  readonly port: number;
  close(): Promise<void>;
}

type Endpoint = (call: Call) => void | Promise<void>;

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ["/v1/chat/completions", chatCompletions],
  ["/v1/completions", completions],
  ["/v1/responses", responses],
  ["/v1/embeddings", embeddings],
  ["/v1/messages", messages],
  ["/v1/messages/count_tokens", countMessageTokens],
  ["/api/chat", chat],
  ["/api/generate", generate],
  ["/api/embed", embedTexts],
  ["/api/embeddings", embedTexts],
  ["/api/tags", tags],
]);

/** Starts the sample model; resolves when it listens. Asks for no key: the gateway in front does. */
export async function startSample(options: SampleOptions): Promise<RunningSample> {
  const { port, host = "127.0.0.1", pieceDelayMs = PIECE_DELAY_MS, now = Date.now } = options;
  const server = createServer((request, response) => {
    serve(request, response, { pieceDelayMs, now }).catch(() => {
      if (!response.headersSent) new Answering(response, 0).json(500, invalid("the sample model failed"));
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { pieceDelayMs, now }: { pieceDelayMs: number; now: () => number },
): Promise<void> {
  const path = (request.url ?? "").split("?")[0] ?? "";
  const answer = new Answering(response, pieceDelayMs);
  const bytes = await read(request);
  const body = bytes === null ? null : parsed(bytes);
  const endpoint = ENDPOINTS.get(path) ?? patterned(path);
  if (endpoint === null) answer.json(404, invalid("the sample model does not serve this path"));
  else if (body === null || bytes === null) {
    answer.json(400, path.startsWith("/v1/messages") ? invalidMessage(BAD_BODY) : invalid(BAD_BODY));
  } else {
    const hash = createHash("sha256").update(path).update(bytes).digest("hex").slice(0, 12);
    await endpoint({ path, body, hash, nowMs: now(), answer });
  }
}

const BAD_BODY = "expected a JSON object of at most 32 MiB as body";

function patterned(path: string): Endpoint | null {
  if (/^\/v2\/models\/[^/]+(\/versions\/[^/]+)?\/infer$/.test(path)) return infer;
  if (path === "/v2" || path.startsWith("/v2/")) return metadata;
  return path === "/v1/models" || path.startsWith("/v1/models/") ? models : null;
}

async function read(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function parsed(bytes: Buffer): Record<string, unknown> | null {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
