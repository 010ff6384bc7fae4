import { join } from 'node:path';
import {
  Authorization,
  createEngine,
  lanHost,
  nodeNetwork,
  realClock,
  realRandom,
  type Engine,
  type Identity,
} from '@awl/engine';
import { collectOften } from './collect-often.ts';
import type { Home } from './home.ts';
import { KnownRendezvous } from './known-rendezvous.ts';
import type { NodeOptions } from './node-options.ts';
import { OwnPassword } from './own-password.ts';
import { fileStorage } from './plugins.ts';
import { RendezvousMaker } from './rendezvous-link.ts';
import type { StartConfig } from './start-config.ts';
import { authorizationFile } from './storage/authorization-file.ts';
import type { Files } from './storage/files.ts';

export interface NodeEngineParts {
  readonly options: NodeOptions;
  readonly home: Home;
  readonly identity: Identity;
  readonly config: StartConfig;
  readonly files: Files;
  /** Receives what goes wrong beside; not called before the engine is made. */
  readonly complain: (text: string) => void;
}

/** The engine of a node, and what it shares with the node. */
export interface NodeEngine {
  readonly engine: Engine;
  readonly authorization: Authorization;
  readonly password: OwnPassword;
  readonly rendezvous: RendezvousMaker;
}

/** Makes an engine on this machine's network, with what the home keeps. Rejects with `ERR_STORAGE`. */
export async function makeEngine(parts: NodeEngineParts): Promise<NodeEngine> {
  const { options, home, identity, config, files, complain } = parts;
  collectOften();
  const authorization = await Authorization.open({
    store: authorizationFile(home.peersFile, files),
    clock: realClock,
    wallClock: Date.now,
  });
  const password = new OwnPassword(authorization, identity.peerId, config.password);
  const known = new KnownRendezvous(home.rendezvousFile, files);
  const rendezvous = await RendezvousMaker.open({ identity, known, complain });
  const storage = fileStorage(join(home.directory, 'state'), files);
  const engine = createEngine({
    network: options.network ?? nodeNetwork,
    clock: realClock,
    random: realRandom,
    wallClock: Date.now,
    identity,
    authorization,
    password: () => password.current,
    name: config.name,
    version: options.version,
    openRendezvous: (url) => rendezvous.make(url),
    hostFor: lanHost,
    mappingStorage: {
      load: () => storage.load('port-mappings'),
      save: (value) => storage.save('port-mappings', value),
    },
  });
  return { engine, authorization, password, rendezvous };
}
