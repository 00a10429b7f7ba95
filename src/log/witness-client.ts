// Asks one witness over HTTP to cosign a checkpoint (C2SP tlog-witness). What it answers may be attacker-controlled.
import { formatAddCheckpoint } from "../core/add-checkpoint.ts";
import { parseDecimal, utf8 } from "../core/bytes.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { type NoteSignature, openNote } from "../core/note.ts";
import { parseVerifierKey, sameKey, type VerifierKey } from "../core/verifier-key.ts";
import { LogError } from "./errors.ts";

/** An answer is a few signature lines, of 3.3 kB each where they are post-quantum. */
const MAX_ANSWER_BYTES: number = 64 * 1024;
/** The first try names a size that may be wrong, the second the size we were told; a third is for a race with ourselves. */
const MAX_TRIES = 3;

/** A witness that we trust. */
export interface WitnessEndpoint {
  readonly name: string;
  readonly keys: readonly VerifierKey[];
  /** Submission prefix. */
  readonly url: string;
}

/** The witnesses of the configuration, whose schema has checked the keys. */
export function witnessEndpoints(
  witnesses: readonly { name: string; vkeys: readonly string[]; url: string }[],
): WitnessEndpoint[] {
  return witnesses.map(({ name, vkeys, url }) => {
    const keys = vkeys.map((vkey) => {
      const key = parseVerifierKey(vkey);
      if (key === null) throw new TypeError(`expected a key of witness ${name}, got ${vkey}`);
      return key;
    });
    return { name, keys, url };
  });
}

/** Did any key of the witness sign? The checkpoint was verified with its keys. */
export function isCosignedBy({ verified }: Checkpoint, { keys }: WitnessEndpoint): boolean {
  return keys.some((key) => verified.some((signature) => sameKey(signature.key, key)));
}

export interface WitnessRequest {
  /** The signed note to cosign, and its size. */
  readonly note: string;
  readonly size: number;
  /** Size that the witness is thought to have cosigned last; 0 when it is not known. */
  readonly oldSize: number;
  /** Consistency proof from an earlier size, not 0, to `size`. */
  readonly prove: (from: number) => Promise<readonly Uint8Array[]>;
}

export interface AskOptions {
  /** For all tries together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

async function post(url: string, body: Uint8Array, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    body: new Uint8Array(body),
    headers: { "content-type": "text/plain; charset=utf-8" },
    redirect: "error",
    signal,
  });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`expected at most ${MAX_ANSWER_BYTES} bytes, got more`);
    parts.push(part);
  }
  return { status: response.status, body: Buffer.concat(parts) };
}

/** The verified cosignatures; a wrong or timeless one refuses the whole answer. */
function cosignatures(witness: WitnessEndpoint, note: string, lines: string): NoteSignature[] {
  const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
  const opened = openNote(utf8(`${text}\n${lines}`), witness.keys);
  const fault = "fault" in opened ? opened.fault : null;
  if ("fault" in opened || opened.text !== text || opened.verified.some((one) => !one.timeSeconds))
    throw new LogError(
      "log.witness-failed",
      `expected cosignatures by ${witness.name}, got ${fault ?? "another note"}`,
    );
  return opened.verified.flatMap(({ key }) => {
    const line = opened.signatures.find(({ name, id }) => name === key.name && id === key.id);
    return line === undefined ? [] : [line];
  });
}

/**
 * Cosignatures of a witness's known keys on a checkpoint. Throws LogError: `log.witness-failed` (no answer in time, or
 * none that counts), `log.witness-ahead`, `log.witness-refused`.
 */
export async function askWitness(
  witness: WitnessEndpoint,
  request: WitnessRequest,
  { timeoutMs, signal }: AskOptions,
): Promise<NoteSignature[]> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const url = `${witness.url.replace(/\/$/, "")}/add-checkpoint`;
  let { oldSize } = request;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const proof = oldSize === 0 || oldSize === request.size ? [] : await request.prove(oldSize);
    const body = formatAddCheckpoint({ oldSize, proof, checkpoint: utf8(request.note) });
    const answer = await post(url, body, either).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LogError("log.witness-failed", `expected an answer of ${witness.name}, got ${reason}`, {
        cause,
      });
    });
    const text = answer.body.toString("utf8");
    if (answer.status === 200) return cosignatures(witness, request.note, text);
    if (answer.status !== 409) throw refusal(witness, answer.status, text);
    const size = parseDecimal(text.trimEnd());
    if (size === null)
      throw new LogError("log.witness-failed", `expected a size with the conflict of ${witness.name}`);
    if (size > request.size)
      throw new LogError(
        "log.witness-ahead",
        `expected ${witness.name} to know at most ${request.size} records, got ${size}`,
      );
    oldSize = size;
  }
  throw new LogError("log.witness-failed", `${witness.name} named a new size at each of ${MAX_TRIES} tries`);
}

function refusal(witness: WitnessEndpoint, status: number, text: string): LogError {
  const reason = `${witness.name} answers ${status}: ${text.slice(0, 200).trim()}`;
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new LogError(refused ? "log.witness-refused" : "log.witness-failed", reason);
}
