// Collects witnesses' cosignatures beside the ledger: sealing never waits for them, and a checkpoint without them says so.
import { utf8 } from "../core/bytes.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { formatNote, type NoteSignature, parseNote } from "../core/note.ts";
import { settleAll } from "./disk.ts";
import { LogError, type LogErrorCode } from "./errors.ts";
import { rounds } from "./rounds.ts";
import { askWitness, isCosignedBy, type WitnessEndpoint } from "./witness-client.ts";

/** Longest pause after repeated failures of one witness. */
const MAX_BACKOFF_MS: number = 10 * 60_000;

export interface CosigningOptions {
  /** The sealed log, which verifies the witnesses' keys too (`SealedLog` with `witnesses`). */
  readonly log: {
    checkpoint(): Promise<Checkpoint>;
    cosigned(): Promise<Checkpoint | null>;
    proveConsistency(first: number, second: number): Promise<Uint8Array[]>;
  };
  /** Puts a cosigned checkpoint in place (`Ledger.addCosignatures`). */
  readonly publish: (note: string, options: { quorum: boolean }) => Promise<void>;
  readonly witnesses: readonly WitnessEndpoint[];
  /** How many witnesses make a checkpoint trustworthy. */
  readonly quorum: number;
  /** Shortest time between two rounds, milliseconds. */
  readonly everyMs: number;
  /** Longest wait for one witness, milliseconds. */
  readonly timeoutMs: number;
  readonly clock?: () => number;
  /** Hears of each failed question; it is asked again. */
  readonly onError?: (error: LogError) => void;
}

export interface CosigningStatus {
  /** Size of the checkpoint that the last round was about. */
  readonly size: number;
  /** How many witnesses cosigned it. */
  readonly cosignatures: number;
  readonly quorum: number;
  /** Size of the newest checkpoint that reached the quorum; 0 before the first. */
  readonly quorumSize: number;
  /** Failed questions since the start. */
  readonly failures: number;
  /** Last failure of each witness that has not answered since. */
  readonly failing: Readonly<Record<string, LogErrorCode>>;
}

/** What is remembered of a witness between rounds. A restart asks anew, and is told. */
interface Memory {
  size: number;
  failures: number;
  notBeforeMs: number;
  error: LogErrorCode | null;
}

export class Cosigning {
  readonly #options: CosigningOptions;
  readonly #clock: () => number;
  readonly #memory: Map<string, Memory> = new Map();
  #status: CosigningStatus;

  constructor(options: CosigningOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    const { quorum } = options;
    this.#status = { size: 0, cosignatures: 0, quorum, quorumSize: 0, failures: 0, failing: {} };
  }

  get status(): CosigningStatus {
    const failing: Record<string, LogErrorCode> = {};
    for (const [name, { error }] of this.#memory) if (error !== null) failing[name] = error;
    return { ...this.#status, failing };
  }

  /** One round: asks every witness that has not cosigned the newest checkpoint and is not being left alone for a while. */
  async step(signal?: AbortSignal): Promise<CosigningStatus> {
    const { log, witnesses, quorum } = this.#options;
    const head = await log.checkpoint();
    const round = new Round(head, witnesses);
    if (this.#status.quorumSize === 0)
      this.#status = { ...this.#status, quorumSize: (await log.cosigned())?.size ?? 0 };
    this.#note(head.size, round.count);
    const now = this.#clock();
    await settleAll(
      witnesses
        .filter((witness) => !round.has(witness) && now >= this.#memoryOf(witness).notBeforeMs)
        .map(async (witness) => {
          const signatures = await this.#ask(witness, head, round.request, signal);
          if (signatures === null) return;
          round.add(witness, signatures);
          await this.#options.publish(round.note, { quorum: quorum > 0 && round.count >= quorum });
          this.#note(head.size, round.count);
        }),
    );
    return this.status;
  }

  /** Rounds until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs, onError } = this.#options;
    const failure = "could not publish cosignatures";
    await rounds((stop) => this.step(stop), { everyMs, failure, onError }, signal);
  }

  /** Null: it failed, which was reported. */
  async #ask(
    witness: WitnessEndpoint,
    head: Checkpoint,
    note: string,
    signal: AbortSignal | undefined,
  ): Promise<NoteSignature[] | null> {
    const { log, timeoutMs, everyMs, onError } = this.#options;
    const memory = this.#memoryOf(witness);
    const prove = (from: number): Promise<Uint8Array[]> => log.proveConsistency(from, head.size);
    // A smaller checkpoint than before is a log that was rolled back: the witness shall say so itself.
    const request = { note, size: head.size, oldSize: Math.min(memory.size, head.size), prove };
    try {
      const signatures = await askWitness(witness, request, {
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      Object.assign(memory, { size: head.size, failures: 0, notBeforeMs: 0, error: null });
      return signatures;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      if (signal?.aborted === true) return null; // we hung up ourselves
      memory.failures += 1;
      memory.error = error.code;
      memory.notBeforeMs = this.#clock() + Math.min(everyMs * 2 ** memory.failures, MAX_BACKOFF_MS);
      this.#status = { ...this.#status, failures: this.#status.failures + 1 };
      onError?.(error);
      return null;
    }
  }

  #memoryOf({ name }: WitnessEndpoint): Memory {
    const known = this.#memory.get(name);
    if (known !== undefined) return known;
    const memory: Memory = { size: 0, failures: 0, notBeforeMs: 0, error: null };
    this.#memory.set(name, memory);
    return memory;
  }

  #note(size: number, cosignatures: number): void {
    const { quorum } = this.#options;
    const quorumSize = quorum > 0 && cosignatures >= quorum ? size : this.#status.quorumSize;
    this.#status = { ...this.#status, size, cosignatures, quorumSize };
  }
}

/** One checkpoint with the cosignatures that it has so far. */
class Round {
  readonly #text: string;
  readonly #signatures: NoteSignature[] = [];
  readonly #witnesses: Set<string> = new Set();
  /** What is sent to witnesses: the log's own signatures alone. */
  readonly request: string;

  constructor(head: Checkpoint, witnesses: readonly WitnessEndpoint[]) {
    const note = parseNote(utf8(head.note));
    if ("fault" in note) throw new LogError("log.checkpoint-invalid", `expected a note, got ${note.fault}`);
    this.#text = note.text;
    const own = note.signatures.filter(({ name }) => name === head.origin);
    this.request = formatNote(note.text, own);
    this.#signatures.push(...note.signatures);
    for (const witness of witnesses) if (isCosignedBy(head, witness)) this.#witnesses.add(witness.name);
  }

  get count(): number {
    return this.#witnesses.size;
  }

  get note(): string {
    return formatNote(this.#text, this.#signatures);
  }

  has({ name }: WitnessEndpoint): boolean {
    return this.#witnesses.has(name);
  }

  add({ name }: WitnessEndpoint, signatures: readonly NoteSignature[]): void {
    this.#witnesses.add(name);
    this.#signatures.push(...signatures);
  }
}
