export { NODE as RUNTIME } from '../../../adapters/node/runtime.ts';
