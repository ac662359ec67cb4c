/** The Worker as one file: what `npm run bundle:workers` measures, and what the local workerd runs. */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const ROOT = resolve(import.meta.dirname, '../../..');
const STUB = join(ROOT, 'adapters/cloudflare/no-certificates.ts');

interface BuildOptions {
  readonly entryPoints: readonly string[];
  readonly bundle: true;
  readonly format: 'esm';
  readonly minify: true;
  readonly write: false;
  readonly metafile: true;
  readonly conditions: readonly string[];
  readonly alias: Readonly<Record<string, string>>;
  readonly external: readonly string[];
  readonly logLevel: 'silent';
}

interface Built {
  readonly outputFiles: readonly { readonly text: string }[];
  readonly metafile: {
    readonly inputs: Readonly<Record<string, { readonly imports: readonly { path: string; external?: boolean }[] }>>;
  };
}

/** A bundle, and what it needs of the runtime that is not in it. */
export interface Bundle {
  readonly text: string;
  readonly rawBytes: number;
  readonly gzipBytes: number;
  readonly externals: readonly string[];
}

/** Bundles as wrangler.toml has wrangler do, which brings the esbuild it does it with. */
export async function bundle(entry = 'adapters/cloudflare/worker.ts'): Promise<Bundle> {
  const esbuild = createRequire(join(ROOT, 'test/runtime/package.json'))('esbuild') as {
    build(options: BuildOptions): Promise<Built>;
  };
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    metafile: true,
    conditions: ['workerd', 'worker', 'browser'],
    alias: { '@peculiar/x509': STUB, 'reflect-metadata': STUB },
    external: ['node:*', 'cloudflare:*'],
    logLevel: 'silent',
  });
  const text = outputFiles[0]?.text ?? '';
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return {
    text,
    rawBytes: Buffer.byteLength(text),
    gzipBytes: gzipSync(text).length,
    externals: [...new Set(imports.filter(({ external }) => external).map(({ path }) => path))],
  };
}
