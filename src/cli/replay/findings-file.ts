// Findings in the order they became known, each told again whenever it has changed, as a file for scoring and scripts.
import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";

/** What a replay needs to know of a finding. */
export interface Told {
  readonly id: string;
  readonly kind: "account" | "campaign" | "probe";
  readonly accounts: readonly string[];
  readonly pValue?: number | null | undefined;
  readonly eValue?: number | null | undefined;
}

/** One alert: what was known of a finding at a moment. */
export interface Alert {
  readonly id: string;
  /** Virtual time of the alert, ISO 8601 UTC. */
  readonly time: string;
  readonly kind: Told["kind"];
  readonly accounts: readonly string[];
  readonly p?: number;
  readonly e?: number;
}

export class FindingsFile {
  readonly #alerts: Alert[] = [];
  readonly #lastMembers = new Map<string, string>();

  /** Alerts so far. */
  get alerts(): readonly Alert[] {
    return this.#alerts;
  }

  /** Findings so far: an alert that repeats a finding counts once. */
  get findings(): number {
    return this.#lastMembers.size;
  }

  /** Takes what is known at `nowMs`; a finding whose accounts are as before is not told again. */
  add(nowMs: number, findings: readonly Told[]): void {
    for (const { id, kind, accounts, pValue, eValue } of findings) {
      const members = accounts.toSorted().join("\n");
      if (this.#lastMembers.get(id) === members) continue;
      this.#lastMembers.set(id, members);
      this.#alerts.push({
        id,
        time: new Date(nowMs).toISOString(),
        kind,
        accounts,
        ...(typeof pValue === "number" ? { p: pValue } : {}),
        ...(typeof eValue === "number" ? { e: eValue } : {}),
      });
    }
  }

  /** Writes all alerts; the file is whole or it is the former one. */
  async write(path: string): Promise<void> {
    const temporary = `${path}.${randomBytes(4).toString("hex")}`;
    await writeFile(temporary, `${JSON.stringify({ findings: this.#alerts }, null, 1)}\n`);
    await rename(temporary, path);
  }
}
