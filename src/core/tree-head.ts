// The text of a checkpoint: what a log says of its size and root, before anybody signs it.
import { base64, base64Bytes, parseDecimal } from "./bytes.ts";
import { HASH_BYTES } from "./merkle.ts";

export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** The text to sign: origin, size, root, each with its newline. */
export function formatTreeHead(head: TreeHead): string {
  return `${head.origin}\n${head.size}\n${base64(head.root)}\n`;
}

/** Parses the text of a checkpoint (no signatures), or null. */
export function parseTreeHead(text: string): (TreeHead & { extensions: readonly string[] }) | null {
  if (!text.endsWith("\n")) return null;
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split("\n");
  if (!origin || sizeText === undefined || rootText === undefined) return null;
  const size = parseDecimal(sizeText);
  const root = base64Bytes(rootText);
  if (size === null || root?.length !== HASH_BYTES || extensions.includes("")) return null;
  return { origin, size, root, extensions };
}
