// Second persons' agreements on the command line, and the check that one is there before something is done.

import type { ActRecorder } from "../../core/acts.ts";
import type { ApprovalAction } from "../../core/case-acts.ts";
import { EvidenceError } from "../../evidence/errors.ts";
import type { State } from "../../state/state.ts";
import { systemUser } from "../act.ts";
import type { Context } from "../context.ts";
import { timeText } from "../output.ts";
import { withChanges, withState } from "../with-state.ts";

/**
 * Passes where the configuration asks for no second person, or one has agreed; else asks for agreement.
 * @returns the id of the agreement used, or null @throws EvidenceError `evidence.approval-needed`
 */
export async function demandApproval(
  { config }: Pick<Context, "config">,
  asked: { readonly action: ApprovalAction; readonly subject: string; readonly reason: string },
  { state, record }: { readonly state: State; readonly record: ActRecorder },
): Promise<string | null> {
  const { action, subject, reason } = asked;
  if (!config.evidence.twoPersonFor.includes(action)) return null;
  const by = systemUser();
  const used = await state.approvals.use(action, subject, by);
  if (used !== null) return used.id;
  const waiting = await state.approvals.waiting(action, subject, by);
  const request = waiting ?? (await state.approvals.request({ action, subject, reason, by }, { record }));
  throw new EvidenceError(
    "evidence.approval-needed",
    `expected a second person's agreement to ${action} ${subject}; ${request.id} waits for it`,
  );
}

export async function listApprovals(context: Context, waiting: boolean): Promise<void> {
  const { output } = context;
  const approvals = await withState(context, ({ state }) => state.approvals.list({ undecided: waiting }));
  output.result({ approvals }, () =>
    output.table(approvals, [
      { title: "request", cell: ({ id }) => id },
      { title: "asked", cell: ({ requestedMs }) => timeText(requestedMs) },
      { title: "by", cell: ({ requestedBy }) => requestedBy, width: 30 },
      { title: "for", cell: ({ action }) => action },
      { title: "of", cell: ({ subject }) => subject, width: 40 },
      { title: "reason", cell: ({ reason }) => reason, width: 50 },
      { title: "decision", cell: ({ decision }) => decision ?? "waits" },
      { title: "decided by", cell: ({ decidedBy }) => decidedBy, width: 30 },
      { title: "used", cell: ({ usedMs }) => timeText(usedMs) },
    ]),
  );
}

export async function decideApproval(
  context: Context,
  id: string,
  { refuse, note }: { refuse?: boolean; note: string },
): Promise<void> {
  const decision = refuse === true ? "refused" : "approved";
  const decided = await withChanges(context, ({ state, record }) =>
    state.approvals.decide(id, { decision, by: systemUser(), note }, { record }),
  );
  context.output.result(decided, () => context.output.line(`${id} is ${decision}.`));
}
