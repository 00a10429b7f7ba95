// Asks for a second person's agreement before content is opened, where the configuration wants one.
import { recorderFor } from "./acts.ts";
import { ApiError } from "./errors.ts";
import type { ApiOptions } from "./services.ts";

/** Passes where none is needed or one is there, which is used up. @throws ApiError `api.approval-needed`; the request then waits */
export async function demandAgreement(
  { subject, reason, by }: { subject: string; reason: string; by: string },
  options: ApiOptions,
): Promise<void> {
  const { state, config } = options;
  const action = "open-content";
  if (!config.evidence.twoPersonFor.includes(action)) return;
  if ((await state.approvals.use(action, subject, by)) !== null) return;
  const waiting = await state.approvals.waiting(action, subject, by);
  const record = recorderFor(by, options);
  const request = waiting ?? (await state.approvals.request({ action, subject, reason, by }, { record }));
  throw new ApiError(
    "api.approval-needed",
    `expected a second person's agreement; ${request.id} waits for it`,
  );
}
