// Derives on several threads at once, in the order of the log: what is handed back is as if one had done it.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { TILE_WIDTH } from "../core/tiles.ts";
import { LOG_ERROR_CODES, LogError, type LogErrorCode } from "../log/errors.ts";
import type { EncodedRows } from "../store/encoded-rows.ts";
import type { Derived, Deriver } from "./derive.ts";
import type { DeriveReply, DeriveRequest, DeriveWorkerData } from "./derive-protocol.ts";
import { CliError } from "./errors.ts";

/** Leaves below which a stretch is not divided further: handing it over must stay cheap beside deriving it. */
const MIN_PART_LEAVES: number = 4 * TILE_WIDTH;
const WORKER = new URL(
  import.meta.url.endsWith(".ts") ? "./derive-worker.ts" : "./derive-worker.js",
  import.meta.url,
);

/** One core is left to whoever inserts what is derived. */
export function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

export interface DerivationPoolOptions extends DeriveWorkerData {
  /** Threads, at least 1 (default: a core less than there are). */
  readonly threads?: number | undefined;
  /** Told of every exchange whose features could not be derived (by the leaf that ends it). */
  readonly onFailure?: ((index: number, error: unknown) => void) | undefined;
  /** The program of the threads. */
  readonly worker?: URL | undefined;
}

interface Task extends DeriveRequest {
  readonly resolve: (derived: Derived) => void;
  readonly reject: (error: Error) => void;
}

/** Threads start with the first stretch. One that dies fails its stretch, and another takes its place. */
export class DerivationPool implements Deriver {
  readonly #threads: Thread[];
  readonly #queue: Task[] = [];
  #closed = false;

  constructor(options: DerivationPoolOptions) {
    const count = Math.max(1, options.threads ?? defaultThreads());
    this.#threads = Array.from({ length: count }, () => new Thread(options));
  }

  /** @throws LogError; CliError `thread-died` */
  async derive(from: number, to: number): Promise<Derived> {
    const parts = partsOf(from, to, this.#threads.length).map((part) => this.#enqueue(part));
    // All are awaited, so that none of a failed stretch is still at work when it is tried again.
    const results = await Promise.allSettled(parts);
    const derived = results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    return merged(derived);
  }

  /** Ends the threads; what they were doing is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(died("the pool was closed"));
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  #enqueue(part: DeriveRequest): Promise<Derived> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(died("the pool was closed"));
      else this.#queue.push({ ...part, resolve, reject });
      this.#assign();
    });
  }

  #assign(): void {
    for (const thread of this.#threads) {
      if (thread.busy) continue;
      const task = this.#queue.shift();
      if (task === undefined) return;
      thread.run(task).finally(() => this.#assign());
    }
  }
}

/** A place for one thread; the thread in it may change. */
class Thread {
  readonly #options: DerivationPoolOptions;
  #worker: Worker | null = null;
  #task: Task | null = null;

  constructor(options: DerivationPoolOptions) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#task !== null;
  }

  /** Never rejects: the task is told. */
  run(task: Task): Promise<void> {
    this.#task = task;
    const worker = this.#worker ?? this.#start();
    worker.ref();
    return new Promise((resolve) => {
      const { resolve: fulfil, reject } = task;
      this.#task = {
        ...task,
        resolve: (derived) => {
          fulfil(derived);
          resolve();
        },
        reject: (error) => {
          reject(error);
          resolve();
        },
      };
      worker.postMessage({ from: task.from, to: task.to } satisfies DeriveRequest);
    });
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const { folder, origin, embeddingModel, worker: program } = this.#options;
    const worker = new Worker(program ?? WORKER, {
      workerData: { folder, origin, embeddingModel } satisfies DeriveWorkerData,
    });
    let reason = "without a word";
    worker.on("message", (reply: DeriveReply) => this.#done(reply));
    worker.on("error", (error: unknown) => {
      reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    });
    worker.on("exit", () => {
      this.#worker = null;
      this.#take()?.reject(died(`a thread ended: ${reason}`));
    });
    this.#worker = worker;
    return worker;
  }

  #done(reply: DeriveReply): void {
    const task = this.#take();
    this.#worker?.unref(); // an idle thread keeps no process alive
    if (task === null) return;
    if ("error" in reply) {
      task.reject(errorOf(reply.error));
      return;
    }
    for (const { index, reason } of reply.failures) this.#options.onFailure?.(index, reason);
    task.resolve(reply.derived);
  }

  #take(): Task | null {
    const task = this.#task;
    this.#task = null;
    return task;
  }
}

/** Equal parts in order, cut where bundles end, since a bundle is read as a whole. */
function partsOf(from: number, to: number, threads: number): DeriveRequest[] {
  const count = Math.max(1, Math.min(threads, Math.floor((to - from) / MIN_PART_LEAVES)));
  const parts: DeriveRequest[] = [];
  for (let part = 1, start = from; part <= count; part += 1) {
    const even = from + ((to - from) * part) / count;
    const end = part === count ? to : Math.floor(even / TILE_WIDTH) * TILE_WIDTH;
    parts.push({ from: start, to: end });
    start = end;
  }
  return parts;
}

function merged(parts: readonly Derived[]): Derived {
  const lines: Record<string, EncodedRows[]> = {};
  const counts = { exchanges: 0, accounts: 0, erased: 0, failed: 0 };
  for (const part of parts) {
    for (const name of ["exchanges", "accounts", "erased", "failed"] as const) counts[name] += part[name];
    for (const [table, list] of Object.entries(part.lines)) {
      lines[table] ??= [];
      lines[table].push(...list);
    }
  }
  return { lines, ...counts, tombstones: parts.flatMap(({ tombstones }) => tombstones) };
}

function died(reason: string): CliError {
  return new CliError("thread-died", `expected a thread to derive a stretch of the log, but ${reason}`);
}

function errorOf({ code, message }: { code: string | null; message: string }): Error {
  return code !== null && Object.hasOwn(LOG_ERROR_CODES, code)
    ? new LogError(code as LogErrorCode, message)
    : new Error(message);
}
