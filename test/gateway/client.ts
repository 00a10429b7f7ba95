// A client that sees bytes: what an SDK hides (framing, order, the moment of each byte) is what the tests are about.

import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** False when the connection broke before HTTP's own end of the answer. */
  readonly complete: boolean;
}

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** One request; resolves with whatever came, also when the connection broke; rejects when nothing came. */
export function call(
  port: number,
  { method = "POST", path, headers = {}, body = "" }: Sent,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: "127.0.0.1", method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      const done = (complete: boolean): void => {
        const { statusCode = 0, headers: got, rawHeaders } = response;
        resolve({ status: statusCode, headers: got, rawHeaders, body: Buffer.concat(chunks), complete });
      };
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => done(true));
      response.on("error", () => done(false));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const MAX_REMEMBERED_BYTES = 1024 * 1024;

/** A connection that remembers what it has received so far (of more than 1 MiB, the end). */
export class RawClient {
  received: Buffer = Buffer.alloc(0);
  closed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1" });
    this.socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]).subarray(-MAX_REMEMBERED_BYTES);
    });
    this.socket.on("close", () => {
      this.closed = true;
    });
    this.socket.on("error", () => {});
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  send(text: string): void {
    this.socket.write(text);
  }

  post(path: string, key: string, body: string, more = ""): void {
    const length = Buffer.byteLength(body);
    this.send(
      `POST ${path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${more}content-length: ${length}\r\n\r\n${body}`,
    );
  }
}
