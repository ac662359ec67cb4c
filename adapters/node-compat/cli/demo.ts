import { GatewayError } from '../../../src/index.ts';
import type { CliIo } from './io.ts';

/**
 * `postern demo`, where it can run: its MCP server is a development dependency and not part of the package.
 *
 * @throws GatewayError feature_unsupported outside a checkout
 */
export async function demoCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const demo = await import('./demo/demo.ts').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new GatewayError('feature_unsupported', 'postern demo runs from a checkout, met an installed package', {
      hint: 'clone the repository, then npm ci && npm run demo',
      cause,
    });
  });
  return demo.demoCommand(argv, io);
}
