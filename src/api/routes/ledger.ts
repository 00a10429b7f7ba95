// The state of the log: its head, its writers, its records from the newest back, and one record with its proof.
import { readFile } from "node:fs/promises";
import { base64, hex, utf8Text } from "../../core/bytes.ts";
import { encodeLeaf } from "../../core/leaf.ts";
import { leafHash } from "../../core/merkle.ts";
import { NODE_DISK } from "../../log/disk.ts";
import { LogError } from "../../log/errors.ts";
import { readLedgerState } from "../../log/ledger-state.ts";
import type { SealedRecord } from "../../log/sealed-log.ts";
import { timestampAuthorities } from "../../log/timestamp-client.ts";
import { TimestampFiles } from "../../log/timestamp-files.ts";
import { isCosignedBy, witnessEndpoints } from "../../log/witness-client.ts";
import {
  type Ledger,
  type LedgerProof,
  type LedgerRecord,
  type LedgerRecords,
  type RecordsQuery,
  recordsQuery,
} from "../contract/ledger.ts";
import { ApiError } from "../errors.ts";
import { pathPart, readQuery } from "../http.ts";
import type { ApiOptions, Handlers } from "../services.ts";

/** Leaves read at once while going back: one entry bundle. */
const STRIDE = 256;
/** A search for rare records stops here and says where to go on: about a second's work. */
const MAX_SCANNED = 20_000;

export const ledgerHandlers: Handlers<
  "GET /api/ledger" | "GET /api/ledger/records" | "GET /api/ledger/records/:index"
> = {
  "GET /api/ledger": async (context, options) => context.json(await stateOf(options)),
  "GET /api/ledger/records": async (context, options) =>
    context.json(await search(readQuery(context, recordsQuery), options)),
  "GET /api/ledger/records/:index": async (context, options) => {
    const index = Number(pathPart(context, "index"));
    if (!Number.isSafeInteger(index) || index < 0)
      throw new ApiError("api.not-found", "expected the index of a record");
    return context.json(await prove(index, options));
  },
};

async function stateOf(options: ApiOptions): Promise<Ledger> {
  const { log, store, folder, config } = options;
  const [text, position, ledger] = await Promise.all([
    readFile(folder.checkpoint, "utf8").catch(() => null),
    store.position(),
    readLedgerState(NODE_DISK, folder.ledgerState),
  ]);
  const writers = Object.entries(ledger?.writers ?? {}).map(([name, { sequence }]) => ({ name, sequence }));
  const witnesses = { cosigned: [] as string[], quorum: config.log.witnessQuorum, quorumSize: 0 };
  const state = {
    storePosition: position,
    writers,
    openExchanges: ledger?.open.length ?? 0,
    witnesses,
    timestamps: await newestStamps(options),
  };
  if (text === null) {
    return { ...state, size: 0, origin: null, root: null, checkpoint: null, signatureValid: false };
  }
  try {
    // Verifies the signature against the installation's key.
    const checkpoint = await log.checkpoint();
    const { size, origin, root, note } = checkpoint;
    for (const witness of witnessEndpoints(config.log.witnesses))
      if (isCosignedBy(checkpoint, witness)) witnesses.cosigned.push(witness.name);
    witnesses.quorumSize = (await log.cosigned())?.size ?? 0;
    return { ...state, size, origin, root: base64(root), checkpoint: note, signatureValid: true };
  } catch (error) {
    if (!(error instanceof LogError && error.code === "log.checkpoint-invalid")) throw error;
    return {
      ...state,
      size: ledger?.size ?? 0,
      origin: null,
      root: null,
      checkpoint: text,
      signatureValid: false,
    };
  }
}

/** A stamp that does not verify is left out; fsck names it. */
async function newestStamps({ folder, config }: ApiOptions): Promise<Ledger["timestamps"]> {
  const authorities = await timestampAuthorities(config.log.timestamps.authorities);
  const files = new TimestampFiles(NODE_DISK, folder.timestamps);
  const newest = new Map<string, Ledger["timestamps"][number]>();
  for (const name of (await files.list()).reverse()) {
    const { authority, size } = name;
    if (size === null || newest.has(authority) || !authorities.some((one) => one.name === authority))
      continue;
    const checked = await files.check(name, authorities).catch((error: unknown) => {
      if (error instanceof LogError) return null;
      throw error;
    });
    if (checked !== null)
      newest.set(authority, { authority, size, time: new Date(checked.verified.timeMs).toISOString() });
  }
  return [...newest.values()];
}

/** Newest first, in strides, until a page is full or enough was looked at. */
async function search(
  { before, kind, act, limit }: RecordsQuery,
  { log }: ApiOptions,
): Promise<LedgerRecords> {
  const end = Math.min(before ?? Number.POSITIVE_INFINITY, await log.size());
  const items: LedgerRecord[] = [];
  let next = end;
  while (next > 0 && items.length < limit && end - next < MAX_SCANNED) {
    const from = Math.max(0, next - STRIDE);
    const stride: SealedRecord[] = [];
    for await (const record of log.records(from, next)) stride.push(record);
    for (const record of stride.reverse()) {
      if (items.length === limit) break;
      next = record.index;
      if (matches(record, kind, act)) items.push(view(record));
    }
  }
  return { items, nextBefore: next > 0 ? next : null, scanned: end - next };
}

/** `content` matches `content.revealed` as `content.revealed` itself does; half a word matches nothing. */
function matches({ leaf }: SealedRecord, kind: RecordsQuery["kind"], act: string | undefined): boolean {
  if (kind !== undefined && leaf.kind !== kind) return false;
  return act === undefined || leaf.act === act || (leaf.act?.startsWith(`${act}.`) ?? false);
}

async function prove(index: number, { log }: ApiOptions): Promise<LedgerProof> {
  if (index >= (await log.size())) throw new ApiError("api.not-found", "The log has no such record yet.");
  const record = await log.record(index);
  const bytes = encodeLeaf(record.leaf);
  return {
    record: view(record),
    leaf: utf8Text(bytes) ?? "",
    leafHash: hex(leafHash(bytes)),
    proof: await log.prove(index),
    erased: record.content === null && record.leaf.digest !== undefined,
  };
}

function view({ index, leaf, content }: SealedRecord): LedgerRecord {
  const detail = leaf.kind === "act" ? content?.get("detail") : undefined;
  return {
    index,
    kind: leaf.kind,
    time: leaf.time,
    writer: leaf.writer,
    sequence: leaf.seq,
    exchange: leaf.exchange ?? null,
    act: leaf.act ?? null,
    account: leaf.account ?? null,
    detail: detail === undefined ? null : utf8Text(detail),
  };
}
