// The tables of identities as the query layer types them. Times are whole milliseconds since the epoch.

/** SQLite gives numbers; PostgreSQL's bigint arrives as text. Read through `Number()`. */
type Milliseconds = number;

export interface OrganizationsTable {
  organization: string;
  plan: string | null;
  country: string | null;
  email_domain: string | null;
  contact: string | null;
  recorded_ms: Milliseconds;
  updated_ms: Milliseconds;
}

interface SubjectColumns {
  /** `account` or `organization`. */
  subject_kind: string;
  subject: string;
  at_ms: Milliseconds;
  actor: string;
}

export interface VerificationsTable extends SubjectColumns {
  kind: string;
  status: string;
  reference: string;
  expires_ms: Milliseconds | null;
}

export interface DeclaredUsesTable extends SubjectColumns {
  use_name: string;
  statement: string;
  reference: string;
  until_ms: Milliseconds | null;
  withdrawn_ms: Milliseconds | null;
}

export interface IdentityHistoryTable extends SubjectColumns {
  /** Counts from 1 within a subject. */
  number: number;
  act: string;
  /** Canonical JSON. */
  detail: string;
}

export interface EndUserKeysTable {
  id: string;
  organization: string;
  algorithm: string;
  /** PEM; null for HS256, whose secret is derived and stored nowhere. */
  public_key: string | null;
  label: string;
  created_ms: Milliseconds;
  expires_ms: Milliseconds | null;
  revoked_ms: Milliseconds | null;
  /** Value of the `accounts-and-keys` revision at the last change of the row. */
  revision: number;
}

export interface ApiTokensTable {
  id: string;
  /** SHA-256 of the secret, base64url. */
  hash: string;
  label: string;
  /** JSON array. */
  scopes: string;
  creator: string;
  created_ms: Milliseconds;
  expires_ms: Milliseconds;
  revoked_ms: Milliseconds | null;
  used_ms: Milliseconds | null;
}

export interface UserIdentitiesTable {
  issuer: string;
  subject: string;
  user_name: string;
  created_ms: Milliseconds;
}

export interface IdentityTables {
  organizations: OrganizationsTable;
  verifications: VerificationsTable;
  declared_uses: DeclaredUsesTable;
  identity_history: IdentityHistoryTable;
  end_user_keys: EndUserKeysTable;
  api_tokens: ApiTokensTable;
  user_identities: UserIdentitiesTable;
}
