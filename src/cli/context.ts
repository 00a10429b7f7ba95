// What every command starts from: the global options, read once into configuration, data folder and output.
import type { Command } from "commander";
import { DataFolder } from "../config/data-folder.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { Output } from "./output.ts";

/** Options that stand before or after any subcommand. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly data?: string;
  readonly config?: string;
}

export interface Context {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly output: Output;
}

/** For a command's action, whose last argument is the command. @throws ConfigError */
export function contextOf(command: Command): Context {
  const { json, data, config: file } = globalOptions(command);
  const config = loadConfig({ file, overrides: { ...(data === undefined ? {} : { data }) } });
  return { config, folder: new DataFolder(config.data), output: new Output({ json }) };
}

export function globalOptions(command: Command): GlobalOptions {
  const { json, data, config } = command.optsWithGlobals<{
    json?: boolean;
    data?: string;
    config?: string;
  }>();
  return {
    json: json === true,
    ...(data === undefined ? {} : { data }),
    ...(config === undefined ? {} : { config }),
  };
}
