// docs/cli.md: the help of every command, as the command itself prints it.
import type { Command } from "commander";
import { program } from "../../src/cli/main.ts";

const WIDTH = 100;

const OPENING = `# The adyton command

*This page is made from the commands' own help by \`node scripts/generate-docs.ts\`; a test fails when it is out of date.*

In a clone the command is \`npm run adyton --\` or \`node bin/adyton.mjs\`; installed from npm it is \`adyton\`.
`;

export function commandsPage(): string {
  return [OPENING, ...sections(program(), [])].join("\n");
}

function sections(command: Command, parents: readonly string[]): string[] {
  const names = [...parents, command.name()];
  const level = "#".repeat(Math.min(names.length + 1, 4));
  const own = `${level} ${names.join(" ")}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  const inner = command.commands.filter((child) => child.name() !== "help");
  return [own, ...inner.flatMap((child) => sections(child, names))];
}

/** Through the printing way, which brings the examples along. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}
