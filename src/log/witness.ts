// A witness (C2SP tlog-witness): cosigns a log's checkpoint only when it extends all that it cosigned of that log before.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseAddCheckpoint } from "../core/add-checkpoint.ts";
import { equalBytes, hex, utf8, utf8Text } from "../core/bytes.ts";
import { type Checkpoint, openCheckpoint } from "../core/checkpoint.ts";
import { EMPTY_ROOT } from "../core/merkle.ts";
import { verifyConsistency } from "../core/merkle-verify.ts";
import { formatNote, formatSignature, type NoteSignature, parseNote } from "../core/note.ts";
import { sha256 } from "../core/sha256.ts";
import { parseTreeHead } from "../core/tree-head.ts";
import type { VerifierKey } from "../core/verifier-key.ts";
import { type NoteSigner, signText } from "./signing.ts";
import { openWitnessKeys } from "./witness-keys.ts";
import { type Contradiction, type WitnessedHead, WitnessStore } from "./witness-store.ts";

/** What the HTTP server answers. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly type: "text/plain; charset=utf-8" | "text/x.tlog.size";
  readonly body: string;
}

export interface WitnessOptions {
  /** Holds `witness.key` and `state.sqlite`; made when missing. */
  readonly folder: string;
  /** Name in cosignatures; null: `witness.local/<id>`. */
  readonly name: string | null;
  /** Keys of the logs it witnesses; a log with several keys is listed with each. */
  readonly logs: readonly VerifierKey[];
  readonly clock?: () => number;
  /** Hears of each new contradiction, after it was kept. */
  readonly onContradiction?: (contradiction: Contradiction) => void;
}

function refuse(status: 400 | 403 | 404 | 422, reason: string): WitnessAnswer {
  return { status, type: "text/plain; charset=utf-8", body: `${reason}\n` };
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, type: "text/x.tlog.size", body: `${size}\n` };
}

export class Witness {
  readonly #options: WitnessOptions;
  readonly #signers: readonly NoteSigner[];
  readonly #store: WitnessStore;
  readonly #clock: () => number;

  private constructor(options: WitnessOptions, signers: readonly NoteSigner[], store: WitnessStore) {
    this.#options = options;
    this.#signers = signers;
    this.#store = store;
    this.#clock = options.clock ?? Date.now;
  }

  /** Throws LogError: `log.key-mode`, `log.witness-key-malformed`. */
  static async open(options: WitnessOptions): Promise<Witness> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const signers = await openWitnessKeys(options.folder, options.name);
    return new Witness(options, signers, new WitnessStore(join(options.folder, "state.sqlite")));
  }

  /** What verifiers of its cosignatures need: Ed25519, ML-DSA-44. */
  get keys(): VerifierKey[] {
    return this.#signers.map(({ key }) => key);
  }

  contradictions(): Contradiction[] {
    return this.#store.contradictions();
  }

  /** What it cosigned last of each log. */
  heads(): (WitnessedHead & { readonly origin: string })[] {
    return this.#store.heads();
  }

  /** The newest cosigned checkpoint of a log, by the lower-case hexadecimal SHA-256 of its origin. */
  checkpoint(originHash: string): string | null {
    return this.#store.checkpoint(originHash);
  }

  close(): void {
    this.#store.close();
  }

  /** Answers an add-checkpoint request; the body is attacker-controlled. The order of the checks is the specification's. */
  async add(body: Uint8Array): Promise<WitnessAnswer> {
    const request = parseAddCheckpoint(body);
    const note = request === null ? null : parseNote(request.checkpoint);
    const claimed = note === null || "fault" in note ? null : parseTreeHead(note.text);
    if (request === null || note === null || "fault" in note || claimed === null)
      return refuse(400, "expected an old size, a consistency proof and a signed checkpoint");
    const keys = this.#options.logs.filter(({ name }) => name === claimed.origin);
    if (keys.length === 0) return refuse(404, "this log is not witnessed here");
    const checkpoint = openCheckpoint(request.checkpoint, { keys, origin: claimed.origin });
    if ("fault" in checkpoint) return refuse(403, `the log's signature is not accepted: ${checkpoint.fault}`);
    if (request.oldSize > checkpoint.size) return refuse(400, "the old size is larger than the checkpoint");

    const known = this.#store.head(checkpoint.origin);
    const fault = contradictionOf(known, checkpoint, request);
    if (fault !== null && known !== null)
      this.#keep({ known: known.checkpoint, head: checkpoint, reason: fault, body });
    if (request.oldSize !== (known?.size ?? 0)) return conflict(known?.size ?? 0);
    if (fault !== null) return refuse(422, `the checkpoint does not extend what was cosigned: ${fault}`);
    if (checkpoint.size === 0 && !equalBytes(checkpoint.root, EMPTY_ROOT))
      return refuse(422, "an empty tree has the hash of nothing as its root");
    if ((request.oldSize === 0 || request.oldSize === checkpoint.size) && request.proof.length > 0)
      return refuse(422, "expected no proof where there is nothing to prove");
    return await this.#cosign(known, checkpoint, ownSignatures(note.signatures, checkpoint));
  }

  /** Signs first, then moves the head: a cosignature leaves only when its head was the newest and is on disk. */
  async #cosign(
    known: WitnessedHead | null,
    { origin, size, root, note }: Checkpoint,
    signatures: readonly NoteSignature[],
  ): Promise<WitnessAnswer> {
    const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
    const nowMs = this.#clock();
    const ours = await signText(text, this.#signers, Math.floor(nowMs / 1000));
    const checkpoint = formatNote(text, [...signatures, ...ours]);
    const originHash = hex(sha256(utf8(origin)));
    if (!this.#store.advance(known, { origin, originHash, size, root, checkpoint, nowMs }))
      return conflict(this.#store.head(origin)?.size ?? 0);
    return { status: 200, type: "text/plain; charset=utf-8", body: ours.map(formatSignature).join("") };
  }

  #keep(found: { known: string; head: Checkpoint; reason: Contradiction["reason"]; body: Uint8Array }): void {
    const { origin, size, root } = found.head;
    const { known, reason } = found;
    const submitted = utf8Text(found.body) ?? "";
    const contradiction = { origin, size, root, reason, noticedMs: this.#clock(), known, submitted };
    if (this.#store.keep(contradiction)) this.#options.onContradiction?.(contradiction);
  }
}

/** Another root at the size we cosigned, whatever the request says; or a growth from there that its proof doesn't show. */
function contradictionOf(
  known: WitnessedHead | null,
  head: Checkpoint,
  request: { oldSize: number; proof: readonly Uint8Array[] },
): Contradiction["reason"] | null {
  if (known === null) return null;
  if (head.size === known.size) return equalBytes(head.root, known.root) ? null : "other-root";
  if (request.oldSize !== known.size || known.size === 0) return null;
  const claim = { first: known.size, second: head.size, firstRoot: known.root, secondRoot: head.root };
  return verifyConsistency(claim, request.proof) ? null : "no-consistency";
}

/** The lines of the log's own keys that were verified; what strangers signed is not passed on. */
function ownSignatures(signatures: readonly NoteSignature[], { verified }: Checkpoint): NoteSignature[] {
  return verified.flatMap(({ key }) => {
    const line = signatures.find(({ name, id }) => name === key.name && id === key.id);
    return line === undefined ? [] : [line];
  });
}
