/** A load hook that lets tests import .tsx: Node strips types but does not compile JSX. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith('.tsx')) return nextLoad(url, context);
    // Loaded on first use: most test files have no JSX, and the compiler takes 200 ms to load.
    const typescript = process.getBuiltinModule('module').createRequire(import.meta.url)('typescript') as typeof import('typescript');
    const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), {
      fileName: fileURLToPath(url),
      compilerOptions: { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2024, jsx: typescript.JsxEmit.ReactJSX, verbatimModuleSyntax: true, inlineSourceMap: true },
    });
    return { format: 'module', source: outputText, shortCircuit: true };
  },
});
