import type { Clock, JsonValue, LogLine, Random } from '@awl/api';
import type { EngineRegistry, StateStore } from '@awl/engine';
import type { ProcessLimits } from './process/limits.ts';

/** Small documents that outlive a restart. */
export interface StoragePort {
  load(name: string): Promise<JsonValue | undefined>;
  /** `undefined` removes it. */
  save(name: string, value: JsonValue | undefined): Promise<void>;
}

/** The settings that the user made; defaults and validation are the host's. */
export interface SettingsPort {
  get(key: string): JsonValue | undefined;
  onDidChange(listener: (key: string, value: JsonValue | undefined) => void): Disposable;
}

/** What a plugin host is made of. */
export interface PluginHostParts {
  readonly registry: EngineRegistry;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: StoragePort;
  readonly settings: SettingsPort;
  readonly log: (level: LogLine['level'], source: string, text: string) => void;
  /** Where plugins are installed and have their working directories; without it only built-ins can run. */
  readonly directory?: string;
  readonly limits?: Partial<ProcessLimits>;
}
