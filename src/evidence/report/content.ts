// What the report says, in words that a judge can read: facts first, then opinions, each marked as what it is.
import { visible } from "../visible-text.ts";
import type { Block } from "./blocks.ts";
import { chronologyBlocks, spanOf } from "./chronology.ts";
import { figureBlocks, fleetBlocks } from "./facts.ts";
import { grouped, minute, readable } from "./figures.ts";
import { findingBlocks } from "./findings.ts";
import { checkingBlocks, wordBlocks } from "./how-to-check.ts";
import type { ReportInput } from "./input.ts";
import { completenessBlocks, custodyBlocks, healthBlocks } from "./provenance.ts";

const CONCLUSIONS_SHOWN = 3;

export function reportBlocks(input: ReportInput): Block[] {
  return [
    ...opening(input),
    ...inShort(input),
    ...chronologyBlocks(input),
    ...figureBlocks(input),
    ...fleetBlocks(input),
    ...examples(input),
    ...findingBlocks(input.findings),
    ...words(input),
    ...custodyBlocks(input),
    ...completenessBlocks(input),
    ...healthBlocks(input),
    ...checkingBlocks(input.log, input.header),
    ...wordBlocks(),
  ];
}

function opening({ header }: ReportInput): Block[] {
  return [
    {
      kind: "title",
      text: visible(header.title, 200),
      below: `Evidence report of case ${header.case}, made ${minute(header.exported)}`,
    },
    {
      kind: "facts",
      rows: [
        ["Purpose", visible(header.purpose, 2000)],
        ["Authority", visible(header.authority, 500)],
        ["Custodian", visible(header.custodian)],
        ["Jurisdiction", visible(header.jurisdiction)],
        ["Marking", `TLP:${header.tlp}`],
        ["Made with", header.software],
      ],
    },
    {
      kind: "notice",
      text: "This report is a reading aid. The evidence is the records in the folder “data/records” and the proofs beside them. Whoever receives the bundle can check both without us; the last pages say how.",
    },
  ];
}

function inShort(input: ReportInput): Block[] {
  const { pooled } = input.statistics;
  const span = spanOf(input.statistics);
  const when = span === null ? "" : ` between ${minute(span.first)} and ${minute(span.last)}`;
  const text = `${grouped(pooled.accounts)} ${pooled.accounts === 1 ? "customer account" : "customer accounts"} sent ${grouped(pooled.exchanges)} requests to the model${when}. The model's answers amount to ${grouped(pooled.answerTokens)} tokens, as its server counted them (a token is a short piece of text, about three quarters of an English word).`;
  const shared =
    pooled.accounts < 2
      ? []
      : [
          {
            kind: "text",
            text: `They sent ${grouped(pooled.distinctInputs)} different inputs. ${grouped(pooled.sharedInputs)} of these came from more than one account.`,
          } as const,
        ];
  return [
    { kind: "heading", text: "In short" },
    { kind: "text", text },
    ...shared,
    ...conclusions(input),
    {
      kind: "text",
      text: "Facts in this report are what was recorded: each request and each answer, byte for byte. Opinions are what a program or a person concludes from them. The two are kept apart throughout.",
    },
    originOf(input),
  ];
}

/** What the program says, in its own words and marked as its opinion. */
function conclusions({ findings }: ReportInput): Block[] {
  if (findings.length === 0) return [{ kind: "text", text: "No automatic finding is part of this case." }];
  const isOne = findings.length === 1;
  const count = isOne ? "One opinion" : `${findings.length} opinions`;
  const said = findings
    .slice(0, CONCLUSIONS_SHOWN)
    .map(({ finding }) => `“${readable(visible(finding.summary, 400)).replace(/\.$/, "")}”`);
  const more = findings.length > said.length ? ` and ${findings.length - said.length} more` : "";
  return [
    {
      kind: "text",
      text: `${count} of a computer program: ${said.join("; ")}${more}. ${isOne ? "It is" : "They are"} given after the facts, with a stated rate of error.`,
    },
  ];
}

/** When it was written down decides what the log proves about it. */
function originOf({ imported, unknownOrigin, statistics }: ReportInput): Block {
  const { exchanges } = statistics.pooled;
  const untold =
    unknownOrigin === 0
      ? ""
      : ` Of ${grouped(unknownOrigin)} exchanges it can't be told whether this holds: what would say so is erased or withheld.`;
  if (imported === 0)
    return {
      kind: "text",
      text: `Each was written down while it happened: the request before the model was asked, the answer before its last part was delivered.${untold}`,
    };
  const which = imported >= exchanges ? "All of these exchanges" : `${grouped(imported)} of these exchanges`;
  return {
    kind: "notice",
    text: `${which} were taken over from another system's records, and not written down by this software while they happened. Their times are those that the other system stated. The log proves that they were not changed since they were taken over.${untold}`,
  };
}

function examples({ examples: all }: ReportInput): Block[] {
  const list = all.filter(({ input, answer }) => input !== null || answer !== null);
  if (list.length === 0) return [];
  return [
    { kind: "heading", text: "Facts: examples of what was asked" },
    {
      kind: "text",
      text: "The first request of some of the accounts, shortened. The records hold every request and answer in full.",
    },
    ...list.map(
      (one): Block => ({
        kind: "quote",
        text: `${one.input === null ? "(not shown)" : visible(one.input, 420)}${one.answer === null ? "" : `\n→ ${visible(one.answer, 240)}`}`,
        from: `Record ${one.index}, ${visible(one.account, 60)}, ${minute(one.time)}`,
      }),
    ),
  ];
}

/** Notes, hypotheses and decisions: people's opinions, in their own words. */
function words({ custody: entries }: ReportInput): Block[] {
  const kinds = new Map([
    ["note", "Note"],
    ["hypothesis", "Hypothesis"],
    ["decision", "Decision"],
  ]);
  const written = entries.filter((entry) => kinds.has(entry.what) && entry.text !== undefined);
  if (written.length === 0) return [];
  return [
    { kind: "heading", text: "Opinions: what people noted" },
    ...written.map(
      (entry): Block => ({
        kind: "quote",
        text: visible(entry.text ?? "", 4000),
        from: `${kinds.get(entry.what)} by ${visible(entry.by, 80)}, ${minute(entry.time)}, entry ${entry.number} of the chain of custody`,
      }),
    ),
  ];
}
