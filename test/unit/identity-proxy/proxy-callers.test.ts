import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toBase64 } from '../../../src/base/bytes.ts';
import { ProxyCallers } from '../../../src/identity/proxy/proxy-callers.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCertificate, MintOptions } from '../../support/pki.ts';

const clock = new ManualClock();
const HOUR_MS = 3_600_000;
/** Names are as they are, whatever the certificate. */
let plain: MintedCertificate;
let spiffe: MintedCertificate;
let other: MintedCertificate;
beforeAll(async () => {
  const ca = await (await mintPki()).ca('Callers');
  const issue = (options: MintOptions) =>
    ca.issue({
      eku: 'client',
      notBefore: new Date(clock.nowMs() - HOUR_MS),
      notAfter: new Date(clock.nowMs() + HOUR_MS),
      ...options,
    });
  plain = await issue({ cn: 'ann', organisation: 'Example' });
  spiffe = await issue({ cn: 'agent', uris: ['spiffe://x/agent'], dns: ['agent.example'] });
  other = await issue({ cn: 'bob' });
});

const encoded = ({ certPem }: MintedCertificate): string => encodeURIComponent(certPem);
const base64 = ({ certificate }: MintedCertificate): string => toBase64(certificate.der);

type Sent = readonly (readonly [string, string])[];

async function callerOf(userHeader: string, sent: Sent): Promise<Principal | undefined> {
  const caller = await new ProxyCallers(userHeader, clock).callerOf(new Headers(sent.map(([n, v]) => [n, v])));
  return caller?.principal;
}

const refusalOf = (userHeader: string, sent: Sent): Promise<void> =>
  expect((async () => callerOf(userHeader, sent))()).rejects.toMatchObject({ code: 'unauthenticated' });

const OK = ['X-SSL-Client-Verify', 'SUCCESS'] as const;
const CN = 'X-SSL-Client-S-DN-CN';
const DN = 'X-SSL-Client-S-DN';
const CERT = 'X-SSL-Client-Cert';
const XFCC = 'X-Forwarded-Client-Cert';
const USER = 'X-Authenticated-User';

describe('a plain header', () => {
  test('names the caller, a user, with the organisation the proxy tells', async () => {
    expect(await callerOf(USER, [[USER, 'ann@example.org']])).toEqual({
      subject: 'ann@example.org',
      role: 'user',
      method: 'proxy',
      claims: {},
    });
    const sent: Sent = [['X-Remote-User', 'ann'], ['X-User-Organization', 'Example'], OK];
    expect(await callerOf('X-Remote-User', sent)).toMatchObject({
      subject: 'ann',
      claims: { organisation: 'Example' },
    });
  });

  test('that is not there names nobody, nor do others', async () => {
    expect(await callerOf(USER, [])).toBeUndefined();
    expect(await callerOf(USER, [[CN, 'ann'], OK, ['X_Authenticated_User', 'ann']])).toBeUndefined();
  });

  test.each<[string, Sent]>([
    ['is empty', [[USER, '']]],
    ['holds blanks only', [[USER, ' \t ']]],
    [
      'was sent twice',
      [
        [USER, 'ann'],
        [USER, 'ann'],
      ],
    ],
    [
      'was sent twice, once empty',
      [
        [USER, ''],
        [USER, 'ann'],
      ],
    ],
    ['holds a comma', [[USER, 'ann,bob']]],
    ['holds a placeholder of Caddy', [[USER, '{http.request.tls.client.subject_cn}']]],
    ['holds a placeholder of nginx', [[USER, '$ssl_client_s_dn_cn']]],
    ['holds a tab', [[USER, 'ann\tbob']]],
    ['holds a control character', [[USER, 'ann\u0001']]],
    ['holds no ASCII', [[USER, 'änn']]],
    ['is too long', [[USER, 'a'.repeat(1025)]]],
    [
      'comes with an organisation that is empty',
      [
        [USER, 'ann'],
        ['X-User-Organization', ''],
      ],
    ],
    [
      'comes with a certificate that was not verified',
      [
        [USER, 'ann'],
        ['X-SSL-Client-Verify', 'NONE'],
      ],
    ],
  ])('that %s is refused', (_, sent) => refusalOf(USER, sent));

  test('of the longest name is taken', async () => {
    expect((await callerOf(USER, [[USER, 'a'.repeat(1024)]]))?.subject).toHaveLength(1024);
  });

  test('is taken as it is or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), async (name) => {
        const headers = { get: (header: string) => (header === USER ? name : null) };
        const caller = await (async () => new ProxyCallers(USER, clock).callerOf(headers))().catch(() => undefined);
        if (caller !== undefined) expect(caller.principal.subject).toBe(name);
        expect(caller !== undefined).toBe(/^[\x20-\x7e]+$/.test(name) && !/[,{$]/.test(name) && name.trim() !== '');
      }),
    );
  });
});

