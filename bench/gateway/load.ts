// The load: keep-alive connections that send prepared bytes and read just enough of the answer to know its end.
import { connect, type Socket } from "node:net";
import { EVENTS_PER_STREAM, type Kind, requestBody } from "./exchange.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
const STREAM_END = Buffer.from("0\r\n\r\n");
/** An answer that takes longer than this is lost: the slice must end. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface Answered {
  /** True for a whole answer with status 200. */
  readonly ok: boolean;
}

/** One connection, one request at a time. */
export class LoadConnection {
  readonly #request: Buffer;
  readonly #kind: Kind;
  readonly #port: number;
  #socket: Socket | null = null;
  #done: ((answered: Answered) => void) | null = null;
  #head: Buffer = Buffer.alloc(0);
  #ok = false;
  /** Bytes of body still to come; -1: no head yet; Infinity: until the last chunk. */
  #left = -1;
  #tail: Buffer = Buffer.alloc(0);

  constructor(port: number, headers: Readonly<Record<string, string>>, kind: Kind) {
    const body = requestBody(kind);
    const all = {
      host: `127.0.0.1:${port}`,
      "content-type": "application/json",
      "user-agent": "bench/1",
      accept: "*/*",
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /v1/chat/completions HTTP/1.1\r\n${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
    this.#request = Buffer.from(head + body);
    this.#kind = kind;
    this.#port = port;
  }

  get isBusy(): boolean {
    return this.#done !== null;
  }

  /** Sends the request; resolves at the answer's end, or when the connection broke. Never rejects. */
  send(): Promise<Answered> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket?.destroy(), ANSWER_TIMEOUT_MS);
      this.#done = (answered) => {
        clearTimeout(timer);
        this.#done = null;
        resolve(answered);
      };
      this.#head = Buffer.alloc(0);
      this.#left = -1;
      this.#socket ??= this.#connected();
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connected(): Socket {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.on("data", (chunk) => this.#received(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#socket = null;
      this.#done?.({ ok: false });
    });
    return socket;
  }

  #received(chunk: Buffer): void {
    let body = chunk;
    if (this.#left === -1) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = this.#head.indexOf(HEAD_END);
      if (end === -1) return;
      const head = this.#head.toString("latin1", 0, end);
      this.#ok = head.startsWith("HTTP/1.1 200");
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      this.#left = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
      this.#tail = Buffer.alloc(0);
      body = this.#head.subarray(end + 4);
    }
    if (this.#left === Number.POSITIVE_INFINITY) {
      this.#tail = Buffer.concat([this.#tail, body]).subarray(-STREAM_END.length);
      if (this.#tail.equals(STREAM_END)) this.#done?.({ ok: this.#ok });
    } else {
      this.#left -= body.length;
      if (this.#left <= 0) this.#done?.({ ok: this.#ok && this.#kind === "json" });
    }
  }
}

/** Every connection sends its next request as soon as the last answer is there. */
export async function measureSaturated(
  connections: readonly LoadConnection[],
  seconds: number,
): Promise<{ requests: number; failures: number; seconds: number }> {
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1_000;
  let requests = 0;
  let failures = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < untilMs) {
        const { ok } = await connection.send();
        if (ok) requests += 1;
        else if (++failures > connections.length * 4) return;
      }
      connection.close();
    }),
  );
  return { requests, failures, seconds: (performance.now() - startedMs) / 1_000 };
}

/**
 * Requests at fixed times, whatever the answers do; latency counts from the time at which a request was due, so that a
 * slow answer is not hidden by the requests that it keeps from being sent.
 */
export async function measureOpenLoop(
  connections: readonly LoadConnection[],
  perSecond: number,
  seconds: number,
): Promise<{ p50Ms: number; p99Ms: number; failures: number }> {
  const latencies: number[] = [];
  let failures = 0;
  const pending: Promise<void>[] = [];
  const startedMs = performance.now();
  const total = Math.floor(perSecond * seconds);
  for (let index = 0; index < total; index += 1) {
    const dueMs = startedMs + (index * 1_000) / perSecond;
    while (performance.now() < dueMs) await waited(dueMs - performance.now());
    const free = connections.find(({ isBusy }) => !isBusy);
    if (free === undefined) {
      failures += 1;
      continue;
    }
    pending.push(
      free.send().then(({ ok }) => {
        if (ok) latencies.push(performance.now() - dueMs);
        else failures += 1;
      }),
    );
  }
  await Promise.all(pending);
  for (const connection of connections) connection.close();
  latencies.sort((a, b) => a - b);
  return { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), failures };
}

/** A timer is a millisecond coarse; the last stretch is waited out by turning the event loop. */
function waited(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms > 1.5) setTimeout(resolve, ms - 1);
    else setImmediate(resolve);
  });
}

/** Streams one after the other on each connection; counts events of whole streams. */
export async function measureStreams(
  connections: readonly LoadConnection[],
  seconds: number,
): Promise<{ chunks: number; failures: number; seconds: number }> {
  const { requests, failures, seconds: took } = await measureSaturated(connections, seconds);
  return { chunks: requests * (EVENTS_PER_STREAM + 1), failures, seconds: took };
}

export function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}
