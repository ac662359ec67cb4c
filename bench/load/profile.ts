/** Reads a CPU profile written by `node --cpu-prof` and says where the time went. */
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

const ROOT = resolve(import.meta.dirname, '../..');
const SHOWN = 30;

/** The part of the program a frame belongs to: a room, a package, node's own code, the engine. */
function placeOf(url: string): string {
  if (url === '') return '(engine)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const path = relative(ROOT, url.replace('file://', ''));
  const [, dependency] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return dependency ?? path.split('/').slice(0, 3).join('/');
}

/** Prints where the process `pid` spent its own time: by place, then by function. */
export function printProfile(folder: string, pid: number): void {
  const name = readdirSync(folder).find((file) => file.endsWith('.cpuprofile') && file.split('.')[3] === String(pid));
  if (!name) throw new Error(`no profile of process ${pid} in ${folder}`);
  const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const places = new Map<string, number>();
  const functions = new Map<string, number>();
  let totalMicros = 0;
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    const micros = profile.timeDeltas[index] ?? 0;
    if (!frame || frame.functionName === '(idle)') return;
    totalMicros += micros;
    const place = placeOf(frame.url);
    const label = `${frame.functionName || '(anonymous)'} ${place}:${frame.lineNumber + 1}`;
    places.set(place, (places.get(place) ?? 0) + micros);
    functions.set(label, (functions.get(label) ?? 0) + micros);
  });
  console.log(`\n${join(folder, name)}: ${(totalMicros / 1e6).toFixed(1)} s busy, start-up included`);
  for (const table of [places, functions]) {
    console.log('');
    for (const [label, micros] of [...table].toSorted((a, b) => b[1] - a[1]).slice(0, SHOWN))
      console.log(`${((micros / totalMicros) * 100).toFixed(1).padStart(5)} %  ${label}`);
  }
}
