// Who may use the console, and as what: for administrators.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { madeLink, type User, type UserPatch, user as userSchema } from "../../../src/api/contract/people.ts";
import { ROLES } from "../../../src/api/contract/session.ts";
import { send } from "../api.ts";
import { ActionForm } from "../parts/action-form.tsx";
import { Badge } from "../parts/badge.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Panel } from "../parts/facts.tsx";
import { OnceShown } from "../parts/once-shown.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { sessionQuery, usersQuery } from "../queries.ts";

export function PeopleScreen(): ReactNode {
  const query = useQuery(usersQuery);
  const { data: session } = useQuery(sessionQuery);
  const queries = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const [link, setLink] = useState<{ name: string; url: string } | null>(null);
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: usersQuery.queryKey });
  const change = async (name: string, patch: UserPatch): Promise<void> => {
    setProblem(null);
    await send(userSchema, "PATCH", `/api/users/${encodeURIComponent(name)}`, patch).catch((error: Error) =>
      setProblem(error.message),
    );
    await again();
  };
  return (
    <>
      <header className="title">
        <h1>People</h1>
        <p className="muted">
          A viewer looks, an analyst decides on findings and reads content, an approver decides on measures,
          an administrator on people, keys and settings.
        </p>
      </header>
      {problem !== null && (
        <p role="alert" className="notice bad">
          {problem}
        </p>
      )}
      {link !== null && (
        <OnceShown title={`One-time link for ${link.name}`} secret={link.url} close={() => setLink(null)} />
      )}
      <Loaded query={query} what="the people">
        {(users) => (
          <DataTable
            label="People"
            columns={columns(session?.user.name ?? "", change)}
            items={users}
            idOf={({ name }) => name}
            empty={
              <Empty title="No people">
                <p>
                  <code>adyton sign-in</code> makes the first.
                </p>
              </Empty>
            }
          />
        )}
      </Loaded>
      <Panel title="Let somebody in">
        <ActionForm
          label="Let somebody in"
          fields={[
            { name: "name", label: "Name", kind: "text", required: true, maxLength: 255 },
            { name: "role", label: "Role", kind: "choice", options: ROLES },
          ]}
          submit="Make a one-time link"
          run={async (values) => {
            const name = values.text("name") ?? "";
            const { token } = await send(madeLink, "POST", "/api/users", {
              name,
              role: values.choice("role", ROLES),
            });
            setLink({ name, url: `${location.origin}/sign-in#token=${token}` });
            await again();
          }}
        />
      </Panel>
    </>
  );
}

function columns(
  self: string,
  change: (name: string, patch: UserPatch) => Promise<void>,
): readonly ColumnOf<User>[] {
  return [
    {
      id: "name",
      title: "User",
      kind: "wide",
      cell: ({ name }) => (
        <span className="strong">
          <Untrusted text={name} />
        </span>
      ),
    },
    {
      id: "role",
      title: "Role",
      cell: ({ name, role }) =>
        name === self ? (
          <>{role} (you)</>
        ) : (
          <select
            aria-label={`Role of ${name}`}
            value={role}
            onChange={(event) => {
              const chosen = ROLES.find((each) => each === event.target.value);
              if (chosen !== undefined) void change(name, { role: chosen });
            }}
          >
            {ROLES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        ),
    },
    { id: "since", title: "Since", cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      id: "state",
      title: "State",
      cell: ({ name, disabledAt }) =>
        disabledAt !== null ? (
          <Badge tone="quiet">shut out</Badge>
        ) : name === self ? (
          <Badge tone="good">active</Badge>
        ) : (
          <button
            type="button"
            className="button quiet"
            onClick={() => void change(name, { disabled: true })}
          >
            Shut out {name}
          </button>
        ),
    },
  ];
}
