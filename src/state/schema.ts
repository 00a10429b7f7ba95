// The tables of the control plane as the query layer types them. Times are whole milliseconds since the epoch.
import type { CaseTables } from "./case-tables.ts";
import type { IdentityTables } from "./identity-tables.ts";
import type { ResponseTables } from "./response-tables.ts";

/** SQLite gives numbers; PostgreSQL's bigint arrives as text. Read through `Number()`. */
type Milliseconds = number;

export interface AccountsTable {
  account: string;
  created: string | null;
  plan: string | null;
  payment: string | null;
  email_domain: string | null;
  country: string | null;
  organization: string | null;
  declared_use: string | null;
  status: string;
  recorded_ms: Milliseconds;
  updated_ms: Milliseconds;
  /** Value of the `accounts-and-keys` revision at the last change of the row. */
  revision: number;
}

export interface KeysTable {
  id: string;
  /** SHA-256 of the secret, base64url. The secret itself is nowhere. */
  hash: string;
  account: string;
  label: string;
  created_ms: Milliseconds;
  expires_ms: Milliseconds | null;
  revoked_ms: Milliseconds | null;
  revision: number;
}

export interface FindingsTable {
  id: string;
  kind: string;
  detector: string;
  time_ms: Milliseconds;
  summary: string;
  account_count: number;
  /** Natural logarithm of the e-value, or minus that of the p-value: how findings are put in order. */
  evidence: number;
  /** Canonical JSON of the whole finding, as the detector made it. */
  body: string;
  status: string;
  first_ms: Milliseconds;
  updated_ms: Milliseconds;
}

export interface FindingAccountsTable {
  finding: string;
  account: string;
  /** 1: a person added it, and no look of the detector takes it out. */
  by_hand: number;
}

export interface FindingHistoryTable {
  finding: string;
  /** Counts from 1 within a finding. */
  number: number;
  at_ms: Milliseconds;
  actor: string;
  from_status: string | null;
  to_status: string;
  note: string;
}

export interface UsersTable {
  name: string;
  role: string;
  created_ms: Milliseconds;
  disabled_ms: Milliseconds | null;
}

export interface SignInLinksTable {
  hash: string;
  user_name: string;
  created_ms: Milliseconds;
  expires_ms: Milliseconds;
  used_ms: Milliseconds | null;
}

export interface SessionsTable {
  hash: string;
  user_name: string;
  created_ms: Milliseconds;
  expires_ms: Milliseconds;
  ended_ms: Milliseconds | null;
}

export interface SettingsTable {
  name: string;
  /** JSON. */
  value: string;
  updated_ms: Milliseconds;
}

export interface RevisionsTable {
  name: string;
  revision: number;
}

export interface Tables extends ResponseTables, CaseTables, IdentityTables {
  accounts: AccountsTable;
  keys: KeysTable;
  findings: FindingsTable;
  finding_accounts: FindingAccountsTable;
  finding_history: FindingHistoryTable;
  users: UsersTable;
  sign_in_links: SignInLinksTable;
  sessions: SessionsTable;
  settings: SettingsTable;
  revisions: RevisionsTable;
}
