/** Reads CPU profiles written by `node --cpu-prof` and says where the time of a call went. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds by place and by function. */
interface Spent {
  readonly places: Map<string, number>;
  readonly functions: Map<string, number>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const SHOWN = 30;

/** The part of the program a frame belongs to: a room, a package, Node's own code, the engine. */
function placeOf(url: string): string {
  if (url === '') return '(engine)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const path = relative(ROOT, url.replace('file://', ''));
  const [, dependency] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return dependency ?? path.split('/').slice(0, 3).join('/');
}

function add(to: Map<string, number>, label: string, micros: number): void {
  to.set(label, (to.get(label) ?? 0) + micros);
}

function read(folder: string, pid: number): Spent {
  const name = readdirSync(folder).find((file) => file.endsWith('.cpuprofile') && file.split('.')[3] === String(pid));
  if (!name) throw new Error(`no profile of process ${pid} in ${folder}`);
  const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent: Spent = { places: new Map(), functions: new Map() };
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)') return;
    const micros = profile.timeDeltas[index] ?? 0;
    // the engine's own entries are worth telling apart: garbage, writes, the rest
    const place = frame.url === '' ? frame.functionName || '(engine)' : placeOf(frame.url);
    add(spent.places, place, micros);
    add(
      spent.functions,
      `${frame.functionName || '(anonymous)'} ${placeOf(frame.url)}:${frame.lineNumber + 1}`,
      micros,
    );
  });
  return spent;
}

/** Prints microseconds per call, start-up included, of Postern beside the floor. */
export function printProfiles(folder: string, pids: { postern: number; floor: number }, calls: number): void {
  const postern = read(folder, pids.postern);
  const floor = read(folder, pids.floor);
  for (const table of ['places', 'functions'] as const) {
    console.log(`\nus per call: postern, floor, by ${table}`);
    for (const [label, micros] of [...postern[table]].toSorted((a, b) => b[1] - a[1]).slice(0, SHOWN)) {
      const [own, other] = [micros, floor[table].get(label) ?? 0].map((spent) =>
        (spent / calls).toFixed(1).padStart(6),
      );
      console.log(`${own} ${other}  ${label}`);
    }
  }
  console.log(`\nprofiles are in ${folder}`);
}
