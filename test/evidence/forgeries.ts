// What a forger may try who knows the format and fits every checksum again, and the reason that must be named.
import { base64url, utf8 } from "../../src/core/bytes.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { parseProof } from "../../src/core/proof.ts";
import { PATHS, placeOf, proofPath, recordPath } from "../../src/evidence/verify/layout.ts";
import type { BundleFault } from "../../src/evidence/verify/verdict.ts";
import type { Random } from "../helpers/random.ts";
import type { Files } from "./forger.ts";

export interface Forgery {
  /** Reads on from "a forger who …". */
  readonly name: string;
  readonly code: BundleFault;
  /** Whether it touches the payload, for which the log vouches as a whole. */
  readonly payload: boolean;
  readonly change: (files: Files, random: Random) => void;
}

type Json = Record<string, unknown>;

function textOf(files: Files, path: string): string {
  return new TextDecoder().decode(files.get(path));
}

function edit(files: Files, path: string, change: (value: Json) => void): void {
  const value = JSON.parse(textOf(files, path)) as Json;
  change(value);
  files.set(path, utf8(canonicalJson(value)));
}

function pick<T>(list: readonly T[], random: Random): T {
  const item = list[random.below(list.length)];
  if (item === undefined) throw new TypeError("expected something to choose from");
  return item;
}

function indexes(files: Files): number[] {
  return [...files.keys()].flatMap((path) => {
    const place = placeOf(path);
    return place?.kind === "record" ? [place.number] : [];
  });
}

function recordsOf(files: Files, kind: string): number[] {
  return indexes(files).filter((index) => textOf(files, recordPath(index)).includes(`"kind":"${kind}"`));
}

function custodyIndexes(files: Files): number[] {
  return indexes(files).filter((index) => textOf(files, recordPath(index)).includes('"act":"case.entry"'));
}

/** Changes one shown field of a random open record. */
function editField(files: Files, random: Random, change: (field: Json, fields: Json) => void): void {
  const index = pick(recordsOf(files, "open"), random);
  edit(files, recordPath(index), (record) => {
    const fields = record["fields"] as Json;
    change(fields["request"] as Json, fields);
  });
}

