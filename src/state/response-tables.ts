// The tables of response as the query layer types them. Times are whole milliseconds since the epoch.

/** SQLite gives numbers; PostgreSQL's bigint arrives as text. Read through `Number()`. */
type Milliseconds = number;

export interface VerdictsTable {
  id: string;
  finding: string | null;
  detector: string | null;
  rule: string | null;
  policy: string | null;
  measure: string;
  reason: string;
  status: string;
  /** 1: computed and shown, never enforced. */
  shadow: number;
  /** How long it holds once it is in effect. */
  life_ms: Milliseconds;
  /** How many accounts may join without a further decision. */
  inherit_limit: number;
  account_count: number;
  inherited_count: number;
  proposed_ms: Milliseconds;
  effective_ms: Milliseconds | null;
  expires_ms: Milliseconds | null;
  ended_ms: Milliseconds | null;
  /** What holds until an approver decides; all three or none. */
  interim_measure: string | null;
  interim_from_ms: Milliseconds | null;
  interim_until_ms: Milliseconds | null;
  /** Value of the `verdicts` revision at the last change of the row. */
  revision: number;
}

export interface VerdictAccountsTable {
  verdict: string;
  account: string;
  /** What the customer is told instead of the verdict's id: two accounts of one verdict can't recognise each other. */
  reference: string;
  joined_ms: Milliseconds;
  inherited: number;
  released_ms: Milliseconds | null;
  revision: number;
}

export interface VerdictHistoryTable {
  verdict: string;
  /** Counts from 1 within a verdict. */
  number: number;
  at_ms: Milliseconds;
  actor: string;
  step: string;
  note: string;
}

export interface AppealsTable {
  id: string;
  verdict: string;
  account: string;
  reference: string;
  /** The customer's own words. */
  statement: string;
  status: string;
  filed_ms: Milliseconds;
  decided_ms: Milliseconds | null;
  decided_by: string | null;
  /** What the customer is told about the decision. */
  reason: string | null;
}

/** What people found out about a detector's word, one row for each account of a verdict. */
export interface OutcomesTable {
  verdict: string;
  account: string;
  detector: string;
  /** `upheld` or `wrong`. */
  outcome: string;
  at_ms: Milliseconds;
}

export interface BudgetStopsTable {
  budget: string;
  /** `account:<name>`, `organization:<name>`, `verdict:<id>` or `global`. */
  scope: string;
  until_ms: Milliseconds;
  revision: number;
}

export interface AlertsTable {
  id: string;
  target: string;
  event: string;
  /** What it is about; the same event about the same subject is told to a target once. */
  subject: string;
  /** JSON of the event. */
  body: string;
  status: string;
  attempts: number;
  created_ms: Milliseconds;
  next_ms: Milliseconds;
  ended_ms: Milliseconds | null;
  error: string | null;
}

export interface ResponseTables {
  verdicts: VerdictsTable;
  verdict_accounts: VerdictAccountsTable;
  verdict_history: VerdictHistoryTable;
  appeals: AppealsTable;
  outcomes: OutcomesTable;
  budget_stops: BudgetStopsTable;
  alerts: AlertsTable;
}
