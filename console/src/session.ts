// What the signed-in person may do. The server decides; the screens leave out what it would refuse.
import { useQuery } from "@tanstack/react-query";
import { type Role, roleReaches } from "../../src/api/contract/session.ts";
import { sessionQuery } from "./queries.ts";

export function useMay(needed: Role): boolean {
  const { data } = useQuery(sessionQuery);
  return data !== undefined && data !== null && roleReaches(data.user.role, needed);
}
