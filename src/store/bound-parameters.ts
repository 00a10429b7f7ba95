// Values for `{name:Type}` places in the embedded engine, as statements of the same connection that come before.
import { StoreError } from "./errors.ts";

/**
 * The statement with its values set before it. chDB's own way to hand values over keeps them in one place for the whole
 * process, so that it runs all such statements one after the other: a short one on a free connection would wait for a
 * detector's. Names of accounts are chosen by attackers; no value may end its quotes.
 * @throws StoreError store.query-failed: a place without a value would take the one of an earlier statement
 */
export function bound(sql: string, parameters: Readonly<Record<string, unknown>>): string {
  for (const [, name] of sql.matchAll(/\{(\w+):/g)) {
    if (name !== undefined && Object.hasOwn(parameters, name)) continue;
    throw new StoreError("store.query-failed", `expected a value for {${name}}, got none`);
  }
  const sets = Object.entries(parameters).map(
    ([name, value]) => `SET param_${name} = ${quoted(textOf(value))}; `,
  );
  return `${sets.join("")}${sql}`;
}

/** As the engine reads a value of its type: a text by itself is escaped, and in a list quoted too. */
function textOf(value: unknown): string {
  if (typeof value === "string") return escaped(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return `[${list.map((one) => (typeof one === "string" ? quoted(one) : textOf(one))).join(",")}]`;
  }
  throw new TypeError(
    `expected a text, a number, a boolean or a list of them as a value, got ${typeof value}`,
  );
}

function quoted(text: string): string {
  return `'${escaped(text)}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
};

function escaped(text: string): string {
  return text.replace(/[\\'\n\r\t\0]/g, (character) => ESCAPES[character] ?? character);
}
