// What was verified and declared of an account or organisation, who recorded it, and what else changed.
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import {
  DECLARED_USES,
  type Standing,
  standing as standingSchema,
  VERIFICATION_KINDS,
  VERIFICATION_STATUSES,
} from "../../../src/api/contract/identities.ts";
import { send } from "../api.ts";
import { ActionForm, type Values } from "../parts/action-form.tsx";
import { Badge } from "../parts/badge.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Panel } from "../parts/facts.tsx";
import { Empty } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { useMay } from "../session.ts";

type Verification = Standing["verifications"][number];
type Declaration = Standing["declarations"][number];

const VERIFICATION_COLUMNS: readonly ColumnOf<Verification>[] = [
  { id: "kind", title: "Checked", kind: "wide", cell: ({ kind }) => kind },
  { id: "status", title: "Status", cell: (each) => <Status of={each} /> },
  { id: "reference", title: "Reference", cell: ({ reference }) => <Untrusted text={reference} /> },
  { id: "at", title: "Recorded", cell: ({ at }) => <When at={at} /> },
  { id: "until", title: "Until", cell: ({ expiresAt }) => <When at={expiresAt} /> },
  { id: "by", title: "By", cell: ({ by }) => <Untrusted text={by} /> },
];

const HISTORY_COLUMNS: readonly ColumnOf<Standing["history"][number]>[] = [
  { id: "at", title: "When", cell: ({ at }) => <When at={at} /> },
  { id: "by", title: "By", cell: ({ by }) => <Untrusted text={by} /> },
  { id: "act", title: "Change", cell: ({ act }) => act },
  {
    id: "detail",
    title: "Detail",
    kind: "wide",
    cell: ({ detail }) => (
      <span className="mono small">
        <Untrusted text={detail} />
      </span>
    ),
  },
];

/** `path`: of the account or organisation in the API. `invalidate`: what to ask again after a change. */
export function StandingView({
  standing,
  path,
  invalidate,
}: {
  standing: Standing;
  path: string;
  invalidate: readonly string[];
}): ReactNode {
  const queries = useQueryClient();
  const mayRecord = useMay("approver");
  const change = async (method: "POST" | "DELETE", below: string, body: unknown): Promise<void> => {
    await send(standingSchema, method, `${path}/${below}`, body);
    await queries.invalidateQueries({ queryKey: invalidate });
  };
  const withdraw = ({ use }: Declaration): void => void change("DELETE", `uses/${use}`, undefined);
  return (
    <>
      <Panel title="Verified">
        <DataTable
          label="Verifications"
          columns={VERIFICATION_COLUMNS}
          items={standing.verifications}
          idOf={({ kind }) => kind}
          empty={<Nothing text="Nothing was checked." />}
        />
        {mayRecord && <VerifyForm record={(body) => change("POST", "verifications", body)} />}
      </Panel>
      <Panel title="Declared uses">
        <DataTable
          label="Declared uses"
          columns={declarationColumns(mayRecord ? withdraw : null)}
          items={standing.declarations}
          idOf={({ use }) => use}
          empty={<Nothing text="No use was declared." />}
        />
        {mayRecord && <DeclareForm record={(body) => change("POST", "uses", body)} />}
      </Panel>
      <Panel title="History">
        <DataTable
          label="Changes, newest first"
          columns={HISTORY_COLUMNS}
          items={standing.history.map((event, index) => ({ ...event, number: index }))}
          idOf={({ number }) => String(number)}
          empty={<Nothing text="Nothing has changed since it was recorded." />}
        />
      </Panel>
    </>
  );
}

function declarationColumns(
  withdraw: ((each: Declaration) => void) | null,
): readonly ColumnOf<Declaration>[] {
  return [
    {
      id: "use",
      title: "Use",
      kind: "wide",
      cell: ({ use, statement }) => (
        <span className="stack">
          <span className="strong">{use}</span>
          <span className="muted small">
            <Untrusted text={statement} />
          </span>
        </span>
      ),
    },
    { id: "reference", title: "Agreement", cell: ({ reference }) => <Untrusted text={reference} /> },
    { id: "at", title: "Recorded", cell: ({ at }) => <When at={at} /> },
    { id: "until", title: "Until", cell: ({ until }) => <When at={until} /> },
    {
      id: "state",
      title: "State",
      cell: (each) =>
        each.withdrawnAt !== null ? (
          <Badge tone="quiet">withdrawn</Badge>
        ) : withdraw === null ? (
          <Badge tone="good">holds</Badge>
        ) : (
          <button type="button" className="button quiet" onClick={() => withdraw(each)}>
            Withdraw {each.use}
          </button>
        ),
    },
  ];
}

function VerifyForm({ record }: { record: (body: unknown) => Promise<void> }): ReactNode {
  return (
    <ActionForm
      label="Record a verification"
      isFolded
      fields={[
        { name: "kind", label: "What was checked", kind: "choice", options: VERIFICATION_KINDS },
        { name: "status", label: "What came of it", kind: "choice", options: VERIFICATION_STATUSES },
        { name: "reference", label: "Reference of the proof", kind: "text", maxLength: 2000 },
        { name: "until", label: "Holds until", kind: "day" },
      ]}
      submit="Record the verification"
      run={(values: Values) =>
        record({
          kind: values.choice("kind", VERIFICATION_KINDS),
          status: values.choice("status", VERIFICATION_STATUSES),
          reference: values.text("reference") ?? "",
          expiresAt: values.endOfDay("until"),
        })
      }
    />
  );
}

function DeclareForm({ record }: { record: (body: unknown) => Promise<void> }): ReactNode {
  return (
    <ActionForm
      label="Record a declared use"
      isFolded
      fields={[
        { name: "use", label: "Use", kind: "choice", options: DECLARED_USES },
        { name: "statement", label: "In the customer's words", kind: "text", maxLength: 2000 },
        { name: "reference", label: "Reference of the agreement", kind: "text", maxLength: 2000 },
        { name: "until", label: "Holds until", kind: "day" },
      ]}
      submit="Record the use"
      run={(values: Values) =>
        record({
          use: values.choice("use", DECLARED_USES),
          statement: values.text("statement") ?? "",
          reference: values.text("reference") ?? "",
          until: values.endOfDay("until"),
        })
      }
    />
  );
}

function Status({ of: { status, expiresAt } }: { of: Verification }): ReactNode {
  if (status !== "verified") return <Badge tone={status === "failed" ? "bad" : "quiet"}>{status}</Badge>;
  const isOver = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  return isOver ? <Badge tone="quiet">ended</Badge> : <Badge tone="good">verified</Badge>;
}

function Nothing({ text }: { text: string }): ReactNode {
  return (
    <Empty title={text}>
      <p>What people record here is an act in the log.</p>
    </Empty>
  );
}
