/** How much an event matters, least first. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The level each of these events is logged at. */
export type LevelsOf<Fields> = { readonly [Name in keyof Fields]: Level };
