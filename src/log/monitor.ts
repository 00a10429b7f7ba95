// Watches another log over HTTP: each checkpoint must extend all that was seen before, or the contradiction is kept.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { base64, equalBytes, hex, utf8 } from "../core/bytes.ts";
import { type Checkpoint, openCheckpoint, openCheckpointByPolicy } from "../core/checkpoint.ts";
import { consistencyRanges } from "../core/merkle.ts";
import { verifyConsistency } from "../core/merkle-verify.ts";
import { MAX_NOTE_BYTES } from "../core/note.ts";
import type { ProofTrust } from "../core/proof.ts";
import { sha256 } from "../core/sha256.ts";
import { LogError } from "./errors.ts";
import { TileReader } from "./tile-reader.ts";
import { type Contradiction, type WitnessedHead, WitnessStore } from "./witness-store.ts";

export interface MonitorOptions {
  /** Where its memory lies; made when missing. */
  readonly folder: string;
  /** Prefix of the log, which has `checkpoint` and `tile/` below it. */
  readonly url: string;
  /** Whose checkpoints count: the log's key, or a policy with a quorum of witnesses. */
  readonly trust: ProofTrust;
  readonly timeoutMs: number;
  readonly clock?: () => number;
}

/** What one look found. */
export type Observation = {
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** Size that was seen last before; null: this is the first look. */
  readonly seen: number | null;
} & (
  | { readonly verdict: "first" | "unchanged" | "consistent" | "stale" }
  | { readonly verdict: "contradiction"; readonly reason: Contradiction["reason"]; readonly evidence: string }
);

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #store: WitnessStore;
  readonly #clock: () => number;

  private constructor(options: MonitorOptions, store: WitnessStore) {
    this.#options = options;
    this.#store = store;
    this.#clock = options.clock ?? Date.now;
  }

  static async open(options: MonitorOptions): Promise<Monitor> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    return new Monitor(options, new WitnessStore(join(options.folder, "state.sqlite")));
  }

  close(): void {
    this.#store.close();
  }

  /** Contradictions that were ever seen, the oldest first. */
  contradictions(): Contradiction[] {
    return this.#store.contradictions();
  }

  /**
   * One look. Throws `log.monitor-failed` when the log can't be read, its signature is not accepted, or its tiles don't
   * fit its own checkpoint: none of that proves anything, so it is no contradiction.
   */
  async look(): Promise<Observation> {
    const head = await this.#checkpoint();
    const { origin, size, root } = head;
    const known = this.#store.head(origin);
    const seen = { origin, size, root: base64(root), seen: known?.size ?? null };
    if (known === null) {
      this.#advance(null, head);
      return { ...seen, verdict: "first" };
    }
    if (size === known.size && equalBytes(root, known.root)) return { ...seen, verdict: "unchanged" };
    const reason = size === known.size ? "other-root" : await this.#compare(known, head);
    if (reason !== null)
      return { ...seen, verdict: "contradiction", reason, evidence: await this.#keep(known, head, reason) };
    if (size < known.size) return { ...seen, verdict: "stale" };
    this.#advance(known, head);
    return { ...seen, verdict: "consistent" };
  }

  /** Null: one of the two trees begins with the other. */
  async #compare(known: WitnessedHead, head: Checkpoint): Promise<Contradiction["reason"] | null> {
    const newer = head.size > known.size ? head : known;
    const older = head.size > known.size ? known : head;
    if (older.size === 0) return null;
    const tiles = new TileReader({ readFile: (path) => this.#fetch(path, MAX_TILE_BYTES) }, "/");
    const hashes: Uint8Array[] = [];
    try {
      const whole = await tiles.range({ start: 0, end: newer.size }, newer.size);
      if (!equalBytes(whole, newer.root))
        throw new LogError("log.damaged", `tiles that hash to the root at size ${newer.size}`);
      for (const range of consistencyRanges(older.size, newer.size))
        hashes.push(await tiles.range(range, newer.size));
    } catch (cause) {
      if (!(cause instanceof LogError && cause.code === "log.damaged")) throw cause;
      throw failed(`expected ${this.#options.url} to serve its tiles, got: ${cause.message}`, cause);
    }
    const claim = { first: older.size, second: newer.size, firstRoot: older.root, secondRoot: newer.root };
    return verifyConsistency(claim, hashes) ? null : "no-consistency";
  }

  async #checkpoint(): Promise<Checkpoint> {
    const { trust, url } = this.#options;
    const bytes = await this.#fetch("/checkpoint", MAX_NOTE_BYTES);
    if (bytes === null) throw failed(`expected a checkpoint at ${url}, got none`);
    const opened =
      "policy" in trust ? openCheckpointByPolicy(bytes, trust.policy) : openCheckpoint(bytes, trust);
    if ("fault" in opened) throw failed(`expected a checkpoint that is trusted, got ${opened.fault}`);
    return opened;
  }

  #advance(known: WitnessedHead | null, { origin, size, root, note }: Checkpoint): void {
    const originHash = hex(sha256(utf8(origin)));
    this.#store.advance(known, { origin, originHash, size, root, checkpoint: note, nowMs: this.#clock() });
  }

  /** Both signed notes in one file, to be shown to others. Returns its path. */
  async #keep(known: WitnessedHead, head: Checkpoint, reason: Contradiction["reason"]): Promise<string> {
    const { origin, size, root, note } = head;
    const noticedMs = this.#clock();
    this.#store.keep({ origin, size, root, reason, noticedMs, known: known.checkpoint, submitted: note });
    const name = `${hex(sha256(utf8(note))).slice(0, 16)}.contradiction`;
    const path = join(this.#options.folder, name);
    const text = `${known.checkpoint}\n=== ${reason} ===\n\n${note}`;
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }

  /** A file below the log's prefix, or null where there is none. */
  async #fetch(path: string, maxBytes: number): Promise<Buffer | null> {
    const url = `${this.#options.url.replace(/\/$/, "")}${path}`;
    try {
      const signal = AbortSignal.timeout(this.#options.timeoutMs);
      const response = await fetch(url, { redirect: "error", signal });
      if (response.status === 404) return null;
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of response.body ?? []) {
        bytes += part.length;
        if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
        parts.push(part);
      }
      return Buffer.concat(parts);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw failed(`expected an answer of ${url}, got: ${reason}`, cause);
    }
  }
}

/** 256 hashes. */
const MAX_TILE_BYTES = 8_192;

function failed(message: string, cause?: unknown): LogError {
  return new LogError("log.monitor-failed", message, { cause });
}
