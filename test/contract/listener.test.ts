import { RUNTIME } from '#runtime';
import { openListener } from '../../adapters/node-compat/listener/listener.ts';
import { listenerContract } from './listener-contract.ts';

listenerContract(RUNTIME.name, {
  capabilities: RUNTIME.listener,
  openListener: (options) => openListener(RUNTIME, options),
});
