// Verdicts and the policy they come from: lists, one with whom it names, and an approver's decisions.
import type { Verdict as StoredVerdict } from "../../state/verdict-rows.ts";
import { recordedBy } from "../acts.ts";
import type { Page } from "../contract/common.ts";
import {
  type PolicyInForce,
  VERDICT_ACCOUNTS_MAX,
  type Verdict,
  type VerdictSummary,
  verdictDecision,
  verdictRelease,
  verdictsQuery,
} from "../contract/response.ts";
import { ApiError } from "../errors.ts";
import { isoTime, isoTimeOrNull, pathPart, readBody, readQuery } from "../http.ts";
import type { ApiOptions, Handlers, ResponsePort } from "../services.ts";

export const verdictHandlers: Handlers<
  | "GET /api/policy"
  | "GET /api/verdicts"
  | "GET /api/verdicts/:id"
  | "POST /api/verdicts/:id/decision"
  | "POST /api/verdicts/:id/release"
> = {
  "GET /api/policy": async (context, services) => {
    const { mode, hash, policy } = responseOf(services);
    const answer: PolicyInForce = {
      mode,
      hash,
      rules: policy.rules.map(({ id, measure, reason, approval, days }) => ({
        id,
        measure,
        reason,
        approval,
        days,
      })),
      detectors: [...(await services.state.outcomes.byDetector())],
    };
    return context.json(answer);
  },
  "GET /api/verdicts": async (context, { state }) => {
    const { page, limit, status: asked, ...rest } = readQuery(context, verdictsQuery);
    const filter = asked === "live" ? { live: true } : { status: asked };
    const { items, total } = await state.verdicts.list({
      ...rest,
      ...filter,
      limit,
      offset: (page - 1) * limit,
    });
    const answer: Page<VerdictSummary> = { items: items.map(summaryOf), total, page, limit };
    return context.json(answer);
  },
  "GET /api/verdicts/:id": async (context, services) =>
    context.json(await whole(await services.state.verdicts.demand(pathPart(context, "id")), services)),
  "POST /api/verdicts/:id/decision": async (context, services) => {
    const { decision, note, wrong } = await readBody(context, verdictDecision);
    const { record, by } = recordedBy(context, services);
    const id = pathPart(context, "id");
    const response = responseOf(services);
    const verdict =
      decision === "approve"
        ? await services.state.verdicts.approve(
            id,
            { by, note, effectiveMs: response.effectiveMs() },
            { record },
          )
        : await services.state.verdicts[decision](id, { by, note }, { record, isWrong: wrong });
    await response.changed();
    return context.json(await whole(verdict, services));
  },
  "POST /api/verdicts/:id/release": async (context, services) => {
    const { account, note } = await readBody(context, verdictRelease);
    const { record, by } = recordedBy(context, services);
    const id = pathPart(context, "id");
    await services.state.verdicts.release(id, account, { by, note }, { record });
    await responseOf(services).changed();
    return context.json(await whole(await services.state.verdicts.demand(id), services));
  },
};

/** @throws ApiError `api.not-available` */
export function responseOf({ response }: ApiOptions): ResponsePort {
  if (response !== undefined) return response;
  throw new ApiError("api.not-available", "response does not run in this process");
}

function summaryOf(verdict: StoredVerdict): VerdictSummary {
  const { id, finding, detector, rule, measure, reason, status, shadow, accounts, interim } = verdict;
  return {
    ...{ id, finding, detector, rule, measure, reason, status, shadow, accounts },
    proposedAt: isoTime(verdict.proposedMs),
    effectiveAt: isoTimeOrNull(verdict.effectiveMs),
    expiresAt: isoTimeOrNull(verdict.expiresMs),
    endedAt: isoTimeOrNull(verdict.endedMs),
    untilDecided: interim && {
      measure: interim.measure,
      from: isoTime(interim.fromMs),
      until: isoTime(interim.untilMs),
    },
  };
}

async function whole(verdict: StoredVerdict, { state }: ApiOptions): Promise<Verdict> {
  const [members, history] = await Promise.all([
    state.verdicts.members(verdict.id, { limit: VERDICT_ACCOUNTS_MAX }),
    state.verdicts.history(verdict.id),
  ]);
  return {
    ...summaryOf(verdict),
    policy: verdict.policy,
    inherited: verdict.inherited,
    inheritLimit: verdict.inheritLimit,
    members: members.map(({ account, reference, joinedMs, inherited, releasedMs }) => ({
      ...{ account, reference, inherited },
      joinedAt: isoTime(joinedMs),
      releasedAt: isoTimeOrNull(releasedMs),
    })),
    history: history.map(({ atMs, by, step, note }) => ({ at: isoTime(atMs), by, step, note })),
  };
}
