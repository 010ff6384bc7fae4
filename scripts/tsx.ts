/** Load hooks that let tests run the UI from source: Node strips types but does not compile JSX, and cannot require Ink. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as TypeScript from 'typescript';

/** ink-table is CommonJS and Ink has a top-level await: its `require('ink')` becomes an import, as in the bundle. */
function inkTable(url: string): string {
  return `import * as ink from 'ink';
import { createRequire } from 'node:module';
const require = (id) => (id === 'ink' ? ink : createRequire(import.meta.url)(id));
const exports = {};
${readFileSync(fileURLToPath(url), 'utf8')}
export default exports;`;
}

registerHooks({
  load(url, context, nextLoad) {
    if (url.endsWith('/ink-table/dist/index.js'))
      return { format: 'module', source: inkTable(url), shortCircuit: true };
    if (!url.endsWith('.tsx')) return nextLoad(url, context);
    // Loaded on first use: most test files have no JSX, and the compiler takes 200 ms to load.
    const typescript = process.getBuiltinModule('module').createRequire(import.meta.url)(
      'typescript',
    ) as typeof TypeScript;
    const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), {
      fileName: fileURLToPath(url),
      compilerOptions: {
        module: typescript.ModuleKind.ESNext,
        target: typescript.ScriptTarget.ES2024,
        jsx: typescript.JsxEmit.ReactJSX,
        verbatimModuleSyntax: true,
        inlineSourceMap: true,
      },
    });
    return { format: 'module', source: outputText, shortCircuit: true };
  },
});
