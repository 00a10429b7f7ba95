// The one place that knows where things lie in the data folder, so that no two parts disagree about a path.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

/** Only the owner may look: the folder holds keys and customers' content. */
const FOLDER_MODE = 0o700;

/** Absolute paths of everything below the data folder. Making one touches no disk; `create` makes the folders. */
export class DataFolder {
  readonly root: string;
  /** Secrets. `installation.key` (mode 0600) and `accounts.sqlite` (mode 0600) decide who can read the content. */
  readonly keys: string;
  readonly installationKey: string;
  /** In its place where a PKCS#11 token holds the secrets: which token, and what it has to unlock. */
  readonly installationToken: string;
  readonly accountKeys: string;
  /** Legal holds, and erasures that have begun. */
  readonly erasures: string;
  /** Write-ahead segments, one sub-folder a writer. */
  readonly segments: string;
  /** The public log: checkpoint, tiles, entry bundles. */
  readonly log: string;
  readonly checkpoint: string;
  /** The newest checkpoint that reached the quorum of witnesses. */
  readonly cosignedCheckpoint: string;
  /** Stamped checkpoints: what authorities said of the time. */
  readonly timestamps: string;
  readonly tiles: string;
  /** Sealed ciphertext, one pack per entry bundle. */
  readonly content: string;
  readonly ledger: string;
  readonly ledgerState: string;
  /** Where a long fsck stands. */
  readonly fsckState: string;
  /** This machine's own keys and memory as a witness of other logs. */
  readonly witness: string;
  /** What this machine saw of other logs that it monitors. */
  readonly monitor: string;
  /** The control plane's SQLite file. */
  readonly state: string;
  /** What gateways need of a shared state, for when it can't be reached. */
  readonly lastKnown: string;
  /** The embedded analytical engine. Can be rebuilt from the log. */
  readonly store: string;
  /** Sockets, locks and process ids; worthless when nothing runs. */
  readonly run: string;

  constructor(root: string) {
    this.root = resolve(root);
    this.keys = join(this.root, "keys");
    this.installationKey = join(this.keys, "installation.key");
    this.installationToken = join(this.keys, "installation.token");
    this.accountKeys = join(this.keys, "accounts.sqlite");
    this.erasures = join(this.keys, "erasures.sqlite");
    this.segments = join(this.root, "segments");
    this.log = join(this.root, "log");
    this.checkpoint = join(this.log, "checkpoint");
    this.cosignedCheckpoint = join(this.log, "checkpoint.cosigned");
    this.timestamps = join(this.log, "timestamps");
    this.tiles = join(this.log, "tile");
    this.content = join(this.root, "content");
    this.ledger = join(this.root, "ledger");
    this.ledgerState = join(this.ledger, "state.json");
    this.fsckState = join(this.ledger, "fsck.json");
    this.witness = join(this.root, "witness");
    this.monitor = join(this.root, "monitor");
    this.state = join(this.root, "state.sqlite");
    this.lastKnown = join(this.root, "last-known");
    this.store = join(this.root, "store");
    this.run = join(this.root, "run");
  }

  /** Makes the folder and its sub-folders (mode 0700) where they are missing. Safe to call again. */
  static async create(root: string): Promise<DataFolder> {
    const folder = new DataFolder(root);
    const all = [folder.root, folder.keys, folder.segments, folder.log, folder.content, folder.ledger];
    for (const path of [...all, folder.store, folder.run])
      await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    return folder;
  }
}
