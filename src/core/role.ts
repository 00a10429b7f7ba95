// What people may do in the console and over the API, from least to most.

/** `approver` decides about measures against customers; `admin` decides about people, keys and settings. */
export type Role = "viewer" | "analyst" | "approver" | "admin";

/** In the order of what they may do: each may do all that those before it may. */
export const ROLES: readonly [Role, Role, Role, Role] = ["viewer", "analyst", "approver", "admin"];

/** Whether somebody with this role may do what needs at least `needed`. */
export function roleReaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
