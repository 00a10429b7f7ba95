// What the commands of cases and verification are called with.

/** Options of `case open`. */
export interface OpenOptions {
  readonly title: string;
  readonly purpose: string;
  readonly authority: string;
  readonly custodian: string;
  readonly jurisdiction: string;
  readonly tlp: "CLEAR" | "GREEN" | "AMBER" | "AMBER+STRICT" | "RED";
}

export interface AddOptions {
  readonly finding: readonly string[];
  readonly account: readonly string[];
  readonly exchange: readonly string[];
  readonly authority?: string;
}

export interface ExportCommandOptions {
  readonly out: string;
  readonly since?: string;
  readonly until?: string;
  readonly withhold: readonly string[];
  readonly recipient: readonly string[];
  readonly authority?: string;
  readonly reason?: string;
  readonly recordsOnly?: boolean;
}

/** Options of `verify`. */
export interface VerifyCommandOptions {
  readonly policy?: string;
  readonly timestampRoot: readonly string[];
}
