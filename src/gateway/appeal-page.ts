// The page and the JSON on which a customer reads what happened to their account, and objects to it. Pure functions.
import { createHash } from "node:crypto";
import { instructionsOf, type RespondConfig } from "../config/respond-section.ts";
import type { Measure, ReasonCode } from "../core/measure.ts";
import { REASONS } from "../core/measure.ts";

/** What a customer may know of a measure: never who else is concerned, which signal fired, or how strongly. */
export interface AppealView {
  readonly reference: string;
  readonly measure: Measure;
  readonly reason: ReasonCode;
  readonly sinceMs: number;
  /** When it ends by itself, or when it ended. */
  readonly untilMs: number;
  /** It holds only until a person has decided. */
  readonly isInterim: boolean;
  /** False: it has ended, or the account was freed of it. */
  readonly holds: boolean;
  readonly statements: readonly {
    readonly filedMs: number;
    readonly status: "open" | "granted" | "refused";
    /** What an approver answered. */
    readonly answer: string | null;
  }[];
  readonly mayObject: boolean;
}

export interface PageOptions {
  readonly contact: string | null;
  readonly verify: RespondConfig["verify"];
  readonly maxStatement: number;
}

interface Words {
  readonly title: string;
  readonly means: string;
  readonly meant: string;
}

const WORDS: Readonly<Record<Measure, Words>> = {
  observe: {
    title: "Nothing has changed for this account",
    means: "Nothing has changed for this account.",
    meant: "Nothing had changed for this account.",
  },
  reduce: {
    title: "Answers to this account leave something out",
    means:
      "Answers come without log-probabilities, log-bias, further samples and the model's reasoning. Everything else is as before.",
    meant: "Answers came without log-probabilities, log-bias, further samples and the model's reasoning.",
  },
  slow: {
    title: "This account is served more slowly",
    means: "Fewer requests are taken in a given time; what is taken is answered as before.",
    meant: "Fewer requests were taken in a given time; what was taken was answered as ever.",
  },
  verify: {
    title: "A step is needed before this account is served again",
    means: "Requests are refused until a step is taken.",
    meant: "Requests were refused until a step was taken.",
  },
  quarantine: {
    title: "Requests of this account are refused",
    means: "Every request is refused, whatever it asks for and whichever key it uses.",
    meant: "Every request was refused, whatever it asked for and whichever key it used.",
  },
};

