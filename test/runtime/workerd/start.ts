/**
 * `npm run start:workers`: Postern's Worker in workerd on this machine, D1 and KV in the data directory. Takes the flags
 * of `postern serve`; what Workers have not, the Worker itself refuses.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { writePid } from '../../../adapters/node-compat/data-dir/data-dir.ts';
import { SETTING_ROWS } from '../../../src/index.ts';
import type { LocalCertificate } from './capnp.ts';
import { startLocalWorkerd } from './local-workerd.ts';

const HELP = `Usage: npm run start:workers -- [flags]

Runs the Worker of wrangler.toml in workerd. Keys are not made up here either: set POSTERN_VAULT_KEYS and
JWT_SECRET_KEY, as \`postern vault key\` prints them. Prints one line of JSON on standard output once it takes calls;
logs go to standard error. SIGTERM lets calls finish and ends.

  --host HOST                       address to listen on (127.0.0.1) [HOST]
  --port PORT                       port to listen on; 0 picks one (4444) [PORT]
  --data-dir DIR                    where D1, KV and postern.pid are kept (./data/workers) [POSTERN_DATA_DIR]
  --storage URL                     d1:DB (default) or cf-kv:KV [POSTERN_STORAGE]
  --log-level LEVEL                 debug, info, warn or error (info) [LOG_LEVEL]
  --mtls-certificate NAME=CERT,KEY  a client certificate as the binding NAME; repeatable
  --trust FILE                      authorities believed beside the public ones (PEM); repeatable
`;

// a wrong flag, a file that is not there, a port that is taken: what is wrong, not where it was found
process.once('uncaughtException', (error: NodeJS.ErrnoException) => {
  console.error(`start:workers: ${error.message.split('\n')[0]}`);
  if (error.code === 'MODULE_NOT_FOUND') console.error('  run `npm ci --prefix test/runtime` first');
  process.exit(1);
});

/** Settings of this program, not of the Worker. */
const OWN = new Set(['PORT', 'POSTERN_DATA_DIR']);

const flags = SETTING_ROWS.flatMap(([, { flag }]) => (flag === undefined ? [] : [[flag, { type: 'string' }] as const]));
const argv = process.argv.slice(2);
const { values } = parseArgs({
  // as the command line of other runtimes has it
  args: argv[0] === 'serve' ? argv.slice(1) : argv,
  options: {
    ...Object.fromEntries(flags),
    'mtls-certificate': { type: 'string', multiple: true },
    trust: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  const host = setting('HOST') ?? '127.0.0.1';
  const certificates = await Promise.all((values['mtls-certificate'] ?? []).map(readCertificate));
  const dataDir = setting('POSTERN_DATA_DIR') ?? './data/workers';
  const workerd = await startLocalWorkerd({
    address: `${host}:${setting('PORT') ?? 4444}`,
    dataDir,
    texts: { HOST: host, POSTERN_STORAGE: 'd1:DB', ...texts() },
    certificates: Object.fromEntries(certificates),
    trusted: await Promise.all((values.trust ?? []).map((path) => readFile(path, 'utf8'))),
    onLog: (line) => process.stderr.write(`${line}\n`),
  });
  const removePid = await writePid(dataDir);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      void (stopping ? workerd.kill() : workerd.stop());
      stopping = true;
    });
  const url = `http://${host}:${workerd.port}`;
  // the Worker begins with the first request, and has logged why when it cannot
  const { ok } = await fetch(`http://127.0.0.1:${workerd.port}/ready`);
  if (ok) console.log(JSON.stringify({ event: 'ready', url, health: `${url}/health` }));
  else await workerd.stop();
  const code = await workerd.exited;
  await removePid();
  process.exitCode = ok && (stopping || code === 0) ? 0 : 1;
}

/** As a flag, else by environment; an empty value counts as unset. */
function setting(env: string): string | undefined {
  const flag = SETTING_ROWS.find(([, row]) => row.env === env)?.[1].flag;
  const given = flag === undefined ? undefined : (values as Readonly<Record<string, unknown>>)[flag];
  return (typeof given === 'string' ? given : process.env[env]) || undefined;
}

/** What was given of the settings, and names like those of settings: which there are, the Worker knows. */
function texts(): Record<string, string> {
  const known = SETTING_ROWS.map(([, { env }]) => env);
  const named = Object.keys(process.env).filter((name) => name.startsWith('POSTERN_'));
  const names = [...new Set([...known, ...named])].filter((name) => !OWN.has(name));
  return Object.fromEntries(names.flatMap((name) => [[name, setting(name)] as const]).filter(isGiven));
}

function isGiven(entry: readonly [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

async function readCertificate(given: string): Promise<readonly [string, LocalCertificate]> {
  const [, name = '', cert, key] = /^(\w+)=([^,]+),([^,]+)$/.exec(given) ?? [];
  if (cert === undefined || key === undefined) throw new Error(`expected NAME=CERT,KEY, met ${given}`);
  return [name, { certPem: await readFile(cert, 'utf8'), keyPem: await readFile(key, 'utf8') }];
}
