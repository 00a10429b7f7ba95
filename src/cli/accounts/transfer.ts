// Takes lists of accounts in from files and writes them out, with the errors of a command.
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { ActRecorder } from "../../core/acts.ts";
import { type ExportFormat, exportedAccounts } from "../../state/account-export.ts";
import { type ImportOptions, type ImportReport, importAccounts } from "../../state/account-import.ts";
import {
  type AccountRow,
  type ListFormat,
  MAX_ROW_BYTES,
  rowsOfCsv,
  rowsOfLines,
} from "../../state/account-rows.ts";
import { StateError } from "../../state/errors.ts";
import type { State } from "../../state/state.ts";
import { CliError } from "../errors.ts";
import { readLines } from "../lines.ts";

const FILE_MODE = 0o600;

/** @throws CliError `usage` for a file that can't be read or whose header is not the format's, `input-damaged` */
export async function importFile(state: State, file: string, options: ImportOptions): Promise<ImportReport> {
  await expectFile(file);
  const asLines =
    options.format === "jsonl" || (options.format === "litellm" && (await startsLikeJson(file)));
  try {
    return await importAccounts(state, () => rowsOfFile(file, options.format, asLines), options);
  } catch (cause) {
    if (!(cause instanceof StateError)) throw cause;
    if (cause.code !== "list-header" && cause.code !== "list-damaged") throw cause;
    const code = cause.code === "list-header" ? "usage" : "input-damaged";
    throw new CliError(code, `${file}, ${cause.message}`, { cause });
  }
}

function rowsOfFile(file: string, format: ListFormat, asLines: boolean): AsyncIterable<AccountRow> {
  const isLiteLlm = format === "litellm";
  return asLines
    ? rowsOfLines(readLines(file, { maxLineBytes: MAX_ROW_BYTES }), { isLiteLlm })
    : rowsOfCsv(createReadStream(file), { isLiteLlm });
}

async function expectFile(file: string): Promise<void> {
  try {
    await (await open(file, "r")).close();
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CliError("usage", `expected a file that can be read, got ${file} (${reason})`, { cause });
  }
}

async function startsLikeJson(file: string): Promise<boolean> {
  for await (const { lines } of readLines(file, { maxLineBytes: MAX_ROW_BYTES })) {
    const first = lines.find((line) => line === null || line.trim() !== "");
    if (first !== undefined) return first?.trimStart().startsWith("{") ?? false;
  }
  return false;
}

/** Every account with its facts into a new file. Returns how many. */
export async function exportFile(
  state: State,
  file: string,
  { format, record }: { format: ExportFormat; record: ActRecorder },
): Promise<number> {
  const target = createWriteStream(file, { mode: FILE_MODE, flags: "wx" });
  let accounts = 0;
  const onAccount = (): void => {
    accounts += 1;
  };
  try {
    await pipeline(exportedAccounts(state, { format, onAccount }), target);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("usage", `expected a new file at ${file}, got: ${reason}`, { cause });
  }
  await record([{ act: "accounts.exported", account: null, detail: { format, accounts } }]);
  return accounts;
}
