// Other projects' vectors, where this machine has them beside the repository.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const VECTORS: string = fileURLToPath(new URL("../../../shared/vectors", import.meta.url));
export const hasVectors: boolean = existsSync(VECTORS);
