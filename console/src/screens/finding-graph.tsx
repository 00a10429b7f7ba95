// The graph of one finding: loaded apart, so that the rest of the finding never waits for it.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { FindingGraph } from "../../../src/api/contract/finding-graph.ts";
import type { Finding } from "../../../src/api/contract/findings.ts";
import { exact } from "../format.ts";
import { CampaignGraph, FactLegend } from "../parts/campaign-graph.tsx";
import { Panel } from "../parts/facts.tsx";
import { Loaded } from "../parts/states.tsx";
import { findingGraphQuery } from "../queries.ts";

export function FindingGraphPanel({ finding }: { finding: Finding }): ReactNode {
  const query = useQuery(findingGraphQuery(finding));
  const title = finding.kind === "campaign" ? "The campaign over time" : "These accounts over time";
  return (
    <Panel title={title}>
      <Loaded query={query} what="the graph">
        {(graph) => <Drawn graph={graph} />}
      </Loaded>
    </Panel>
  );
}

function Drawn({ graph }: { graph: FindingGraph }): ReactNode {
  if (graph.lanes.length === 0)
    return (
      <p className="muted pad">
        The store has no exchange of these accounts yet. It reads the log within seconds; try again shortly.
      </p>
    );
  return (
    <>
      <FactLegend graph={graph} />
      <CampaignGraph graph={graph} />
      <Undrawn graph={graph} />
    </>
  );
}

/** Accounts that have no lane, in words: nobody may vanish from a finding. */
function Undrawn({ graph: { accounts, active, lanes } }: { graph: FindingGraph }): ReactNode {
  if (accounts === lanes.length) return null;
  const less = accounts - active;
  return (
    <p className="muted small pad">
      {active > lanes.length &&
        `The ${exact(lanes.length)} busiest of ${exact(active)} accounts are drawn; the letters are sought among these, and counted over all. `}
      {less > 0 && `${exact(less)} ${less === 1 ? "account has" : "accounts have"} no exchange in the store.`}
    </p>
  );
}
