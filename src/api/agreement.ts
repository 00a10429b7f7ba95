// Asks for a second person's agreement before content is opened or handed out, where the configuration wants one.
import type { ApprovalAction } from "../core/case-acts.ts";
import { recorderFor } from "./acts.ts";
import { ApiError } from "./errors.ts";
import type { ApiOptions } from "./services.ts";

interface Asked {
  readonly action: ApprovalAction;
  readonly subject: string;
  readonly reason: string;
  readonly by: string;
}

/**
 * Passes where none is needed or one is there, which is used up.
 * @returns the id of the agreement used, or null @throws ApiError `api.approval-needed`; the request then waits
 */
export async function demandAgreement(
  { action, subject, reason, by }: Asked,
  options: ApiOptions,
): Promise<string | null> {
  const { state, config } = options;
  if (!config.evidence.twoPersonFor.includes(action)) return null;
  const used = await state.approvals.use(action, subject, by);
  if (used !== null) return used.id;
  const waiting = await state.approvals.waiting(action, subject, by);
  const record = recorderFor(by, options);
  const request = waiting ?? (await state.approvals.request({ action, subject, reason, by }, { record }));
  throw new ApiError(
    "api.approval-needed",
    `expected a second person's agreement; ${request.id} waits for it`,
  );
}
