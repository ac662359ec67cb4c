import type { Certificate } from '../pki/certificate.ts';
import type { TrustBundle } from './profile.ts';

/** Whom any of these believe, as while a server moves from one authority to another; each anchor once. */
export function unionOfTrust(...bundles: readonly TrustBundle[]): TrustBundle {
  const anchors = new Map<string, Certificate>();
  for (const bundle of bundles)
    if (bundle.mode !== 'system') for (const anchor of bundle.anchors) anchors.set(anchor.facts.sha256, anchor);
  if (anchors.size === 0) return Object.freeze({ mode: 'system' });
  const mode = bundles.some((bundle) => bundle.mode !== 'only') ? 'add' : 'only';
  return Object.freeze({ mode, anchors: Object.freeze([...anchors.values()]) });
}
