// Fetches a secret from the place that the configuration names.
import { readFile } from "node:fs/promises";
import { ConfigError } from "./errors.ts";
import type { SecretReference } from "./fields.ts";

/** Longer than any API key; a wrong path must not load a disk image. */
const MAX_SECRET_BYTES = 16 * 1024;

/**
 * The secret that `reference` names, without a final newline.
 * @throws ConfigError `secret-unavailable`; the message names the place, never the value.
 */
export async function readSecret(
  reference: SecretReference,
  { env = process.env }: { env?: Readonly<Record<string, string | undefined>> } = {},
): Promise<string> {
  if ("env" in reference) {
    const value = env[reference.env];
    if (value === undefined || value === "") {
      throw new ConfigError(
        "secret-unavailable",
        `expected a secret in the environment variable ${reference.env}, got none`,
      );
    }
    return value;
  }
  let text: string;
  try {
    text = (await readFile(reference.file, "utf8")).replace(/\r?\n$/, "");
  } catch (cause) {
    throw new ConfigError(
      "secret-unavailable",
      `expected a secret in the file ${reference.file}, got no readable file`,
      { cause },
    );
  }
  if (text === "" || text.length > MAX_SECRET_BYTES) {
    throw new ConfigError(
      "secret-unavailable",
      `expected 1 to ${MAX_SECRET_BYTES} bytes in the file ${reference.file}, got ${text.length}`,
    );
  }
  return text;
}
