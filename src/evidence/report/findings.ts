// The detectors' findings in the report: opinions, each with its method, its rate of error and where it may be wrong.
import type { FindingSnapshot } from "../case-scope.ts";
import { visible } from "../visible-text.ts";
import type { Block } from "./blocks.ts";
import { figure, grouped, minuteOf, readable } from "./figures.ts";

const KINDS: Readonly<Record<string, string>> = {
  account: "about one account",
  campaign: "about several accounts acting as one",
  probe: "about a telling act",
};

export function findingBlocks(findings: readonly FindingSnapshot[]): Block[] {
  if (findings.length === 0) return [];
  return [
    { kind: "heading", text: "Opinions: what detectors concluded" },
    {
      kind: "text",
      text: "A detector is a program that compares traffic with what honest customers do. Its conclusion can be wrong, and the text says how often it is expected to be. None of these conclusions is needed to read the facts above.",
    },
    ...findings.flatMap(oneFinding),
  ];
}

/** A p-value and what it means. Beyond one in a million the model behind it is no longer trusted to say how much less. */
function chance(value: number): string {
  const number = value === 0 ? "too small to compute" : figure(value);
  const times =
    value < 1e-6
      ? "less than once in a million times"
      : `about once in ${grouped(Math.max(1, Math.round(1 / value)))} times`;
  return `${number}: if the innocent explanation named below were true, a result at least this striking would come up ${times}`;
}

function oneFinding({ finding, opinion }: FindingSnapshot): Block[] {
  const rows: [string, string][] = [
    ["Finding", `${finding.id}, ${KINDS[finding.kind] ?? finding.kind}`],
    ["First raised", minuteOf(finding.firstMs ?? finding.timeMs)],
    ...(finding.firstMs === undefined || finding.firstMs === finding.timeMs
      ? []
      : [["Accounts last changed", minuteOf(finding.timeMs)] as [string, string]]),
    ["Accounts named", grouped(finding.accounts.length)],
  ];
  if (finding.pValue != null) rows.push(["p-value", chance(finding.pValue)]);
  if (finding.eValue != null) rows.push(["Weight of evidence (e-value)", figure(finding.eValue)]);
  rows.push(["Rate of error", readable(visible(finding.errorRate, 1000))]);
  rows.push([
    "Method",
    `detector ${opinion.detector}, version ${opinion.version ?? "unknown"}, ${opinion.maturity ?? "maturity unknown"}`,
  ]);
  rows.push(["Definition (SHA-256)", opinion.configuration ?? "unknown"]);
  if (opinion.calibration !== null) rows.push(["Innocent explanation", visible(opinion.calibration, 1500)]);
  const blocks: Block[] = [
    { kind: "subheading", text: readable(visible(finding.summary, 400)) },
    { kind: "facts", rows },
  ];
  if (finding.contributions.length > 0)
    blocks.push({
      kind: "table",
      columns: [
        { title: "For specialists: what went into it", width: 4 },
        { title: "Figures, rounded", width: 8 },
      ],
      rows: finding.contributions.map(({ name, value }) => [
        visible(name, 200),
        readable(visible(value, 600)),
      ]),
    });
  if (opinion.assumptions.length > 0)
    blocks.push(
      { kind: "text", text: "It holds only if:" },
      { kind: "list", items: [...opinion.assumptions] },
    );
  if (opinion.falsePositives.length > 0)
    blocks.push(
      { kind: "text", text: "Honest customers who could look like this:" },
      { kind: "list", items: [...opinion.falsePositives] },
    );
  return blocks;
}
