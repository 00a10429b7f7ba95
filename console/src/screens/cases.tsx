// All cases, a form to open one, and what waits for a second person.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import {
  type Approval,
  approval as approvalSchema,
  type CaseOpening,
  caseFile,
  TLP_MARKINGS,
} from "../../../src/api/contract/cases.ts";
import { send } from "../api.ts";
import { Facts, Panel } from "../parts/facts.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { approvalsQuery, casesQuery } from "../queries.ts";
import { useMay } from "../session.ts";

export function CasesScreen(): ReactNode {
  const query = useQuery(casesQuery);
  const mayWork = useMay("analyst");
  return (
    <>
      <header className="title">
        <h1>Cases</h1>
        <p className="muted">
          What is investigated. Every step is recorded in the log, and a case can be exported as evidence.
        </p>
      </header>
      <Loaded query={query} what="the cases">
        {({ cases }) =>
          cases.length === 0 ? (
            <Empty title="No case">
              <p>Open one to gather findings, accounts and notes.</p>
            </Empty>
          ) : (
            cases.map((one) => (
              <Panel key={one.id} title={one.id} aside={<When at={one.updatedAt} />}>
                <Facts
                  items={[
                    [
                      "Case",
                      <Link key="title" to="/cases/$id" params={{ id: one.id }}>
                        <Untrusted text={one.title} />
                      </Link>,
                    ],
                    ["Status", one.status],
                    ["Marking", `TLP:${one.tlp}`],
                    ["Custodian", <Untrusted key="custodian" text={one.custodian} />],
                    ["Entries", String(one.entries)],
                  ]}
                />
              </Panel>
            ))
          )
        }
      </Loaded>
      {mayWork && <Waiting />}
      {mayWork && <OpeningForm />}
    </>
  );
}

function Waiting(): ReactNode {
  const { data } = useQuery(approvalsQuery);
  const waiting = data?.approvals.filter(({ decision }) => decision === null) ?? [];
  return waiting.map((one) => <ApprovalPanel key={one.id} one={one} />);
}

function ApprovalPanel({ one }: { one: Approval }): ReactNode {
  const queries = useQueryClient();
  const mayDecide = useMay("approver");
  const decide = useMutation({
    mutationFn: (decision: "approved" | "refused") =>
      send(approvalSchema, "POST", `/api/approvals/${encodeURIComponent(one.id)}/decision`, {
        decision,
        note: "",
      }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["approvals"] }),
  });
  return (
    <Panel title={`Waits for a second person: ${one.action}`} aside={<When at={one.requestedAt} />}>
      <Facts
        items={[
          ["Of", <Untrusted key="subject" text={one.subject} />],
          ["Asked by", <Untrusted key="by" text={one.requestedBy} />],
          ["Reason", <Untrusted key="reason" text={one.reason} />],
        ]}
      />
      {decide.isError && (
        <p role="alert" className="bad-text pad">
          {decide.error.message}
        </p>
      )}
      {mayDecide ? (
        <span className="buttons pad">
          <button type="button" className="button primary" onClick={() => decide.mutate("approved")}>
            Agree
          </button>
          <button type="button" className="button" onClick={() => decide.mutate("refused")}>
            Refuse
          </button>
        </span>
      ) : (
        <p className="muted pad">Deciding takes the role of approver.</p>
      )}
    </Panel>
  );
}

const FIELDS = [
  ["title", "Title", "What it is about, in a few words"],
  ["purpose", "Purpose", "Why it is kept"],
  ["authority", "Authority", "The legal basis or order"],
  ["custodian", "Custodian", "Who answers for it"],
  ["jurisdiction", "Jurisdiction", "Whose law applies"],
] as const;

function OpeningForm(): ReactNode {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [facts, setFacts] = useState<CaseOpening>({
    title: "",
    purpose: "",
    authority: "",
    custodian: "",
    jurisdiction: "",
    tlp: "AMBER",
  });
  const open = useMutation({
    mutationFn: () => send(caseFile, "POST", "/api/cases", facts),
    onSuccess: ({ case: made }) => {
      void queries.invalidateQueries({ queryKey: ["cases"] });
      void navigate({ to: "/cases/$id", params: { id: made.id } });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    open.mutate();
  };
  return (
    <Panel title="Open a case">
      <form className="pad form" onSubmit={submit}>
        {FIELDS.map(([name, label, hint]) => (
          <label key={name}>
            <span>{label}</span>
            <input
              required
              maxLength={name === "purpose" ? 2000 : 200}
              placeholder={hint}
              value={facts[name]}
              onChange={(event) => setFacts({ ...facts, [name]: event.target.value })}
            />
          </label>
        ))}
        <label>
          <span>Marking</span>
          <select
            value={facts.tlp}
            onChange={(event) => {
              const tlp = TLP_MARKINGS.find((marking) => marking === event.target.value);
              if (tlp !== undefined) setFacts({ ...facts, tlp });
            }}
          >
            {TLP_MARKINGS.map((marking) => (
              <option key={marking} value={marking}>{`TLP:${marking}`}</option>
            ))}
          </select>
        </label>
        {open.isError && (
          <p role="alert" className="bad-text">
            {open.error.message}
          </p>
        )}
        <span className="buttons">
          <button type="submit" className="button primary" disabled={open.isPending}>
            Open
          </button>
        </span>
      </form>
    </Panel>
  );
}
