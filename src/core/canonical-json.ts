// JSON with one spelling per value (RFC 8785), so that it can be hashed, committed to and compared.

/** Deepest nesting that is written; deeper values are refused rather than overflowing the stack. */
const MAX_DEPTH = 64;

/**
 * Canonical JSON after RFC 8785: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 * Members that are undefined are left out. Throws TypeError on what JSON can't hold: a number that is not finite, a lone
 * surrogate, a function, a bigint, nesting beyond 64.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new TypeError(`expected at most ${MAX_DEPTH} levels of nesting`);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("expected well-formed Unicode, got a lone surrogate");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`expected a finite number, got ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(`expected a JSON value, got ${typeof value}`);
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, key);
    if (member !== undefined) members.push(`${write(key, depth + 1)}:${write(member, depth + 1)}`);
  }
  return `{${members.join(",")}}`;
}
