// The tables of cases as the query layer types them. Times are whole milliseconds since the epoch.

/** SQLite gives numbers; PostgreSQL's bigint arrives as text. Read through `Number()`. */
type Milliseconds = number;

export interface CasesTable {
  id: string;
  title: string;
  purpose: string;
  authority: string;
  custodian: string;
  jurisdiction: string;
  tlp: string;
  status: string;
  opened_ms: Milliseconds;
  updated_ms: Milliseconds;
  /** Records in the log when the case was opened: its own entries come after them. */
  log_size: number;
  /** The signed checkpoint of that moment; null: the log had none. */
  checkpoint: string | null;
  /** How many entries its chain of custody has. */
  entries: number;
}

/** The chain of custody: every row is an act in the log as well. */
export interface CaseEntriesTable {
  case_id: string;
  number: number;
  at_ms: Milliseconds;
  actor: string;
  what: string;
  subject: string;
  tool: string;
  authority: string;
  result: string;
  text: string | null;
  digest: string | null;
}

/** Findings as they were when they were put into the case: a detector may say something else later. */
export interface CaseFindingsTable {
  case_id: string;
  number: number;
  finding: string;
  /** Canonical JSON, the bytes whose digest is in the chain of custody. */
  body: string;
}

/** What a second person must agree to before it is done. */
export interface ApprovalsTable {
  id: string;
  action: string;
  subject: string;
  reason: string;
  requested_by: string;
  requested_ms: Milliseconds;
  decided_by: string | null;
  decided_ms: Milliseconds | null;
  decision: string | null;
  note: string | null;
  used_ms: Milliseconds | null;
}

export interface CaseTables {
  cases: CasesTable;
  case_entries: CaseEntriesTable;
  case_findings: CaseFindingsTable;
  approvals: ApprovalsTable;
}
