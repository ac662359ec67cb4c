import { equalBytes } from '../../src/base/bytes.ts';
import { fieldsOf } from '../../src/pki/certificate-fields.ts';
import { type Document, type DocumentServer, startDocumentServer } from './document-server.ts';
import { type AnswerOptions, askedAbout, issueStatused, ocspResponse, type StatusedOptions } from './ocsp-pki.ts';
import type { MintedCa, MintedCertificate } from './pki.ts';

/** An OCSP responder of one authority, in this process. */
export interface OcspResponder extends DocumentServer {
  /** A certificate whose status is told here; good at first. */
  issue(options: Omit<StatusedOptions, 'ocspUrl'>): Promise<MintedCertificate>;
  /** Says from now on that a certificate is good, for the two seconds after each question. */
  sayShortly(certificate: MintedCertificate): void;
  /** What is said of a certificate from now on: signed anew each time, or these very bytes. */
  say(certificate: MintedCertificate, answer: AnswerOptions | (() => Document | Promise<Document>)): void;
}

export async function startOcspResponder(ca: MintedCa): Promise<OcspResponder> {
  const server = await startDocumentServer();
  const known = new Map<MintedCertificate, () => Document | Promise<Document>>();
  server.put('/ocsp/', async ({ url = '' }) => {
    const serial = askedAbout(new Uint8Array(Buffer.from(decodeURIComponent(url.slice('/ocsp/'.length)), 'base64')));
    const about = [...known].find(([{ certificate }]) => equalBytes(fieldsOf(certificate).serialNumber, serial));
    return about ? about[1]() : 404;
  });
  const responder: OcspResponder = {
    ...server,
    async issue(options) {
      const issued = await issueStatused(ca, { ...options, ocspUrl: `${server.url}/ocsp` });
      responder.say(issued, {});
      return issued;
    },
    sayShortly: (one) =>
      void known.set(one, () => ocspResponse(one.certificate, ca, { nextUpdate: new Date(Date.now() + 2_000) })),
    say: (one, answer) =>
      void known.set(one, typeof answer === 'function' ? answer : () => ocspResponse(one.certificate, ca, answer)),
  };
  return responder;
}
