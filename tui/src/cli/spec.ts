import type { Output } from './output.ts';

/** What a command gets besides its own arguments. */
export interface CommandContext {
  readonly output: Output;
  /** Aborted by SIGINT, SIGTERM, SIGHUP: time to clean up. */
  readonly signal: AbortSignal;
  readonly home: string;
  readonly configFile?: string;
  /** Every command, for completion. */
  readonly specs: readonly CommandSpec[];
}

export type OptionValues = { readonly [name: string]: string | boolean | undefined };

/** A command's code, loaded when it runs. Resolves with an exit code, 0 where undefined. */
export interface CommandModule {
  run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number | void>;
}

export interface OptionSpec {
  /** As commander writes them: `--listen <[addr]:port>`. */
  readonly flags: string;
  readonly text: string;
  readonly choices?: readonly string[];
  readonly default?: string;
}

/** One command: everything that help, docs and completion say of it stands here only. */
export interface CommandSpec {
  /** `share`, `forward add`. */
  readonly name: string;
  /** `<target>`, `[ticket-or-name]`. */
  readonly arguments?: readonly { readonly name: string; readonly text: string }[];
  readonly summary: string;
  /** Further sentences of the help page. */
  readonly more?: string;
  readonly options?: readonly OptionSpec[];
  readonly examples: readonly string[];
  readonly load: () => Promise<CommandModule>;
}
