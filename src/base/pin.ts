/** The canonical form of a pin, base64 of 32 bytes, without the `sha256/` other tools write in front; undefined for none. */
export function canonicalPin(text: string): string | undefined {
  // the length tells whether a slash is of the prefix or of the pin
  return /^(?:sha256\/\/?)?([A-Za-z0-9+/]{43}=)$/.exec(text)?.[1];
}
