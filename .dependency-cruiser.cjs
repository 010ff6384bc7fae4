// The arrows between the parts (see README.md, "The parts"). Each rule says who may import whom.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(core|plugins|rendezvous|tui|plugin-template|test|scripts)/', pathNot: [from, ...allowed] },
});
const src = (part) => `^${part}/src/`;
const index = (part) => `^${part}/src/index\\.ts$`;

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(#|bun:)' },
    },
    only('api-imports-nothing', src('core/api'), []),
    only('wire-imports-nothing', src('core/wire'), []),
    only('kcp-imports-nothing', src('core/kcp-ts'), []),
    only('engine-imports', src('core/engine'), [index('core/api'), index('core/wire')]),
    only('plugin-host-imports', src('core/plugin-host'), [
      index('core/api'),
      index('core/wire'),
      index('core/engine'),
    ]),
    only('rendezvous-imports', src('rendezvous'), [index('core/wire')]),
    only('testkit-imports', src('core/testkit'), [
      index('core/api'),
      index('core/wire'),
      index('core/engine'),
    ]),
    only('node-imports', src('core/node'), [
      index('core/api'),
      index('core/wire'),
      index('core/engine'),
      index('core/plugin-host'),
      index('core/testkit'),
      '^plugins/[^/]+/src/index\\.ts$',
      '^plugins/[^/]+/package\\.json$',
    ]),
    only('tui-imports', src('tui'), [
      '^tui/package\\.json$',
      index('core/api'),
      '^core/node/src/(index|client)\\.ts$',
      index('rendezvous'),
      index('core/wire'),
    ]),
    {
      name: 'plugins-import-api-only',
      severity: 'error',
      from: { path: '^plugins/([^/]+)/src/' },
      to: {
        path: '^(core|plugins|rendezvous|tui|plugin-template|test)/',
        pathNot: ['^plugins/$1/', '^core/api/src/index\\.ts$', '^core/kcp-ts/src/index\\.ts$'],
      },
    },
    {
      name: 'parts-are-entered-by-their-index',
      severity: 'error',
      from: { path: '^(core/[^/]+|plugins/[^/]+|rendezvous|tui)/', pathNot: '/test/' },
      to: {
        path: '^(core/[^/]+|plugins/[^/]+|rendezvous|tui)/src/',
        pathNot: ['^$1/', '/src/(index|client)\\.ts$'],
      },
    },
    {
      name: 'engine-sockets-in-one-folder',
      severity: 'error',
      from: { path: '^core/engine/src/', pathNot: '^core/engine/src/(socket|session/tls)' },
      to: { path: '^(node:)?(dgram|net|tls)$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'plugins-open-no-socket',
      severity: 'error',
      from: { path: '^(plugins/[^/]+|core/kcp-ts|core/api|core/wire)/src/' },
      to: { path: '^(node:)?(dgram|net|tls|http|https|child_process|worker_threads)$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
