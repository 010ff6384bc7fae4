import os from 'node:os';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Takes away what Node's permission model leaves: signals to other processes (the node among them), their priority, and their debugger.
 */
export function lockDown(): void {
  const denied = (name: string) => (): never => {
    throw Object.assign(new Error(`a plugin may not use ${name}`), { code: 'ERR_ACCESS_DENIED' });
  };
  for (const name of ['kill', '_kill', '_debugProcess', '_debugEnd', '_linkedBinding', 'binding', 'dlopen']) {
    Object.defineProperty(process, name, {
      value: denied(`process.${name}`),
      configurable: false,
      writable: false,
    });
  }
  os.setPriority = denied('os.setPriority');
  syncBuiltinESMExports();
}
