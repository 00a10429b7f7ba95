// Threads that share the cryptography of records with the one that has the work: no more than it hands out, in any order.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type {
  CheckedRecords,
  CheckJob,
  RecordJob,
  RecordResult,
  SealedRecords,
  SealJob,
} from "./record-job.ts";

/** Jobs that wait for one thread besides the one it does: it should never have to wait for the next. */
const MAX_JOBS_A_THREAD = 4;
const PROGRAM = new URL(
  import.meta.url.endsWith(".ts") ? "./record-thread.ts" : "./record-thread.js",
  import.meta.url,
);

interface Thread {
  readonly worker: Worker;
  /** Those whose jobs it has, in order. */
  readonly waiting: ((result: RecordResult) => void)[];
}

/**
 * Help for who has many records at once. A job that a thread could not do comes back as null: its owner does it alone, so
 * a crew can always be done without. One thread less than there are cores: the owner works too.
 */
export class RecordCrew {
  /** Threads it may have. One that died is not replaced. */
  #size: number;
  readonly #threads: Thread[] = [];
  #closed = false;

  constructor(options: { readonly threads?: number | undefined } = {}) {
    this.#size = options.threads ?? availableParallelism() - 1;
  }

  /** Whether a job given now would be begun at once or next. Without: do it yourself. */
  get hasRoom(): boolean {
    return !this.#closed && (this.#threads.length < this.#size || this.#freest() !== undefined);
  }

  /** Memory of the job is handed over. */
  async seal(job: SealJob): Promise<SealedRecords | null> {
    const result = await this.#give(job);
    return result?.type === "seal" ? result : null;
  }

  /** Memory of the job is handed over. */
  async check(job: CheckJob): Promise<CheckedRecords | null> {
    const result = await this.#give(job);
    return result?.type === "check" ? result : null;
  }

  /** Ends the threads; what they were doing comes back as null. */
  close(): void {
    this.#closed = true;
    for (const { worker } of this.#threads) void worker.terminate();
  }

  #freest(): Thread | undefined {
    let found: Thread | undefined;
    for (const thread of this.#threads) {
      const few = thread.waiting.length < (found?.waiting.length ?? MAX_JOBS_A_THREAD);
      if (few) found = thread;
    }
    return found;
  }

  #give(job: RecordJob): Promise<RecordResult> {
    const idle = this.#threads.find(({ waiting }) => waiting.length === 0);
    const thread =
      idle ?? (this.#threads.length < this.#size && !this.#closed ? this.#start() : this.#freest());
    if (thread === undefined) return Promise.resolve(null);
    return new Promise((resolve) => {
      thread.waiting.push(resolve);
      thread.worker.ref();
      thread.worker.postMessage(job, [job.bytes.buffer, job.keys.buffer]);
    });
  }

  #start(): Thread {
    const worker = new Worker(PROGRAM);
    const thread: Thread = { worker, waiting: [] };
    worker.on("message", (result: RecordResult) => {
      thread.waiting.shift()?.(result);
      if (thread.waiting.length === 0) worker.unref(); // an idle thread keeps no process alive
    });
    worker.on("error", () => {}); // its end follows, and is told to who waits
    worker.on("exit", () => {
      this.#threads.splice(this.#threads.indexOf(thread), 1);
      this.#size -= 1;
      for (const resolve of thread.waiting.splice(0)) resolve(null);
    });
    this.#threads.push(thread);
    return thread;
  }
}