const STATEMENTS: Readonly<Record<AppealView["statements"][number]["status"], string>> = {
  open: "It waits to be read by a person.",
  granted: "It was granted.",
  refused: "It was not granted.",
};

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark;color:light-dark(#1c1c1c,#e8e8e8);background:light-dark(#fff,#141517)}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.2rem;margin-top:2rem}dt{font-weight:600;margin-top:.75rem}dd{margin:0;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid light-dark(#bbb,#555);padding:.5rem}label{display:block}
input{font:inherit;padding:.5rem}textarea{width:100%;box-sizing:border-box;font:inherit;padding:.5rem}
button{font:inherit;padding:.5rem 1rem;margin-top:.75rem}
.answer{border-left:3px solid light-dark(#555,#aaa);padding-left:.75rem;white-space:pre-wrap}`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** Headers of everything below `/adyton/`. The address is a secret of the customer's: it goes to nobody else. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "x-robots-tag": "noindex",
};

/** The same facts for programs. */
export function appealJson(view: AppealView, { contact, verify }: PageOptions): unknown {
  const { reference, measure, reason, holds, mayObject } = view;
  return {
    ...{ reference, measure, reason, holds },
    explanation: REASONS[reason],
    meaning: holds ? WORDS[measure].means : WORDS[measure].meant,
    since: isoTime(view.sinceMs),
    until: isoTime(view.untilMs),
    ...(measure === "verify" ? stepJson(verify) : {}),
    ...(contact === null ? {} : { contact }),
    may_object: mayObject,
    statements: view.statements.map(({ filedMs, status, answer }) => ({
      filed: isoTime(filedMs),
      status,
      answer,
    })),
  };
}

export function appealPage(view: AppealView, options: PageOptions): string {
  const { measure, reason, reference, holds } = view;
  const { title, means, meant } = WORDS[measure];
  const facts: readonly (readonly [string, string])[] = [
    holds ? ["What it means", means] : ["What it meant", meant],
    ...(measure === "verify" && holds ? stepFacts(options.verify) : []),
    ["Why", REASONS[reason]],
    ["Since", timeText(view.sinceMs)],
    [holds ? "Until" : "Ended", endText(view)],
    ["Reference", reference],
    ...(options.contact === null ? [] : ([["Contact", options.contact]] as const)),
  ];
  const list = facts.map(([name, text]) => `<dt>${escaped(name)}</dt><dd>${escaped(text)}</dd>`).join("");
  const body = `<dl>${list}</dl>${proofForm(view, options)}${statements(view)}${form(view, options)}`;
  return page(holds ? title : "This measure has ended", body);
}

function endText({ holds, untilMs, isInterim }: AppealView): string {
  const time = timeText(untilMs);
  return holds && isInterim ? `A person has decided, at the latest ${time}` : time;
}

function stepJson(verify: PageOptions["verify"]): object {
  const { step, url, proofBits } = verify;
  return {
    ...{ step, instructions: instructionsOf(verify) },
    ...(url === null ? {} : { url }),
    ...(step === "proofOfWork" ? { proof_of_work: { hash: "sha256", bits: proofBits } } : {}),
  };
}

function stepFacts(verify: PageOptions["verify"]): (readonly [string, string])[] {
  const { url } = verify;
  return [["What to do", instructionsOf(verify)], ...(url === null ? [] : ([["Where", url]] as const))];
}

/** The page runs no script: whoever has none of their own runs the command, and pastes what it prints. */
function proofForm({ measure, holds, reference }: AppealView, { verify }: PageOptions): string {
  if (measure !== "verify" || !holds || verify.step !== "proofOfWork") return "";
  const tries = (2 ** verify.proofBits).toLocaleString("en");
  const program = `import hashlib
def work(i):
    d = hashlib.sha256(f'${reference}:{i}'.encode())
    return int(d.hexdigest(), 16) >> ${256 - verify.proofBits}
i = 0
while work(i): i += 1
print(i)`;
  return `<h2>The computation</h2>
<p>Find a number for which the SHA-256 of the reference, a colon and the number begins with ${verify.proofBits} zero bits. This Python program prints one, after about ${tries} tries:</p>
<pre>${escaped(program)}</pre>
<form method="post"><label for="proof">The number</label>
<input id="proof" name="proof" maxlength="64" required autocomplete="off">
<button type="submit">Send the number</button></form>`;
}

/** For a reference that stands for nothing: the same page whatever was wrong with it. */
export function messagePage(title: string, text: string): string {
  return page(title, `<p>${escaped(text)}</p>`);
}

function statements({ statements: all }: AppealView): string {
  if (all.length === 0) return "";
  const items = all.map(({ filedMs, status, answer }) => {
    const told = answer === null ? "" : `<p class="answer">${escaped(answer)}</p>`;
    return `<li>Your statement of ${timeText(filedMs)}. ${STATEMENTS[status]}${told}</li>`;
  });
  return `<h2>What you told us</h2><ul>${items.join("")}</ul>`;
}

function form({ mayObject }: AppealView, { maxStatement }: PageOptions): string {
  if (!mayObject) return "";
  return `<h2>Is this wrong?</h2>
<p>Tell us what this account is used for. A person reads it and decides, and the answer appears on this page. At most ${maxStatement.toLocaleString("en")} characters.</p>
<form method="post"><label for="statement">Your statement</label>
<textarea id="statement" name="statement" rows="8" maxlength="${maxStatement}" required></textarea>
<button type="submit">Send</button></form>`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head><body><main><h1>${escaped(title)}</h1>${body}</main></body></html>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function timeText(ms: number): string {
  return `${isoTime(ms).slice(0, 16).replace("T", " ")} UTC`;
}
