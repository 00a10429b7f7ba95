// Encrypts a bundle to its recipients in the age format, as a stream.
import { Encrypter } from "age-encryption";
import { EvidenceError } from "./errors.ts";

/** Recipients of one bundle, at most: each takes a stanza in the header. */
const MAX_RECIPIENTS = 20;

/** @param recipients public keys (`age1…`) @throws EvidenceError `evidence.recipient` */
export function ageEncrypter(recipients: readonly string[]): Encrypter {
  if (recipients.length > MAX_RECIPIENTS)
    throw new EvidenceError(
      "evidence.recipient",
      `expected at most ${MAX_RECIPIENTS} recipients, got ${recipients.length}`,
    );
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new EvidenceError(
        "evidence.recipient",
        `expected a recipient like age1…, got ${recipient.slice(0, 80)}`,
        {
          cause,
        },
      );
    }
  }
  return encrypter;
}

/** The pieces, encrypted. */
export async function* encrypted(
  encrypter: Encrypter,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = ReadableStream.from(pieces);
  yield* await encrypter.encrypt(source);
}
