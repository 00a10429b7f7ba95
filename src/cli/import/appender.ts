// Appends many records without outrunning the disk: a bounded number waits, and an error stops the whole.
import type { RecordDraft } from "../../core/record.ts";
import type { LogWriter } from "../../log/writer.ts";

/** Records and bytes that may wait for the disk. Far below the writer's own limit, which refuses. */
const MAX_WAITING_RECORDS = 4_096;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export class Appender {
  readonly #writer: LogWriter;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #appended = 0;

  constructor(writer: LogWriter) {
    this.#writer = writer;
  }

  /** Records appended so far. */
  get appended(): number {
    return this.#appended;
  }

  /** Appends one record. Call `room` now and then, at least once for every few hundred records. */
  append(draft: RecordDraft): void {
    this.#last = this.#writer.append(draft).durable;
    this.#waiting += 1;
    this.#appended += 1;
  }

  /** Waits while too much waits. @throws LogError of the disk */
  async room(): Promise<void> {
    if (this.#waiting >= MAX_WAITING_RECORDS || this.#writer.queuedBytes >= MAX_WAITING_BYTES)
      await this.flush();
  }

  /** Waits until everything appended is durable: records become durable in order. @throws LogError of the disk */
  async flush(): Promise<void> {
    await this.#last;
    this.#waiting = 0;
  }
}
