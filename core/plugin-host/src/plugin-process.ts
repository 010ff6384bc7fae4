/** What runs in a plugin's own process: the entry of the bundle `plugin-process.js`. */
import { runPlugin } from './process/child/run-plugin.ts';

runPlugin();
