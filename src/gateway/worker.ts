// One gateway worker: the HTTP server in front of the upstreams, from listening to graceful stop.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { SecretReference } from "../config/fields.ts";
import type { GatewayConfig } from "../config/gateway-section.ts";
import { Admission } from "./admission.ts";
import type { AppealDesk } from "./appeals.ts";
import { brokenRequestAnswer } from "./broken-request.ts";
import type { Authenticator } from "./credentials.ts";
import { GatewayError } from "./errors.ts";
import { ExchangeIds } from "./exchange-id.ts";
import { Handler } from "./handler.ts";
import type { Measures } from "./measures.ts";
import { GatewayMetrics } from "./metrics.ts";
import { NetworkReader } from "./network.ts";
import { Recorder, type RecordWriter } from "./recorder.ts";
import type { Shared } from "./shared.ts";
import { Upstreams } from "./upstreams.ts";

/** Deadlines of minutes need no finer clock; one timer serves every exchange. */
const SWEEP_INTERVAL_MS = 1_000;
/** How often Node looks for requests that take too long to arrive: no coarser than this, no finer than a tenth. */
const MAX_CHECK_INTERVAL_MS = 5_000;
const MIN_CHECK_INTERVAL_MS = 100;

export interface WorkerOptions {
  readonly config: GatewayConfig;
  /** The log's writer of this worker; the caller opens and closes it. */
  readonly writer: RecordWriter;
  readonly directory: Authenticator;
  readonly log: Logger;
  readonly metrics?: GatewayMetrics;
  /** Fetches an upstream's key from where the configuration says it is kept. */
  readonly readSecret: (reference: SecretReference) => Promise<string>;
  /** Pass-through mode: the account of an upstream's key, a keyed hash that only this installation can compute. */
  readonly accountOfUpstreamKey: (secret: string) => string;
  /** What was decided about accounts, and budgets; absent: nothing applies to anybody. */
  readonly measures?: Measures | null;
  /** Where customers read why they were limited, and object; absent: nowhere. */
  readonly appeals?: AppealDesk | null;
}

export interface RunningWorker {
  readonly port: number;
  readonly metrics: GatewayMetrics;
  /**
   * Stops accepting, refuses who is held under `slow`, lets exchanges finish up to `drainTimeoutMs`, cuts and records
   * the rest. Safe to call again.
   */
  close(): Promise<void>;
}

/**
 * Starts a worker and resolves when it listens.
 * @throws ConfigError `secret-unavailable`; GatewayError `gateway.options-invalid` (port taken, bad upstream)
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, readSecret } = options;
  const upstreams = await Upstreams.open(config.upstreams, { limits: config.limits, readSecret });
  const worker = new Worker(options, upstreams);
  try {
    return await worker.listen();
  } catch (cause) {
    await worker.close();
    const { host, port } = config.listen;
    const message = `expected to listen on ${host} port ${port}, got a refusal`;
    throw new GatewayError("gateway.options-invalid", message, { cause });
  }
}

class Worker {
  readonly #config: GatewayConfig;
  readonly #upstreams: Upstreams;
  readonly #shared: Shared;
  readonly #ids: ExchangeIds = new ExchangeIds();
  readonly #handler: Handler;
  readonly #server: Server;
  readonly #sweeper: NodeJS.Timeout;
  #closed: Promise<void> | null = null;

  constructor(options: WorkerOptions, upstreams: Upstreams) {
    const { config, writer, log, directory, accountOfUpstreamKey, measures = null, appeals = null } = options;
    const metrics = options.metrics ?? new GatewayMetrics();
    const recorder = new Recorder({ writer, failOpen: config.onLogFailure === "failOpen", log, metrics });
    this.#config = config;
    this.#upstreams = upstreams;
    this.#shared = {
      recorder,
      metrics,
      log,
      limits: config.limits,
      measures,
      keepsClientKeys: config.keyMode === "passthrough",
      isStopping: false,
    };
    const admission = new Admission({ config, directory, shared: this.#shared, accountOfUpstreamKey });
    const network = new NetworkReader(config);
    this.#handler = new Handler({
      shared: this.#shared,
      admission,
      upstreams,
      network,
      ids: this.#ids,
      appeals,
    });
    this.#server = this.#createServer();
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  async listen(): Promise<RunningWorker> {
    const { host, port } = this.#config.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    const address = this.#server.address() as AddressInfo;
    return { port: address.port, metrics: this.#shared.metrics, close: () => this.close() };
  }

  close(): Promise<void> {
    this.#closed ??= this.#stop();
    return this.#closed;
  }

  #createServer(): Server {
    const { limits } = this.#config;
    const checkMs = Math.max(MIN_CHECK_INTERVAL_MS, limits.requestTimeoutMs / 10);
    const server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, checkMs),
      // A stream's events must not wait for the kernel to gather more (Nagle).
      noDelay: true,
      keepAlive: true,
    });
    server.maxConnections = limits.maxConnections;
    server.on("request", (request, response) => this.#handler.handle(request, response));
    server.on("clientError", (error, socket) => this.#answerBroken(error, socket));
    return server;
  }

  #answerBroken(error: Error, socket: Duplex): void {
    // A connection that broke, or that already carries another exchange's answer, gets no text.
    const isReset = "code" in error && error.code === "ECONNRESET";
    if (isReset || isAnswering(socket) || !socket.writable) {
      socket.destroy();
      return;
    }
    const { code, bytes } = brokenRequestAnswer(error, this.#ids.next());
    this.#shared.metrics.countRefusal(code);
    this.#shared.metrics.refused += 1;
    socket.end(bytes);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const forwarding of this.#handler.active.all()) forwarding.sweep(nowMs);
  }

  async #stop(): Promise<void> {
    this.#shared.isStopping = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    this.#shared.measures?.stop();
    await this.#idleWithin(this.#config.limits.drainTimeoutMs);
    for (const forwarding of this.#handler.active.all()) forwarding.abort();
    this.#server.closeAllConnections();
    clearInterval(this.#sweeper);
    await closed;
    await this.#upstreams.close();
  }

  async #idleWithin(timeoutMs: number): Promise<void> {
    if (this.#handler.isIdle) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#handler.onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** True when the socket's current answer has begun: Node keeps that answer on the socket under this name. */
function isAnswering(socket: Duplex): boolean {
  const answer: unknown = "_httpMessage" in socket ? socket._httpMessage : null;
  return (
    typeof answer === "object" && answer !== null && "headersSent" in answer && answer.headersSent === true
  );
}