describe('parts of a certificate', () => {
  test.each<[string, string, () => Sent]>([
    ['its common name', CN, () => [[CN, 'ann'], OK]],
    ['its distinguished name', DN, () => [[DN, 'CN=ann,O=Example'], OK]],
    ['all of it, as nginx writes it', CN, () => [[CN, 'ann'], [DN, 'CN=ann,O=Example'], [CERT, encoded(plain)], OK]],
    ['all of it, as HAProxy writes it', CERT, () => [[CN, 'ann'], [CERT, base64(plain)], OK]],
    ['itself', CERT, () => [[CERT, encoded(plain)], OK]],
  ])('name the caller: %s', async (_, header, sent) => {
    expect(await callerOf(header, sent())).toMatchObject({ subject: 'ann', role: 'user', method: 'proxy' });
  });

  test('where the certificate names the caller, it is by the rules for certificates', async () => {
    expect(await callerOf(CERT, [[CERT, encoded(spiffe)], OK])).toMatchObject({ subject: 'spiffe://x/agent' });
    expect(await callerOf(CN, [[CN, 'agent'], [CERT, encoded(spiffe)], OK])).toMatchObject({ subject: 'agent' });
  });

  test('the organisation becomes a claim', async () => {
    const claims = { organisation: 'Example' };
    expect(await callerOf(CERT, [[CERT, encoded(plain)], OK])).toMatchObject({ claims });
    expect(await callerOf(CN, [[CN, 'ann'], [DN, 'CN=ann,OU=x,O=Example'], OK])).toMatchObject({ claims });
    expect((await callerOf(CN, [[CN, 'ann'], [DN, String.raw`CN=ann,OU=x\,O=Example`], OK]))?.claims).toEqual({});
  });

  test('of another name, as the ingress controller of Kubernetes has them', async () => {
    const sent: Sent = [
      ['ssl-client-subject-dn', 'CN=ann,O=Example'],
      ['ssl-client-cert', encoded(plain)],
      ['ssl-client-verify', 'SUCCESS'],
    ];
    for (const header of ['ssl-client-subject-dn', 'ssl-client-cert']) {
      expect(await callerOf(header, sent)).toMatchObject({ subject: 'ann', claims: { organisation: 'Example' } });
      await refusalOf(header, sent.slice(0, 2));
      await refusalOf(header, [...sent.slice(0, 2), OK]);
      await refusalOf(header, [...sent.slice(0, 2), ['ssl-client-verify', 'NONE']]);
    }
    await refusalOf('ssl-client-subject-dn', [['ssl-client-subject-dn', 'CN=bob'], ...sent.slice(1)]);
  });

  test('without a certificate nobody is named', async () => {
    expect(await callerOf(CN, [])).toBeUndefined();
    expect(await callerOf(CN, [['X-SSL-Client-Verify', 'NONE']])).toBeUndefined();
    expect(await callerOf(CN, [[USER, 'ann']])).toBeUndefined();
  });

  test.each<[string, string, () => Sent]>([
    ['nothing was verified', CN, () => [[CN, 'ann']]],
    [
      'verifying failed',
      CN,
      () => [
        [CN, 'ann'],
        ['X-SSL-Client-Verify', 'FAILED:expired'],
      ],
    ],
    [
      'there was no certificate',
      CN,
      () => [
        [CN, 'ann'],
        ['X-SSL-Client-Verify', 'NONE'],
      ],
    ],
    [
      'it was verified in another spelling',
      CN,
      () => [
        [CN, 'ann'],
        ['X-SSL-Client-Verify', 'success'],
      ],
    ],
    [
      'it was verified in an underscore',
      CN,
      () => [
        [CN, 'ann'],
        ['X_SSL_Client_Verify', 'SUCCESS'],
      ],
    ],
    ['it was verified twice', CN, () => [[CN, 'ann'], OK, OK]],
    ['verifying failed and nobody is named', CN, () => [['X-SSL-Client-Verify', 'FAILED']]],
    ['it was verified and names nobody', CN, () => [OK]],
    ['the common name is empty', CN, () => [[CN, ''], OK]],
    ['the common name is escaped', CN, () => [[CN, String.raw`adm\69n`], OK]],
    ['the common name came twice', CN, () => [[CN, 'ann'], [CN, 'bob'], OK]],
    ['the names differ', CN, () => [[CN, 'bob'], [DN, 'CN=ann,O=Example'], OK]],
    ['the certificate is of somebody else', CN, () => [[CN, 'ann'], [CERT, encoded(other)], OK]],
    [
      'the certificate is of somebody else than the distinguished name',
      DN,
      () => [[DN, 'CN=ann'], [CERT, encoded(other)], OK],
    ],
    ['the distinguished name has slashes', DN, () => [[DN, '/O=x/CN=ann'], OK]],
    ['the distinguished name came twice', DN, () => [[DN, 'CN=ann'], [DN, 'CN=ann'], OK]],
    ['the distinguished name has no common name', DN, () => [[DN, 'O=Example'], OK]],
    ['the distinguished name hides one', DN, () => [[DN, String.raw`O=x\,CN=admin`], OK]],
    ['the distinguished name is half', DN, () => [[DN, 'CN=ann,O'], OK]],
    ['the distinguished name holds control characters', DN, () => [[DN, String.raw`CN=a\0ab`], OK]],
    ['the certificate is none', CERT, () => [[CERT, 'x'.repeat(8)], OK]],
    ['the certificate is empty', CERT, () => [[CERT, ''], OK]],
    ['there are two certificates', CERT, () => [[CERT, encoded(plain) + encoded(other)], OK]],
    ['the certificate came with something else', CERT, () => [[CERT, encoded(plain)], [CERT, 'bob'], OK]],
    ['the certificate came twice', CERT, () => [[CERT, base64(plain)], [CERT, base64(other)], OK]],
    ['the certificate is badly encoded', CERT, () => [[CERT, `-----BEGIN%`], OK]],
    ['it is a key', CERT, () => [[CERT, encodeURIComponent(plain.keyPem)], OK]],
    ['it is too long', CERT, () => [[CERT, 'A'.repeat(16_388)], OK]],
  ])('are refused where %s', (_, header, sent) => refusalOf(header, sent()));
});

