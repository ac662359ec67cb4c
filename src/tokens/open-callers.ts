import { createAuthenticator } from '../identity/authenticator.ts';
import type { Authenticator, CallerSettings } from '../identity/authenticator.ts';
import { KeptTokens } from '../identity/kept-tokens.ts';
import { TokenTrust } from '../identity/token-trust.ts';
import type { Platform } from '../platform.ts';
import type { RotationParticipant } from '../rotation/participant.ts';
import type { Rotation } from '../rotation/rotation.ts';
import type { RecordStore } from '../store/records.ts';
import type { ChannelCache } from '../tls/channel-cache.ts';
import { rotatingTokenKeys } from './rotating-token-keys.ts';
import { Tokens } from './tokens.ts';

/** What recognising callers stands on. */
export interface CallerParts {
  readonly records: RecordStore;
  readonly rotation: Rotation;
  /** The way to issuers. */
  readonly channels: ChannelCache;
  readonly resources: { resourceOf(url: string): string | undefined };
}

/** Those who say who calls, and what of them rotates. */
export interface OpenCallers {
  readonly authenticator: Authenticator;
  readonly tokens: Tokens;
  readonly participants: readonly RotationParticipant[];
}

/** Opens keys, issuers and kept tokens. Nothing is read from the store yet. @throws GatewayError as `TokenTrust.open` */
export async function openCallers(
  settings: CallerSettings & Parameters<typeof TokenTrust.open>[0],
  platform: Platform,
  { records, rotation, channels, resources }: CallerParts,
): Promise<OpenCallers> {
  const { clock, events, callerRules: heldTo } = platform;
  const kept = new KeptTokens(settings.jwtIssuer, clock);
  const tokens = new Tokens({ records, rotation, kept, clock, events });
  const trust = await TokenTrust.open(settings, platform, channels);
  const { keys, issuers } = trust;
  const resourceOf = (url: string) => resources.resourceOf(url);
  const authenticator = await createAuthenticator(settings, clock, { keys, issuers, kept, resourceOf, heldTo });
  return { authenticator, tokens, participants: [tokens.participant, rotatingTokenKeys(trust, authenticator, events)] };
}
