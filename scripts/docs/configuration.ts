// docs/configuration.md: every setting with its default, its limits and its reason, read from the schema itself.
import { z } from "zod";
import { ENVIRONMENT_OVERRIDES } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { table } from "./markdown.ts";

/** The part of JSON Schema that zod writes for the configuration. */
const schemaShape = z.object({
  description: z.string().optional(),
  default: z.unknown().optional(),
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  maxItems: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
});
type Schema = z.output<typeof schemaShape>;

const OPENING = `# Configuration

*This page is made from the schema by \`node scripts/generate-docs.ts\`; a test fails when it is out of date.*

Adyton runs without a configuration. Settings come from \`--config\`, else from \`$ADYTON_CONFIG\`, else from \`adyton.yaml\` in
the working folder. Environment variables win over the file, and options of the command win over both. An unknown setting
or a wrong value is an error that names file, line and column: \`adyton config check\` shows all of them, and
\`adyton config print\` shows what is in force. Secrets never stand in the file; it names the place where each is kept.

\`\`\`yaml
gateway:
  listen: { host: 0.0.0.0, port: 8787 }
  upstreams:
    - name: openai
      family: openai
      url: https://api.openai.com
      key: { env: OPENAI_API_KEY }
\`\`\`
`;

export function configurationPage(): string {
  const root = schemaShape.parse(z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }));
  const members = Object.entries(root.properties ?? {}).map(
    ([name, inner]) => [name, schemaShape.parse(inner)] as const,
  );
  const single = members.filter(([, schema]) => schema.properties === undefined);
  const sections = members.filter(([, schema]) => schema.properties !== undefined);
  const variables = ENVIRONMENT_OVERRIDES.map(({ variable, path }) => [
    `\`${variable}\``,
    `\`${path.join(".")}\``,
  ]);
  return [
    OPENING,
    "## General\n",
    `${settings(single.map(([name, schema]) => row(name, schema, true)))}\n`,
    ...sections.map(
      ([name, schema]) => `## ${name}\n\n${schema.description ?? ""}\n\n${settings(rowsOf(name, schema))}\n`,
    ),
    "## Environment variables\n",
    `${table(["variable", "setting"], variables)}\n`,
    "`ADYTON_CONFIG` names the configuration file, and `ADYTON_DEBUG=1` prints where an error was thrown.\n",
  ].join("\n");
}

function settings(rows: readonly (readonly string[])[]): string {
  return table(["setting", "default", "allowed", "meaning"], rows);
}

function rowsOf(path: string, schema: Schema): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const inner = schemaShape.parse(member);
    const here = `${path}.${name}`;
    if (inner.properties !== undefined) return rowsOf(here, inner);
    const needed = schema.required?.includes(name) === true;
    const rows = [row(here, inner, !needed)];
    const item = inner.items === undefined ? null : schemaShape.parse(inner.items);
    return item?.properties === undefined ? rows : [...rows, ...rowsOf(`${here}[]`, item)];
  });
}

function row(path: string, schema: Schema, hasDefault: boolean): string[] {
  const standard = hasDefault ? `\`${JSON.stringify(schema.default)}\`` : "needed";
  return [`\`${path}\``, standard, allowed(schema), schema.description ?? ""];
}

function allowed(schema: Schema): string {
  const { anyOf, enum: choices, type, items } = schema;
  if (anyOf !== undefined)
    return [...new Set(anyOf.map((one) => allowed(schemaShape.parse(one))))].join(" or ");
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(", ");
  if (type === "array") {
    const kind = items === undefined ? "values" : allowed(schemaShape.parse(items));
    return `list of ${kind}${schema.maxItems === undefined ? "" : `, at most ${count(schema.maxItems)}`}`;
  }
  if (type === "integer" || type === "number") return numbers(schema);
  if (type === "object") {
    return Object.keys(schema.properties ?? {}).length === 1
      ? `\`{ ${Object.keys(schema.properties ?? {})[0]} }\``
      : "settings";
  }
  if (type === "boolean") return "`true`, `false`";
  return type === "null" ? "`null`" : "text";
}

function numbers({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  if (low === undefined || high === undefined) return "number";
  const note = exclusiveMinimum !== undefined && exclusiveMaximum !== undefined ? ", both excluded" : "";
  return `${count(low)} to ${count(high)}${note}`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
