export { DENO as RUNTIME } from '../../../adapters/deno/runtime.ts';
