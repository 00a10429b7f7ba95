// One verdict: what it does to whom and until when, what it rests on, every step so far, and the decision.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { Verdict, VerdictDecision, VerdictMember } from "../../../src/api/contract/response.ts";
import { VERDICT_ACCOUNTS_MAX, verdict as verdictSchema } from "../../../src/api/contract/response.ts";
import { send } from "../api.ts";
import { figure } from "../format.ts";
import { Badge, MeasureBadge, StageBadge } from "../parts/badge.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Facts, Panel } from "../parts/facts.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { sessionQuery, verdictQuery } from "../queries.ts";

export function VerdictScreen(): ReactNode {
  const { id } = useParams({ from: "/verdicts/$id" });
  const query = useQuery(verdictQuery(id));
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumbs">
        <Link to="/verdicts">Verdicts</Link>
        <span aria-hidden="true">/</span>
        <span className="mono">{id}</span>
      </nav>
      <Loaded query={query} what="the verdict">
        {(verdict) => <VerdictView verdict={verdict} />}
      </Loaded>
    </>
  );
}

function VerdictView({ verdict }: { verdict: Verdict }): ReactNode {
  return (
    <>
      <header className="title">
        <h1>
          {verdict.measure} of {figure(verdict.accounts)} {verdict.accounts === 1 ? "account" : "accounts"}
        </h1>
        <p className="line">
          <MeasureBadge measure={verdict.measure} />
          <StageBadge stage={verdict.status} />
          {verdict.shadow && <Badge tone="quiet">shadow: nothing is enforced</Badge>}
        </p>
      </header>
      <div className="columns">
        <div>
          <Panel title="What it is">
            <Facts items={factsOf(verdict)} />
          </Panel>
          <Panel title="Accounts">
            <DataTable
              label="Accounts of this verdict"
              columns={MEMBER_COLUMNS}
              items={verdict.members}
              idOf={({ account }) => account}
              hrefOf={({ account }) => `/accounts/${encodeURIComponent(account)}`}
              empty={
                <Empty title="No account">
                  <p>The verdict names no account.</p>
                </Empty>
              }
            />
            {verdict.accounts > verdict.members.length && (
              <p className="muted small pad">The first {VERDICT_ACCOUNTS_MAX} are shown.</p>
            )}
          </Panel>
        </div>
        <div>
          <Panel title="Decision">
            <Decision verdict={verdict} />
          </Panel>
          <Panel title="Steps">
            <ol className="steps pad">
              {verdict.history.map(({ at, by, step, note }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: steps are only ever added at the end.
                <li key={index}>
                  <strong>{step}</strong> <When at={at} />{" "}
                  <span className="muted">
                    {by}
                    {note !== "" && ": "}
                  </span>
                  {note !== "" && <Untrusted text={note} />}
                </li>
              ))}
            </ol>
          </Panel>
        </div>
      </div>
    </>
  );
}

const MEMBER_COLUMNS: readonly ColumnOf<VerdictMember>[] = [
  { id: "account", title: "Account", kind: "wide", cell: ({ account }) => <Untrusted text={account} /> },
  { id: "joined", title: "Named", cell: ({ joinedAt }) => <When at={joinedAt} /> },
  { id: "inherited", title: "How", cell: ({ inherited }) => (inherited ? "inherited" : "decided") },
  { id: "released", title: "Released", cell: ({ releasedAt }) => <When at={releasedAt} /> },
];

function factsOf(verdict: Verdict): (readonly [string, ReactNode])[] {
  const { finding, detector, rule, reason, policy, inherited, inheritLimit } = verdict;
  return [
    [
      "Rests on",
      finding === null ? (
        "a person's own decision"
      ) : (
        <Link key="finding" to="/findings/$id" params={{ id: finding }} className="mono">
          {finding}
        </Link>
      ),
    ],
    ["Detector", detector ?? "none"],
    ["The customer is told", reason],
    ["Rule", rule ?? "none"],
    [
      "Policy",
      policy === null ? (
        "none"
      ) : (
        <span key="policy" className="mono">
          {policy.slice(0, 12)}
        </span>
      ),
    ],
    ...(verdict.untilDecided === null
      ? []
      : [
          [
            "Until decided",
            <span key="interim">
              <MeasureBadge measure={verdict.untilDecided.measure} /> from{" "}
              <When at={verdict.untilDecided.from} /> to <When at={verdict.untilDecided.until} /> at the
              latest
            </span>,
          ] as const,
        ]),
    ["In effect", <When key="effective" at={verdict.effectiveAt} />],
    ["Until", <When key="until" at={verdict.endedAt ?? verdict.expiresAt} />],
    ["Joined later", `${inherited} of at most ${inheritLimit}`],
  ];
}

const NEXT: Readonly<Record<string, readonly VerdictDecision["decision"][]>> = {
  proposed: ["approve", "reject"],
  approved: ["lift"],
  "in-effect": ["lift"],
};

function Decision({ verdict }: { verdict: Verdict }): ReactNode {
  const { data: session } = useQuery(sessionQuery);
  const role = session?.user.role;
  const options = NEXT[verdict.status] ?? [];
  if (options.length === 0) return <p className="muted pad">Nothing is left to decide.</p>;
  if (role !== "approver" && role !== "admin") {
    return <p className="muted pad">Deciding takes the role of approver.</p>;
  }
  return <DecisionForm key={verdict.status} verdict={verdict} options={options} />;
}

const SAYS: Readonly<Record<VerdictDecision["decision"], string>> = {
  approve: "Approve: it takes effect after the policy's delay",
  reject: "Reject: nothing happens",
  lift: "Lift: it ends for everybody at once",
};

function DecisionForm({
  verdict,
  options,
}: {
  verdict: Verdict;
  options: readonly VerdictDecision["decision"][];
}): ReactNode {
  const queries = useQueryClient();
  const [decision, setDecision] = useState<VerdictDecision["decision"] | null>(null);
  const [note, setNote] = useState("");
  const [wrong, setWrong] = useState(false);
  const change = useMutation({
    mutationFn: () => {
      const path = `/api/verdicts/${encodeURIComponent(verdict.id)}/decision`;
      return send(verdictSchema, "POST", path, { decision, note, wrong: wrong && decision !== "approve" });
    },
    onSuccess: (changed) => {
      queries.setQueryData(verdictQuery(verdict.id).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ["verdicts"] });
    },
  });
  return (
    <form
      className="pad form"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <fieldset>
        <legend>Decision</legend>
        {options.map((option) => (
          <label key={option} className="check">
            <input
              type="radio"
              name="decision"
              value={option}
              checked={decision === option}
              onChange={() => setDecision(option)}
            />
            <span>{SAYS[option]}</span>
          </label>
        ))}
      </fieldset>
      {decision !== null && decision !== "approve" && (
        <label className="check">
          <input type="checkbox" checked={wrong} onChange={(event) => setWrong(event.target.checked)} />
          <span>The detector was wrong</span>
        </label>
      )}
      <label>
        <span>Reason</span>
        <textarea
          rows={2}
          required
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      </label>
      {change.isError && (
        <p role="alert" className="bad-text">
          {change.error.message}
        </p>
      )}
      <button
        type="submit"
        className="button primary"
        disabled={change.isPending || decision === null || note.trim() === ""}
      >
        {change.isPending ? "Recording…" : "Record the decision"}
      </button>
    </form>
  );
}
