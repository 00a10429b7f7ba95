// One call to the sample model, and the few ways in which its APIs answer.
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface Call {
  readonly path: string;
  readonly body: Record<string, unknown>;
  /** Twelve hex digits of the request's hash: the same request gets the same ids. */
  readonly hash: string;
  readonly nowMs: number;
  readonly answer: Answering;
}

export class Answering {
  readonly #response: ServerResponse;
  readonly #pieceDelayMs: number;

  constructor(response: ServerResponse, pieceDelayMs: number) {
    this.#response = response;
    this.#pieceDelayMs = pieceDelayMs;
  }

  json(status: number, value: unknown): void {
    const body = JSON.stringify(value);
    this.#response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    this.#response.end(body);
  }

  /** Sends parts at the pace of a model that speaks; stops quietly when the client has gone. */
  async stream(contentType: string, parts: Iterable<string>): Promise<void> {
    this.#response.writeHead(200, { "content-type": contentType, "cache-control": "no-cache" });
    for (const part of parts) {
      if (this.#response.destroyed) return;
      this.#response.write(part);
      if (this.#pieceDelayMs > 0) await delay(this.#pieceDelayMs);
    }
    this.#response.end();
  }
}

/** A Server-Sent Event as OpenAI sends it (data only) or, with a name, as Anthropic and the Responses API do. */
export function event(data: unknown, name?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return name === undefined ? `data: ${text}\n\n` : `event: ${name}\ndata: ${text}\n\n`;
}
