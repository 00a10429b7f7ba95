// The case as a CASE/UCO graph (JSON-LD), for tools that exchange investigations.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { canonicalJson } from "../core/canonical-json.ts";
import type { StagedFile } from "./staging.ts";
import type { CustodyEntry } from "./verify/custody.ts";
import type { BundleHeader } from "./verify/documents.ts";

const CONTEXT = {
  "case-investigation": "https://ontology.caseontology.org/case/investigation/",
  kb: "urn:adyton:case:",
  "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
  "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
  "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
  "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
  "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
  "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
  xsd: "http://www.w3.org/2001/XMLSchema#",
};

type Node = Readonly<Record<string, unknown>>;

export interface GraphInput {
  readonly header: BundleHeader;
  readonly custody: readonly CustodyEntry[];
  readonly accounts: readonly { readonly account: string; readonly pseudonym: string }[];
  /** Staged record files. */
  readonly records: readonly StagedFile[];
}

/** Namespace of names that are URLs or URNs (RFC 9562, section 6.6). */
const URL_NAMESPACE = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");

/**
 * One identifier for one thing, in every export of the case: a UUID of version 5 (RFC 9562), the only kind made from
 * names that CASE/UCO's own checks know. Nothing rests on the strength of its SHA-1.
 */
function idOf(caseId: string, kind: string, name: string): string {
  const urn = `urn:adyton:case:${[caseId, kind, name].map(encodeURIComponent).join(":")}`;
  const digest = createHash("sha1").update(URL_NAMESPACE).update(urn).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const text = digest.toString("hex", 0, 16);
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
  return `kb:${kind}-${parts.join("-")}`;
}

const ref = (id: string): Node => ({ "@id": id });
const time = (value: string): Node => ({ "@type": "xsd:dateTime", "@value": value });

export function caseGraph({ header, custody, accounts, records }: GraphInput): string {
  const id = (kind: string, name: string): string => idOf(header.case, kind, name);
  const authorization = id("authorization", header.authority);
  const people = [...new Set(custody.map(({ by }) => by))];
  const tools = [...new Set(custody.map(({ tool }) => tool))];
  const actions = custody.map((entry) => actionNode(entry, id));
  const exhibits = records.flatMap((file) => exhibitNodes(file, id));
  const accountNodes = accounts.map(({ account, pseudonym }) => ({
    "@id": id("account", pseudonym),
    "@type": "uco-observable:DigitalAccount",
    "uco-core:hasFacet": {
      "@id": id("account-facet", pseudonym),
      "@type": "uco-observable:AccountFacet",
      "uco-observable:accountIdentifier": account,
    },
  }));
  const investigation = {
    "@id": id("investigation", header.case),
    "@type": "case-investigation:Investigation",
    "uco-core:name": header.title,
    "uco-core:description": header.purpose,
    "uco-action:startTime": time(custody[0]?.time ?? header.exported),
    "case-investigation:relevantAuthorization": ref(authorization),
    "uco-core:object": [...actions, ...accountNodes].map((node) => ref(String(node["@id"]))),
  };
  const nodes: Node[] = [
    investigation,
    {
      "@id": authorization,
      "@type": "case-investigation:Authorization",
      "case-investigation:authorizationType": header.authority,
    },
    ...people.map((name) => ({
      "@id": id("person", name),
      "@type": "uco-identity:Identity",
      "uco-core:name": name,
    })),
    ...tools.map((name) => ({
      "@id": id("tool", name),
      "@type": "uco-tool:AnalyticTool",
      "uco-core:name": name,
    })),
    ...actions,
    ...accountNodes,
    ...exhibits,
  ];
  return canonicalJson({ "@context": CONTEXT, "@graph": nodes });
}

function actionNode(entry: CustodyEntry, id: (kind: string, name: string) => string): Node {
  return {
    "@id": id("action", String(entry.number)),
    "@type": "case-investigation:InvestigativeAction",
    "uco-core:name": entry.what,
    "uco-core:description": `${entry.on}: ${entry.result}`,
    "uco-action:startTime": time(entry.time),
    "uco-action:endTime": time(entry.time),
    "uco-action:performer": ref(id("person", entry.by)),
    "uco-action:instrument": ref(id("tool", entry.tool)),
  };
}

/** A record's file with its hash, and the exhibit that it is. */
function exhibitNodes(file: StagedFile, id: (kind: string, name: string) => string): Node[] {
  const object = id("file", file.path);
  return [
    {
      "@id": object,
      "@type": "uco-observable:File",
      "uco-core:hasFacet": [
        {
          "@id": id("file-facet", file.path),
          "@type": "uco-observable:FileFacet",
          "uco-observable:filePath": file.path,
          "uco-observable:sizeInBytes": file.bytes,
        },
        {
          "@id": id("content-facet", file.path),
          "@type": "uco-observable:ContentDataFacet",
          "uco-observable:hash": {
            "@id": id("hash", file.path),
            "@type": "uco-types:Hash",
            "uco-types:hashMethod": "SHA256",
            "uco-types:hashValue": { "@type": "xsd:hexBinary", "@value": file.sha256 },
          },
        },
      ],
    },
    {
      "@id": id("exhibit", file.path),
      "@type": "case-investigation:ProvenanceRecord",
      "case-investigation:exhibitNumber": file.path.replace(/^data\/records\/0*(\d+)\.json$/, "record $1"),
      "uco-core:object": ref(object),
    },
  ];
}
