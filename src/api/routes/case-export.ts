// Hands a case out as a bundle. Its export is an entry of the custody, durable in the log before the first byte leaves.
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { toolName } from "../../config/version.ts";
import { EvidenceError } from "../../evidence/errors.ts";
import { type ExportResult, exportCase } from "../../evidence/export-case.ts";
import { namelessFile } from "../../evidence/staging.ts";
import { recordedBy } from "../acts.ts";
import { demandAgreement } from "../agreement.ts";
import { type CaseExport, caseExport } from "../contract/cases.ts";
import { ApiError } from "../errors.ts";
import { pathPart, readBody } from "../http.ts";
import type { ApiContext, ApiServices, Handlers } from "../services.ts";

/** Below `run/`: where bundles are made, in files without a name, of which a crash leaves nothing. */
export const EXPORTS_FOLDER = "exports";

/** Folders in which a bundle is being made: each export holds a case's content in clear and a core for a while. */
const atWork: Set<string> = new Set();

export const exportHandlers: Handlers<"POST /api/cases/:id/export"> = {
  "POST /api/cases/:id/export": async (context, services) => {
    const id = pathPart(context, "id");
    const wanted = await readBody(context, caseExport);
    await services.state.cases.demand(id);
    const { run } = services.folder;
    if (atWork.has(run)) throw new ApiError("api.conflict", "expected no other export, got one at work");
    atWork.add(run);
    try {
      return await handOut(context, { id, wanted }, services);
    } catch (error) {
      throw error instanceof EvidenceError ? refusalOf(error) : error;
    } finally {
      atWork.delete(run);
    }
  },
};

/** @throws ApiError, EvidenceError, LogError */
async function handOut(
  context: ApiContext,
  { id, wanted }: { id: string; wanted: CaseExport },
  services: ApiServices,
): Promise<Response> {
  const { by } = recordedBy(context, services);
  const asked = { action: "export", subject: id, reason: wanted.reason, by } as const;
  const agreement = await demandAgreement(asked, services);
  const folder = join(services.folder.run, EXPORTS_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const out = join(folder, `${randomUUID()}.zip`);
  const file = await namelessFile(out);
  const order = { id, wanted, agreement, out, into: file };
  const { bytes, manifest, index } = await write(context, order, services).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  const name = (wanted.recipients ?? []).length === 0 ? `${id}.zip` : `${id}.zip.age`;
  const stream = Readable.toWeb(file.createReadStream({ start: 0 }));
  return context.body(stream as ReadableStream<Uint8Array>, 200, {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${name}"`,
    "content-length": String(bytes),
    "x-adyton-manifest": manifest,
    "x-adyton-log-index": String(index),
  });
}

interface Order {
  readonly id: string;
  readonly wanted: CaseExport;
  readonly agreement: string | null;
  readonly out: string;
  readonly into: FileHandle;
}

async function write(
  context: ApiContext,
  { id, wanted, agreement, out, into }: Order,
  services: ApiServices,
): Promise<ExportResult> {
  const { exportFacts, state, log, clock } = services;
  if (exportFacts === undefined)
    throw new ApiError("api.not-available", "expected a process that exports cases");
  const { record, by } = recordedBy(context, services);
  const moment = (time: string | undefined): number | null => (time === undefined ? null : Date.parse(time));
  const { reason } = wanted;
  return await exportCase({
    ...{ state, record, log, by, out, into, caseId: id },
    ...(await exportFacts()),
    seal: async () => {}, // the ledger does, in its own process
    tool: toolName(),
    authority: agreement === null ? reason : `${reason}; second person's agreement ${agreement}`,
    pseudonymOf: (account) => log.pseudonymOf(account),
    withheld: new Map(Object.entries(wanted.withhold ?? {})),
    sinceMs: moment(wanted.since),
    untilMs: moment(wanted.until),
    recipients: wanted.recipients ?? [],
    recordsOnly: wanted.recordsOnly === true,
    clock: () => performance.now(),
    now: clock,
  });
}

function refusalOf(error: EvidenceError): ApiError {
  switch (error.code) {
    case "evidence.nothing-to-export":
    case "evidence.too-large":
    case "evidence.recipient":
      return new ApiError("api.bad-request", error.message, { cause: error });
    case "evidence.not-sealed":
    case "evidence.not-witnessed":
      return new ApiError("api.not-sealed", error.message, { cause: error });
    default:
      return new ApiError("api.internal", error.message, { cause: error });
  }
}
