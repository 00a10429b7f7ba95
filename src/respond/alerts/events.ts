// What is worth telling somebody: each event as names and figures, without content.
import { accountsText } from "../../core/account.ts";
import type { Finding } from "../../core/finding.ts";
import type { VerdictStatus } from "../../core/measure.ts";
import type { AlertDraft } from "../../state/alerts.ts";
import type { Appeal } from "../../state/appeals.ts";
import type { Verdict } from "../../state/verdict-rows.ts";

/** Accounts named in one alert; the console has all. */
const MAX_NAMED = 100;

const STAGES: Readonly<Record<VerdictStatus, string>> = {
  proposed: "is proposed and waits for an approver",
  approved: "is approved and takes effect after its delay",
  "in-effect": "is in effect",
  rejected: "is rejected",
  lifted: "is lifted",
  expired: "has expired",
};

/** A finding as an alert: who, which technique, on which evidence, with which error rate. */
export function findingRaised(finding: Finding): AlertDraft {
  const { id, kind, detector, accounts, pValue, eValue, errorRate, technique, summary, timeMs } = finding;
  return {
    event: "finding.raised",
    subject: id,
    body: {
      ...{ finding: id, kind, detector, technique, summary, errorRate },
      ...{ pValue: pValue ?? null, eValue: eValue ?? null },
      accounts: accounts.length,
      names: accounts.slice(0, MAX_NAMED),
      contributions: finding.contributions.map(({ name, value }) => ({ name, value })),
      at: new Date(timeMs).toISOString(),
      severity: kind === "account" ? "medium" : "high",
      text: `${kind} of ${accountsText(accounts.length)}: ${summary}`,
    },
  };
}

/** A verdict at its present stage. One that waits for a person is the one that should not be missed. */
export function verdictChanged(verdict: Verdict): AlertDraft {
  const { id, finding, measure, reason, status, accounts, shadow, interim } = verdict;
  const mode = shadow ? " (shadow mode: nothing is enforced)" : "";
  const meanwhile = interim !== null && status === "proposed" ? `, ${interim.measure} until then` : "";
  return {
    event: `verdict.${status}`,
    subject: id,
    body: {
      ...{ verdict: id, finding, measure, reason, status, accounts, shadow },
      untilDecided: interim?.measure ?? null,
      at: new Date(atMs(verdict)).toISOString(),
      severity: status === "proposed" && !shadow ? "high" : "low",
      text: `${measure} of ${accountsText(accounts)} ${STAGES[status]}${meanwhile}${mode}`,
    },
  };
}

/** An appeal waits for a decision. The statement stays in the console: it may hold anything. */
export function appealFiled(appeal: Appeal): AlertDraft {
  const { id, verdict, account, filedMs } = appeal;
  return {
    event: "appeal.filed",
    subject: id,
    body: {
      ...{ appeal: id, verdict, account },
      at: new Date(filedMs).toISOString(),
      severity: "high",
      text: `a customer appeals against a measure: ${id}`,
    },
  };
}

function atMs({ proposedMs, effectiveMs, endedMs, status }: Verdict): number {
  if (status === "proposed" || status === "approved") return proposedMs;
  return (status === "in-effect" ? effectiveMs : endedMs) ?? proposedMs;
}
