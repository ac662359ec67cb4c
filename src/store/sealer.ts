/** A record's authentication: which vault key made it, and the tag as base64url. */
export interface RecordMac {
  readonly kid: string;
  readonly tag: string;
}

/** Authenticates records, so that whoever can write the store cannot change or move one unnoticed. */
export interface RecordSealer {
  /** A tag under the primary key. */
  mac(data: Uint8Array<ArrayBuffer>): Promise<RecordMac>;
  /**
   * Whether the tag belongs to the data; `record` names the record in errors.
   *
   * @throws GatewayError vault_key_unknown when the key that made the tag is not at hand
   */
  verifyMac(data: Uint8Array<ArrayBuffer>, mac: RecordMac, record: string): Promise<boolean>;
}
