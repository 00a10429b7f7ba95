// The last pages of the report: how a stranger checks the bundle, what that proves, and the words explained.
import type { BundleHeader } from "../verify/documents.ts";
import type { Block } from "./blocks.ts";

export function checkingBlocks(
  log: { readonly origin: string; readonly size: number; readonly key: string },
  header: BundleHeader,
): Block[] {
  return [
    { kind: "heading", text: "How to check this bundle" },
    {
      kind: "list",
      items: [
        `With the program: “adyton verify ${header.case}.zip --policy policy.txt”. It needs no network, no server and no account.`,
        "In a browser: open the file verify.html of the same software, with the network off, and choose the bundle.",
        "With other people's tools: the zip is a BagIt bag (RFC 8493), so “sha256sum -c manifest-sha256.txt” checks every file; each file in data/proofs is a C2SP tlog-proof, which other programs can check.",
      ],
    },
    {
      kind: "facts",
      rows: [
        ["Log", log.origin],
        ["Records in the log", log.size.toLocaleString("en-GB")],
        ["Key of the log", log.key],
      ],
    },
    {
      kind: "notice",
      text: "The policy names the keys that you trust. Get it on another way than this bundle (from the provider's public page, a filing, or a witness), and compare the key above with it. Without that, the check still shows that the bundle is whole and agrees with itself, but not whose log it is.",
    },
    { kind: "subheading", text: "What a successful check proves" },
    {
      kind: "list",
      items: [
        "Every record shown was in the log, at the stated place, when the log's key signed its state; none was changed since.",
        "What is shown of a record is what was written down then: not a byte can be exchanged without being seen.",
        "The later state of the log contains the earlier one: nothing was removed or rewritten in between.",
        "Every file of the bundle is the one that was exported: the log itself recorded the export with the digest of the list of files.",
      ],
    },
    { kind: "subheading", text: "What it does not prove" },
    {
      kind: "list",
      items: [
        "Which person was behind an account. The records show an authenticated account, not a human being.",
        "That the clock of the recording machine was right. Signatures of witnesses and timestamps bound the time from the outside, where the bundle has them.",
        "That a finding is right. Findings are opinions with a rate of error.",
        "That the provider wrote down every exchange. It shows that what was written down was not changed, and the log declares its own gaps.",
      ],
    },
  ];
}

const WORDS: readonly (readonly [string, string])[] = [
  [
    "Account",
    "A customer as the provider knows it, recognised by a secret key that only this customer holds.",
  ],
  ["Exchange", "One request to the model together with its answer."],
  ["Record", "What was written down of a request, of an answer, or of an act of the provider."],
  [
    "Log",
    "The list of all records. It only grows; a mathematical tree over it makes any later change visible.",
  ],
  ["Checkpoint", "A signed statement of how long the log is and what its fingerprint is at that moment."],
  ["Proof", "A short list of fingerprints that ties one record to a checkpoint."],
  [
    "Commitment",
    "A fingerprint of a text with a random addition (salt). It says nothing by itself; with text and salt it proves the text.",
  ],
  ["Witness", "Somebody independent who confirms a checkpoint only if it continues what they saw before."],
  [
    "p-value",
    "How likely a result at least this striking would be if the stated innocent explanation were true.",
  ],
  [
    "False discovery rate",
    "Of the findings that a detector raises, the share that is expected to be wrong, at most.",
  ],
  [
    "TLP",
    "Traffic Light Protocol: who may see this. RED: nobody but those it was given to. AMBER+STRICT: their organisation. AMBER: their organisation and its clients who need to know. GREEN: their community. CLEAR: anybody.",
  ],
  ["Token", "The unit in which models count text: a short piece of a word."],
];

export function wordBlocks(): Block[] {
  return [
    { kind: "heading", text: "Words used" },
    { kind: "facts", rows: WORDS },
  ];
}
