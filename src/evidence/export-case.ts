// Exports a case: stages its records, proofs and documents, records the export in the log, and writes the bundle.
import type { Checkpoint } from "../core/checkpoint.ts";
import { parseTreeHead } from "../core/tree-head.ts";
import type { Case } from "../state/cases.ts";
import { addDocuments } from "./bundle-documents.ts";
import { readSnapshot, scopeOf } from "./case-scope.ts";
import { ageEncrypter, encrypted } from "./encrypt.ts";
import { EvidenceError } from "./errors.ts";
import type { ExportOptions } from "./export-options.ts";
import { awaitCheckpoint, awaitEntry } from "./sealed-entry.ts";
import { type Selection, selectRecords } from "./select-records.ts";
import { RecordStager } from "./stage-records.ts";
import { Staging, writeInto, writeNew } from "./staging.ts";
import { discloseField, formatRecord } from "./verify/disclosed-record.ts";
import { BAGIT_TEXT, type BundleHeader, bagInfo } from "./verify/documents.ts";
import { BUNDLE_FORMAT, baseFolder, findingPath, PATHS, stampPaths } from "./verify/layout.ts";

export interface ExportResult {
  readonly out: string;
  readonly bytes: number;
  readonly records: number;
  readonly exchanges: number;
  /** SHA-256 of the manifest, hexadecimal, as the log recorded it. */
  readonly manifest: string;
  /** Leaf index of the export's record. */
  readonly index: number;
}

/** @throws EvidenceError, StateError, LogError */
export async function exportCase(options: ExportOptions): Promise<ExportResult> {
  const { state, caseId, out } = options;
  const encrypter = options.recipients.length > 0 ? ageEncrypter(options.recipients) : null;
  const found = await state.cases.demand(caseId);
  const newest = await awaitEntry(options, { caseId, number: found.entries, from: found.logSize });
  const checkpoint = await awaitCheckpoint(options, newest);
  const staging = new Staging(out);
  try {
    const staged = await stagePayload(options, { found, checkpoint, staging });
    const manifest = staging.manifest((path) => path.startsWith("data/"));
    await staging.add(PATHS.manifest, manifest);
    const index = await recordExport(options, { staging, from: checkpoint, found });
    await addTagFiles(staging, staged.header);
    const clear = staging.zip(baseFolder(caseId));
    const pieces = encrypter === null ? clear : encrypted(encrypter, clear);
    const bytes = await (options.into === undefined
      ? writeNew(pieces, out)
      : writeInto(pieces, options.into));
    const digest = digestOf(staging, PATHS.manifest);
    return { out, bytes, records: staged.records, exchanges: staged.exchanges, manifest: digest, index };
  } finally {
    await staging.end();
  }
}

function digestOf(staging: Staging, path: string): string {
  return staging.files().find((file) => file.path === path)?.sha256 ?? "";
}

async function stagePayload(
  options: ExportOptions,
  { found, checkpoint, staging }: { found: Case; checkpoint: Checkpoint; staging: Staging },
): Promise<{ header: BundleHeader; records: number; exchanges: number }> {
  const { state, caseId, log } = options;
  const bodies = await state.cases.findings(caseId);
  const snapshots = bodies.map(({ body }) => readSnapshot(body));
  const scope = scopeOf(await state.cases.entries(caseId), snapshots);
  if (scope.accounts.length + scope.exchanges.length === 0)
    throw new EvidenceError(
      "evidence.nothing-to-export",
      `expected accounts or exchanges in ${caseId}, got none`,
    );
  const accounts = scope.accounts.map((account) => ({ account, pseudonym: options.pseudonymOf(account) }));
  const selection = await selectRecords(log, {
    caseId,
    pseudonyms: new Set(accounts.map(({ pseudonym }) => pseudonym)),
    exchanges: new Set(scope.exchanges),
    sinceMs: options.sinceMs,
    untilMs: options.untilMs,
    size: checkpoint.size,
    onProgress: (leaves) => options.onProgress?.("Looking through the log", leaves, checkpoint.size),
  });
  const stager = await stageRecords(options, { selection, checkpoint, staging, accounts: scope.accounts });
  for (const { number, body } of bodies) await staging.add(findingPath(number), body);
  await stageLog(options, { found, checkpoint, staging });
  await stageStamps(options, { checkpoint, staging, through: lastExchange(selection) });
  const header = headerOf(options, found, checkpoint);
  await addDocuments(staging, { options, header, selection, stager, snapshots, accounts, scope, checkpoint });
  const { open, close, interrupted, act } = stager.counts;
  return { header, records: open + close + interrupted + act, exchanges: open };
}

async function stageRecords(
  options: ExportOptions,
  {
    selection,
    checkpoint,
    staging,
    accounts,
  }: { selection: Selection; checkpoint: Checkpoint; staging: Staging; accounts: readonly string[] },
): Promise<RecordStager> {
  const { log, withheld } = options;
  const { indexes, tombstones } = selection;
  const stager = new RecordStager({ log, checkpoint, staging, withheld, accounts, tombstones });
  await stager.readTombstones();
  await stager.add(indexes, (done) => options.onProgress?.("Writing records", done, indexes.length));
  await stager.addTombstones();
  return stager;
}

