// Reads JSON of a bundle strictly: one spelling for each value, exactly the members that belong there.
import { utf8Text } from "../../core/bytes.ts";
import { canonicalJson } from "../../core/canonical-json.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of canonical JSON (RFC 8785), or undefined: other spellings of the same value are refused too. */
export function canonicalValue(bytes: Uint8Array): unknown {
  const text = utf8Text(bytes);
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return canonicalJson(value) === text ? value : undefined;
  } catch {
    return undefined; // no JSON, nested too deeply, or a lone surrogate
  }
}

export type MemberCheck = (value: unknown) => boolean;

export const isText: MemberCheck = (value) => typeof value === "string";
export const isCount: MemberCheck = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/** An object with exactly these members; those named in `optional` may be absent. */
export function hasShape(
  value: unknown,
  required: Readonly<Record<string, MemberCheck>>,
  optional: Readonly<Record<string, MemberCheck>> = {},
): value is JsonObject {
  if (!isObject(value)) return false;
  for (const [name, check] of Object.entries(required))
    if (!Object.hasOwn(value, name) || !check(value[name])) return false;
  return Object.entries(value).every(([name, member]) =>
    Object.hasOwn(required, name) ? true : Object.hasOwn(optional, name) && optional[name]?.(member) === true,
  );
}

export function isListOf(check: MemberCheck): MemberCheck {
  return (value) => Array.isArray(value) && value.every(check);
}
