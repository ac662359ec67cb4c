/** Severities, mildest first. @see RFC 5424, section 6.2.1 */
export const LOG_LEVELS: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** Whether a value names a severity. */
export const isLogLevel = (level: unknown): level is string => typeof level === 'string' && LOG_LEVELS.includes(level);
