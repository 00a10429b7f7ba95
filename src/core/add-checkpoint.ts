// The body of C2SP tlog-witness' add-checkpoint: what the witness knew, a consistency proof, the new checkpoint.
import { Buffer } from "node:buffer";
import { base64, base64Bytes, concatBytes, parseDecimal, utf8, utf8Text } from "./bytes.ts";
import { HASH_BYTES } from "./merkle.ts";
import { MAX_NOTE_BYTES } from "./note.ts";

/** Consistency proof lines that a client may send. */
export const MAX_PROOF_LINES = 63;
const HASH_LINE_BYTES = 45;
/** Old size, proof lines, empty line and the largest note. */
export const MAX_ADD_CHECKPOINT_BYTES: number = 32 + MAX_PROOF_LINES * HASH_LINE_BYTES + 1 + MAX_NOTE_BYTES;

export interface AddCheckpoint {
  /** Size of the checkpoint that the witness cosigned last. */
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array;
}

export function formatAddCheckpoint(request: AddCheckpoint): Uint8Array {
  const proof = request.proof.map((hash) => `${base64(hash)}\n`).join("");
  return concatBytes(utf8(`old ${request.oldSize}\n${proof}\n`), request.checkpoint);
}

/** Null when the body is not of that form. The checkpoint is not looked into. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint | null {
  if (body.length > MAX_ADD_CHECKPOINT_BYTES) return null;
  const split = Buffer.from(body.buffer, body.byteOffset, body.byteLength).indexOf("\n\n");
  const head = split < 0 ? null : utf8Text(body.subarray(0, split));
  const [oldLine, ...lines] = head?.split("\n") ?? [];
  if (!oldLine?.startsWith("old ") || lines.length > MAX_PROOF_LINES) return null;
  const oldSize = parseDecimal(oldLine.slice("old ".length));
  if (oldSize === null) return null;
  const proof: Uint8Array[] = [];
  for (const line of lines) {
    const hash = base64Bytes(line);
    if (hash?.length !== HASH_BYTES) return null;
    proof.push(hash);
  }
  return { oldSize, proof, checkpoint: body.subarray(split + 2) };
}
