// Reads DER (ITU-T X.690) as far as timestamps and their certificates need it. Every byte may be attacker-controlled.

/** Universal tags, and how a constructed one looks. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Nesting beyond this is refused: an honest timestamp has about 14 levels. */
const MAX_DEPTH = 32;
/** Members of one sequence or set, at most. */
const MAX_CHILDREN = 256;

/** Bytes that are no DER, or not the structure that was expected. Caught at the edge of each parser. */
export class DerFault extends Error {}

export function fail(what: string): never {
  throw new DerFault(what);
}

/** Context tag `[number]`: constructed (explicit, or an implicit sequence) unless told otherwise. */
export function contextTag(number: number, options: { primitive: boolean } = { primitive: false }): number {
  return (options.primitive ? 0x80 : 0xa0) | number;
}

/** One value, a view into what was read. */
export class DerValue {
  readonly tag: number;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
  readonly #depth: number;

  constructor(tag: number, whole: Uint8Array, content: Uint8Array, depth: number) {
    this.tag = tag;
    this.whole = whole;
    this.content = content;
    this.#depth = depth;
  }

  expect(tag: number): this {
    return this.tag === tag ? this : fail(`expected tag ${tag}, got ${this.tag}`);
  }

  /** The values inside a constructed one. */
  children(): DerValue[] {
    if ((this.tag & 0x20) === 0) fail("expected a constructed value");
    return readAll(this.content, this.#depth + 1);
  }

  /** A cursor over the members of a sequence. */
  members(): Members {
    return new Members(this.expect(TAG.sequence).children());
  }
}

/** Takes the members of a sequence in order; absent optional ones are skipped by their tag. */
export class Members {
  readonly #values: readonly DerValue[];
  #next = 0;

  constructor(values: readonly DerValue[]) {
    this.#values = values;
  }

  take(tag: number): DerValue {
    return this.optional(tag) ?? fail(`expected a member with tag ${tag}`);
  }

  /** Whatever comes next. */
  any(): DerValue {
    const value = this.#values[this.#next] ?? fail("expected one more member");
    this.#next += 1;
    return value;
  }

  optional(tag: number): DerValue | null {
    const value = this.#values[this.#next];
    if (value?.tag !== tag) return null;
    this.#next += 1;
    return value;
  }

  /** Nothing may be left over: what is not understood is not accepted. */
  end(): void {
    if (this.#next < this.#values.length) fail("expected no more members");
  }
}

/** The one value that `bytes` are. Throws DerFault, also for bytes behind it. */
export function readDer(bytes: Uint8Array): DerValue {
  const [value, more] = readAll(bytes, 0);
  return value === undefined || more !== undefined ? fail("expected one value") : value;
}

function readAll(bytes: Uint8Array, depth: number): DerValue[] {
  if (depth > MAX_DEPTH) fail("nested too deeply");
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (values.length === MAX_CHILDREN) fail("too many members");
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) fail("expected a tag of one byte");
    const { length, start } = readLength(bytes, at + 1);
    const end = start + length;
    if (end > bytes.length) fail("a value is longer than what holds it");
    values.push(new DerValue(tag, bytes.subarray(at, end), bytes.subarray(start, end), depth));
    at = end;
  }
  return values;
}

/** Definite and shortest form only, as DER demands. */
function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at] ?? fail("expected a length");
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) fail("expected a definite length of at most four bytes");
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[at + i] ?? fail("expected a length"));
  if (length < 0x80 || length < 256 ** (count - 1)) fail("expected the shortest form of a length");
  return { length, start: at + 1 + count };
}

/** Dotted form of an object identifier. */
export function oidOf(value: DerValue): string {
  const { content } = value.expect(TAG.oid);
  const parts: number[] = [];
  let part = 0;
  let begun = false;
  for (const byte of content) {
    if (!begun && byte === 0x80) fail("expected the shortest form of an arc");
    part = part * 128 + (byte & 0x7f);
    if (part > Number.MAX_SAFE_INTEGER / 128) fail("an arc is too large");
    begun = (byte & 0x80) !== 0;
    if (begun) continue;
    if (parts.length === 0) parts.push(Math.min(2, Math.floor(part / 40)));
    parts.push(parts.length === 1 ? part - 40 * (parts[0] ?? 0) : part);
    part = 0;
  }
  if (begun || parts.length < 2) fail("expected whole arcs");
  return parts.join(".");
}

/** Content of an integer in its shortest form; compare numbers of any size by it. */
export function integerBytes(value: DerValue): Uint8Array {
  const { content } = value.expect(TAG.integer);
  const [first, second] = content;
  if (first === undefined) fail("expected an integer");
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
    fail("expected the shortest form of an integer");
  return content;
}

/** A small integer, not negative. */
export function smallInteger(content: Uint8Array): number {
  if (content.length === 0 || content.length > 4 || (content[0] ?? 0) >= 0x80)
    fail("expected a small integer");
  return content.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Bytes of a bit string without unused bits. */
export function bitStringBytes(value: DerValue): Uint8Array {
  const { content } = value.expect(TAG.bitString);
  if (content[0] !== 0) fail("expected a bit string of whole bytes");
  return content.subarray(1);
}

export function booleanOf(value: DerValue): boolean {
  const { content } = value.expect(TAG.boolean);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) fail("expected a boolean");
  return content[0] === 0xff;
}

const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/;

/** UTCTime or GeneralizedTime in milliseconds since 1970 (RFC 5280 section 4.1.2.5, RFC 3161 section 2.4.2). */
export function timeMsOf(value: DerValue): number {
  let text = String.fromCharCode(...value.content.subarray(0, 40));
  if (value.tag === TAG.utcTime) {
    if (!/^\d{12}Z$/.test(text)) fail("expected a UTCTime with seconds");
    text = `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}`;
  } else value.expect(TAG.generalizedTime);
  const match = TIME.exec(text) ?? fail("expected a time in UTC with seconds");
  const [, year, month, day, hour, minute, second, fraction = ""] = match;
  if (fraction.endsWith("0")) fail("expected the shortest form of a fraction");
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number);
  const timeMs = Date.UTC(y ?? 0, (mo ?? 0) - 1, d, h, mi, s) + Number(fraction.padEnd(3, "0").slice(0, 3));
  const written = new Date(timeMs).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  if (written !== text.slice(0, 14)) fail("expected a time of the calendar");
  return timeMs;
}

/** Encodes one value: tag, shortest length, the parts as content. */
export function encodeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | digits.length, ...digits];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Equality of public bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
