// Standard Webhooks (https://www.standardwebhooks.com), with the platform's own cryptography: it runs on the edge too.

const MIN_SECRET_BYTES = 16;
const TENANT = /^[!-\-/-9;-~]{1,200}$/; // printable, without a full stop (it parts what is signed) and a colon

/** Signs calls for a tenant. */
export class Signer {
  readonly #key: Promise<CryptoKey>;
  readonly #tenant: string;

  /**
   * @param secret `whsec_<base64>`, bare base64, or any other text, whose bytes are then the key.
   * @throws TypeError: the secret has under 16 bytes or is no valid `whsec_`, or the tenant's slug cannot be signed.
   */
  constructor(secret: string, tenant: string) {
    if (!TENANT.test(tenant)) throw new TypeError('tenant: the slug of a tenant is needed to sign calls');
    this.#tenant = tenant;
    this.#key = crypto.subtle.importKey('raw', keyBytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
  }

  /** The headers of one try: signed anew each time, since a signature is good once. */
  async headers(body: Uint8Array): Promise<Record<string, string>> {
    const id = `${this.#tenant}:${crypto.randomUUID()}`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const head = new TextEncoder().encode(`${id}.${timestamp}.`);
    const signed = new Uint8Array(head.length + body.length);
    signed.set(head);
    signed.set(body, head.length);
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await this.#key, signed));
    return {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${btoa(String.fromCharCode(...mac))}`,
    };
  }
}

function keyBytes(secret: string): Uint8Array<ArrayBuffer> {
  let key: Uint8Array<ArrayBuffer> | undefined;
  if (secret.startsWith('whsec_')) {
    key = base64(secret.slice('whsec_'.length));
    if (key === undefined) throw new TypeError('serviceSecret: after whsec_ comes base64');
  } else {
    key = base64(secret) ?? new TextEncoder().encode(secret);
  }
  if (key.length < MIN_SECRET_BYTES) {
    throw new TypeError(`serviceSecret: has under ${MIN_SECRET_BYTES} bytes`);
  }
  return key;
}

/** The bytes that a text spells in standard base64, padded or not. */
function base64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bare = text.replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(bare), (character) => character.charCodeAt(0));
}
