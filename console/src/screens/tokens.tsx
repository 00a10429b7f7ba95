// Tokens of machines: made with scopes and an end, shown once, ended here: for administrators.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import {
  madeToken,
  TOKEN_DAYS_MAX,
  type Token,
  token as tokenSchema,
} from "../../../src/api/contract/people.ts";
import { send } from "../api.ts";
import { ActionForm } from "../parts/action-form.tsx";
import { Badge } from "../parts/badge.tsx";
import type { ColumnOf } from "../parts/data-table.tsx";
import { Panel } from "../parts/facts.tsx";
import { OnceShown } from "../parts/once-shown.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { tokensQuery } from "../queries.ts";

export function TokensScreen(): ReactNode {
  const search = useSearch({ from: "/tokens" });
  const navigate = useNavigate({ from: "/tokens" });
  const query = useQuery(tokensQuery(search));
  const queries = useQueryClient();
  const [made, setMade] = useState<{ label: string; secret: string } | null>(null);
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ["tokens"] });
  const revoke = async ({ id }: Token): Promise<void> => {
    await send(tokenSchema, "DELETE", `/api/tokens/${id}`, undefined);
    await again();
  };
  return (
    <>
      <header className="title">
        <h1>Tokens</h1>
        <p className="muted">
          For machines that use this API. Each may do what its scopes say, and nothing that needs a person.
        </p>
      </header>
      {made !== null && (
        <OnceShown title={`Token for ${made.label}`} secret={made.secret} close={() => setMade(null)} />
      )}
      <PagedTable
        label="Tokens"
        what="the tokens"
        query={query}
        columns={columns(revoke)}
        idOf={({ id }) => id}
        none={{ title: "No tokens", hint: <p>Make one below for Prometheus or a ticketing system.</p> }}
        go={(page) => void navigate({ search: { page } })}
      />
      <Panel title="Make a token">
        <ActionForm
          label="Make a token"
          fields={[
            { name: "label", label: "What it is for", kind: "text", required: true, maxLength: 256 },
            {
              name: "days",
              label: "Works for this many days",
              kind: "number",
              initial: 90,
              min: 1,
              max: TOKEN_DAYS_MAX,
              required: true,
            },
            { name: "scopes", label: "Scopes", kind: "choices", options: query.data?.scopes ?? [] },
          ]}
          submit="Make the token"
          run={async (values) => {
            const { secret, token } = await send(madeToken, "POST", "/api/tokens", {
              label: values.text("label") ?? "",
              days: Number(values.text("days")),
              scopes: values.all("scopes"),
            });
            setMade({ label: token.label, secret });
            await again();
          }}
        />
      </Panel>
    </>
  );
}

function columns(revoke: (token: Token) => Promise<void>): readonly ColumnOf<Token>[] {
  return [
    {
      id: "label",
      title: "Token",
      kind: "wide",
      cell: ({ id, label }) => (
        <span className="stack">
          <span className="strong">
            <Untrusted text={label} />
          </span>
          <span className="muted small mono">{id}</span>
        </span>
      ),
    },
    {
      id: "scopes",
      title: "Scopes",
      cell: ({ scopes }) => <span className="small">{scopes.join(" ")}</span>,
    },
    { id: "creator", title: "Made by", cell: ({ creator }) => <Untrusted text={creator} /> },
    { id: "used", title: "Last used", cell: ({ usedAt }) => <When at={usedAt} /> },
    { id: "expires", title: "Ends", cell: ({ expiresAt }) => <When at={expiresAt} /> },
    {
      id: "state",
      title: "State",
      cell: (token) =>
        token.revokedAt !== null || Date.parse(token.expiresAt) <= Date.now() ? (
          <Badge tone="quiet">{token.revokedAt === null ? "ended" : "revoked"}</Badge>
        ) : (
          <button type="button" className="button quiet" onClick={() => void revoke(token)}>
            Revoke {token.label}
          </button>
        ),
    },
  ];
}