describe('X-Forwarded-Client-Cert', () => {
  const hash = ({ certificate }: MintedCertificate) => certificate.facts.sha256;

  test.each<[string, () => string, string]>([
    ['a URI before all', () => 'DNS=d;Subject="CN=c";URI=spiffe://x/agent;URI=urn:y', 'spiffe://x/agent'],
    ['a DNS name before the common name', () => 'Subject="CN=c";DNS=d', 'd'],
    ['else the common name', () => 'Hash=0;Subject="O=x,CN=c"', 'c'],
    ['of several hops the last', () => 'URI=spiffe://x/first,URI=spiffe://x/last', 'spiffe://x/last'],
    ['with its certificate', () => `URI=spiffe://x/agent;Cert="${encoded(spiffe)}"`, 'spiffe://x/agent'],
    [
      'with its certificate and hash',
      () => `DNS=agent.example;Cert="${encoded(spiffe)}";Hash=${hash(spiffe)}`,
      'agent.example',
    ],
    ['or the certificate alone', () => `Cert="${encoded(spiffe)}"`, 'spiffe://x/agent'],
  ])('names the caller: %s', async (_, value, subject) => {
    expect(await callerOf(XFCC, [[XFCC, value()]])).toMatchObject({ subject, method: 'proxy' });
  });

  test('that is not there names nobody', async () => {
    expect(await callerOf(XFCC, [[USER, 'ann']])).toBeUndefined();
  });

  test.each<[string, () => string]>([
    ['is empty', () => ''],
    ['is half an element', () => 'URI=spiffe://x/admin,Subject="CN=x'],
    ['names nobody', () => 'By=spiffe://x/us;Hash=00'],
    ['names nobody in its last hop', () => 'URI=spiffe://x/admin,Hash=00;Subject=""'],
    ['comes with the certificate of another', () => `URI=spiffe://x/admin;Cert="${encoded(spiffe)}"`],
    ['has the hash of another', () => `URI=spiffe://x/agent;Cert="${encoded(spiffe)}";Hash=${hash(other)}`],
    ['has a name that is in the certificate, but elsewhere', () => `DNS=agent;Cert="${encoded(spiffe)}"`],
    ['holds a placeholder', () => 'URI={uri}'],
    ['holds no ASCII', () => 'DNS=ä'],
    ['names a subject with slashes', () => 'Subject="/CN=a"'],
  ])('that %s is refused', (_, value) => refusalOf(XFCC, [[XFCC, value()]]));
});

