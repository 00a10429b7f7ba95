// Takes members out of a JSON object without touching the other bytes, so that nothing else a client wrote changes.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/** One member of the outermost object: its name, and where it begins and ends. */
interface Member {
  readonly name: string;
  /** First byte of the name's quote. */
  readonly start: number;
  /** First byte of the value. */
  readonly valueStart: number;
  /** After the last byte of the value. */
  readonly end: number;
}

/** What was taken out, in the order it stood there, and the bytes without it. */
export interface Reduced {
  readonly body: Uint8Array;
  readonly removed: readonly string[];
  /** False: the text is no JSON object, and came back as it was. */
  readonly isObject: boolean;
}

/**
 * The text without those members of its outermost object for which `isUnwanted` says yes, however often they stand
 * there and however their names are escaped. Every other byte stays as it is: numbers keep their digits, unknown
 * members their form. What is no JSON object comes back as it was. `text` is attacker-controlled.
 */
export function withoutMembers(
  text: Uint8Array,
  isUnwanted: (name: string, value: () => unknown) => boolean,
): Reduced {
  const members = membersOf(text);
  if (members === null) return { body: text, removed: [], isObject: false };
  const kept: Member[] = [];
  const removed: string[] = [];
  for (const member of members) {
    const value = (): unknown => JSON.parse(decode(text, member.valueStart, member.end));
    if (isUnwanted(member.name, value)) removed.push(member.name);
    else kept.push(member);
  }
  if (removed.length === 0) return { body: text, removed, isObject: true };
  const parts: Uint8Array[] = [Uint8Array.of(OPEN_BRACE)];
  for (const [index, { start, end }] of kept.entries()) {
    if (index > 0) parts.push(Uint8Array.of(COMMA));
    parts.push(text.subarray(start, end));
  }
  parts.push(Uint8Array.of(CLOSE_BRACE));
  return { body: Buffer.concat(parts), removed, isObject: true };
}

/** Null: not a JSON object. Checked whole by the runtime's parser first, so that the walk below can trust the form. */
function membersOf(text: Uint8Array): Member[] | null {
  try {
    const parsed: unknown = JSON.parse(decode(text, 0, text.length));
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
  } catch {
    return null;
  }
  const members: Member[] = [];
  let at = text.indexOf(OPEN_BRACE) + 1;
  for (;;) {
    while (at < text.length && text[at] !== QUOTE && text[at] !== CLOSE_BRACE) at += 1;
    if (at >= text.length || text[at] === CLOSE_BRACE) return members;
    const start = at;
    const nameEnd = endOfString(text, at);
    const name: unknown = JSON.parse(decode(text, start, nameEnd));
    at = text.indexOf(COLON, nameEnd) + 1;
    while (isSpace(text[at])) at += 1;
    const end = endOfValue(text, at);
    members.push({ name: String(name), start, valueStart: at, end });
    at = end;
  }
}

/** After the closing quote. */
function endOfString(text: Uint8Array, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === BACKSLASH) at += 1;
    else if (text[at] === QUOTE) return at + 1;
  }
  return text.length;
}

function endOfValue(text: Uint8Array, start: number): number {
  if (text[start] === QUOTE) return endOfString(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const byte = text[at];
    if (byte === QUOTE) at = endOfString(text, at) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      // The outermost object's own end also ends its last member.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return at;
  }
  return text.length;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function decode(text: Uint8Array, start: number, end: number): string {
  return Buffer.from(text.buffer, text.byteOffset + start, end - start).toString("utf8");
}
