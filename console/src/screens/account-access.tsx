// What lets an account in: its keys, and whether it is suspended. Changes are an administrator's.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { z } from "zod";
import type { Account } from "../../../src/api/contract/accounts.ts";
import { madeKey } from "../../../src/api/contract/identities.ts";
import { send } from "../api.ts";
import { ActionForm } from "../parts/action-form.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { KeyState } from "../parts/key-state.tsx";
import { OnceShown } from "../parts/once-shown.tsx";
import { Empty } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { useMay } from "../session.ts";

type Key = Account["keys"][number];
const nothing = z.null();

/** Suspending refuses every key of the account within a second. */
export function StatusSwitch({ account }: { account: Account }): ReactNode {
  const queries = useQueryClient();
  const mayChange = useMay("admin");
  const status = account.status === "active" ? "suspended" : "active";
  const path = `/api/accounts/${encodeURIComponent(account.account)}`;
  const change = useMutation({
    mutationFn: () => send(nothing, "PUT", path, { status }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["account", account.account] }),
  });
  if (!mayChange) return null;
  return (
    <div className="pad">
      {change.isError && (
        <p role="alert" className="bad-text">
          {change.error.message}
        </p>
      )}
      <button type="button" className="button" disabled={change.isPending} onClick={() => change.mutate()}>
        {status === "suspended" ? "Suspend the account" : "Let it in again"}
      </button>
    </div>
  );
}

export function Keys({ account }: { account: Account }): ReactNode {
  const queries = useQueryClient();
  const mayChange = useMay("admin");
  const [made, setMade] = useState<{ id: string; secret: string } | null>(null);
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ["account", account.account] });
  const revoke = async ({ id }: Key): Promise<void> => {
    await send(nothing, "DELETE", `/api/keys/${id}`, undefined);
    await again();
  };
  return (
    <>
      {made !== null && (
        <OnceShown title={`Key ${made.id}`} secret={made.secret} close={() => setMade(null)} />
      )}
      <DataTable
        label="Keys of this account"
        columns={columns(mayChange ? revoke : null)}
        items={account.keys}
        idOf={({ id }) => id}
        empty={
          <Empty title="No keys">
            <p>
              Make one with <code>adyton keys create</code>
              {mayChange && " or below"}.
            </p>
          </Empty>
        }
      />
      {mayChange && (
        <ActionForm
          label="Make a new key"
          isFolded
          fields={[
            { name: "label", label: "Label", kind: "text", maxLength: 256 },
            { name: "until", label: "Works until", kind: "day" },
          ]}
          submit="Make a key"
          run={async (values) => {
            const path = `/api/accounts/${encodeURIComponent(account.account)}/keys`;
            const body = { label: values.text("label") ?? "", expiresAt: values.endOfDay("until") };
            const { id, secret } = await send(madeKey, "POST", path, body);
            if (secret !== null) setMade({ id, secret });
            await again();
          }}
        />
      )}
    </>
  );
}

function columns(revoke: ((key: Key) => Promise<void>) | null): readonly ColumnOf<Key>[] {
  return [
    { id: "id", title: "Key", kind: "wide", cell: ({ id }) => <span className="mono">{id}</span> },
    { id: "label", title: "Label", cell: ({ label }) => <Untrusted text={label} /> },
    { id: "created", title: "Created", cell: ({ createdAt }) => <When at={createdAt} /> },
    { id: "expires", title: "Expires", cell: ({ expiresAt }) => <When at={expiresAt} /> },
    {
      id: "state",
      title: "State",
      cell: (key) => <KeyState {...key} revoke={revoke && (() => revoke(key))} />,
    },
  ];
}
