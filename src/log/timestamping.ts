// Puts times on checkpoints beside the ledger, and renews old stamps before a certificate or an algorithm behind them lapses.
import { randomBytes } from "node:crypto";
import { utf8 } from "../core/bytes.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import type { StampAlgorithm } from "../core/timestamp/algorithms.ts";
import type { HashName } from "../core/timestamp/crypto.ts";
import type { VerifiedTimestamp } from "../core/timestamp/verify.ts";
import { LogError, type LogErrorCode } from "./errors.ts";
import { rounds } from "./rounds.ts";
import { askTimestamp, type TimestampAuthority } from "./timestamp-client.ts";
import type { CheckedStamp, TimestampFiles } from "./timestamp-files.ts";

/** Longest pause after repeated failures of one authority. */
const MAX_BACKOFF_MS: number = 60 * 60_000;
const FIRST_BACKOFF_MS = 5_000;
/** Pause before an authority is asked for a renewal again whose last one lapses as soon as what it renewed. */
const RENEW_AGAIN_MS: number = 24 * 60 * 60_000;
/** How often stamps and failures are looked at. */
const TICK_MS = 1_000;

export interface TimestampingOptions {
  readonly log: { checkpoint(): Promise<Checkpoint> };
  readonly files: TimestampFiles;
  readonly authorities: readonly TimestampAuthority[];
  /** Shortest time between two stamps of one authority, milliseconds. */
  readonly everyMs: number;
  /** Longest wait for one answer, milliseconds. */
  readonly timeoutMs: number;
  /** How long before a certificate or an algorithm lapses its stamps are renewed, milliseconds. */
  readonly renewBeforeMs: number;
  /** From when on an algorithm is not relied on any more, milliseconds since 1970. */
  readonly retireMs?: ReadonlyMap<StampAlgorithm, number>;
  readonly clock?: () => number;
  readonly random?: (bytes: number) => Uint8Array;
  readonly onError?: (error: LogError) => void;
}

export interface TimestampingStatus {
  /** Size of the largest stamped checkpoint; 0 before the first. */
  readonly size: number;
  /** Time of the newest stamp, milliseconds since 1970; 0 before the first. */
  readonly timeMs: number;
  /** Stamps kept. */
  readonly stamps: number;
  /** Failed questions since the start. */
  readonly failures: number;
  readonly failing: Readonly<Record<string, LogErrorCode>>;
}

/** What is remembered of an authority. */
interface Memory {
  size: number;
  stampedMs: number;
  failures: number;
  notBeforeMs: number;
  renewNotBeforeMs: number;
  error: LogErrorCode | null;
}

export class Timestamping {
  readonly #options: TimestampingOptions;
  readonly #clock: () => number;
  readonly #memory: Map<string, Memory> = new Map();
  /** When each stamp lapses with its chain or its algorithms, unless a renewal covers it. */
  readonly #lapses: Map<string, number> = new Map();
  #loaded = false;
  #status = { size: 0, timeMs: 0, stamps: 0, failures: 0 };

