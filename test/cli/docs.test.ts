// Proves that the documents made from code are up to date, and that every command explains itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { stalePages } from "../../scripts/generate-docs.ts";
import { program } from "../../src/cli/main.ts";

test("configuration, error codes and commands are documented as they are", async () => {
  assert.deepEqual(await stalePages(), [], "run: node scripts/generate-docs.ts");
});

function leaves(command: Command): Command[] {
  const inner = command.commands.filter((child) => child.name() !== "help");
  return inner.length === 0 ? [command] : inner.flatMap(leaves);
}

test("every command has a description and an example that begins with its own name", () => {
  for (const command of leaves(program())) {
    let help = "";
    command.configureOutput({
      writeOut: (part) => {
        help += part;
      },
    });
    command.outputHelp();
    const path: string[] = [];
    for (let here: Command | null = command; here !== null; here = here.parent) path.unshift(here.name());
    assert.notEqual(command.description(), "", path.join(" "));
    assert.ok(
      help
        .split("\n")
        .some((line) => line.includes(`  ${path.join(" ")}`) || line.includes(`$(${path.join(" ")}`)),
      `${path.join(" ")}: no example`,
    );
  }
});
