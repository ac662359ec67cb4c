import type { Certificate, CertificateFacts } from '../pki/certificate.ts';
import { commonNameIn } from '../pki/names.ts';
import { matchesName } from './name-pattern.ts';

const FORMS = ['uri', 'dns', 'email', 'cn'] as const;
/** Where in a certificate a name stands. */
export type SubjectForm = (typeof FORMS)[number];

/** One way to the name of a caller. */
export interface SubjectRule {
  /** For certificates under this authority only: its common name, or the SHA-256 of its certificate, lower-case hex. */
  readonly ca: string | undefined;
  readonly form: SubjectForm;
  /** What the name has to look like; undefined for any. */
  readonly pattern: string | undefined;
}

const anyName = (form: SubjectForm): SubjectRule => ({ ca: undefined, form, pattern: undefined });
/** The first URI (as SPIFFE has it), DNS name or email among the alternative names, else the common name. */
export const USUAL_RULES: readonly SubjectRule[] = FORMS.map(anyName);

const FORM = `(${FORMS.join('|')})(?:=(.+))?$`;
const PLAIN = new RegExp(`^${FORM}`, 'i');
const UNDER_A_CA = new RegExp(`^(.*?[^/ ]) */ *${FORM}`, 'i');

/** A rule as POSTERN_CLIENT_SUBJECT writes it: `uri=spiffe://example.org/*`, `Partners CA/dns`; undefined for none. */
export function parseSubjectRule(text: string): SubjectRule | undefined {
  // first without an authority: a slash may be of the pattern
  const [, form, pattern] = PLAIN.exec(text) ?? [];
  if (form !== undefined) return { ca: undefined, form: form.toLowerCase() as SubjectForm, pattern };
  const [, ca, formBelow, patternBelow] = UNDER_A_CA.exec(text) ?? [];
  if (ca === undefined || formBelow === undefined) return undefined;
  return { ca: hashIn(ca) ?? ca, form: formBelow.toLowerCase() as SubjectForm, pattern: patternBelow };
}

/** A fingerprint however it is written; undefined for a name. */
function hashIn(text: string): string | undefined {
  const hex = text.replaceAll(':', '').toLowerCase();
  return /^[\da-f]{64}$/.test(hex) ? hex : undefined;
}

/** Whether a rule is about certificates under this authority. */
export function isAbout({ ca }: SubjectRule, { facts }: Certificate): boolean {
  return ca !== undefined && (ca === facts.sha256 || ca === commonNameIn(facts.subject));
}

/** The authorities that rules name and that are none of `anchors`. */
export function unknownAuthorities(rules: readonly string[], anchors: readonly Certificate[]): readonly string[] {
  return rules
    .flatMap((text) => parseSubjectRule(text) ?? [])
    .filter((rule) => rule.ca !== undefined && !anchors.some((anchor) => isAbout(rule, anchor)))
    .map(({ ca = '' }) => ca);
}

/** The first name a rule gives; undefined where none does. */
export function nameBy(rules: readonly SubjectRule[], facts: CertificateFacts): string | undefined {
  for (const rule of rules) {
    const name = namesIn(facts, rule.form).find((candidate) => fits(rule, candidate));
    if (name !== undefined) return name;
  }
  return undefined;
}

function namesIn({ uris, dnsNames, emails, subject }: CertificateFacts, form: SubjectForm): readonly string[] {
  if (form === 'uri') return uris;
  if (form === 'dns') return dnsNames;
  if (form === 'email') return emails;
  const commonName = commonNameIn(subject);
  return commonName === undefined ? [] : [commonName];
}

/** Host names are the same in any case. @see https://www.rfc-editor.org/rfc/rfc4343 */
function fits({ form, pattern }: SubjectRule, name: string): boolean {
  if (pattern === undefined) return true;
  return form === 'dns' ? matchesName(pattern.toLowerCase(), name.toLowerCase()) : matchesName(pattern, name);
}
