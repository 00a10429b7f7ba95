// Takes lists of accounts in and hands all accounts out: the same reading and writing as `adyton accounts import` and `export`.
import { Readable } from "node:stream";
import { exportedAccounts } from "../../state/account-export.ts";
import { importAccounts } from "../../state/account-import.ts";
import { type AccountRow, MAX_ROW_BYTES, rowsOfCsv, rowsOfLines } from "../../state/account-rows.ts";
import { StateError } from "../../state/errors.ts";
import { recordedBy } from "../acts.ts";
import { type ImportReport, type ListFormat, listExport, listImport } from "../contract/account-list.ts";
import { ApiError } from "../errors.ts";
import { readQuery } from "../http.ts";
import type { ApiContext, Handlers } from "../services.ts";

const CSV = "text/csv";
const JSON_LINES = "application/x-ndjson";
const LINES_AT_ONCE = 1000;
const SLICE_BYTES = 64 * 1024;

export const accountListHandlers: Handlers<"GET /api/account-list" | "POST /api/account-list"> = {
  "GET /api/account-list": async (context, services) => {
    const { format } = readQuery(context, listExport);
    const { record } = recordedBy(context, services);
    const { state } = services;
    const detail = { format, accounts: await state.accounts.count() };
    await record([{ act: "accounts.exported", account: null, detail }]);
    const list = Readable.toWeb(exportedAccounts(state, { format })) as ReadableStream<Uint8Array>;
    return context.body(list, 200, {
      "content-type": format === "csv" ? CSV : JSON_LINES,
      "content-disposition": `attachment; filename="accounts.${format}"`,
    });
  },
  "POST /api/account-list": async (context, services) => {
    const { format, keys, dryRun } = readQuery(context, listImport);
    const type = typeOf(context, format);
    const bytes = Buffer.from(await context.req.arrayBuffer());
    const options = { format, keys: keys === "true", dryRun: dryRun === "true" };
    try {
      const report = await importAccounts(
        services.state,
        () => rowsOf(bytes, { isLines: type === JSON_LINES, isLiteLlm: format === "litellm" }),
        { ...options, ...recordedBy(context, services) },
      );
      const answer: ImportReport = { ...report, rejections: [...report.rejections] };
      return context.json(answer);
    } catch (error) {
      throw error instanceof StateError ? refusalOf(error) : error;
    }
  },
};

/** @throws ApiError `api.bad-request` */
function typeOf(context: ApiContext, format: ListFormat): string {
  const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "none";
  const expected = { csv: [CSV], jsonl: [JSON_LINES], litellm: [CSV, JSON_LINES] }[format];
  if (expected.includes(type)) return type;
  throw new ApiError("api.bad-request", `expected content-type ${expected.join(" or ")}, got another`);
}

function rowsOf(
  bytes: Buffer,
  { isLines, isLiteLlm }: { isLines: boolean; isLiteLlm: boolean },
): AsyncIterable<AccountRow> {
  return isLines
    ? rowsOfLines(linesOf(bytes.toString()), { isLiteLlm })
    : rowsOfCsv(Readable.from(slicesOf(bytes)), { isLiteLlm });
}

/** The parser takes a slice in one go: other requests have their turn between two. */
function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += SLICE_BYTES)
    yield bytes.subarray(start, start + SLICE_BYTES);
}

async function* linesOf(text: string): AsyncGenerator<{ firstLine: number; lines: (string | null)[] }> {
  const all = text.split("\n");
  for (let start = 0; start < all.length; start += LINES_AT_ONCE) {
    const lines = all
      .slice(start, start + LINES_AT_ONCE)
      .map((line) => (Buffer.byteLength(line) > MAX_ROW_BYTES ? null : line));
    yield { firstLine: start + 1, lines };
  }
}

/** What is wrong with the list is the caller's to read: it names a line and never repeats a value. */
function refusalOf(error: StateError): StateError | ApiError {
  const isTheirs = error.code === "list-header" || error.code === "list-damaged";
  return isTheirs ? new ApiError("api.bad-request", error.message, { cause: error }) : error;
}
