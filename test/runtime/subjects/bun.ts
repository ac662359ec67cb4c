export { BUN as RUNTIME } from '../../../adapters/bun/runtime.ts';
