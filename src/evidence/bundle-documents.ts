// The documents beside the records: header, custody, completeness, health, statistics, timeline, graph, report, certificate.
import { readFile } from "node:fs/promises";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Checkpoint } from "../core/checkpoint.ts";
import { caseGraph } from "./case-graph.ts";
import type { CaseScope, FindingSnapshot } from "./case-scope.ts";
import type { ExportOptions } from "./export-options.ts";
import { readmeText } from "./readme.ts";
import type { Block } from "./report/blocks.ts";
import { certificateBlocks } from "./report/certificate.ts";
import { reportBlocks } from "./report/content.ts";
import { fleetSvg } from "./report/fleet-svg.ts";
import { renderHtml } from "./report/html.ts";
import { renderPdf } from "./report/pdf.ts";
import type { Selection } from "./select-records.ts";
import type { RecordStager, Withheld } from "./stage-records.ts";
import type { Staging } from "./staging.ts";
import { custodyLine } from "./timeline.ts";
import { formatCustody } from "./verify/custody.ts";
import type { BundleHeader, Completeness } from "./verify/documents.ts";
import { PATHS } from "./verify/layout.ts";

export interface DocumentInput {
  readonly options: ExportOptions;
  readonly header: BundleHeader;
  readonly selection: Selection;
  readonly stager: RecordStager;
  readonly snapshots: readonly FindingSnapshot[];
  readonly accounts: Completeness["query"]["accounts"];
  readonly scope: CaseScope;
  readonly checkpoint: Checkpoint;
}

export async function addDocuments(staging: Staging, input: DocumentInput): Promise<void> {
  const { header, selection, stager, accounts } = input;
  const health = { v: 1, ...selection.health.figures(), software: header.software, node: process.version };
  await staging.add(PATHS.header, canonicalJson(header));
  await staging.add(PATHS.custody, formatCustody(selection.custody));
  await staging.add(PATHS.completeness, canonicalJson(completenessOf(input)));
  await staging.add(PATHS.health, canonicalJson(health));
  await staging.add(PATHS.statistics, canonicalJson(stager.statistics.result()));
  if (input.options.recordsOnly) return;
  await addScripts(staging);
  await staging.add("data/README.txt", readmeText(header));
  await staging.add("data/timeline.jsonl", timelineOf(input));
  const records = staging.files().filter(({ path }) => path.startsWith("data/records/"));
  await staging.add(
    "data/graph.jsonld",
    caseGraph({ header, custody: selection.custody, accounts, records }),
  );
  await addReport(staging, input);
}

/** The statistics' own source, so that it can be read and run: two files without any dependency. */
async function addScripts(staging: Staging): Promise<void> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  for (const name of ["recompute", "statistics"]) {
    const source = await readFile(new URL(`./verify/${name}.${extension}`, import.meta.url));
    await staging.add(`data/findings/${name}.${extension}`, source);
  }
}

/** In the order of time; records of one moment stay in the order of the log. */
function timelineOf({ stager, selection }: DocumentInput): string {
  const custody = selection.custody.map((entry) => ({ time: entry.time, line: custodyLine(entry) }));
  return [...stager.timeline, ...custody]
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .map(({ line }) => line)
    .join("");
}

function completenessOf({
  options,
  selection,
  stager,
  accounts,
  scope,
  checkpoint,
}: DocumentInput): Completeness {
  const { matching, outsidePeriod, gaps } = selection;
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const leftOut = [
    ...(outsidePeriod > 0
      ? [
          {
            what: "records of exchanges outside the period",
            why: "the export was limited to a period",
            records: outsidePeriod,
          },
        ]
      : []),
    ...withheldOf(options.withheld, stager.counts.open),
  ];
  return {
    v: 1,
    query: {
      accounts,
      exchanges: scope.exchanges,
      from: 0,
      to: checkpoint.size,
      since: iso(options.sinceMs),
      until: iso(options.untilMs),
    },
    counts: stager.counts,
    matching,
    leftOut,
    gaps,
    statement:
      `All ${checkpoint.size.toLocaleString("en-GB")} records of the log were looked at, by their public part. Every request, answer and interruption of the ` +
      "case's accounts and single exchanges in the period is in this bundle, and so is every entry of the case. Records of " +
      "other customers are not in it; of them the proofs hold nothing but hashes. Whoever can read the log's public " +
      "part can count the records under the pseudonyms above again.",
  };
}

/** Withheld fields are no missing records: they are listed with their reason and count none. */
function withheldOf(withheld: Withheld, exchanges: number): Completeness["leftOut"] {
  return exchanges === 0
    ? []
    : [...withheld].map(([field, why]) => ({
        what: `the field “${field}” of each exchange`,
        why,
        records: 0,
      }));
}

async function addReport(staging: Staging, input: DocumentInput): Promise<void> {
  const { header, selection, stager, snapshots, checkpoint, options, accounts } = input;
  const fleet = stager.fleet.picture();
  const names = new Map([
    ...accounts.map(({ account, pseudonym }) => [pseudonym, account] as const),
    ...stager.names,
  ]);
  const blocks: Block[] = reportBlocks({
    header,
    custody: selection.custody,
    findings: snapshots,
    statistics: stager.statistics.result(),
    completeness: completenessOf(input),
    health: selection.health.figures(),
    fleet,
    chronicle: stager.chronicle,
    examples: stager.examples,
    erasures: stager.erasures,
    imported: stager.imported,
    unknownOrigin: stager.unknownOrigin,
    log: { origin: checkpoint.origin, size: checkpoint.size, key: options.key },
    names,
  });
  const title = `Evidence report: ${header.title}`;
  await staging.add("data/report/report.html", renderHtml(title, blocks));
  await staging.add(
    "data/report/report.pdf",
    await renderPdf(title, blocks, { atMs: Date.parse(header.exported) }),
  );
  await staging.add("data/report/fleet.svg", fleetSvg(fleet));
  const { open, close, interrupted, act } = stager.counts;
  const records = open + close + interrupted + act;
  const figures = { records, origin: checkpoint.origin, imported: stager.imported };
  await staging.add(
    "data/report/certificate.html",
    renderHtml("Certificate of authenticity", certificateBlocks(header, figures)),
  );
}
