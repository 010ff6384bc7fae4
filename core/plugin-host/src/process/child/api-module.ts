import { registerHooks } from 'node:module';
import * as api from '@awl/api';

const URL_OF_API = 'awl:api';

/** Makes `import … from '@awl/api'` in a plugin mean the node's own copy, so that a plugin needs no other. */
export function provideApi(): void {
  const key = 'awl.api';
  Object.defineProperty(globalThis, Symbol.for(key), { value: api });
  const source = Object.keys(api)
    .map((name) => `export const ${name} = globalThis[Symbol.for('${key}')].${name};`)
    .join('\n');
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@awl/api'
        ? { url: URL_OF_API, format: 'module', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === URL_OF_API ? { format: 'module', source, shortCircuit: true } : next(url, context),
  });
}
