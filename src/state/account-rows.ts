// Reads lists of accounts as other systems write them, row by row: CSV, JSON lines, and LiteLLM's table of keys.
import type { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import type { AccountFacts } from "../core/account.ts";
import { unknownAccount } from "../core/account.ts";
import { readNeutralAccount } from "../core/decode/neutral.ts";
import { StateError } from "./errors.ts";
import { parseAccountFacts } from "./facts.ts";
import type { AdoptedKey } from "./keys.ts";

export type ListFormat = "csv" | "jsonl" | "litellm";

/** One row: an account, with the key that came with it; or why it is none. */
export type AccountRow =
  | {
      readonly line: number;
      readonly facts: AccountFacts;
      readonly key: AdoptedKey | null;
      /** The other gateway refuses the key that came with it. */
      readonly isBlocked: boolean;
    }
  | { readonly line: number; readonly reason: string };

/** Some lines of a file, with the number of the first (from 1). */
export interface LinesFrom {
  readonly firstLine: number;
  readonly lines: readonly (string | null)[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Longest row of any format. */
export const MAX_ROW_BYTES: number = 256 * 1024;
/** Of our own CSV, read and written. */
export const ACCOUNT_COLUMNS: readonly string[] = [
  "account",
  "created",
  "plan",
  "payment",
  "email_domain",
  "country",
  "organization",
  "declared_use",
];

/**
 * Rows of CSV with one header line. `source` is attacker-controlled as far as customers choose their names.
 * @throws StateError `list-header`, `list-damaged`; both say in which line, and neither repeats a value
 */
export async function* rowsOfCsv(
  source: Readable,
  { isLiteLlm }: { readonly isLiteLlm: boolean },
): AsyncGenerator<AccountRow> {
  const parser = parse({
    bom: true,
    columns: (names: string[]) => {
      if (isLiteLlm) expectLiteLlm(names);
      else expectColumns(names);
      return names;
    },
    info: true,
    max_record_size: MAX_ROW_BYTES,
    relax_column_count: false,
    skip_empty_lines: true,
  });
  source.once("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const each of parser) {
      const { record, info } = each as { record: Fields; info: { lines: number } };
      yield isLiteLlm ? liteLlmRow(record, info.lines) : plainRow(record, info.lines);
    }
  } catch (cause) {
    if (cause instanceof CsvError)
      throw new StateError("list-damaged", `line ${String(cause["lines"])}: ${problemOf(cause.code)}`, {
        cause,
      });
    throw cause;
  } finally {
    source.destroy();
  }
}

/** Rows of JSON lines; a null stands for a line that is too long. Blank lines are none. */
export async function* rowsOfLines(
  batches: AsyncIterable<LinesFrom>,
  { isLiteLlm }: { readonly isLiteLlm: boolean },
): AsyncGenerator<AccountRow> {
  for await (const { firstLine, lines } of batches) {
    for (const [index, text] of lines.entries()) {
      const line = firstLine + index;
      if (text === null) yield { line, reason: `expected at most ${MAX_ROW_BYTES} bytes` };
      else if (text.trim() !== "") yield isLiteLlm ? liteLlmText(text, line) : neutralRow(text, line);
    }
  }
}

/** Words for what may be wrong with CSV; the parser's own repeat what stands in the file. */
function problemOf(code: string): string {
  if (code === "CSV_RECORD_INCONSISTENT_COLUMNS" || code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH")
    return "expected as many fields as the header has";
  if (code === "CSV_MAX_RECORD_SIZE") return `expected at most ${MAX_ROW_BYTES} bytes`;
  return "expected quotes to be closed, and doubled within a quoted field";
}

function expectColumns(names: readonly string[]): void {
  const strange = names.findIndex((name) => !ACCOUNT_COLUMNS.includes(name));
  if (strange < 0 && names.includes("account")) return;
  const name = names[strange] ?? "";
  // Without a header line, a customer's name or worse stands here.
  const shown = /^[A-Za-z_]{1,32}$/.test(name) ? JSON.stringify(name) : "something else";
  const got = strange < 0 ? "no account" : `${shown} as column ${strange + 1}`;
  throw new StateError("list-header", `line 1: expected columns ${ACCOUNT_COLUMNS.join(", ")}, got ${got}`);
}

function expectLiteLlm(names: readonly string[]): void {
  if (names.includes("token")) return;
  throw new StateError(
    "list-header",
    "line 1: expected the columns of LiteLLM_VerificationToken, got none named token",
  );
}

function plainRow(fields: Fields, line: number): AccountRow {
  const told = Object.entries(fields).map(([name, value]) => [name, value === "" ? null : unescaped(value)]);
  return neutralRow(JSON.stringify(Object.fromEntries(told)), line);
}

function neutralRow(text: string, line: number): AccountRow {
  const read = readNeutralAccount(text);
  if (!("value" in read)) return { line, reason: read.reason };
  return checked({ line, facts: read.value, key: null, isBlocked: false });
}

/** What the state would refuse later, with all rows that stand beside it, is refused here by its line. */
function checked(row: Exclude<AccountRow, { readonly reason: string }>): AccountRow {
  try {
    return { ...row, facts: parseAccountFacts(row.facts) };
  } catch (error) {
    if (error instanceof StateError) return { line: row.line, reason: error.message };
    throw error;
  }
}

/** Our own export puts a quote before what a spreadsheet would take for a formula. */
function unescaped(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/^'(?=[=+\-@\t\r])/, "") : value;
}

function liteLlmText(text: string, line: number): AccountRow {
  try {
    const fields: unknown = JSON.parse(text);
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields))
      return liteLlmRow(fields as Fields, line);
  } catch {
    // Said below, without the text, which may hold a secret.
  }
  return { line, reason: "expected a JSON object" };
}

/**
 * A row of `LiteLLM_VerificationToken`. Its `token` is the SHA-256 of the key in hexadecimal, which is what we keep of a
 * key too, so clients go on with the keys they have. The account is who the key belongs to: user, else team, else key.
 */
function liteLlmRow(fields: Fields, line: number): AccountRow {
  const text = (name: string): string | null => {
    const value = fields[name];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
  };
  const token = text("token")?.toLowerCase() ?? "";
  if (!/^[0-9a-f]{64}$/.test(token))
    return { line, reason: "expected a hashed token of 64 hexadecimal digits" };
  const label = text("key_alias") ?? text("key_name") ?? "";
  const account = text("user_id") ?? text("team_id") ?? text("key_alias") ?? `litellm-${token.slice(0, 12)}`;
  const created = moment(text("created_at"));
  const expiresAtMs = moment(text("expires"));
  if (!isTime(created) || !isTime(expiresAtMs))
    return { line, reason: "expected times in ISO 8601, from 1970 on" };
  const isBlocked = fields["blocked"] === true || ["t", "true"].includes(text("blocked") ?? "");
  const facts: AccountFacts = {
    ...unknownAccount(account),
    created: created === null ? null : new Date(created).toISOString(),
    organization: text("organization_id") ?? text("team_id"),
  };
  const key = { account, label: label.slice(0, 256), sha256: token, expiresAtMs };
  return checked({ line, facts, key, isBlocked });
}

function isTime(ms: number | null): boolean {
  return ms === null || ms > 0;
}

/** PostgreSQL writes `2026-01-31 10:00:00.123` without a zone; LiteLLM keeps UTC. NaN: not a time. */
function moment(text: string | null): number | null {
  if (text === null) return null;
  const iso = text.replace(" ", "T");
  return Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(iso) ? iso : `${iso}Z`);
}
