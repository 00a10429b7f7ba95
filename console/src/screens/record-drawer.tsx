// One record of the log: its public leaf, and the proof that it is in the tree that the checkpoint signs.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { LedgerProof } from "../../../src/api/contract/ledger.ts";
import { exact } from "../format.ts";
import { Drawer } from "../parts/drawer.tsx";
import { Facts, Panel } from "../parts/facts.tsx";
import { Loaded } from "../parts/states.tsx";
import { UntrustedBlock } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { recordQuery } from "../queries.ts";

export function RecordDrawer({ index, close }: { index: number; close: () => void }): ReactNode {
  const query = useQuery(recordQuery(index));
  return (
    <Drawer title={`Record ${exact(index)}`} close={close}>
      <Loaded query={query} what="the record">
        {(proof) => <RecordView proof={proof} />}
      </Loaded>
    </Drawer>
  );
}

function RecordView({ proof: { record, leaf, leafHash, proof, erased } }: { proof: LedgerProof }): ReactNode {
  return (
    <>
      <Facts
        items={[
          ["Kind", record.act === null ? record.kind : `${record.kind}: ${record.act}`],
          ["Time", <When key="time" at={record.time} />],
          ["Written by", `${record.writer}, number ${exact(record.sequence)}`],
          ...(record.exchange === null ? [] : [["Exchange", record.exchange] as const]),
          ["Pseudonym", record.account ?? "none: the installation itself"],
          ["Content", erased ? "erased: its key is destroyed" : "encrypted in the data folder"],
          [
            "Leaf hash",
            <span key="hash" className="mono">
              {leafHash}
            </span>,
          ],
        ]}
      />
      {record.detail !== null && (
        <Panel title="Detail of the act">
          <UntrustedBlock text={pretty(record.detail)} label="Detail of the act" />
        </Panel>
      )}
      <Panel title="Leaf" aside={<Copy text={leaf} what="the leaf" />}>
        <UntrustedBlock text={pretty(leaf)} label="Leaf" />
      </Panel>
      <Panel title="Inclusion proof" aside={<Copy text={proof} what="the proof" />}>
        <UntrustedBlock text={proof} label="Inclusion proof" />
      </Panel>
      <p className="muted small">
        The proof is a C2SP <code>tlog-proof</code>: anyone who holds the log&rsquo;s public key can check it
        offline.
      </p>
    </>
  );
}

function Copy({ text, what }: { text: string; what: string }): ReactNode {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      className="button quiet"
      aria-label={`Copy ${what}`}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}
    >
      {done ? "Copied" : "Copy"}
    </button>
  );
}

/** Indented where it is JSON. Only for reading: the copy button gives the exact bytes. */
function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
