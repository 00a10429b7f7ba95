// Appeals: what customers say against measures, and the answer an approver gives.
import type { Appeal as StoredAppeal } from "../../state/appeals.ts";
import { recordedBy } from "../acts.ts";
import type { Page } from "../contract/common.ts";
import { type Appeal, appealDecision, appealsQuery } from "../contract/response.ts";
import { isoTime, isoTimeOrNull, pathPart, readBody, readQuery } from "../http.ts";
import type { Handlers } from "../services.ts";
import { responseOf } from "./verdicts.ts";

export const appealHandlers: Handlers<"GET /api/appeals" | "POST /api/appeals/:id/decision"> = {
  "GET /api/appeals": async (context, { state }) => {
    const { page, limit, status } = readQuery(context, appealsQuery);
    const { items, total } = await state.appeals.list({ status, limit, offset: (page - 1) * limit });
    const answer: Page<Appeal> = { items: items.map(view), total, page, limit };
    return context.json(answer);
  },
  "POST /api/appeals/:id/decision": async (context, services) => {
    const decision = await readBody(context, appealDecision);
    const { record, by } = recordedBy(context, services);
    const appeal = await services.state.appeals.decide(
      pathPart(context, "id"),
      { ...decision, by },
      { record },
    );
    await responseOf(services).changed();
    return context.json(view(appeal));
  },
};

function view({ id, verdict, account, statement, status, reason, ...rest }: StoredAppeal): Appeal {
  return {
    ...{ id, verdict, account, statement, status, reason },
    filedAt: isoTime(rest.filedMs),
    decidedAt: isoTimeOrNull(rest.decidedMs),
    decidedBy: rest.decidedBy,
  };
}
