// The first file that somebody opens in a bundle: what it is, what lies where, how to check it.
import type { BundleHeader } from "./verify/documents.ts";

export function readmeText(header: BundleHeader): string {
  return `Evidence bundle of ${header.case}
exported ${header.exported} by ${header.software}

Start with data/report/report.html or report.pdf.

data/case.json            what the case is, why, under which authority
data/records/             the records: what was written down, with the salts that prove it
data/proofs/              for each record a C2SP tlog-proof that it is in the log
data/log/                 signed checkpoints of the log, how they are consistent, timestamps, the trust policy
data/custody.jsonl        who did what with the case, each entry a record in the log
data/completeness.json    what was asked of the log, what is here, what was left out and why
data/findings/            what detectors concluded (opinions), and figures counted from the records
data/findings/recompute   counts the figures again: run it with Node 22.18 or newer
data/health.json          gaps, restarts and clocks of the recording
data/timeline.jsonl       all events, for Timesketch
data/graph.jsonld         the case as a CASE/UCO graph
data/report/              the report for people, and a certificate to fill in
export/                   the record of this export in the log: it names the digest of manifest-sha256.txt

To check:   adyton verify <this zip> --policy <policy you trust>
Files only: sha256sum -c manifest-sha256.txt
`;
}
