// A campaign's graph over time: its accounts as lanes, what links them as lettered dots, and when it was found.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type {
  FindingGraph,
  GraphFact,
  GraphFactKind,
  GraphLane,
} from "../../../src/api/contract/finding-graph.ts";
import { bucketName, exact, tickName, utc } from "../format.ts";
import { type TimeAxis, timeAxis } from "./time-axis.ts";
import { Untrusted } from "./untrusted.tsx";

const LETTERS = "ABCDEFGH";
/** Height of a lane's drawing, in its own units, and of the least mark in it. */
const LANE = 20;
const TALLEST = 17;
const SMALLEST = 4;
/** A flag's text is written on the side where there is room. */
const MIDDLE = 0.5;
const FLAG_GAP_PX = 5;

const KIND_NAMES: Readonly<Record<GraphFactKind, string>> = {
  payment: "means of payment",
  organization: "organisation",
  domain: "mail domain",
  network: "network",
  client: "client program",
  system: "system prompt",
  wording: "wording",
};

/** A graph with at least one lane. The table says in words and letters all that it shows in colour. */
export function CampaignGraph({ graph }: { graph: FindingGraph }): ReactNode {
  const axis = useMemo(() => timeAxis(graph), [graph]);
  const most = Math.max(...graph.lanes.flatMap(({ marks }) => marks.map(([, exchanges]) => exchanges)));
  return (
    <>
      <div className="lanes-frame">
        <table className="lanes" aria-label="The accounts over time">
          <thead>
            <tr>
              <th scope="col" className="account">
                Account
              </th>
              {graph.facts.map((fact, index) => (
                <th
                  key={`${fact.kind} ${fact.hash}`}
                  scope="col"
                  className="fact-column"
                  aria-label={`${LETTERS[index]}: ${KIND_NAMES[fact.kind]}`}
                >
                  {LETTERS[index]}
                </th>
              ))}
              <th scope="col" className="time" aria-label={`Exchanges over time; raised ${stamp(graph)}`}>
                <RaisedFlag graph={graph} axis={axis} />
              </th>
            </tr>
          </thead>
          <tbody>
            {graph.lanes.map((lane, index) => (
              <Lane key={lane.account} {...{ lane, index, graph, axis, most }} />
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td colSpan={1 + graph.facts.length} className="muted">
                UTC
              </td>
              <td className="time">
                <Ticks axis={axis} />
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      <p className="muted small pad">
        Each mark: an account's exchanges per {bucketName(graph.bucketSeconds)}, {exact(most)} at most; its
        height grows with the square root. {shareBefore(graph, axis)}
      </p>
    </>
  );
}

interface LaneProps {
  readonly lane: GraphLane;
  readonly index: number;
  readonly graph: FindingGraph;
  readonly axis: TimeAxis;
  readonly most: number;
}

function Lane({ lane, index, graph, axis, most }: LaneProps): ReactNode {
  const { account, exchanges, firstAt, lastAt } = lane;
  return (
    <tr>
      <th scope="row" className="account">
        <Link to="/accounts/$account" params={{ account }}>
          <Untrusted text={account} />
        </Link>
      </th>
      {graph.facts.map((fact, at) => (
        <td key={`${fact.kind} ${fact.hash}`} className="fact-column">
          {fact.lanes.includes(index) && <FactDot fact={fact} at={at} />}
        </td>
      ))}
      <td className="time">
        <svg
          viewBox={`0 0 ${axis.width} ${LANE}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${exact(exchanges)} exchanges from ${minute(firstAt)} to ${minute(lastAt)} UTC`}
        >
          <path className="life" d={lifeOf(lane)} />
          <path className="grid" d={axis.ticks.map(({ at }) => `M${at} 0V${LANE}`).join("")} />
          <path className="marks" d={marksOf(lane, most)} />
          <path className={`raised ${axis.raisedSide}`} d={`M${axis.raised} 0V${LANE}`} />
        </svg>
      </td>
    </tr>
  );
}

/** From the first bucket to the last: how long the account has been in it. */
function lifeOf({ marks }: GraphLane): string {
  const first = marks[0]?.[0] ?? 0;
  const last = marks.at(-1)?.[0] ?? 0;
  return `M${first} 0H${last + 1}V${LANE}H${first}Z`;
}

function marksOf({ marks }: GraphLane, most: number): string {
  return marks
    .map(([bucket, exchanges]) => {
      const height = Math.max(SMALLEST, TALLEST * Math.sqrt(exchanges / most));
      return `M${bucket + 0.1} ${LANE}V${(LANE - height).toFixed(1)}H${bucket + 0.9}V${LANE}Z`;
    })
    .join("");
}

function RaisedFlag({ graph, axis }: { graph: FindingGraph; axis: TimeAxis }): ReactNode {
  const { raisedSide: side, raised, width } = axis;
  const across = percent(raised / width);
  const isLeft = raised / width < MIDDLE;
  const words = {
    before: `← raised ${stamp(graph)}`,
    within: `raised ${stamp(graph)}`,
    after: `raised ${stamp(graph)} →`,
  };
  return (
    <svg className="flag" aria-hidden="true">
      {side === "within" && <line x1={across} x2={across} y1="4" y2="100%" />}
      <text x={across} y="15" dx={isLeft ? FLAG_GAP_PX : -FLAG_GAP_PX} textAnchor={isLeft ? "start" : "end"}>
        {words[side]}
      </text>
    </svg>
  );
}

function Ticks({ axis }: { axis: TimeAxis }): ReactNode {
  return (
    <svg className="ticks" aria-hidden="true">
      {axis.ticks.map(({ at, seconds }, index) => {
        const share = at / axis.width;
        const anchor = share < 0.02 ? "start" : share > 0.98 ? "end" : "middle";
        return (
          <text
            key={seconds}
            className={index % 2 === 0 ? "even" : "odd"}
            x={percent(share)}
            y="13"
            textAnchor={anchor}
          >
            {tickName(seconds)}
          </text>
        );
      })}
    </svg>
  );
}

function FactDot({ fact, at }: { fact: GraphFact; at: number }): ReactNode {
  return <span className={`fact-dot kind-${fact.kind}`}>{LETTERS[at]}</span>;
}

/** What each letter stands for, and how many accounts have it: keyed hashes, for the store has nothing else. */
export function FactLegend({ graph }: { graph: FindingGraph }): ReactNode {
  if (graph.facts.length === 0)
    return <p className="muted small pad">No fact in the store sets these accounts apart from others.</p>;
  return (
    <ul className="fact-legend" aria-label="What the letters stand for">
      {graph.facts.map((fact, at) => (
        <li key={`${fact.kind} ${fact.hash}`}>
          <FactDot fact={fact} at={at} />
          <span>
            <span className="strong">{KIND_NAMES[fact.kind]}</span> of {exact(fact.members)} of{" "}
            {exact(graph.accounts)}, {outsiders(fact)}
            <br />
            <span className="muted">
              hash <span className="mono">{fact.hash}</span>
              {fact.alike > 0 && ` and ${exact(fact.alike)} more`}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function outsiders({ others }: GraphFact): string {
  if (others === 0) return "nobody else";
  return `${exact(others)} ${others === 1 ? "other" : "others"}`;
}

/** How much of what is drawn lies before the finding, by whole buckets. */
function shareBefore({ lanes }: FindingGraph, { raised, raisedSide }: TimeAxis): string {
  if (raisedSide !== "within") return "";
  const marks = lanes.flatMap((lane) => lane.marks);
  const sum = (list: readonly (readonly [number, number])[]): number =>
    list.reduce((total, [, exchanges]) => total + exchanges, 0);
  const before = sum(marks.filter(([bucket]) => bucket + 1 <= raised));
  return `When it was raised, ${exact(before)} of the ${exact(sum(marks))} exchanges drawn had been made.`;
}

function stamp({ raisedAt }: FindingGraph): string {
  return `${minute(raisedAt)} UTC`;
}

function minute(iso: string): string {
  return utc(iso).slice(0, 16);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}
