// Why the control plane's facts could not be read or changed. Every code is listed in docs/errors.md.
import { AdytonError } from "../core/errors.ts";

export const STATE_ERROR_CODES: {
  readonly "state-open-failed": string;
  readonly "state-unavailable": string;
  readonly "state-newer": string;
  readonly "state-busy": string;
  readonly "state-full": string;
  readonly "state-damaged": string;
  readonly "invalid-fact": string;
  readonly "list-header": string;
  readonly "list-damaged": string;
  readonly "account-unknown": string;
  readonly "key-unknown": string;
  readonly "organization-unknown": string;
  readonly "declared-use-unknown": string;
  readonly "token-unknown": string;
  readonly "finding-unknown": string;
  readonly "user-unknown": string;
  readonly "case-unknown": string;
  readonly "case-closed": string;
  readonly "approval-unknown": string;
  readonly "approval-step": string;
  readonly "too-many-keys": string;
  readonly "verdict-unknown": string;
  readonly "verdict-step": string;
  readonly "appeal-unknown": string;
  readonly "appeal-step": string;
  readonly "alert-unknown": string;
} = {
  "state-open-failed":
    "The state database could not be opened. Check that the data folder exists, belongs to this user and is not full.",
  "state-unavailable":
    "The PostgreSQL server of state.url does not answer. Gateways keep what they know and try again by themselves; check the server, the network and the password.",
  "state-newer":
    "The state database was written by a newer version of Adyton. Run that version, or restore a backup from before the upgrade.",
  "state-busy":
    "Another process held the state database longer than the busy timeout. Try again; if it stays, look for a stuck adyton process.",
  "state-full": "The disk is full, so the change was not made. Free some space and try again.",
  "state-damaged":
    "The state database can't be read or written: a damaged file or a failing disk. Restore state.sqlite, or the PostgreSQL database, from a backup.",
  "invalid-fact":
    "A value given for an account, key, finding or user is empty, too long or of the wrong kind. The message names it.",
  "list-header":
    "The first line of a list of accounts names other columns than the format has. Nothing was changed.",
  "list-damaged":
    "A list of accounts can't be read as what it is said to be; the message names the line. Nothing was changed.",
  "account-unknown": "No account has this name. `adyton accounts list` shows those there are.",
  "key-unknown": "No key has this id. `adyton keys list` shows those there are.",
  "organization-unknown": "No organisation has this name. `adyton organizations list` shows those there are.",
  "declared-use-unknown": "This use was not declared, or is withdrawn already.",
  "token-unknown": "No token has this id. `adyton tokens list` shows those there are.",
  "finding-unknown": "No finding has this id. `adyton findings list` shows those there are.",
  "case-unknown": "No case has this id. `adyton case list` shows those there are.",
  "case-closed":
    "The case is closed, so nothing can be added to it. Reopen it with `adyton case reopen` first.",
  "approval-unknown": "No approval has this id. `adyton case approvals` lists those that wait.",
  "approval-step":
    "An approval can't take this step: it is decided already, or whoever asked for it wants to decide it too.",
  "user-unknown": "No user has this name.",
  "verdict-unknown": "No verdict has this id. `adyton verdicts list` shows those there are.",
  "verdict-step":
    "The verdict is not at a stage from which this step can be taken, such as approving one that was lifted. `adyton verdicts show` tells where it stands.",
  "appeal-unknown": "No appeal has this id. `adyton appeals list` shows those there are.",
  "appeal-step":
    "The appeal can't be filed or decided any more: it was decided, or as many statements were made as one measure allows.",
  "alert-unknown": "No alert has this id. `adyton alerts list` shows those there are.",
  "too-many-keys":
    "More keys exist than one gateway process holds in memory. Keys made earlier keep working; raise the limit or remove unused accounts.",
};

export type StateErrorCode = keyof typeof STATE_ERROR_CODES;

/** Thrown by everything in `src/state/`. Messages never hold a secret. */
export class StateError extends AdytonError<StateErrorCode> {}
