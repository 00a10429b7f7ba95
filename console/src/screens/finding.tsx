// One finding: why it was made, how often such a claim is wrong, who is in it, and what the analyst decides.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import {
  FINDING_ACCOUNTS_MAX,
  type Finding,
  finding as findingSchema,
  type Member,
} from "../../../src/api/contract/findings.ts";
import { send } from "../api.ts";
import { evidence, exact, figure } from "../format.ts";
import { ActionForm } from "../parts/action-form.tsx";
import { KindBadge, StatusBadge } from "../parts/badge.tsx";
import { ActivityChart } from "../parts/chart.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Facts, Panel, Tiles } from "../parts/facts.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { ViewTabs } from "../parts/tabs.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { findingQuery } from "../queries.ts";
import { useMay } from "../session.ts";
import { Decision } from "./decision.tsx";
import { EXCHANGE_COLUMNS, ExchangeDrawer } from "./exchange-drawer.tsx";
import { FindingGraphPanel } from "./finding-graph.tsx";

export function FindingScreen(): ReactNode {
  const { id } = useParams({ from: "/findings/$id" });
  const query = useQuery(findingQuery(id));
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumbs">
        <Link to="/findings">Findings</Link>
        <span aria-hidden="true">/</span>
        <span className="mono">{id}</span>
      </nav>
      <Loaded query={query} what="the finding">
        {(finding) => <FindingView finding={finding} />}
      </Loaded>
    </>
  );
}

function FindingView({ finding }: { finding: Finding }): ReactNode {
  const search = useSearch({ from: "/findings/$id" });
  const navigate = useNavigate({ from: "/findings/$id" });
  const { take } = finding;
  return (
    <>
      <header className="title">
        <h1>
          <Untrusted text={finding.summary} />
        </h1>
        <p className="line">
          <KindBadge kind={finding.kind} />
          <StatusBadge status={finding.status} />
          <span className="muted">
            {finding.detector} · raised <When at={finding.firstRaisedAt} />
            {finding.firstRaisedAt !== finding.raisedAt && (
              <>
                {" "}
                · accounts last changed <When at={finding.raisedAt} />
              </>
            )}
          </span>
        </p>
      </header>
      <Tiles
        items={[
          { name: "Accounts", value: figure(finding.accounts) },
          { name: "Exchanges taken", value: figure(take.exchanges), hint: "at most: all they ever had" },
          {
            name: "Output tokens taken",
            value: figure(take.completionTokens),
            hint: `${figure(take.promptTokens)} in`,
          },
          {
            name: "Distinct skeletons",
            value: figure(take.skeletons),
            hint: "prompts with variables masked",
          },
          finding.eValue === null
            ? { name: "p-value", value: finding.pValue === null ? "—" : evidence(finding.pValue) }
            : { name: "e-value", value: evidence(finding.eValue), hint: "evidence against chance" },
        ]}
      />
      {finding.accounts > 1 && <FindingGraphPanel finding={finding} />}
      <div className="columns">
        <div>
          <Panel title="Activity of these accounts together">
            <ActivityChart series={finding.series} label="Exchanges" />
          </Panel>
          <Panel title="Why">
            <Reasons finding={finding} />
          </Panel>
        </div>
        <div>
          <Panel title="Error rate">
            <p className="pad">{finding.errorRate}</p>
          </Panel>
          <Panel title="Decision">
            <Decision finding={finding} />
          </Panel>
        </div>
      </div>
      <ViewTabs
        label="What is in this finding"
        selected={search.tab ?? "accounts"}
        select={(tab) => void navigate({ search: (before) => ({ ...before, tab }) })}
        tabs={[
          {
            id: "accounts",
            title: "Accounts",
            count: finding.accounts,
            content: <Members finding={finding} />,
          },
          { id: "exchanges", title: "Exemplar exchanges", content: <Exemplars finding={finding} /> },
        ]}
      />
      {search.exchange !== undefined && (
        <ExchangeDrawer
          id={search.exchange}
          close={() => void navigate({ search: (before) => ({ ...before, exchange: undefined }) })}
        />
      )}
    </>
  );
}

function Reasons({ finding }: { finding: Finding }): ReactNode {
  return (
    <>
      <Facts
        items={finding.contributions.map(({ name, value }) => [name, <Untrusted key={name} text={value} />])}
      />
      {finding.technique !== null && (
        <p className="muted small pad">MITRE ATLAS technique {finding.technique}</p>
      )}
    </>
  );
}

const MEMBER_COLUMNS: readonly ColumnOf<Member>[] = [
  { id: "account", title: "Account", kind: "wide", cell: ({ account }) => <Untrusted text={account} /> },
  { id: "exchanges", title: "Exchanges", kind: "number", cell: ({ exchanges }) => exact(exchanges) },
  {
    id: "tokens",
    title: "Output tokens",
    kind: "number",
    cell: ({ completionTokens }) => figure(completionTokens),
  },
  { id: "first", title: "First seen", cell: ({ firstAt }) => <When at={firstAt} /> },
  { id: "last", title: "Last seen", cell: ({ lastAt }) => <When at={lastAt} /> },
];

/** What a person knows and no detector can: these accounts belong to it, too. */
function Addition({ finding }: { finding: Finding }): ReactNode {
  const mayAdd = useMay("analyst");
  const queries = useQueryClient();
  if (!mayAdd) return null;
  return (
    <ActionForm
      label="Add accounts to this finding"
      isFolded
      fields={[
        { name: "accounts", label: "Accounts, separated by spaces", kind: "long", required: true },
        { name: "note", label: "Why they belong to it", kind: "long", required: true, maxLength: 2000 },
      ]}
      submit="Add them"
      run={async (values) => {
        const accounts = (values.text("accounts") ?? "").split(/\s+/);
        const path = `/api/findings/${encodeURIComponent(finding.id)}/accounts`;
        const changed = await send(findingSchema, "POST", path, { accounts, note: values.text("note") });
        queries.setQueryData(findingQuery(finding.id).queryKey, changed);
      }}
    />
  );
}

function Members({ finding }: { finding: Finding }): ReactNode {
  return (
    <>
      <Addition finding={finding} />
      <DataTable
        label="Accounts of this finding"
        columns={MEMBER_COLUMNS}
        items={finding.members}
        idOf={({ account }) => account}
        hrefOf={({ account }) => `/accounts/${encodeURIComponent(account)}`}
        empty={
          <Empty title="No account is known">
            <p>The finding names no account.</p>
          </Empty>
        }
      />
      {finding.accounts > finding.members.length && (
        <p className="muted">
          The {exact(Math.min(FINDING_ACCOUNTS_MAX, finding.members.length))} busiest of{" "}
          {exact(finding.accounts)} are shown. <code>adyton findings show {finding.id} --json</code> lists
          them all.
        </p>
      )}
    </>
  );
}

function Exemplars({ finding }: { finding: Finding }): ReactNode {
  const { exchange } = useSearch({ from: "/findings/$id" });
  const here = `/findings/${encodeURIComponent(finding.id)}`;
  return (
    <DataTable
      label="Exemplar exchanges"
      columns={EXCHANGE_COLUMNS}
      items={finding.exemplars}
      idOf={({ id }) => id}
      hrefOf={({ id }) => `${here}?tab=exchanges&exchange=${encodeURIComponent(id)}`}
      selected={exchange}
      empty={
        <Empty title="No exchange to show">
          <p>
            The store has no exchange of these accounts yet. It reads the log within seconds; try again
            shortly.
          </p>
        </Empty>
      }
    />
  );
}