/** Policy, both checkpoints and what ties them together. */
async function stageLog(
  { log, policy }: ExportOptions,
  { found, checkpoint, staging }: { found: Case; checkpoint: Checkpoint; staging: Staging },
): Promise<void> {
  await staging.add(PATHS.policy, policy);
  await staging.add(PATHS.lastCheckpoint, checkpoint.note);
  const first =
    found.checkpoint === null ? null : parseTreeHead(found.checkpoint.split("\n\n")[0]?.concat("\n") ?? "");
  if (found.checkpoint === null || first === null || first.size === 0) return;
  await staging.add(PATHS.firstCheckpoint, found.checkpoint);
  await staging.add(PATHS.consistency, hashLines(await log.proveConsistency(first.size, checkpoint.size)));
}

/** Records before this index are of exchanges; what comes later is about the case. */
function lastExchange({ indexes, custody }: Selection): number {
  const ours = new Set(custody.map(({ index }) => index));
  return Math.max(0, ...indexes.filter((index) => !ours.has(index)).slice(-1)) + 1;
}

/** The first timestamp after all of the case's exchanges bounds their time best; the newest bounds the log's. */
async function stageStamps(
  { log, stamps }: ExportOptions,
  { checkpoint, staging, through }: { checkpoint: Checkpoint; staging: Staging; through: number },
): Promise<void> {
  const usable = stamps.filter(({ size }) => size > 0 && size <= checkpoint.size);
  const first = usable.find(({ size }) => size >= through);
  const chosen = new Set([first, usable.at(-1)].filter((stamp) => stamp !== undefined));
  for (const [at, { size, note, token, root }] of [...chosen].entries()) {
    const paths = stampPaths(at + 1);
    await staging.add(paths.token, token);
    await staging.add(paths.checkpoint, note);
    await staging.add(paths.root, root);
    await staging.add(paths.consistency, hashLines(await log.proveConsistency(size, checkpoint.size)));
  }
}

function hashLines(hashes: readonly Uint8Array[]): string {
  return hashes.map((hash) => `${Buffer.from(hash).toString("base64")}\n`).join("");
}

function headerOf(options: ExportOptions, found: Case, checkpoint: Checkpoint): BundleHeader {
  const { title, purpose, authority, custodian, jurisdiction, tlp } = found;
  return {
    ...{ case: found.id, title, purpose, authority, custodian, jurisdiction, tlp },
    format: BUNDLE_FORMAT,
    exported: new Date(options.now()).toISOString(),
    software: options.tool,
    origin: checkpoint.origin,
  };
}

/** The export is an entry of the chain of custody that names the manifest: from now on no file can change unseen. */
async function recordExport(
  options: ExportOptions,
  { staging, from, found }: { staging: Staging; from: Checkpoint; found: Case },
): Promise<number> {
  const { state, caseId, log, by, tool, record } = options;
  const digest = digestOf(staging, PATHS.manifest);
  const files = staging.files().length;
  const shown =
    options.recipients.length === 0 ? "in clear" : `encrypted to ${options.recipients.length} recipient(s)`;
  const draft = {
    what: "exported",
    on: caseId,
    result: `bundle of ${files} files, ${shown}; the digest is that of manifest-sha256.txt`,
    digest,
    ...(options.authority === undefined ? {} : { authority: options.authority }),
  } as const;
  const entry = await state.cases.add(caseId, draft, { by, tool }, { record });
  const index = await awaitEntry(options, {
    caseId,
    number: entry.number,
    from: Math.max(found.logSize, from.size - 1),
  });
  const checkpoint = await awaitCheckpoint(options, index);
  const { leaf, content, salts } = await log.record(index);
  const detail = content?.get("detail");
  const salt = salts?.get("detail");
  if (detail === undefined || salt === undefined)
    throw new EvidenceError(
      "evidence.not-sealed",
      "expected to read the export's own record, got no content",
    );
  await staging.add(
    PATHS.exportRecord,
    formatRecord({ index, leaf, fields: { detail: discloseField(detail, salt) } }),
  );
  await staging.add(PATHS.exportProof, await log.proveIn(index, checkpoint));
  await staging.add(
    PATHS.exportConsistency,
    hashLines(await log.proveConsistency(from.size, checkpoint.size)),
  );
  return index;
}

async function addTagFiles(staging: Staging, header: BundleHeader): Promise<void> {
  const payload = staging.files().filter(({ path }) => path.startsWith("data/"));
  const bytes = payload.reduce((sum, file) => sum + file.bytes, 0);
  await staging.add(PATHS.bagit, BAGIT_TEXT);
  await staging.add(PATHS.bagInfo, bagInfo(header, { bytes, files: payload.length }));
  await staging.add(
    PATHS.tagManifest,
    staging.manifest((path) => !path.startsWith("data/")),
  );
}
