import { GatewayError } from '../base/errors.ts';
import type { Certificate } from './certificate.ts';
import { isSameName } from './names.ts';
import { isSignedBy } from './signature.ts';

/**
 * One identity's certificates as TLS sends them: the leaf first, each next one the issuer of the one before, each
 * link's signature verified. Shuffled intermediates are put in order and repeated certificates dropped. The chain may
 * end anywhere above the leaf, and a leaf alone is fine: the other side often has the rest. Says nothing about whether
 * anybody trusts where the chain ends, nor about dates.
 *
 * @throws GatewayError chain_broken, naming the link that is missing or wrong.
 * @see https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2
 */
export async function orderChain(certificates: readonly Certificate[]): Promise<readonly Certificate[]> {
  const unique = [...new Map(certificates.map((certificate) => [certificate.facts.sha256, certificate])).values()];
  const childless = unique.filter((one) => !unique.some((other) => other !== one && names(other, one)));
  const leaf = childless.find(({ facts }) => !facts.isCa) ?? childless[0];
  if (!leaf) throw broken('no certificate in it is a leaf: each one is the issuer of another');
  const chain = [leaf];
  const left = new Set(unique);
  left.delete(leaf);
  for (let last = leaf; left.size > 0;) {
    const issuer = await findIssuer(last, left);
    chain.push(issuer);
    left.delete(issuer);
    last = issuer;
  }
  return chain;
}

async function findIssuer(certificate: Certificate, candidates: ReadonlySet<Certificate>): Promise<Certificate> {
  const { subject, issuer } = certificate.facts;
  const named = [...candidates].filter((candidate) => names(certificate, candidate));
  // An authority renewed under a new key keeps its name: the signature decides which one it is.
  for (const candidate of named) {
    if (!candidate.facts.isCa) continue;
    if (await isSignedBy(certificate, candidate)) return candidate;
  }
  const details = { subject, issuer };
  if (named.some((candidate) => !candidate.facts.isCa))
    throw broken(`${subject} was issued by ${issuer}, and the certificate of that name is not a CA`, details);
  if (named.length > 0)
    throw broken(`${subject} names ${issuer} as its issuer, but that certificate did not sign it`, details);
  const others = [...candidates].map((candidate) => candidate.facts.subject).join(' and ');
  if (isSameName(subject, issuer)) throw broken(`it ends at the self-signed ${subject}; ${others} is not part of it`);
  throw broken(`the certificate of ${issuer}, which issued ${subject}, is missing between it and ${others}`, details);
}

function names(certificate: Certificate, issuer: Certificate): boolean {
  return isSameName(certificate.facts.issuer, issuer.facts.subject);
}

function broken(what: string, details?: Readonly<Record<string, unknown>>): GatewayError {
  return new GatewayError('chain_broken', `the certificate chain is broken: ${what}`, {
    hint: 'give the leaf certificate followed by its intermediates, each signed by the next, and nothing else',
    ...(details && { details }),
  });
}
