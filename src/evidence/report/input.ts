// What the report is made of.
import type { FindingSnapshot } from "../case-scope.ts";
import type { Chronicle } from "../chronicle.ts";
import type { FleetPicture } from "../fleet.ts";
import type { HealthFigures } from "../log-health.ts";
import type { CustodyEntry } from "../verify/custody.ts";
import type { BundleHeader, Completeness } from "../verify/documents.ts";
import type { Statistics } from "../verify/statistics.ts";

/** One exchange as an example: the beginning of what was asked and of what was answered. */
export interface Example {
  readonly index: number;
  readonly account: string;
  readonly time: string;
  readonly input: string | null;
  readonly answer: string | null;
}

/** What a tombstone says of records in the bundle whose content is gone. */
export interface Erasure {
  /** The tombstone's own place in the log. */
  readonly index: number;
  readonly time: string;
  readonly cause: "request" | "retention";
  readonly legalBasis: string;
  /** Pseudonym, where everything of one account was erased. */
  readonly account: string | null;
  /** Records of this bundle that it explains. */
  readonly records: number;
}

export interface ReportInput {
  readonly header: BundleHeader;
  readonly custody: readonly CustodyEntry[];
  readonly findings: readonly FindingSnapshot[];
  readonly statistics: Statistics;
  readonly completeness: Completeness;
  readonly health: HealthFigures;
  readonly fleet: FleetPicture;
  readonly chronicle: Chronicle;
  readonly examples: readonly Example[];
  readonly erasures: readonly Erasure[];
  /** Exchanges that were taken over from another system's records. */
  readonly imported: number;
  /** Exchanges of which that can't be told, because what says so is erased or withheld. */
  readonly unknownOrigin: number;
  readonly log: { readonly origin: string; readonly size: number; readonly key: string };
  /** Account names by pseudonym. */
  readonly names: ReadonlyMap<string, string>;
}