export const FORGERIES: readonly Forgery[] = [
  {
    name: "changes a word that a customer said",
    code: "field-not-committed",
    payload: true,
    change: (files, random) =>
      editField(files, random, (field) => {
        const text = String(field["text"]);
        const at = random.below(text.length);
        field["text"] = `${text.slice(0, at)}${text[at] === "x" ? "y" : "x"}${text.slice(at + 1)}`;
      }),
  },
  {
    name: "exchanges a salt",
    code: "field-not-committed",
    payload: true,
    change: (files, random) =>
      editField(files, random, (field) => {
        field["salt"] = base64url(Buffer.alloc(32, random.below(256)));
      }),
  },
  {
    name: "drops a field",
    code: "field-missing",
    payload: true,
    change: (files, random) => editField(files, random, (_, fields) => delete fields["network"]),
  },
  {
    name: "withholds a field in silence",
    code: "completeness-differs",
    payload: true,
    change: (files, random) =>
      editField(files, random, (_, fields) => {
        fields["network"] = { withheld: "because" };
      }),
  },
  {
    name: "calls a record erased",
    code: "erasure-not-recorded",
    payload: true,
    change: (files, random) =>
      edit(files, recordPath(pick(recordsOf(files, "close"), random)), (record) => {
        delete record["fields"];
        record["erased"] = pick(custodyIndexes(files), random);
      }),
  },
  {
    name: "moves a leaf in time",
    code: "proof-other-leaf",
    payload: true,
    change: (files, random) =>
      edit(files, recordPath(pick(recordsOf(files, "open"), random)), (record) => {
        (record["leaf"] as Json)["time"] = "2020-01-01T00:00:00.000Z";
      }),
  },
  {
    name: "moves a leaf in time, in the proof too",
    code: "not-included",
    payload: true,
    change: (files, random) => {
      const index = pick(recordsOf(files, "open"), random);
      edit(files, recordPath(index), (record) => {
        (record["leaf"] as Json)["time"] = "2020-01-01T00:00:00.000Z";
      });
      const { leaf } = JSON.parse(textOf(files, recordPath(index))) as { leaf: Json };
      const proof = textOf(files, proofPath(index));
      const extra = Buffer.from(canonicalJson(leaf)).toString("base64");
      files.set(proofPath(index), utf8(proof.replace(/^extra .*$/m, `extra ${extra}`)));
    },
  },
  {
    name: "removes a record with its proof",
    code: "completeness-differs",
    payload: true,
    change: (files, random) => {
      const index = pick([...recordsOf(files, "open"), ...recordsOf(files, "close")], random);
      files.delete(recordPath(index));
      files.delete(proofPath(index));
    },
  },
  {
    name: "removes a proof",
    code: "record-unpaired",
    payload: true,
    change: (files, random) => files.delete(proofPath(pick(indexes(files), random))),
  },
  {
    name: "shows a record a second time at another place",
    code: "record-misplaced",
    payload: true,
    change: (files, random) => {
      const index = pick(indexes(files), random);
      const other = Math.max(...indexes(files)) + 1 + random.below(50);
      files.set(recordPath(other), files.get(recordPath(index)) ?? new Uint8Array());
      files.set(proofPath(other), files.get(proofPath(index)) ?? new Uint8Array());
    },
  },
  {
    name: "swaps two records",
    code: "record-misplaced",
    payload: true,
    change: (files, random) => {
      const list = recordsOf(files, "open");
      const [a, b] = [list[0] ?? 0, list[1 + random.below(list.length - 1)] ?? 1];
      const [one, two] = [files.get(recordPath(a)), files.get(recordPath(b))];
      files.set(recordPath(a), two ?? new Uint8Array());
      files.set(recordPath(b), one ?? new Uint8Array());
    },
  },
  {
    name: "changes a hash of a proof",
    code: "not-included",
    payload: true,
    change: (files, random) => {
      const path = proofPath(pick(indexes(files), random));
      const proof = parseProof(textOf(files, path));
      const hash = pick(proof?.hashes ?? [], random);
      const other = Buffer.from(hash);
      other[0] = (other[0] ?? 0) ^ 1;
      const [from, to] = [Buffer.from(hash).toString("base64"), other.toString("base64")];
      files.set(path, utf8(textOf(files, path).replace(from, to)));
    },
  },
  {
    name: "puts an older checkpoint in the newest one's place",
    code: "proof-other-checkpoint",
    payload: true,
    change: (files) => files.set(PATHS.lastCheckpoint, files.get(PATHS.firstCheckpoint) ?? new Uint8Array()),
  },
  {
    name: "takes another first checkpoint",
    code: "checkpoint-refused",
    payload: false,
    change: (files, random) => {
      const text = textOf(files, PATHS.firstCheckpoint);
      const size = text.split("\n")[1] ?? "";
      files.set(PATHS.firstCheckpoint, utf8(text.replace(size, String(1 + random.below(9)))));
    },
  },
  {
    name: "says that nothing lies between the checkpoints",
    code: "checkpoint-inconsistent",
    payload: true,
    change: (files) => files.set(PATHS.consistency, new Uint8Array()),
  },
  {
    name: "removes an entry of the chain of custody",
    code: "custody-broken",
    payload: true,
    change: (files) => {
      const [, second = 0] = custodyIndexes(files);
      files.delete(recordPath(second));
      files.delete(proofPath(second));
      const lines = textOf(files, PATHS.custody).split("\n");
      files.set(PATHS.custody, utf8(lines.filter((line) => !line.includes(`"index":${second},`)).join("\n")));
    },
  },
  {
    name: "rewrites the custody file",
    code: "custody-differs",
    payload: true,
    change: (files) =>
      files.set(PATHS.custody, utf8(textOf(files, PATHS.custody).replaceAll("cli:ada", "cli:eve"))),
  },
  {
    name: "swaps lines of the custody file",
    code: "custody-differs",
    payload: true,
    change: (files) => {
      const lines = textOf(files, PATHS.custody).split("\n");
      files.set(PATHS.custody, utf8([lines[1], lines[0], ...lines.slice(2)].join("\n")));
    },
  },
  {
    name: "gives the case another authority",
    code: "header-differs",
    payload: true,
    change: (files) =>
      edit(files, PATHS.header, (header) => {
        header["authority"] = "a court order";
      }),
  },
  {
    name: "counts records that are not there",
    code: "completeness-differs",
    payload: true,
    change: (files, random) =>
      edit(files, PATHS.completeness, (stated) => {
        const counts = stated["counts"] as Json;
        counts["open"] = Number(counts["open"]) + 1 + random.below(5);
      }),
  },
  {
    name: "hides that something was left out",
    code: "completeness-differs",
    payload: true,
    change: (files) =>
      edit(files, PATHS.completeness, (stated) => {
        stated["matching"] = Number(stated["matching"]) + 2;
      }),
  },
  {
    name: "takes an account out of the query",
    code: "record-foreign",
    payload: true,
    change: (files) =>
      edit(files, PATHS.completeness, (stated) => {
        ((stated["query"] as Json)["accounts"] as unknown[]).pop();
      }),
  },
  {
    name: "makes a finding stronger",
    code: "finding-differs",
    payload: true,
    change: (files) =>
      edit(files, "data/findings/0000000002.json", (snapshot) => {
        (snapshot["finding"] as Json)["eValue"] = 1e12;
      }),
  },
  {
    name: "adds a finding that nobody put into the case",
    code: "finding-differs",
    payload: true,
    change: (files) =>
      files.set(
        "data/findings/0000000009.json",
        files.get("data/findings/0000000002.json") ?? new Uint8Array(),
      ),
  },
  {
    name: "makes the figures larger",
    code: "statistics-differ",
    payload: true,
    change: (files, random) =>
      edit(files, PATHS.statistics, (figures) => {
        const pooled = figures["pooled"] as Json;
        pooled["answerTokens"] = Number(pooled["answerTokens"]) + 1 + random.below(1000);
      }),
  },
  {
    name: "rewrites the report",
    code: "manifest-not-recorded",
    payload: true,
    change: (files) => {
      const report = textOf(files, "data/report/report.html");
      files.set("data/report/report.html", utf8(report.replace("can be wrong", "is never wrong")));
    },
  },
  {
    name: "adds a file",
    code: "bundle-file-unexpected",
    payload: true,
    change: (files) => files.set("data/extra.txt", utf8("hello")),
  },
  {
    name: "removes the health record",
    code: "bundle-file-missing",
    payload: false,
    change: (files) => files.delete(PATHS.health),
  },
  {
    name: "writes JSON in another spelling",
    code: "bundle-file-malformed",
    payload: true,
    change: (files, random) => {
      const path = recordPath(pick(indexes(files), random));
      files.set(path, utf8(`${textOf(files, path)} `));
    },
  },
  {
    name: "puts a custody record in the export's place",
    code: "export-not-recorded",
    payload: false,
    change: (files) => {
      const [first = 0] = custodyIndexes(files);
      files.set(PATHS.exportRecord, files.get(recordPath(first)) ?? new Uint8Array());
      files.set(PATHS.exportProof, files.get(proofPath(first)) ?? new Uint8Array());
      files.set(PATHS.exportConsistency, new Uint8Array());
    },
  },
  {
    name: "changes the digest that the export recorded",
    code: "field-not-committed",
    payload: false,
    change: (files) => {
      const digest = /\\"digest\\":\\"([0-9a-f]{64})\\"/.exec(textOf(files, PATHS.exportRecord))?.[1] ?? "";
      const other = digest.replace(/^./, digest.startsWith("0") ? "1" : "0");
      files.set(PATHS.exportRecord, utf8(textOf(files, PATHS.exportRecord).replace(digest, other)));
    },
  },
];
