// Binds detection to this installation's store and configuration; live and replayed, only the clock differs.
import type { DetectConfig } from "../config/schema.ts";
import type { Finding } from "../core/finding.ts";
import { loadDetectors } from "../detect/catalog.ts";
import type { DetectError } from "../detect/errors.ts";
import { Watch } from "../detect/hunt.ts";
import type { Store } from "../store/store.ts";

/** Looks at what is in the store, as of `nowMs`; `everything`: with every detector, and not only those whose time has come. */
export type Hunter = (
  nowMs: number,
  options?: { readonly everything?: boolean },
) => Promise<readonly Finding[]>;

export interface HunterOptions {
  readonly store: Pick<Store, "query">;
  readonly config: DetectConfig;
  /** What earlier runs found: findings that grow keep their ids. */
  readonly previous: readonly Finding[];
  /** Told of a detector that could not finish; the others' findings stand. */
  readonly onFailure: (detector: string, error: DetectError) => void;
}

/** Findings are remembered from look to look. @throws DetectError when a detector's folder is malformed */
export async function openHunter({ store, config, previous, onFailure }: HunterOptions): Promise<Hunter> {
  const disabled = new Set(config.disabledDetectors);
  const { hiddenSizes } = config;
  const detectors = (await loadDetectors())
    .filter(({ id }) => !disabled.has(id))
    .map((detector) => ({ ...detector, hiddenSizes }));
  const declared = new Set(config.declaredGateways);
  const watch = new Watch({ store, detectors, level: config.falseDiscoveryRate, previous });
  return async (nowMs, options) => {
    const { findings, failures } = await watch.look(nowMs, options);
    for (const { detector, error } of failures) onFailure(detector, error);
    return findings.flatMap((finding) => withoutDeclared(finding, declared));
  };
}

/** A declared gateway carries many people's traffic: it is no member of a campaign, and no single author. */
function withoutDeclared(finding: Finding, declared: ReadonlySet<string>): Finding[] {
  if (declared.size === 0 || finding.kind === "probe") return [finding];
  const accounts = finding.accounts.filter((account) => !declared.has(account));
  return accounts.length === 0 ? [] : [{ ...finding, accounts }];
}
