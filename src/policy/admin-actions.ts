/** What administration is about. */
export const ADMIN_AREAS = ['gateways', 'servers', 'rotation', 'policy', 'tokens', 'metrics'] as const;

/** One of these areas. */
export type AdminArea = (typeof ADMIN_AREAS)[number];

/** What rules name of administration: looking at an area, or changing it. */
export type AdminAction = `${AdminArea}:${'read' | 'write'}`;

/** Every action there is. */
export const ADMIN_ACTIONS: readonly AdminAction[] = ADMIN_AREAS.flatMap((area): AdminAction[] =>
  area === 'metrics' ? ['metrics:read'] : [`${area}:read`, `${area}:write`],
);
