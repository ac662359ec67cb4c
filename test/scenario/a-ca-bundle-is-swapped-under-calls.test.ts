import { expect, test } from 'vitest';
import { closeAfterEach } from '../support/closing.ts';
import { startRotatingFiles } from '../support/rotating-files.ts';
import { until } from '../support/until.ts';

const closing = closeAfterEach();

test('a server moves to another CA under running calls: both are believed, it moves, only the new one is believed', async () => {
  const files = await startRotatingFiles();
  closing.push(files.close);
  const believing = (...names: string[]) =>
    until(async () => {
      const { authorities } = (await files.view()).tls;
      return authorities.map(({ subject }) => subject).join() === names.join();
    });
  const newCa = await files.pki.ca('New CA');
  const moveTo = async (ca: typeof newCa) => {
    const { chainPem: cert, keyPem: key } = await ca.issue({ cn: 'server', ip: ['127.0.0.1'], eku: 'server' });
    files.upstream.replaceTls({ cert, key, ca: files.ca.pem, requireClientCertificate: true });
  };

  await files.write({ 'ca.pem': files.ca.pem + newCa.pem });
  await believing('CN=Private CA', 'CN=New CA');
  await moveTo(newCa);
  expect(await files.check()).toMatchObject({ ok: true });
  // connections made before the move were judged by the old CA: a new identity makes new ones
  await files.write(await files.issue('second'));
  await files.presenting('second');
  await files.served();

  await files.write({ 'ca.pem': newCa.pem });
  await believing('CN=New CA');
  expect(await files.served()).toEqual(['second']);
  await moveTo(files.ca);
  expect(await files.check()).toMatchObject({ ok: false, error: { code: 'tls_unknown_ca' } });
  expect(await files.ended()).toMatchObject({ failed: [], twice: [] });
});
