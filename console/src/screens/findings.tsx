// The list an analyst starts from: what was asserted, how strongly, about how many accounts, and what was decided.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { FINDING_KINDS, FINDING_STATUSES, type FindingSummary } from "../../../src/api/contract/findings.ts";
import { evidence, figure } from "../format.ts";
import { KindBadge, StatusBadge } from "../parts/badge.tsx";
import type { ColumnOf } from "../parts/data-table.tsx";
import { Choice, SearchBox } from "../parts/filters.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { findingsQuery } from "../queries.ts";

export const FINDING_COLUMNS: readonly ColumnOf<FindingSummary>[] = [
  { id: "kind", title: "Kind", cell: ({ kind }) => <KindBadge kind={kind} /> },
  {
    id: "summary",
    title: "Finding",
    kind: "wide",
    cell: ({ summary, id }) => (
      <span className="stack">
        <span className="strong">
          <Untrusted text={summary} />
        </span>
        <span className="muted small mono">{id}</span>
      </span>
    ),
  },
  { id: "status", title: "Status", cell: (finding) => <StatusBadge status={finding.status} /> },
  { id: "detector", title: "Detector", sortable: true, cell: (finding) => finding.detector },
  {
    id: "accounts",
    title: "Accounts",
    kind: "number",
    sortable: true,
    cell: (finding) => figure(finding.accounts),
  },
  {
    id: "evidence",
    title: "Evidence",
    kind: "number",
    sortable: true,
    cell: (finding) => <Evidence of={finding} />,
  },
  { id: "raised", title: "Raised", cell: (finding) => <When at={finding.firstRaisedAt} stacked /> },
  {
    id: "time",
    title: "Last change",
    sortable: true,
    cell: (finding) => <When at={finding.raisedAt} stacked />,
  },
];

export function FindingsScreen(): ReactNode {
  const search = useSearch({ from: "/findings" });
  const navigate = useNavigate({ from: "/findings" });
  const query = useQuery(findingsQuery(search));
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...part }) });
  const filtered = search.status !== undefined || search.kind !== undefined || search.q !== undefined;
  return (
    <>
      <header className="title">
        <h1>Findings</h1>
        <p className="muted">What the detectors assert. Each finding carries the error rate it holds to.</p>
      </header>
      <div className="filters">
        <Choice
          label="Status"
          value={search.status}
          options={FINDING_STATUSES}
          change={(status) => change({ status })}
        />
        <Choice
          label="Kind"
          value={search.kind}
          options={FINDING_KINDS}
          change={(kind) => change({ kind })}
        />
        <SearchBox label="Search" value={search.q} change={(q) => change({ q })} />
      </div>
      <PagedTable
        label="Findings"
        what="the findings"
        query={query}
        columns={FINDING_COLUMNS}
        idOf={({ id }) => id}
        hrefOf={({ id }) => `/findings/${encodeURIComponent(id)}`}
        sorting={{
          by: search.sort ?? "time",
          direction: search.direction ?? "desc",
          change: (sort, direction) => change({ sort: sort as typeof search.sort, direction }),
        }}
        none={{
          title: "No findings",
          hint: (
            <p>
              Nothing has been asserted about the traffic seen so far. Detectors run by themselves;{" "}
              <code>adyton hunt</code> runs them now.
            </p>
          ),
        }}
        clear={filtered ? () => void navigate({ search: {} }) : undefined}
        go={(page) => change({ page })}
      />
    </>
  );
}

function Evidence({ of: { eValue, pValue } }: { of: FindingSummary }): ReactNode {
  if (eValue !== null)
    return <span title="e-value: evidence against the null hypothesis">e = {evidence(eValue)}</span>;
  if (pValue !== null) return <span title="p-value under the null hypothesis">p = {evidence(pValue)}</span>;
  return <span className="muted">—</span>;
}
