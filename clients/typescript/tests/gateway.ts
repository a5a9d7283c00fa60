// A gateway before the real server, which loses what networks lose.
import { createServer, type IncomingMessage, type ServerResponse, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { given } from './given.js';

/** What becomes of a request.
 *
 * `refuse`: the connection ends before the server hears of it. `lose`: the server has done it, and the answer is lost.
 * `halve`: half of the answer comes. `stall`: half of it, and then nothing. `cut`: the first piece of a stream comes.
 * `silence`: nothing comes. A status: the gateway's own answer. All others pass.
 */
export type Fault = 'refuse' | 'lose' | 'halve' | 'stall' | 'cut' | 'silence' | { status: number; retryAfter?: string };

export interface Heard {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}

export class Gateway implements AsyncDisposable {
  /** What was asked, each try by itself. */
  readonly heard: Heard[] = [];
  upstream = given.url;
  readonly #faults: Fault[];
  readonly #server: Server;

  private constructor(faults: Fault[]) {
    this.#faults = [...faults];
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** One fault for each request, in order; after that all goes well. */
  static async open(...faults: Fault[]): Promise<Gateway> {
    const gateway = new Gateway(faults);
    await new Promise<void>((resolve) => gateway.#server.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    this.heard.push({ method, path, headers });
    const fault = this.#faults.shift();
    if (fault === 'refuse') return void response.destroy();
    if (fault === 'silence') return;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (typeof fault === 'object') {
      const after = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      return void response.writeHead(fault.status, { 'content-type': 'text/html', ...after }).end('<h1>No</h1>');
    }
    const sent = Object.entries(headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name));
    const answer = await fetch(this.upstream + path, {
      method,
      headers: sent as [string, string][],
      body: parts.length > 0 ? Buffer.concat(parts) : null,
    });
    if (fault === 'lose') {
      await answer.arrayBuffer();
      return void response.destroy();
    }
    const told = Object.fromEntries([...answer.headers].filter(([name]) => name !== 'transfer-encoding'));
    if (fault === 'halve' || fault === 'stall') {
      const whole = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status, told);
      response.write(whole.subarray(0, whole.length / 2), () => fault === 'halve' && response.destroy());
      return;
    }
    response.writeHead(answer.status, told);
    for await (const piece of answer.body ?? []) {
      if (fault === 'cut') return void response.write(piece, () => response.destroy());
      response.write(piece);
    }
    response.end();
  }
}
