// Reads lists of accounts as other systems write them, row by row: CSV, JSON lines, and LiteLLM's table of keys.
import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import type { AccountFacts } from "../../core/account.ts";
import { unknownAccount } from "../../core/account.ts";
import { readNeutralAccount } from "../../core/decode/neutral.ts";
import type { AdoptedKey } from "../../state/keys.ts";
import { CliError } from "../errors.ts";
import { readLines } from "../lines.ts";

export type Format = "csv" | "jsonl" | "litellm";

/** One row: an account, with the key that came with it; or why it is none. */
export type Row =
  | { readonly line: number; readonly facts: AccountFacts; readonly key: AdoptedKey | null }
  | { readonly line: number; readonly reason: string };

type Fields = Readonly<Record<string, unknown>>;

const MAX_ROW_BYTES = 256 * 1024;
const COLUMNS: ReadonlySet<string> = new Set([
  "account",
  "created",
  "plan",
  "payment",
  "email_domain",
  "country",
  "organization",
  "declared_use",
]);

/** @throws CliError `usage` for a file that can't be read or whose header is not the format's, `input-damaged` */
export async function* readRows(file: string, format: Format): AsyncGenerator<Row> {
  if (format === "jsonl") yield* fromLines(file, (text, line) => neutralRow(text, line));
  else if (format === "csv") yield* fromCsv(file, (names) => expectColumns(names), plainRow);
  else if (await startsLikeJson(file)) yield* fromLines(file, (text, line) => liteLlmText(text, line));
  else yield* fromCsv(file, (names) => expectLiteLlm(names), liteLlmRow);
}

async function* fromLines(file: string, rowOf: (text: string, line: number) => Row): AsyncGenerator<Row> {
  for await (const { firstLine, lines } of readLines(file, { maxLineBytes: MAX_ROW_BYTES })) {
    for (const [index, text] of lines.entries()) {
      const line = firstLine + index;
      if (text === null) yield { line, reason: `expected at most ${MAX_ROW_BYTES} bytes` };
      else if (text.trim() !== "") yield rowOf(text, line);
    }
  }
}

async function* fromCsv(
  file: string,
  expectHeader: (names: readonly string[]) => void,
  rowOf: (fields: Fields, line: number) => Row,
): AsyncGenerator<Row> {
  const parser = parse({
    bom: true,
    columns: (names: string[]) => {
      expectHeader(names);
      return names;
    },
    info: true,
    max_record_size: MAX_ROW_BYTES,
    relax_column_count: false,
    skip_empty_lines: true,
  });
  const source = createReadStream(file);
  source.once("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const each of parser) {
      const { record, info } = each as { record: Fields; info: { lines: number } };
      yield rowOf(record, info.lines);
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isMissing = cause instanceof Error && "syscall" in cause;
    throw new CliError(
      isMissing ? "usage" : "input-damaged",
      `expected CSV with one header line in ${file}, got: ${reason}`,
      { cause },
    );
  } finally {
    source.destroy();
  }
}

async function startsLikeJson(file: string): Promise<boolean> {
  for await (const { lines } of readLines(file, { maxLineBytes: MAX_ROW_BYTES })) {
    const first = lines.find((line) => line === null || line.trim() !== "");
    if (first !== undefined) return first?.trimStart().startsWith("{") ?? false;
  }
  return false;
}

function expectColumns(names: readonly string[]): void {
  const strange = names.find((name) => !COLUMNS.has(name));
  if (strange !== undefined || !names.includes("account")) {
    const got = strange ?? "no account";
    throw new CliError("usage", `expected columns ${[...COLUMNS].join(", ")}, got ${JSON.stringify(got)}`);
  }
}

function expectLiteLlm(names: readonly string[]): void {
  if (names.includes("token")) return;
  throw new CliError("usage", "expected the columns of LiteLLM_VerificationToken, got none named token");
}

function plainRow(fields: Fields, line: number): Row {
  const told = Object.entries(fields).map(([name, value]) => [name, value === "" ? null : unescaped(value)]);
  return neutralRow(JSON.stringify(Object.fromEntries(told)), line);
}

function neutralRow(text: string, line: number): Row {
  const read = readNeutralAccount(text);
  return "value" in read ? { line, facts: read.value, key: null } : { line, reason: read.reason };
}

/** Our own export puts a quote before what a spreadsheet would take for a formula. */
function unescaped(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/^'(?=[=+\-@\t\r])/, "") : value;
}

function liteLlmText(text: string, line: number): Row {
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
function liteLlmRow(fields: Fields, line: number): Row {
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
  if (Number.isNaN(created) || Number.isNaN(expiresAtMs))
    return { line, reason: "expected times in ISO 8601" };
  const isBlocked = fields["blocked"] === true || ["t", "true"].includes(text("blocked") ?? "");
  const facts: AccountFacts = {
    ...unknownAccount(account),
    created: created === null ? null : new Date(created).toISOString(),
    organization: text("organization_id") ?? text("team_id"),
  };
  const key = { account, label: label.slice(0, 256), sha256: token, expiresAtMs };
  return { line, facts, key: isBlocked ? null : key };
}

/** PostgreSQL writes `2026-01-31 10:00:00.123` without a zone; LiteLLM keeps UTC. NaN: not a time. */
function moment(text: string | null): number | null {
  if (text === null) return null;
  const iso = text.replace(" ", "T");
  return Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(iso) ? iso : `${iso}Z`);
}
