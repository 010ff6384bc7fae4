/** One declaration file for each package that plugin authors use, by API Extractor; and the report of `@awl/api`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { Extractor, ExtractorConfig, ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor';

export const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, '.cache', 'declarations');
const PACKAGES = ['api', 'wire', 'engine', 'testkit'] as const;

/** The declarations of one source file of a package. */
export const typesOf = (name: string, file: string): string =>
  join(CACHE, 'types', 'core', name, 'src', `${file}.d.ts`);
const entryOf = (name: string): string => typesOf(name, 'index');

/** Runs the compiler for the declarations of all packages. Errors in the code are for `npm run typecheck` to find. */
function emitTypes(): void {
  rmSync(CACHE, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: ROOT,
      outDir: join(CACHE, 'types'),
      typeRoots: [join(ROOT, 'node_modules', '@types')],
    },
    include: PACKAGES.map((name) => join(ROOT, 'core', name, 'src')),
    exclude: [],
  };
  const file = join(CACHE, 'tsconfig.json');
  writeFileSync(file, JSON.stringify(config));
  spawnSync(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', file], {
    stdio: 'ignore',
  });
}

function configFor(name: string, more: Partial<IConfigFile>): ExtractorConfig {
  const paths = Object.fromEntries(PACKAGES.map((other) => [`@awl/${other}`, [entryOf(other)]]));
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2024', 'esnext.disposable', 'esnext.iterator', 'esnext.promise'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    paths,
  };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: join(ROOT, 'core', name),
      mainEntryPointFilePath: entryOf(name),
      bundledPackages: ['@awl/engine', '@awl/wire'],
      compiler: { overrideTsconfig: { compilerOptions, include: [entryOf(name)] } },
      dtsRollup: { enabled: true, untrimmedFilePath: declarationsOf(name) },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
      ...more,
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(ROOT, 'core', name, 'package.json'),
  });
}

/** Where the one declaration file of a package is, after {@link extract}. */
export function declarationsOf(name: string): string {
  return join(CACHE, `${name}.d.ts`);
}

/** In git, so that a change of the public surface shows in the diff. */
export const REPORT_FILE = join(ROOT, 'core', 'api', 'api-report.api.md');

/** Extracts `@awl/api` and `@awl/testkit`. With `update` the report in git is rewritten; without it is compared: false where it differs. */
export function extract({ update }: { readonly update: boolean }): boolean {
  emitTypes();
  const quiet = {
    localBuild: update,
    messageCallback: (message: { handled: boolean }) => void (message.handled = true),
  };
  const api = Extractor.invoke(
    configFor('api', {
      apiReport: {
        enabled: true,
        reportFolder: join(ROOT, 'core', 'api'),
        reportTempFolder: join(CACHE, 'report'),
        reportFileName: 'api-report.api.md',
      },
    }),
    quiet,
  );
  Extractor.invoke(configFor('testkit', {}), quiet);
  return !api.apiReportChanged;
}
