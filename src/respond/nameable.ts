// Whom a policy may name: everybody but those with whom something was agreed.
import type { State } from "../state/state.ts";
import type { Policy } from "./policy.ts";

const AT_ONCE = 1000;

/** The accounts without those that are exempt by name or by their organisation. `state` null: organisations are not known. */
export async function nameable(
  { exempt }: Policy,
  accounts: readonly string[],
  state: Pick<State, "accounts"> | null,
): Promise<string[]> {
  const exemptAccounts = new Set(exempt.accounts);
  const exemptOrganizations = new Set(exempt.organizations);
  const free = accounts.filter((account) => !exemptAccounts.has(account));
  if (exemptOrganizations.size === 0 || state === null) return free;
  const named: string[] = [];
  for (let start = 0; start < free.length; start += AT_ONCE) {
    const some = free.slice(start, start + AT_ONCE);
    const facts = await state.accounts.getMany(some);
    for (const account of some) {
      const organization = facts.get(account)?.organization ?? null;
      if (organization === null || !exemptOrganizations.has(organization)) named.push(account);
    }
  }
  return named;
}
