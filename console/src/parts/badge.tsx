// Small labelled marks; the word carries the meaning, the colour only repeats it.
import type { ReactNode } from "react";
import type { Ending } from "../../../src/api/contract/exchanges.ts";
import type { FindingKind, FindingStatus } from "../../../src/api/contract/findings.ts";
import type { AppealStatus, Measure, VerdictStatus } from "../../../src/api/contract/response.ts";

export function Badge({ tone, children }: { tone: string; children: ReactNode }): ReactNode {
  return <span className={`badge ${tone}`}>{children}</span>;
}

export function KindBadge({ kind }: { kind: FindingKind }): ReactNode {
  return <Badge tone={`kind-${kind}`}>{kind}</Badge>;
}

const STATUS_TONE: Readonly<Record<FindingStatus, string>> = {
  open: "warn",
  confirmed: "bad",
  dismissed: "quiet",
};

export function StatusBadge({ status }: { status: FindingStatus }): ReactNode {
  return <Badge tone={STATUS_TONE[status]}>{status}</Badge>;
}

export function EndingBadge({ ending, status }: { ending: Ending; status: number }): ReactNode {
  return <Badge tone={ending === "served" ? "good" : "warn"}>{status === 0 ? "no answer" : status}</Badge>;
}

const MEASURE_TONE: Readonly<Record<Measure, string>> = {
  observe: "quiet",
  reduce: "warn",
  slow: "warn",
  verify: "warn",
  quarantine: "bad",
};

export function MeasureBadge({ measure }: { measure: Measure }): ReactNode {
  return <Badge tone={MEASURE_TONE[measure]}>{measure}</Badge>;
}

const STAGE_TONE: Readonly<Record<VerdictStatus | AppealStatus, string>> = {
  proposed: "warn",
  approved: "warn",
  "in-effect": "bad",
  rejected: "quiet",
  lifted: "quiet",
  expired: "quiet",
  open: "warn",
  granted: "good",
  refused: "quiet",
};

/** Where a verdict or an appeal stands. */
export function StageBadge({ stage }: { stage: VerdictStatus | AppealStatus }): ReactNode {
  return <Badge tone={STAGE_TONE[stage]}>{stage}</Badge>;
}
