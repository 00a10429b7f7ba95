// Reading JSON that somebody else wrote: nothing here throws, and nothing is believed before its type was looked at.

/** Deeper nesting than any honest request has. Code behind this may recurse, so deeper bodies count as unreadable. */
export const MAX_JSON_DEPTH = 128;

export type JsonObject = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder("utf-8", { ignoreBOM: false });

/** Text of bytes as UTF-8; broken sequences become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The parsed value, or undefined when the text is not JSON or is nested deeper than `MAX_JSON_DEPTH`. */
export function parseJson(text: string): unknown {
  if (!isShallow(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function parseJsonBytes(bytes: Uint8Array): unknown {
  return parseJson(textOf(bytes));
}

/** The value as an object with string keys, or undefined for everything else (arrays too). */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function asTextOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** A count: a finite whole number from 0 to 2^53 - 1, else null. */
export function asCount(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Whether no bracket outside a string lies deeper than the limit. */
function isShallow(text: string): boolean {
  // Most bodies have fewer brackets than the limit, and the engine's search for them is far faster than the scan.
  if (occurrences(text, "{") + occurrences(text, "[") <= MAX_JSON_DEPTH) return true;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return false;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return true;
}

/** How often a character occurs, counted no further than the depth limit needs. */
function occurrences(text: string, character: string): number {
  let found = 0;
  for (
    let at = text.indexOf(character);
    at >= 0 && found <= MAX_JSON_DEPTH;
    at = text.indexOf(character, at + 1)
  ) {
    found += 1;
  }
  return found;
}
