/** The node process around the engine: configuration, plugins, control socket. */
export { startNode, type NodeHandle } from './node.ts';
export type { NodeOptions } from './node-options.ts';
export { startSimulatedNodes, type SimulatedNodes } from './simulated-nodes.ts';
export { connectNode, type NodeClient, type NodeEvent } from './client.ts';
export { homeDirectory, homeOf, openHome, type Home } from './home.ts';
export { HomeConfig } from './config/home-config.ts';
export { loadConfig } from './config/load.ts';
export { flatten, parseTyped, valueAt } from './config/keys.ts';
export { ConfigSchema, type NodeConfig } from './config/schema.ts';
export { KnownRendezvous } from './known-rendezvous.ts';
export { createPlugin } from '@awl/plugin-host';
export { diskFiles, type Files } from './storage/files.ts';
