// Where a long fsck stood when it was interrupted: kept now and then, believed only as far as the final root agrees.
import { z } from "zod";
import { utf8 } from "../core/bytes.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import type { LeafSpan, MissingRecord, PlacedTombstone } from "../core/tombstone.ts";
import { type Disk, replaceFile } from "./disk.ts";
import type { FsckProblem, FsckReport } from "./fsck-report.ts";

/** Leaves between two savings: a few seconds of work. A multiple of a bundle's. */
export const SAVE_EVERY_LEAVES = 65_536;

/** Base64 of the right edge, and of the hashes of each level's tile that is being filled. */
export interface TreeState {
  readonly edge: readonly string[];
  readonly levels: readonly (readonly string[])[];
  readonly tiles: number;
}

export interface OrderState {
  readonly writers: readonly (readonly [writer: string, { incarnation: number; next: number }])[];
  /** Opens without a close, by leaf index. */
  readonly open: readonly (readonly [index: number, { exchange: string; account: string | null }])[];
  readonly gaps: FsckReport["gaps"];
}

export interface ContentState {
  readonly digests: number;
  readonly commitments: number;
  readonly tombstones: readonly PlacedTombstone[];
  readonly groups: readonly ErasedGroup[];
  readonly damaged: readonly { readonly record: MissingRecord; readonly problem: FsckProblem }[];
}

/** Erased records of one account and key, as spans: an account may have millions. */
export interface ErasedGroup extends Omit<MissingRecord, "index"> {
  readonly spans: LeafSpan[];
  /** Where the first of them lies. */
  readonly first: { readonly file: string; readonly offset: number };
}

export interface FsckState {
  readonly v: 1;
  readonly origin: string;
  /** Whether content was checked, and with keys: a different question is begun anew. */
  readonly depth: "leaves" | "digests" | "content";
  /** Leaves that were checked. */
  readonly leaves: number;
  readonly tree: TreeState;
  readonly order: OrderState;
  readonly content: ContentState;
  readonly problems: readonly FsckProblem[];
  readonly problemCount: number;
}

const count = z.number().int().nonnegative().safe();
const span = z.tuple([count, count]);
const maybe = z.string().nullable();
const problem = z.custom<FsckProblem>((value) => typeof value === "object" && value !== null);

const TREE_STATE: z.ZodType<TreeState> = z.strictObject({
  edge: z.array(z.base64()),
  levels: z.array(z.array(z.base64())),
  tiles: count,
});

const ORDER_STATE: z.ZodType<OrderState> = z.strictObject({
  writers: z.array(z.tuple([z.string(), z.strictObject({ incarnation: count, next: count })])),
  open: z.array(z.tuple([count, z.strictObject({ exchange: z.string(), account: z.string().nullable() })])),
  gaps: z.array(
    z.strictObject({
      writer: z.string(),
      incarnation: count,
      from: count,
      count,
      act: z.string(),
      index: count,
    }),
  ),
});

const missing = z.strictObject({ index: count, account: maybe, keyId: maybe });
const CONTENT_STATE: z.ZodType<ContentState> = z.strictObject({
  digests: count,
  commitments: count,
  tombstones: z.array(
    z.strictObject({
      erasure: z.string(),
      cause: z.enum(["request", "retention"]),
      legalBasis: z.string(),
      account: maybe,
      keys: z.array(z.string()),
      records: z.array(span),
      index: count,
      time: z.string(),
    }),
  ),
  groups: z.array(
    z.strictObject({
      account: maybe,
      keyId: maybe,
      spans: z.array(span),
      first: z.strictObject({ file: z.string(), offset: count }),
    }),
  ),
  damaged: z.array(z.strictObject({ record: missing, problem })),
});

const STATE: z.ZodType<FsckState> = z.strictObject({
  v: z.literal(1),
  origin: z.string(),
  depth: z.enum(["leaves", "digests", "content"]),
  leaves: count,
  tree: TREE_STATE,
  order: ORDER_STATE,
  content: CONTENT_STATE,
  problems: z.array(problem),
  problemCount: count,
});

/** Null where there is none, or none that fits: then everything is checked from the start. */
export async function readFsckState(
  disk: Disk,
  path: string,
  question: Pick<FsckState, "origin" | "depth"> & { size: number },
): Promise<FsckState | null> {
  const bytes = await disk.readFile(path);
  if (bytes === null) return null;
  try {
    const state = STATE.parse(JSON.parse(bytes.toString("utf8")));
    const fits = state.origin === question.origin && state.depth === question.depth;
    return fits && state.leaves <= question.size && state.leaves % TILE_WIDTH === 0 ? state : null;
  } catch {
    return null;
  }
}

export async function writeFsckState(disk: Disk, path: string, state: FsckState): Promise<void> {
  await replaceFile(disk, path, utf8(`${JSON.stringify(state)}\n`));
}
