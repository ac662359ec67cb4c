import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { AnchorRecords, loadTrailVerifier, parseVaultKeys } from '../../../../src/index.ts';
import type { Finding, TrailReport, TrailVerifier } from '../../../../src/index.ts';
import { readVaultKeys } from '../../data-dir/data-dir.ts';
import { growingFileName } from '../../files/growing-file.ts';
import { linesOf } from '../../files/lines-of.ts';
import type { Arguments } from '../arguments.ts';
import type { CliIo } from '../io.ts';
import { loadConfig } from '../settings.ts';
import { overStore } from '../vault/store.ts';
import { warningsTo } from '../warnings.ts';

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `postern audit verify`: 0 where the trail in these files is whole. */
export async function verifyTrail(files: readonly string[], parsed: Arguments, io: CliIo): Promise<number> {
  const paths = files.map((file) => resolve(io.cwd, file));
  const withKeys = parsed.flags['no-keys'] !== true;
  const report = withKeys ? await verifiedWithKeys(paths, parsed, io) : (await taken(paths, { hash })).finish();
  if (parsed.flags['json']) io.out(JSON.stringify({ whole: report.broken === undefined, keys: withKeys, ...report }));
  else print(report, withKeys, io);
  return report.broken === undefined ? 0 : 1;
}

async function verifiedWithKeys(paths: readonly string[], parsed: Arguments, io: CliIo): Promise<TrailReport> {
  const { values } = await loadConfig(parsed, io);
  const keys = parseVaultKeys(await readVaultKeys(values));
  return overStore(io, values, keys, warningsTo(io), async ({ records, vault }) => {
    const known = await new AnchorRecords(records).all();
    const isGenuine = (data: Uint8Array<ArrayBuffer>, mac: { kid: string; tag: string }) =>
      vault.verifyMac(data, mac, 'an anchor of the trail');
    const verifier = await taken(paths, { hash, isGenuine });
    return verifier.finish(known, new Set(paths.map(growingFileName)));
  });
}

async function taken(
  paths: readonly string[],
  options: ConstructorParameters<typeof TrailVerifier>[0],
): Promise<TrailVerifier> {
  const verifier = new (await loadTrailVerifier())(options);
  for (const path of paths) {
    verifier.beginFile(path);
    for await (const { bytes, isWhole } of linesOf(path)) {
      if (!isWhole) verifier.remainder(bytes);
      else if (!(await verifier.take(bytes))) return verifier;
    }
  }
  return verifier;
}

function print({ broken, notes, lines, chains, anchors }: TrailReport, withKeys: boolean, io: CliIo): void {
  for (const note of notes) io.out(`note: ${shown(note)}`);
  if (broken) {
    io.out(`broken: ${shown(broken)}`);
    return;
  }
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  const held = withKeys ? `${count(anchors, 'anchor')} held` : `${count(anchors, 'anchor')} not checked`;
  io.out(`whole: ${count(lines, 'line')}, ${count(chains, 'chain')}, ${held}`);
}

const shown = ({ file, line, what }: Finding): string => `${file}, line ${line}: ${what}`;
