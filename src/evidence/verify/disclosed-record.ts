// A record as a bundle shows it: its leaf, and each field with its salt, or why it is not shown.
import { Buffer } from "node:buffer";
import { base64, base64Bytes, base64url, base64urlBytes, utf8, utf8Text } from "../../core/bytes.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { opens, SALT_BYTES } from "../../core/commitment.ts";
import { encodeLeaf, type Leaf, parseLeaf } from "../../core/leaf.ts";
import { FIELDS } from "../../core/record.ts";
import { canonicalValue, hasShape, isCount, isObject, isText, type JsonObject } from "./shapes.ts";

/** A field in clear with its salt: as text where it is UTF-8, else as base64. Or why it is withheld. */
export type DisclosedField =
  | { readonly salt: string; readonly text: string }
  | { readonly salt: string; readonly base64: string }
  | { readonly withheld: string };

/** One file of `data/records/`. */
export interface DisclosedRecord {
  readonly index: number;
  readonly leaf: Leaf;
  /** Absent where the leaf has no content, and where it was erased. */
  readonly fields?: Readonly<Record<string, DisclosedField>>;
  /** Leaf index of the tombstone, itself in the bundle, that says by whom and why the content was destroyed. */
  readonly erased?: number;
}

/** A field as the bundle shows it. */
export function discloseField(value: Uint8Array, salt: Uint8Array): DisclosedField {
  const text = utf8Text(value);
  return { salt: base64url(salt), ...(text === null ? { base64: base64(value) } : { text }) };
}

export function formatRecord(record: DisclosedRecord): Uint8Array {
  return utf8(canonicalJson(record));
}

/** The leaf's bytes, which the tree hashes. */
export function leafBytes(record: DisclosedRecord): Uint8Array {
  return encodeLeaf(record.leaf);
}

function isField(value: unknown): boolean {
  if (!isObject(value)) return false;
  if ("withheld" in value) return hasShape(value, { withheld: isText });
  return (
    hasShape(value, { salt: isText }, { text: isText, base64: isText }) &&
    "text" in value !== "base64" in value
  );
}

const isFields = (value: unknown): boolean => isObject(value) && Object.values(value).every(isField);

/** Reads a record's file; null: not what `formatRecord` writes, to the byte. */
export function parseRecord(bytes: Uint8Array): DisclosedRecord | null {
  const value = canonicalValue(bytes);
  if (!hasShape(value, { index: isCount, leaf: isObject }, { fields: isFields, erased: isCount }))
    return null;
  const leaf = parseLeaf(utf8(canonicalJson(value["leaf"])));
  if (leaf === null) return null;
  // The members were checked above, one by one.
  const { index, fields, erased } = value as JsonObject & Omit<DisclosedRecord, "leaf">;
  return { index, leaf, ...(fields && { fields }), ...(erased === undefined ? {} : { erased }) };
}

/** Value and salt of a shown field; null: withheld, or no bytes in canonical form. */
export function fieldBytes(field: DisclosedField): { salt: Uint8Array; value: Uint8Array } | null {
  if ("withheld" in field) return null;
  const salt = base64urlBytes(field.salt);
  const value = "text" in field ? utf8(field.text) : base64Bytes(field.base64);
  if (salt?.length !== SALT_BYTES || value === null) return null;
  if ("base64" in field && utf8Text(value) !== null) return null; // it would have been shown as text
  return { salt, value };
}

export interface OpenedFields {
  readonly values: ReadonlyMap<string, Uint8Array>;
  readonly withheld: number;
}

/** Checks every field against the leaf's commitments. */
export function openFields(record: DisclosedRecord): OpenedFields | "field-missing" | "field-not-committed" {
  const { leaf, fields, erased } = record;
  const values = new Map<string, Uint8Array>();
  if (leaf.commit === undefined || leaf.kind === "interrupted")
    return fields === undefined && erased === undefined ? { values, withheld: 0 } : "field-missing";
  if (fields === undefined) return erased === undefined ? "field-missing" : { values, withheld: 0 };
  if (erased !== undefined) return "field-missing";
  const names: readonly string[] = FIELDS[leaf.kind];
  if (Object.keys(fields).length !== names.length) return "field-missing";
  let withheld = 0;
  for (const name of names) {
    const field = fields[name];
    const commitment = base64urlBytes(leaf.commit[name] ?? "");
    if (field === undefined || commitment === null) return "field-missing";
    if ("withheld" in field) {
      withheld += 1;
      continue;
    }
    const shown = fieldBytes(field);
    if (shown === null || !opens({ field: name, ...shown }, commitment)) return "field-not-committed";
    values.set(name, Buffer.from(shown.value));
  }
  return { values, withheld };
}
