import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/base/errors.ts';
import { type MintedCa, type MintedCertificate, mintPki } from '../support/pki.ts';
import { startUpstream } from '../support/tls-upstream.ts';
import type { DialerSubject } from './dialer-contract.ts';

const over = new GatewayError('channel_closed', 'it is over');
const begin: RequestListener = (_, response) => void response.write('begun');

/** A body that has no end of its own gets one, whichever way its connection is given up: some runtimes leave its reader waiting. */
export function endlessBodyContract(name: string, subject: DialerSubject): void {
  describe(`a body without an end: ${name}`, () => {
    let ca: MintedCa;
    let server: MintedCertificate;
    const dialer = subject.createDialer({ events: () => undefined, connectTimeoutMs: 2_000 });
    beforeAll(async () => {
      ca = await (await mintPki()).ca('body root');
      server = await ca.issue({ cn: 'server', dns: ['localhost'], eku: 'server' });
    });
    afterAll(() => dialer.close());

    const ways = ['destroy', 'drain', 'cut', 'end', 'abort', 'lost'] as const;
    test.each(ways)('ends with an error after: %s', { timeout: 10_000 }, async (way) => {
      const upstream = await startUpstream({ tls: { cert: server.chainPem, key: server.keyPem }, handle: begin });
      const channel = await dialer.open(await subject.openProfile({ caCertificate: ca.pem }), upstream.origin());
      const [group, controller] = [{}, new AbortController()];
      const request = { method: 'GET', path: '/', headers: {}, group, signal: controller.signal };
      const [streamed, read] = [await channel.send(request), await channel.send(request)];
      const reader = streamed.stream().getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('begun');
      const bodies = [reader.read(), read.text(100)];
      const ended = Promise.all(bodies.map((body) => expect(body).rejects.toBeInstanceOf(Error)));
      if (way === 'destroy') channel.destroy(over);
      else if (way === 'drain') await channel.drain(0);
      else if (way === 'cut') channel.cut(channel.peers(), over);
      else if (way === 'end') channel.end(group, over);
      else if (way === 'abort') controller.abort(over);
      else upstream.dropConnections();
      await ended;
      await expect.poll(() => upstream.openConnections).toBe(0);
      channel.destroy(over);
      await upstream.close();
    });
  });
}
