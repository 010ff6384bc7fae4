import type { Network } from '@awl/engine';
import type { NodeConfig } from './config/schema.ts';
import type { Files } from './storage/files.ts';

/** How a node is started. */
export interface NodeOptions {
  readonly version: string;
  /** Default: AWL_HOME. */
  readonly home?: string;
  /** A file named with --config. */
  readonly configFile?: string;
  /** Where to look for a configuration of data besides AWL_HOME. */
  readonly workingDirectory?: string;
  /** Wins over every file and is not stored. */
  readonly overrides?: NodeConfig;
  /** No rendezvous, no stored shares and forwards: for commands that only change what the node keeps. */
  readonly offline?: boolean;
  readonly files?: Files;
  readonly network?: Network;
}
