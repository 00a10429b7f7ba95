// Which Adyton this is: what `--version` prints, and what evidence names as the tool it was made with.
import { readFileSync } from "node:fs";

export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return String((JSON.parse(text) as { version?: unknown }).version);
}

/** Name and version, as custody entries have it. */
export function toolName(): string {
  return `adyton ${version()}`;
}
