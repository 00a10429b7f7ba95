// The part of fsck that spreads content packs over threads and takes their results in the order of the log.
import type { Leaf } from "../core/leaf.ts";
import type { ContentCheck } from "./fsck-content.ts";
import { RecordCrew } from "./record-crew.ts";
import { doJob } from "./record-job.ts";

/** Packs that may be under way, which bounds what they take of memory. */
const MAX_UNDER_WAY = 8;

interface UnderWay {
  readonly bundle: number;
  readonly leaves: readonly (Leaf | null)[];
  /** Records of the pack, once all are known to be as their leaves say; null: look at each. */
  readonly good: Promise<number | null>;
}

/**
 * What is sound, nearly everything, is told so by whichever thread had time. Any other pack is gone through record by
 * record when its turn comes, so that problems are found and told as if one thread had done it all.
 */
export class PackChecks {
  readonly #content: ContentCheck;
  readonly #crew: RecordCrew;
  readonly #underWay: UnderWay[] = [];

  constructor(content: ContentCheck, options: { readonly threads?: number | undefined }) {
    this.#content = content;
    this.#crew = new RecordCrew(options);
  }

  async take(bundle: number, leaves: readonly (Leaf | null)[]): Promise<void> {
    const good = this.#begin(bundle, leaves);
    good.catch(() => {}); // thrown when its turn comes
    this.#underWay.push({ bundle, leaves, good });
    while (this.#underWay.length > MAX_UNDER_WAY) await this.#settle();
  }

  /** Not awaited: while one pack is being read, others are checked. */
  async #begin(bundle: number, leaves: readonly (Leaf | null)[]): Promise<number | null> {
    const job = await this.#content.jobOf(bundle, leaves);
    if (job === null) return null;
    const records = job.kinds.length;
    const result = this.#crew.hasRoom ? await this.#crew.check(job) : doJob(job);
    return result?.type === "check" && result.good ? records : null;
  }

  /** Waits until everything taken is checked. */
  async drain(): Promise<void> {
    while (this.#underWay.length > 0) await this.#settle();
  }

  close(): void {
    this.#crew.close();
  }

  async #settle(): Promise<void> {
    const first = this.#underWay.shift();
    if (first === undefined) return;
    const records = await first.good;
    if (records === null) await this.#content.bundle(first.bundle, first.leaves);
    else this.#content.credit(records);
  }
}
