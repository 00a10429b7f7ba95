// Files of the neutral form as values; what is malformed goes to the rejections with its line.
import type { AccountFacts } from "../../core/account.ts";
import {
  type NeutralExchange,
  type Read,
  readNeutralAccount,
  readNeutralExchange,
} from "../../core/decode/neutral.ts";
import { MAX_LINE_BYTES, readLines } from "../lines.ts";
import type { Rejections } from "./rejections.ts";

/** Some values of a file, in the order of its lines. */
export interface Chunk<T> {
  readonly values: readonly { readonly value: T; readonly line: number }[];
  /** Bytes of the file read so far, for progress. */
  readonly fileBytes: number;
}

export function readExchanges(file: string, rejections: Rejections): AsyncGenerator<Chunk<NeutralExchange>> {
  return readValues(file, readNeutralExchange, rejections);
}

/** All accounts of a file by name. A name that comes twice keeps its last line. */
export async function readAccounts(
  file: string | undefined,
  rejections: Rejections,
): Promise<Map<string, AccountFacts>> {
  const accounts = new Map<string, AccountFacts>();
  if (file === undefined) return accounts;
  for await (const { values } of readValues(file, readNeutralAccount, rejections)) {
    for (const { value } of values) accounts.set(value.account, value);
  }
  return accounts;
}

async function* readValues<T>(
  file: string,
  read: (line: string) => Read<T>,
  rejections: Rejections,
): AsyncGenerator<Chunk<T>> {
  for await (const { firstLine, lines, fileBytes } of readLines(file)) {
    const values: { value: T; line: number }[] = [];
    lines.forEach((text, index) => {
      const line = firstLine + index;
      if (text === null) {
        rejections.add({ file, line, reason: `expected at most ${MAX_LINE_BYTES} bytes` });
      } else if (text.trim() !== "") {
        const result = read(text);
        if ("value" in result) values.push({ value: result.value, line });
        else rejections.add({ file, line, reason: result.reason });
      }
    });
    yield { values, fileBytes };
  }
}
