// The list an approver starts from: which measures wait for a decision, which hold, and whether anything is enforced.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { MEASURES, VERDICT_STATUSES, type VerdictSummary } from "../../../src/api/contract/response.ts";
import { figure } from "../format.ts";
import { Badge, MeasureBadge, StageBadge } from "../parts/badge.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Choice } from "../parts/filters.tsx";
import { Pager } from "../parts/pager.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { When } from "../parts/when.tsx";
import { policyQuery, verdictsQuery } from "../queries.ts";

const COLUMNS: readonly ColumnOf<VerdictSummary>[] = [
  {
    id: "measure",
    title: "Measure",
    cell: (verdict) => (
      <span className="stack">
        <span>
          <MeasureBadge measure={verdict.measure} />
        </span>
        {heldMeanwhile(verdict) !== null && (
          <span className="muted small">{heldMeanwhile(verdict)} until decided</span>
        )}
      </span>
    ),
  },
  {
    id: "verdict",
    title: "Verdict",
    kind: "wide",
    cell: ({ id, finding, detector }) => (
      <span className="stack">
        <span className="strong">{finding ?? "a person's own decision"}</span>
        <span className="muted small mono">
          {id} {detector !== null && `· ${detector}`}
        </span>
      </span>
    ),
  },
  {
    id: "status",
    title: "Status",
    cell: ({ status, shadow }) => (
      <>
        <StageBadge stage={status} /> {shadow && <Badge tone="quiet">shadow</Badge>}
      </>
    ),
  },
  { id: "accounts", title: "Accounts", kind: "number", cell: ({ accounts }) => figure(accounts) },
  { id: "proposed", title: "Proposed", cell: ({ proposedAt }) => <When at={proposedAt} stacked /> },
  {
    id: "until",
    title: "Until",
    cell: ({ endedAt, expiresAt }) => <When at={endedAt ?? expiresAt} stacked />,
  },
];

export function VerdictsScreen(): ReactNode {
  const search = useSearch({ from: "/verdicts" });
  const navigate = useNavigate({ from: "/verdicts" });
  const query = useQuery(verdictsQuery(search));
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...part }) });
  return (
    <>
      <header className="title">
        <h1>Verdicts</h1>
        <p className="muted">
          What is proposed and what holds against whom. Every step is a record in the log. <Mode />
        </p>
      </header>
      <div className="filters">
        <Choice
          label="Status"
          value={search.status}
          options={["live", ...VERDICT_STATUSES]}
          change={(status) => change({ status })}
        />
        <Choice
          label="Measure"
          value={search.measure}
          options={MEASURES}
          change={(measure) => change({ measure })}
        />
      </div>
      <Loaded query={query} what="the verdicts">
        {({ items, total, page, limit }) => (
          <>
            <DataTable
              label="Verdicts"
              columns={COLUMNS}
              items={items}
              idOf={({ id }) => id}
              hrefOf={({ id }) => `/verdicts/${encodeURIComponent(id)}`}
              empty={
                <Empty title="No verdict">
                  <p>The policy has proposed nothing that matches. Findings come first.</p>
                </Empty>
              }
            />
            <Pager
              page={page}
              limit={limit}
              total={total}
              go={(to) => change({ page: to === 1 ? undefined : to })}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

/** What customers feel already while the proposal waits; null: nothing. */
function heldMeanwhile({ status, untilDecided }: VerdictSummary): string | null {
  if (status !== "proposed" || untilDecided === null) return null;
  const { from, until, measure } = untilDecided;
  return Date.parse(from) <= Date.now() && Date.now() < Date.parse(until) ? measure : null;
}

/** Says whether decisions here reach a customer at all. */
function Mode(): ReactNode {
  const { data } = useQuery(policyQuery);
  if (data === undefined) return null;
  return data.mode === "shadow" ? (
    <strong>Shadow mode: nothing is enforced.</strong>
  ) : (
    <strong>Approved measures are enforced.</strong>
  );
}
