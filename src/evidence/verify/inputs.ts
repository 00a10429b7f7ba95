// What a reader brings to a verification besides the bundle, in the forms that people have it.
import { base64Bytes } from "../../core/bytes.ts";
import type { ByteSource } from "./byte-source.ts";

const PEM = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g;
const AGE_HEADER = "age-encryption.org/v1\n";

/** Certificates of a PEM file, or the file itself where it is DER. */
export function certificatesOf(file: Uint8Array): Uint8Array[] {
  const text = new TextDecoder("latin1").decode(file);
  const found = [...text.matchAll(PEM)].flatMap(
    ([, body = ""]) => base64Bytes(body.replace(/\s/g, "")) ?? [],
  );
  return found.length === 0 ? [file] : found;
}

/** Is it a bundle that was encrypted to a recipient (age format), who must decrypt it first? */
export async function isEncrypted(source: ByteSource): Promise<boolean> {
  if (source.size < AGE_HEADER.length) return false;
  return new TextDecoder("latin1").decode(await source.read(0, AGE_HEADER.length)) === AGE_HEADER;
}
