// One organisation: facts, standing, and the keys with which it signs its users' ids.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import {
  type EndUserKey,
  endUserKey,
  madeKey,
  type Organization,
  organization as organizationSchema,
} from "../../../src/api/contract/identities.ts";
import { send } from "../api.ts";
import { exact } from "../format.ts";
import { ActionForm } from "../parts/action-form.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Facts, Panel } from "../parts/facts.tsx";
import { KeyState } from "../parts/key-state.tsx";
import { OnceShown } from "../parts/once-shown.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { organizationQuery } from "../queries.ts";
import { useMay } from "../session.ts";
import { StandingView } from "./standing.tsx";

export function OrganizationScreen(): ReactNode {
  const { organization: name } = useParams({ from: "/organizations/$organization" });
  const query = useQuery(organizationQuery(name));
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumbs">
        <Link to="/organizations">Organizations</Link>
        <span aria-hidden="true">/</span>
        <Untrusted text={name} />
      </nav>
      <header className="title">
        <h1>
          <Untrusted text={name} />
        </h1>
      </header>
      <Loaded query={query} what="the organization">
        {(organization) => <View organization={organization} />}
      </Loaded>
    </>
  );
}

function View({ organization }: { organization: Organization }): ReactNode {
  const name = organization.organization;
  const path = `/api/organizations/${encodeURIComponent(name)}`;
  const fact = (text: string | null): ReactNode => (text === null ? null : <Untrusted text={text} />);
  return (
    <>
      <Panel title="Facts">
        <Facts
          items={[
            [
              "Accounts",
              <Link key="accounts" to="/accounts" search={{ q: name }}>
                {exact(organization.accounts)}
              </Link>,
            ],
            ["Plan", fact(organization.plan)],
            ["Country", fact(organization.country)],
            ["Mail domain", fact(organization.emailDomain)],
            ["Contact", fact(organization.contact)],
            ["Recorded", <When key="recorded" at={organization.recordedAt} />],
          ]}
        />
        <FactsForm organization={organization} path={path} />
      </Panel>
      <EndUserKeys organization={organization} path={path} />
      <StandingView standing={organization} path={path} invalidate={["organization", name]} />
    </>
  );
}

function FactsForm({ organization, path }: { organization: Organization; path: string }): ReactNode {
  const queries = useQueryClient();
  if (!useMay("admin")) return null;
  const names = ["plan", "country", "emailDomain", "contact"] as const;
  const label = { plan: "Plan", country: "Country", emailDomain: "Mail domain", contact: "Whom to reach" };
  return (
    <ActionForm
      // Made again when the facts change: fields start from what holds.
      key={organization.updatedAt}
      label="Change the facts"
      isFolded
      fields={names.map((name) => {
        const initial = organization[name];
        return { name, label: label[name], kind: "text", ...(initial === null ? {} : { initial }) };
      })}
      submit="Record the facts"
      run={async (values) => {
        const facts = Object.fromEntries(names.map((name) => [name, values.text(name) ?? null]));
        const changed = await send(organizationSchema, "PUT", path, facts);
        queries.setQueryData(organizationQuery(organization.organization).queryKey, changed);
      }}
    />
  );
}

function EndUserKeys({ organization, path }: { organization: Organization; path: string }): ReactNode {
  const queries = useQueryClient();
  const mayChange = useMay("admin");
  const [made, setMade] = useState<{ id: string; secret: string } | null>(null);
  const again = (): Promise<void> =>
    queries.invalidateQueries({ queryKey: ["organization", organization.organization] });
  const revoke = async ({ id }: EndUserKey): Promise<void> => {
    await send(endUserKey, "DELETE", `/api/end-user-keys/${id}`, undefined);
    await again();
  };
  return (
    <Panel title="Keys for end users">
      <p className="muted pad">
        Sign a JSON Web Token with one of these and send it as <code>adyton-end-user</code>: each of their
        users then has limits of their own. An unsigned id is evidence only.
      </p>
      {made !== null && (
        <OnceShown title={`Secret of ${made.id}`} secret={made.secret} close={() => setMade(null)} />
      )}
      <DataTable
        label="Keys for end users"
        columns={keyColumns(mayChange ? revoke : null)}
        items={organization.endUserKeys}
        idOf={({ id }) => id}
        empty={
          <Empty title="No keys">
            <p>Without one, what they say about their users is evidence only.</p>
          </Empty>
        }
      />
      {mayChange && (
        <ActionForm
          label="Make a key for end users"
          isFolded
          fields={[
            { name: "label", label: "Label", kind: "text", maxLength: 256 },
            {
              name: "publicKey",
              label: "Ed25519 public key (PEM); empty: a shared secret",
              kind: "long",
              maxLength: 1024,
            },
            { name: "until", label: "Works until", kind: "day" },
          ]}
          submit="Make a key"
          run={async (values) => {
            const key = await send(madeKey, "POST", `${path}/end-user-keys`, {
              label: values.text("label") ?? "",
              publicKey: values.text("publicKey") ?? null,
              expiresAt: values.endOfDay("until"),
            });
            if (key.secret !== null) setMade({ id: key.id, secret: key.secret });
            await again();
          }}
        />
      )}
    </Panel>
  );
}

function keyColumns(revoke: ((key: EndUserKey) => Promise<void>) | null): readonly ColumnOf<EndUserKey>[] {
  return [
    { id: "id", title: "Key", kind: "wide", cell: ({ id }) => <span className="mono">{id}</span> },
    { id: "algorithm", title: "Algorithm", cell: ({ algorithm }) => algorithm },
    { id: "label", title: "Label", cell: ({ label }) => <Untrusted text={label} /> },
    { id: "expires", title: "Expires", cell: ({ expiresAt }) => <When at={expiresAt} /> },
    {
      id: "state",
      title: "State",
      cell: (key) => <KeyState {...key} revoke={revoke && (() => revoke(key))} />,
    },
  ];
}
