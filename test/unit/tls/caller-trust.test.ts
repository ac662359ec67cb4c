import { beforeAll, expect, test } from 'vitest';
import { toGatewayError } from '../../../src/base/errors.ts';
import { openCallerAnchors, openCallerCrls } from '../../../src/tls/caller-trust.ts';
import { mintPki } from '../../support/pki.ts';
import type { MintedCa, TestPki } from '../../support/pki.ts';

const HOUR_MS = 3_600_000;
const at = (hours: number) => new Date(Date.now() + hours * HOUR_MS);
let pki: TestPki;
let root: MintedCa;
let other: MintedCa;
let intermediate: MintedCa;
beforeAll(async () => {
  pki = await mintPki();
  [root, other] = [await pki.ca('Root'), await pki.ca('Other')];
  intermediate = await root.intermediate('Intermediate');
});

const anchors = (...pems: readonly string[]) => openCallerAnchors(pems.join(''), Date.now());
async function lists(cas: readonly MintedCa[], ...crls: readonly string[]) {
  return openCallerCrls(crls.join(''), await anchors(...cas.map(({ pem }) => pem)), Date.now());
}
const refusal = (task: Promise<unknown>): Promise<string> =>
  task.then(
    () => 'accepted',
    (error: unknown) => {
      const { code, message } = toGatewayError(error);
      return `${code}: ${message}`;
    },
  );

test('client CAs are current authorities, and nothing else', async () => {
  const old = await pki.ca('Old', { notBefore: at(-2), notAfter: at(-1) });
  const early = await pki.ca('Early', { notBefore: at(1), notAfter: at(2) });
  const leaf = await root.issue({ cn: 'caller' });
  expect(await refusal(anchors(root.pem, other.pem))).toBe('accepted');
  expect(await refusal(anchors(root.pem, old.pem))).toContain('ca_expired: the CA certificate CN=Old expired');
  expect(await refusal(anchors(early.pem))).toContain('certificate_not_yet_valid: ');
  expect(await refusal(anchors(root.pem, leaf.certPem))).toContain('ca_not_a_ca: CN=caller, given as a client CA');
  expect(await refusal(anchors('ca.pem'))).toContain('ca_unreadable: ');
  expect(await refusal(anchors(leaf.keyPem))).toContain('ca_unreadable: ');
});

test('an intermediate without its own issuer is found, going by signatures', async () => {
  const unrooted = async (...cas: readonly MintedCa[]) =>
    (await anchors(...cas.map(({ pem }) => pem))).unrooted?.facts.subject;
  const lower = await intermediate.intermediate('Lower');
  const namesake = await pki.ca('Root');
  expect(await unrooted(root, other)).toBeUndefined();
  expect(await unrooted(lower, intermediate, root)).toBeUndefined();
  expect(await unrooted(root, lower)).toBe('CN=Lower');
  expect(await unrooted(intermediate)).toBe('CN=Intermediate');
  expect(await unrooted(namesake, intermediate)).toBe('CN=Intermediate');
});

test('there is one current revocation list of every client CA, by that CA', async () => {
  const namesake = await pki.ca('Root');
  const [ofRoot, ofOther] = [await root.crl(['01']), await other.crl([])];
  expect(await refusal(lists([root, other], ofRoot, ofOther))).toBe('accepted');
  expect(await refusal(lists([root, other], ofRoot))).toBe(
    'crl_missing: there is no revocation list of the client CA CN=Other',
  );
  expect(await refusal(lists([root], ofRoot, ofOther))).toBe(
    'crl_missing: the revocation list of CN=Other is of none of the client CAs',
  );
  expect(await refusal(lists([root], await namesake.crl([])))).toContain('crl_unreadable: ');
  expect(await refusal(lists([root], 'crl.pem'))).toContain('crl_unreadable: ');
  expect(await refusal(lists([root], root.pem))).toContain('crl_unreadable: ');
});

test('a list that is out of date is refused, since with it nobody would be let in', async () => {
  const old = await root.crl([], { thisUpdate: at(-2), nextUpdate: at(-1) });
  const early = await root.crl([], { thisUpdate: at(1), nextUpdate: at(2) });
  expect(await refusal(lists([root], old))).toContain(
    'crl_not_current: the revocation list of CN=Root was to be replaced by',
  );
  expect(await refusal(lists([root], early))).toContain(
    'crl_not_current: the revocation list of CN=Root is in force from',
  );
  expect(await refusal(lists([root], await root.crl([]), old))).toContain('crl_not_current');
});

test('the next update of the lists is the earliest', async () => {
  const [soon, late] = [at(1), at(2)];
  const crls = [await root.crl([], { nextUpdate: late }), await other.crl([], { nextUpdate: soon })];
  const { nextUpdate } = await lists([root, other], ...crls);
  expect(Date.parse(nextUpdate ?? '')).toBe(Math.floor(soon.getTime() / 1000) * 1000);
});

test('lists need whole chains: an intermediate takes its root with it', async () => {
  const [ofRoot, ofIntermediate] = [await root.crl([]), await intermediate.crl([])];
  expect(await refusal(lists([intermediate, root], ofIntermediate, ofRoot))).toBe('accepted');
  expect(await refusal(lists([intermediate], ofIntermediate, ofRoot))).toContain(
    'capability_unsupported: revocation lists need whole chains, and the issuer of CN=Intermediate, CN=Root,',
  );
});