describe('Client-Cert', () => {
  const HEADER = 'Client-Cert';

  test('is the certificate', async () => {
    const sent: Sent = [
      [HEADER, `:${base64(spiffe)}:`],
      ['Client-Cert-Chain', ':AAAA:'],
    ];
    expect(await callerOf(HEADER, sent)).toMatchObject({ subject: 'spiffe://x/agent', method: 'proxy' });
    expect(await callerOf(HEADER, [])).toBeUndefined();
  });

  test.each<[string, () => Sent]>([
    ['has no colons', () => [[HEADER, base64(plain)]]],
    [
      'came twice',
      () => [
        [HEADER, `:${base64(plain)}:`],
        [HEADER, `:${base64(plain)}:`],
      ],
    ],
    ['is a list', () => [[HEADER, `:${base64(plain)}:, :${base64(plain)}:`]]],
    ['has parameters', () => [[HEADER, `:${base64(plain)}:;a=b`]]],
    ['is empty', () => [[HEADER, '::']]],
    ['is no base64', () => [[HEADER, ':####:']]],
    ['is no certificate', () => [[HEADER, ':AAAA:']]],
    [
      'has more behind the certificate',
      () => [[HEADER, `:${toBase64(new Uint8Array([...plain.certificate.der, 0]))}:`]],
    ],
  ])('that %s is refused', (_, sent) => refusalOf(HEADER, sent()));
});

describe('what was said once', () => {
  let callers: ProxyCallers;
  beforeEach(() => {
    callers = new ProxyCallers(CERT, clock);
  });
  const saying = (certificate: MintedCertificate) => new Headers([[CERT, encoded(certificate)], [...OK]]);

  test('is recognised at once when it is said again', async () => {
    const first = callers.callerOf(saying(plain));
    expect(first).toBeInstanceOf(Promise);
    expect(callers.callerOf(saying(plain))).toBeInstanceOf(Promise);
    const caller = await first;
    expect(callers.callerOf(saying(plain))).toEqual(caller);
    expect(callers.callerOf(saying(plain))).not.toBeInstanceOf(Promise);
    expect(await callers.callerOf(saying(other))).toMatchObject({ principal: { subject: 'bob' } });
  });

  test('with other words is something else', async () => {
    await callers.callerOf(saying(plain));
    const unverified = new Headers([
      [CERT, encoded(plain)],
      ['X-SSL-Client-Verify', 'NONE'],
    ]);
    expect(() => callers.callerOf(unverified)).toThrow('SUCCESS');
  });

  test('does not outlive the certificate', async () => {
    const expiring = new ManualClock();
    const held = new ProxyCallers(CERT, expiring);
    await held.callerOf(saying(plain));
    expiring.advance(HOUR_MS + 1000);
    expect(() => held.callerOf(saying(plain))).toThrow('has expired');
    await expect(new ProxyCallers(CERT, expiring).callerOf(saying(plain))).rejects.toThrow('has expired');
  });

  test('is forgotten once there are too many of them', () => {
    const named = new ProxyCallers(USER, clock);
    const first = named.callerOf(new Headers([[USER, 'first']]));
    expect(named.callerOf(new Headers([[USER, 'first']]))).toBe(first);
    for (let count = 0; count < 1000; count++) void named.callerOf(new Headers([[USER, `other ${count}`]]));
    expect(named.callerOf(new Headers([[USER, 'first']]))).not.toBe(first);
  });
});
