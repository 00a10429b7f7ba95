// Writes the acts of a command into the log, durably, before the command says that it is done.
import { userInfo } from "node:os";

/** Who runs the command, as acts and decisions name them. */
export function systemUser(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // A container's user may have no name.
    return `cli:${process.getuid?.() ?? "unknown"}`;
  }
}
