import { count, flag, list, maybeText, maybe, nothing, object, oneOf, ref, text, texts, time } from './schema-parts.ts';
import type { Schema } from './schema-parts.ts';

const rule = object({
  gateway: { ...text, description: 'A slug, or a pattern on slugs.' },
  tags: maybe(texts),
  prefix: maybeText,
  tools: maybe(texts),
  prompts: maybe(texts),
  resources: maybe(texts),
  denyTools: texts,
  denyPrompts: texts,
  denyResources: texts,
  aliases: { type: 'object', additionalProperties: text },
});

const server = object({
  id: text,
  name: text,
  slug: { ...text, description: 'Made of the name at the start; a new name does not change it.' },
  description: maybeText,
  enabled: flag,
  clientAuth: maybe(oneOf('none', 'optional', 'required')),
  status: { ...oneOf('active', 'refused'), description: 'refused: its record cannot be used, see lastError.' },
  lastError: maybeText,
  members: list(rule),
  gateways: { ...texts, description: 'Slugs of the gateways it is served from now, in its order.' },
  associatedTools: { ...texts, description: 'Names it publishes now.' },
  associatedToolIds: texts,
  associatedPrompts: texts,
  associatedPromptIds: texts,
  associatedResources: { ...texts, description: 'URIs and URI templates it publishes now.' },
  associatedResourceIds: texts,
  unresolved: {
    ...list(
      object({ gateway: text, kind: oneOf('gateway', 'tool', 'prompt', 'resource'), name: maybeText, reason: text }),
    ),
    description: 'What it names and does not have at the moment.',
  },
  collisions: {
    ...list(object({ name: text, kind: oneOf('tool', 'prompt'), shown: text, hidden: text })),
    description: 'Names that two gateways came to have since it was saved; the first one is shown.',
  },
  icon: maybeText,
  tags: texts,
  teamId: maybeText,
  ownerEmail: maybeText,
  visibility: oneOf('private', 'team', 'public'),
  createdAt: time,
  createdBy: maybeText,
  updatedAt: time,
  modifiedBy: maybeText,
  version: { ...count, description: 'One more with each change; the ETag is what If-Match takes.' },
  associatedA2aAgents: { type: 'array', maxItems: 0 },
  oauthEnabled: { const: false },
  oauthConfig: nothing,
  team: nothing,
  metrics: nothing,
});

/** What an upstream said; it may be anything. */
const said: Schema = {};

const item = {
  id: { ...text, description: 'The same on every instance, and after a new start.' },
  originalName: { ...text, description: 'The name, URI or template the gateway knows it by.' },
  gatewayId: text,
  gatewaySlug: text,
  title: said,
  description: said,
};

/** Every answer about virtual servers, by its schema's name. */
export const SERVER_READ_SCHEMAS: Readonly<Record<string, Schema>> = {
  ServerRead: server,
  ServerPage: object({ servers: list(ref('ServerRead')), nextCursor: maybeText }),
  ToolRead: object({ ...item, name: text, inputSchema: said, outputSchema: said, annotations: said }),
  PromptRead: object({ ...item, name: text, arguments: said }),
  ResourceRead: object({ ...item, name: said, uri: said, uriTemplate: said, mimeType: said }),
};
