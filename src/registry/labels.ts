import type { GatewayLabels } from './gateway-record.ts';
import { kept } from './kept.ts';

type Labels = Pick<GatewayLabels, 'tags' | 'teamId' | 'ownerEmail' | 'visibility'>;

/** The labels that gateways and virtual servers have in common, after a change. */
export function labelsAfter(stored: Labels, patch: { readonly [Name in keyof Labels]?: Labels[Name] | null }): Labels {
  return {
    tags: kept(patch.tags, stored.tags, (tags) => tags),
    teamId: kept(patch.teamId, stored.teamId, (team) => team),
    ownerEmail: kept(patch.ownerEmail, stored.ownerEmail, (email) => email),
    visibility: kept(patch.visibility, stored.visibility, (visibility) => visibility),
  };
}
