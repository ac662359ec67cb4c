import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';

/** One red pixel. */
export const PNG_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

/** A WAV header without samples. */
export const WAV_BASE64 = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

export const IMAGE: ContentBlock = { type: 'image', data: PNG_BASE64, mimeType: 'image/png' };

export const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
