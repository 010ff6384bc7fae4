/**
 * Makes what `awl plugin new` copies: the template, and beside it tarballs of `@awl/api` and `@awl/testkit`, so that a copy installs and tests
 * anywhere: `node scripts/pack-api.ts [DIRECTORY]`, default tui/dist/plugin-template. Does nothing where nothing changed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { declarationsOf, extract, ROOT } from './api-declarations.ts';

const CACHE = join(ROOT, '.cache', 'plugin-template');
const TEMPLATE = join(ROOT, 'plugin-template');
const INPUTS = [
  'core/{api,wire,engine,testkit}/{src/**/*.ts,package.json}',
  'core/api/{manifest.schema.json,README.md}',
  'plugin-template/{*,copy/*,{src,test}/**/*}',
  'scripts/{pack-api,api-declarations}.ts',
];

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly engines?: object;
  devDependencies: { [name: string]: string };
  private?: boolean;
}

const readJson = (file: string): PackageJson => JSON.parse(readFileSync(file, 'utf8')) as PackageJson;

function fingerprint(): string {
  const hash = createHash('sha256');
  const files = INPUTS.flatMap((pattern) => globSync(pattern, { cwd: ROOT, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

/** Bundles one package into a tarball; what it needs of other packages is inside, but for `external`. */
async function pack(name: string, external: readonly string[], vendor: string): Promise<string> {
  const directory = join(CACHE, 'packages', name);
  const source = readJson(join(ROOT, 'core', name, 'package.json'));
  await build({
    input: { index: join(ROOT, 'core', name, 'src', 'index.ts') },
    platform: 'node',
    external: [...external],
    resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
    transform: { target: 'node24' },
    logLevel: 'silent',
    output: {
      dir: join(directory, 'dist'),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
    },
  });
  cpSync(declarationsOf(name), join(directory, 'dist', 'index.d.ts'));
  const schema = name === 'api';
  if (schema) cpSync(join(ROOT, 'core/api/manifest.schema.json'), join(directory, 'manifest.schema.json'));
  const { version, description, license, engines } = source;
  const exported = {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  };
  const manifest = {
    name: source.name,
    version,
    description,
    license,
    type: 'module',
    exports: schema ? { ...exported, './manifest.schema.json': './manifest.schema.json' } : exported,
    files: schema ? ['dist', 'manifest.schema.json'] : ['dist'],
    engines,
    ...(external.length > 0
      ? { dependencies: Object.fromEntries(external.map((other) => [other, version])) }
      : {}),
  };
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const packed = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', vendor], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (packed.status !== 0) throw new Error(`npm pack of ${name} failed: ${packed.stderr}`);
  return packed.stdout.trim();
}

/** Writes the template and its tarballs into `directory`. */
export async function packTemplate(directory: string): Promise<void> {
  const inputs = fingerprint();
  const stamp = join(CACHE, 'inputs');
  const made = join(CACHE, 'template');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== inputs) {
    rmSync(CACHE, { recursive: true, force: true });
    const vendor = join(made, 'vendor');
    mkdirSync(vendor, { recursive: true });
    extract({ update: false });
    const tarballs = {
      '@awl/api': await pack('api', [], vendor),
      '@awl/testkit': await pack('testkit', ['@awl/api'], vendor),
    };
    for (const part of ['README.md', 'src', 'test'])
      cpSync(join(TEMPLATE, part), join(made, part), { recursive: true });
    cpSync(join(TEMPLATE, 'copy'), made, { recursive: true });
    const manifest = readJson(join(TEMPLATE, 'package.json'));
    delete manifest.private;
    for (const [name, tarball] of Object.entries(tarballs))
      manifest.devDependencies[name] = `file:vendor/${tarball}`;
    writeFileSync(join(made, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    writeFileSync(stamp, inputs);
  }
  rmSync(directory, { recursive: true, force: true });
  cpSync(made, directory, { recursive: true });
}

if (import.meta.main) {
  const directory = process.argv[2] ?? join(ROOT, 'tui', 'dist', 'plugin-template');
  await packTemplate(directory);
  console.log(`packed ${directory}`);
}
