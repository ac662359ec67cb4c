import { beforeAll, expect, test } from 'vitest';
import { lineAfter, NO_LINE, textHash } from '../../../src/audit/audit-line.ts';
import { TrailVerifier } from '../../../src/audit/trail-verifier.ts';
import { makeTrails, TextSink } from '../../support/audit-trail.ts';

let trails: Awaited<ReturnType<typeof makeTrails>>;
/** Two chains in one file. */
let text: string;
let lines: readonly string[];
const joined = (kept: readonly string[]): string => kept.map((line) => `${line}\n`).join('');

beforeAll(async () => {
  trails = await makeTrails();
  const sink = new TextSink();
  for (const name of ['one', 'two']) {
    const trail = await trails.open(sink);
    for (let count = 0; count < 3; count++) trail.events('server.saved', { server: `${name}-${count}` });
    await trail.close();
  }
  ({ text } = sink);
  lines = text.trimEnd().split('\n');
});

test('it is whole', async () => {
  expect(await trails.verify(text)).toEqual({ broken: undefined, notes: [], lines: 12, chains: 2, anchors: 4 });
});

test('every byte counts', async () => {
  const bytes = Buffer.from(text);
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    const { broken } = await trails.verify(changed.toString());
    // a byte changed in a line is found at that line or, where it still reads as one, at the line behind it
    const at = bytes.subarray(0, index).filter((byte) => byte === 10).length + 1;
    expect([index, broken?.line]).toEqual([index, expect.toSatisfy((line) => line >= at - 1 && line <= at + 1)]);
  }
});

test('no line can be left out, moved or repeated', async () => {
  for (const [index, line] of lines.entries()) {
    const without = await trails.verify(joined(lines.toSpliced(index, 1)));
    // of the first line nothing but the note is left that the trail begins in the middle
    expect([index, without.broken ?? without.notes[0]]).not.toEqual([index, undefined]);
    expect((await trails.verify(joined(lines.toSpliced(index, 0, line)))).broken).toBeDefined();
    if (index > 0) {
      const swapped = lines.with(index, lines[index - 1] ?? '').with(index - 1, line);
      expect([index, (await trails.verify(joined(swapped))).broken]).not.toEqual([index, undefined]);
    }
  }
});

test('no tail can be cut off that the store knows of', async () => {
  for (let kept = 0; kept < lines.length; kept++)
    expect([kept, (await trails.verify(joined(lines.slice(0, kept)))).broken?.what]).toEqual([
      kept,
      expect.stringMatching(/^the store knows line 6 of chain/),
    ]);
});

test('a chain somebody made without the key does not hold, nor does one that has no anchors', async () => {
  const forged = lines.slice(0, 6).map((line) => line.replace('one-1', 'one-9'));
  const rechained: string[] = [];
  let head = { seq: 0, hash: NO_LINE };
  for (const line of forged) {
    const body = line.slice(line.indexOf(',') + 1, line.lastIndexOf(',"prev"'));
    const next = lineAfter(head, body, textHash);
    rechained.push(next.line);
    head = next.head;
  }
  expect((await trails.verify(joined(rechained))).broken).toMatchObject({
    line: 6,
    what: expect.stringMatching(/^the anchor does not hold/) as string,
  });
  const begun = lineAfter({ seq: 0, hash: NO_LINE }, '"event":"audit.begun","chain":"c"', textHash);
  const second = lineAfter(begun.head, '"event":"server.saved"', textHash);
  expect((await trails.verify(joined([begun.line, second.line]))).broken?.what).toMatch(/^there is no anchor/);
  const many: string[] = [];
  let last = begun;
  for (let count = 0; count < 2001; count++)
    many.push((last = lineAfter(last.head, '"event":"server.saved"', textHash)).line);
  const verifier = new TrailVerifier({ hash: (bytes) => textHash(Buffer.from(bytes).toString()) });
  for (const line of many) await verifier.take(Buffer.from(line));
  expect(verifier.finish().broken?.what).toMatch(/^there is no anchor since line 1 of/);
});

test('two files that were joined, and two that follow each other', async () => {
  const other = new TextSink();
  await (await trails.open(other)).close();
  expect((await trails.verify(joined(lines) + other.text)).broken).toMatchObject({
    line: 13,
    what: expect.stringMatching(/^a chain begins that does not follow the line before/) as string,
  });
  expect(await trails.verify(joined(lines), other.text)).toMatchObject({
    broken: undefined,
    notes: [{ file: 'file 2', line: 1, what: expect.stringMatching(/^a chain begins in an empty file/) as string }],
  });
});
