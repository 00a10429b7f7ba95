// A model server of somebody else, at the protocol level: it behaves, or misbehaves, as a test asks it to.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A request as the upstream got it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Resolves when the connection of this request is closed before its answer was complete. */
  readonly abandoned: Promise<void>;
  readonly socket: Socket;
}

export type Behaviour = (seen: Seen, response: ServerResponse) => void | Promise<void>;

export interface Upstream {
  readonly url: string;
  readonly seen: Seen[];
  /** Distinct connections so far: tells whether they are kept alive. */
  readonly connections: () => number;
  behave: Behaviour;
  close(): Promise<void>;
}

export async function startUpstream(
  behaviour: Behaviour = json({ object: "list", data: [] }),
): Promise<Upstream> {
  const seen: Seen[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const abandoned = new Promise<void>((resolve) => {
      response.on("close", () => {
        if (!response.writableFinished) resolve();
      });
    });
    const { method = "", url = "", rawHeaders, headers, socket } = request;
    const one: Seen = { method, url, rawHeaders, headers, body: await bodyOf(request), abandoned, socket };
    seen.push(one);
    await upstream.behave(one, response);
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const upstream: Upstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
    behave: behaviour,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
  return upstream;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // The sender broke off; what came is what there is.
  }
  return Buffer.concat(chunks);
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Behaviour {
  return (_, response) => {
    const body = JSON.stringify(value);
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  };
}

/** A body and nothing but it, so that a test can compare bytes. */
export function raw(body: Uint8Array, headers: Record<string, string>, status = 200): Behaviour {
  return (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** Sends each part as its own chunk, `gapMs` apart. */
export function streamed(
  parts: readonly (string | Uint8Array)[],
  gapMs = 5,
  contentType = "text/event-stream",
): Behaviour {
  return async (_, response) => {
    response.writeHead(200, { "content-type": contentType });
    for (const part of parts) {
      if (response.destroyed) return;
      response.write(part);
      await delay(gapMs);
    }
    response.end();
  };
}

/** Sends the parts and then breaks the connection as a crashing server does (TCP reset). */
export function resetAfter(parts: readonly string[]): Behaviour {
  return async (seen, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) response.write(part);
    await delay(30);
    seen.socket.resetAndDestroy();
  };
}

/** Sends the parts and then nothing more, until the test ends. */
export function stallAfter(parts: readonly string[]): Behaviour {
  return (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (const part of parts) response.write(part);
  };
}

/** Reads the request and never says anything. */
export const silent: Behaviour = () => {};

/** Answers once with 429 and `retry-after`, then as `then` does. */
export function rateLimitedOnce(retryAfterSeconds: string, then: Behaviour): Behaviour {
  let first = true;
  return (seen, response) => {
    if (!first) return then(seen, response);
    first = false;
    const error = {
      error: { message: "slow down", type: "requests", param: null, code: "rate_limit_exceeded" },
    };
    return json(error, 429, { "retry-after": retryAfterSeconds, "x-ratelimit-remaining-requests": "0" })(
      seen,
      response,
    );
  };
}

/** Answers every connection with bytes that are no HTTP. */
export async function startGarbage(bytes: string): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
