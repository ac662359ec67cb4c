/** `npm run bundle:workers`: the size of the Worker; fails above the limit, or where it needs what Workers have not. */
import { bundle } from './bundle.ts';

/** What a cold start has to load. */
export const GZIP_LIMIT_BYTES = 200_000;

const { rawBytes, gzipBytes, externals } = await bundle();
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`worker: ${kilobytes(rawBytes)} raw, ${kilobytes(gzipBytes)} gzip (limit ${kilobytes(GZIP_LIMIT_BYTES)})`);
if (externals.length > 0) console.error(`needs of the runtime: ${externals.join(', ')}`);
if (gzipBytes > GZIP_LIMIT_BYTES || externals.length > 0) process.exitCode = 1;