  constructor(options: TimestampingOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  get status(): TimestampingStatus {
    const failing: Record<string, LogErrorCode> = {};
    for (const [name, { error }] of this.#memory) if (error !== null) failing[name] = error;
    return { ...this.#status, failing };
  }

  /** One round: every authority that is due stamps the newest checkpoint; stamps about to lapse are renewed. */
  async step(signal?: AbortSignal): Promise<TimestampingStatus> {
    if (!this.#loaded) await this.#load();
    const head = await this.#options.log.checkpoint();
    const now = this.#clock();
    const due = this.#options.authorities.filter((authority) => {
      const memory = this.#memoryOf(authority);
      const isOld = now - memory.stampedMs >= this.#options.everyMs || now < memory.stampedMs;
      return head.size > memory.size && isOld && now >= memory.notBeforeMs;
    });
    const text = utf8(head.note.slice(0, head.note.lastIndexOf("\n\n") + 1));
    const answers = due.map(async (authority) => ({
      authority,
      der: await this.#ask(authority, text, signal && { signal }),
    }));
    // Asked all at once, kept one after the other: they are about the same note.
    for (const { authority, der } of await Promise.all(answers))
      if (der !== null) await this.#keep(authority, head, der);
    if (this.#isLapsing(now)) await this.#renew(now, signal);
    return this.status;
  }

  /** Rounds until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const everyMs = Math.min(this.#options.everyMs, TICK_MS);
    const onError = (error: LogError): void => {
      // A log that has no checkpoint yet has nothing to stamp.
      if (error.code !== "log.not-found") this.#options.onError?.(error);
    };
    const failure = "could not keep a timestamp";
    await rounds((stop) => this.step(stop), { everyMs, failure, onError }, signal);
  }

  /** What is on disk already. A stamp that does not verify is reported and counts for nothing. */
  async #load(): Promise<void> {
    const { files, authorities, onError } = this.#options;
    for (const name of await files.list()) {
      try {
        await this.#remember(await files.check(name, authorities));
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        onError?.(error);
      }
    }
    this.#loaded = true;
  }

  async #remember({ file, about, authority, size, verified }: CheckedStamp): Promise<void> {
    this.#lapses.set(file, this.#lapseOf(verified));
    this.#status.stamps += 1;
    this.#status.timeMs = Math.max(this.#status.timeMs, verified.timeMs);
    if (size === null) {
      for (const covered of await this.#options.files.renewedBy(await this.#options.files.read(about)))
        if (covered !== file) this.#lapses.delete(covered);
      return;
    }
    this.#status.size = Math.max(this.#status.size, size);
    const memory = this.#memoryOf({ name: authority });
    memory.size = Math.max(memory.size, size);
    memory.stampedMs = Math.max(memory.stampedMs, verified.timeMs);
  }

  async #keep(authority: TimestampAuthority, head: Checkpoint, der: Uint8Array): Promise<void> {
    const { files } = this.#options;
    await files.keep(head.note, head.size, authority.name, der);
    const name = { file: `${head.size}.${authority.name}.tsr`, about: `${head.size}.note` };
    await this.#remember(
      await files.check({ ...name, authority: authority.name, size: head.size }, [authority]),
    );
    this.#memoryOf(authority).stampedMs = this.#clock();
  }

  #lapseOf({ expiresMs, algorithms }: VerifiedTimestamp): number {
    const retired = algorithms.map((name) => this.#options.retireMs?.get(name) ?? Number.POSITIVE_INFINITY);
    return Math.min(expiresMs, ...retired);
  }

  #isLapsing(now: number): boolean {
    for (const lapsesMs of this.#lapses.values())
      if (lapsesMs - now < this.#options.renewBeforeMs) return true;
    return false;
  }

  /** One stamp over the digests of all stamps: each was there before it lapsed. */
  async #renew(now: number, signal?: AbortSignal): Promise<void> {
    const { files, authorities, renewBeforeMs } = this.#options;
    const list = await files.renewalList();
    for (const authority of authorities) {
      const memory = this.#memoryOf(authority);
      if (now < Math.max(memory.notBeforeMs, memory.renewNotBeforeMs)) continue;
      const der = await this.#ask(authority, list, { hash: "sha512", ...(signal && { signal }) });
      if (der === null) continue;
      await files.keepRenewal(list, now, authority.name, der);
      const file = `renewal-${now}.${authority.name}.tsr`;
      const about = `renewal-${now}.list`;
      const checked = await files.check({ file, about, authority: authority.name, size: null }, [authority]);
      await this.#remember(checked);
      if (this.#lapseOf(checked.verified) - now >= renewBeforeMs) return;
      // It lapses as soon itself: it stays as evidence, and another authority is asked.
      memory.renewNotBeforeMs = now + RENEW_AGAIN_MS;
    }
  }

  /** Null: it failed, which was reported. */
  async #ask(
    authority: TimestampAuthority,
    message: Uint8Array,
    how: { hash?: HashName; signal?: AbortSignal } = {},
  ): Promise<Uint8Array | null> {
    const { timeoutMs, random = randomBytes, onError } = this.#options;
    const memory = this.#memoryOf(authority);
    try {
      const { der } = await askTimestamp(authority, message, { timeoutMs, random, ...how });
      Object.assign(memory, { failures: 0, notBeforeMs: 0, error: null });
      return der;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      if (how.signal?.aborted === true) return null; // we hung up ourselves
      memory.failures += 1;
      memory.error = error.code;
      memory.notBeforeMs =
        this.#clock() + Math.min(FIRST_BACKOFF_MS * 2 ** (memory.failures - 1), MAX_BACKOFF_MS);
      this.#status.failures += 1;
      onError?.(error);
      return null;
    }
  }

  #memoryOf({ name }: Pick<TimestampAuthority, "name">): Memory {
    const known = this.#memory.get(name);
    if (known !== undefined) return known;
    const memory: Memory = {
      size: 0,
      stampedMs: 0,
      failures: 0,
      notBeforeMs: 0,
      renewNotBeforeMs: 0,
      error: null,
    };
    this.#memory.set(name, memory);
    return memory;
  }
}
