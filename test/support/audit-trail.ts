import { createHash, hash } from 'node:crypto';
import { AnchorRecords } from '../../src/audit/anchor-records.ts';
import { AuditTrail } from '../../src/audit/audit-trail.ts';
import type { AuditSink } from '../../src/audit/audit-sink.ts';
import { ChainWriter } from '../../src/audit/chain-writer.ts';
import { TrailVerifier } from '../../src/audit/trail-verifier.ts';
import type { TrailReport } from '../../src/audit/trail-verifier.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { RecordStore } from '../../src/store/records.ts';
import { mintVault } from './vault.ts';
import { openMemory } from '../../adapters/node-compat/storage/memory.ts';
import { ManualClock } from './manual-clock.ts';
import { recordEvents } from './recorded-events.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A file that is a text, and fails when told to. */
export class TextSink implements AuditSink {
  readonly name = 'here:/audit';
  text = '';
  failing = false;
  moved = false;
  /** What was moved away. */
  before = '';

  open() {
    if (this.moved) [this.before, this.text, this.moved] = [this.text, '', false];
    const end = this.text.lastIndexOf('\n');
    const torn = this.text.slice(end + 1);
    return Promise.resolve({
      lastLine: end < 0 ? undefined : this.text.slice(0, end).split('\n').at(-1),
      torn: torn === '' ? undefined : { bytes: torn.length, sha256: hash('sha256', torn) },
    });
  }

  hasMoved(): Promise<boolean> {
    return Promise.resolve(this.moved);
  }

  append(lines: string): Promise<void> {
    if (this.failing) return Promise.reject(new GatewayError('audit_unavailable', 'the disk is full'));
    this.text += lines;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A store, its keys and a clock, over which trails are written and verified. */
export async function makeTrails() {
  const vault = await mintVault();
  const { sink: events, ...seen } = recordEvents();
  const anchors = new AnchorRecords(new RecordStore({ storage: openMemory(), sealer: vault, events }));
  const clock = new ManualClock();
  return {
    clock,
    seen,
    anchors,
    /** A trail that has begun. */
    async open(sink: AuditSink, failClosed = false): Promise<AuditTrail> {
      const hashOf = (text: string) => hash('sha256', text);
      const writer = new ChainWriter({ sink, anchors, vault, clock, hashOf, instance: 'here:1' });
      const trail = new AuditTrail({ sink, writer, clock, events, failClosed });
      await trail.begin();
      return trail;
    },
    async verify(...texts: readonly string[]): Promise<TrailReport> {
      const isGenuine = (data: Uint8Array<ArrayBuffer>, mac: { kid: string; tag: string }) =>
        vault.verifyMac(data, mac, 'an anchor');
      const verifier = new TrailVerifier({ hash: sha256, isGenuine });
      for (const [index, text] of texts.entries()) {
        verifier.beginFile(`file ${index + 1}`);
        const lines = text.split('\n');
        const rest = lines.pop() ?? '';
        for (const line of lines) await verifier.take(Buffer.from(line));
        verifier.remainder(Buffer.from(rest));
      }
      return verifier.finish(await anchors.all(), new Set(['here:/audit']));
    },
  };
}
