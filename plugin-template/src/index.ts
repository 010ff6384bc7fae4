import type { PluginContext } from '@awl/api';
import { steadyPunch } from './steady-punch.ts';

/** Called when something that package.json contributes is first needed. What is registered is taken back when the plugin is disabled. */
export function activate(context: PluginContext): void {
  const stats = { attempts: 0, connected: 0 };

  context.strategies.register(
    steadyPunch(() => Number(context.configuration.get('steady-punch.intervalMs') ?? 100)),
  );

  context.hooks.on('punch.didAttempt', ({ strategy, outcome }) => {
    if (strategy !== 'steady-punch@1') return;
    stats.attempts += 1;
    if (outcome === 'connected') stats.connected += 1;
    context.log.info(`attempt ${stats.attempts}: ${outcome}`);
  });

  context.commands.register({ id: 'steady-punch.stats', run: () => ({ ...stats }) });
}
