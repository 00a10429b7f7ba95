// The ledger's position, written by one rename: what is in this file is sealed, what is not will be sealed again.
import { z } from "zod";
import { base64Bytes, hex, utf8 } from "../core/bytes.ts";
import { HASH_BYTES } from "../core/merkle.ts";
import { sha256 } from "../core/sha256.ts";
import { type Disk, replaceFile } from "./disk.ts";
import { LogError } from "./errors.ts";

/** Exchanges whose close has not come yet. Each costs about 100 bytes of memory and of every state.json. */
export const MAX_OPEN_EXCHANGES = 200_000;

/** How far one writer's segments are sealed. */
export interface WriterPosition {
  incarnation: number;
  /** Next sequence number of that incarnation. */
  sequence: number;
  /** Segment being read and the offset in it; segments with smaller numbers may be reused. Null: to be found. */
  segment: number | null;
  offset: number;
}

export interface LedgerState {
  v: 1;
  node: string;
  origin: string;
  size: number;
  /** Base64. */
  root: string;
  writers: Record<string, WriterPosition>;
  /** Writer, incarnation, exchange, leaf index and sequence of each open that has no close yet. */
  open: [string, number, string, number, number][];
}

const count = z.number().int().nonnegative().safe();

const SCHEMA: z.ZodType<LedgerState> = z.strictObject({
  v: z.literal(1),
  node: z.string(),
  origin: z.string(),
  size: count,
  root: z.string().refine((text) => base64Bytes(text)?.length === HASH_BYTES),
  writers: z.record(
    z.string(),
    z.strictObject({
      incarnation: count,
      sequence: count,
      segment: count.nullable(),
      offset: count,
    }),
  ),
  open: z.array(z.tuple([z.string(), count, z.string(), count, count])),
});

const CHECKED: z.ZodType<{ check: string } & Record<string, unknown>> = z.looseObject({ check: z.string() });

/** Over the members in the order in which they are written: a flipped bit must not pass for a position. */
function checksum(state: object): string {
  return hex(sha256(utf8(JSON.stringify(state))));
}

function encode(state: object): string {
  return `${JSON.stringify({ ...state, check: checksum(state) })}\n`;
}

/** Null when there is none. Throws `log.state-malformed`. */
export async function readLedgerState(disk: Disk, path: string): Promise<LedgerState | null> {
  const bytes = await disk.readFile(path);
  if (bytes === null) return null;
  try {
    const text = bytes.toString("utf8");
    const { check, ...state } = CHECKED.parse(JSON.parse(text));
    if (encode({ ...state }) !== text || checksum(state) !== check)
      throw new TypeError("the checksum does not fit");
    return SCHEMA.parse(state);
  } catch (cause) {
    throw new LogError("log.state-malformed", `expected ${path} to be a ledger state of version 1`, {
      cause,
    });
  }
}

/** The commit point of sealing. */
export async function writeLedgerState(disk: Disk, path: string, state: LedgerState): Promise<void> {
  await replaceFile(disk, path, Buffer.from(encode(state)));
}
