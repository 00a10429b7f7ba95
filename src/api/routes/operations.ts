// How the installation is doing, and detection on demand.
import type { Health, HuntResult } from "../contract/operations.ts";
import { ApiError } from "../errors.ts";
import { metricsText } from "../metrics.ts";
import type { ApiServices, Handlers } from "../services.ts";
import { summaryOf } from "./findings.ts";

const FINDINGS_TOLD = 1_000;

export const operationHandlers: Handlers<
  "GET /health" | "GET /api/health" | "GET /metrics" | "POST /api/hunt"
> = {
  /** For load balancers: says only whether this process answers. */
  "GET /health": (context) => context.text("ok\n"),
  "GET /api/health": (context, services) => context.json(healthOf(services)),
  "GET /metrics": async (context, services) => {
    const [sealedRecords, storePosition, open] = await Promise.all([
      services.log.size(),
      services.store.position(),
      services.state.findings.list({ status: "open", limit: 1 }),
    ]);
    const text = metricsText({
      requests: services.requests,
      sealedRecords,
      storePosition,
      openFindings: open.total,
      health: healthOf(services),
      further: services.metrics?.() ?? "",
    });
    return context.text(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  },
  "POST /api/hunt": async (context, { hunt, state, clock }) => {
    if (hunt === null)
      throw new ApiError("api.not-available", "expected a process that runs detection, got this one");
    const startedMs = clock();
    const raised = await hunt();
    const entries = await Promise.all(
      raised.slice(0, FINDINGS_TOLD).map(({ id }) => state.findings.demand(id)),
    );
    const answer: HuntResult = { raised: entries.map(summaryOf), tookMs: clock() - startedMs };
    return context.json(answer);
  },
};

function healthOf({ writer, components }: ApiServices): Health {
  const own = {
    name: "acts",
    ok: writer.healthy,
    message: writer.healthy
      ? "The API can write its acts."
      : "The log can't be written: decisions and looks at content are refused. Check the disk.",
  };
  const all = [own, ...(components?.() ?? [])];
  return { status: all.every(({ ok }) => ok) ? "ok" : "degraded", components: all };
}
