// The report's account of itself: the chain of custody, what is complete and what was left out, clocks and failures.
import { visible } from "../visible-text.ts";
import type { Block } from "./blocks.ts";
import { grouped, minute } from "./figures.ts";
import type { ReportInput } from "./input.ts";

export function custodyBlocks({ custody: entries }: ReportInput): Block[] {
  return [
    { kind: "heading", text: "Chain of custody" },
    {
      kind: "text",
      text: "Who did what with this case, when, with which tool and under which authority. Each entry is itself a record in the log and is proved like the others. The export of this bundle is the entry after the last one; it is in the folder “export”.",
    },
    {
      kind: "table",
      columns: [
        { title: "No.", width: 1.2, right: true },
        { title: "When (UTC)", width: 4.2 },
        { title: "Who", width: 2.6 },
        { title: "What", width: 3 },
        { title: "On what", width: 5.9 },
        { title: "Result", width: 4.4 },
      ],
      rows: entries.map((entry) => [
        String(entry.number),
        entry.time.slice(0, 19).replace("T", " "),
        visible(entry.by, 60),
        entry.what,
        visible(entry.on, 100),
        visible(entry.result, 160),
      ]),
    },
    { kind: "list", items: means(entries) },
  ];
}

/** With which tool and under which authority: nearly always the same for all, so said once. */
function means(entries: ReportInput["custody"]): string[] {
  const together = new Map<string, number[]>();
  for (const { tool, authority, number } of entries) {
    const key = `with ${visible(tool, 80)}, under the authority: ${visible(authority, 500)}`;
    together.set(key, [...(together.get(key) ?? []), number]);
  }
  return [...together].map(([how, numbers]) => {
    if (numbers.length === entries.length) return `All entries were made ${how}`;
    return `${numbers.length === 1 ? "Entry" : "Entries"} ${numbers.join(", ")}: ${how}`;
  });
}

/** The content is gone, but not that it was there: who looks for it finds when it went and why. */
function erasureBlocks({ erasures, names }: ReportInput): Block[] {
  if (erasures.length === 0) return [];
  const items = erasures.map(({ index, time, cause, legalBasis, account, records }) => {
    const of = account === null ? "" : ` of account ${visible(names.get(account) ?? account, 60)}`;
    const why = cause === "request" ? "on request" : "because it had reached the age that the provider keeps";
    return `The content of ${grouped(records)} records${of} was erased on ${minute(time)}, ${why}. Legal basis: ${visible(legalBasis, 500)}. Record ${index} of the log says so. The records stay in the log, and that they were there stays proved.`;
  });
  return [
    { kind: "subheading", text: "What was erased, when and why" },
    { kind: "list", items },
  ];
}

export function completenessBlocks(input: ReportInput): Block[] {
  const { completeness: stated } = input;
  const { counts, query, leftOut } = stated;
  return [
    { kind: "heading", text: "Completeness" },
    { kind: "text", text: stated.statement },
    {
      kind: "facts",
      rows: [
        ["Records looked at", `${grouped(query.from)} to ${grouped(query.to)} of the log, all of them`],
        ["Period asked for", `${query.since ?? "from the beginning"} to ${query.until ?? "the export"}`],
        ["Requests / answers in the bundle", `${grouped(counts.open)} / ${grouped(counts.close)}`],
        ["Cut off before an answer", grouped(counts.interrupted)],
        ["Acts about accounts and case", grouped(counts.act)],
        ["Fields shown / withheld", `${grouped(counts.fieldsOpened)} / ${grouped(counts.fieldsWithheld)}`],
        ["Records whose content was erased", grouped(counts.erased)],
        ["Gaps that the log declares", grouped(stated.gaps.length)],
      ],
    },
    ...(leftOut.length === 0
      ? [{ kind: "text", text: "Nothing that the query gave was left out." } as const]
      : [
          {
            kind: "list",
            items: leftOut.map(
              (one) => `Left out: ${one.what} (${grouped(one.records)}). Reason: ${one.why}`,
            ),
          } as const,
        ]),
    ...erasureBlocks(input),
  ];
}

export function healthBlocks({ health: figure }: ReportInput): Block[] {
  const { clock } = figure;
  return [
    { kind: "heading", text: "Clocks and health of the recording" },
    {
      kind: "facts",
      rows: [
        ["Source of time", `${clock.source}, in UTC, to the millisecond`],
        [
          "Clock read less than before",
          `${grouped(clock.backwardSteps)} times${clock.backwardSteps > 0 ? `, by at most ${grouped(clock.largestBackwardMs)} ms` : ""}`,
        ],
        ["Restarts of recording processes", grouped(figure.restarts)],
        ["Exchanges cut off by a restart", grouped(figure.exchangesInterrupted)],
        [
          "Records refused by the disk",
          `${grouped(figure.recordsRefused)} (their requests were refused too)`,
        ],
        ["Records lost", grouped(figure.recordsLost)],
      ],
    },
  ];
}
