// What the generated types say of a route. A route that is not among them has plain JSON for its body and answer, and
// is typed as soon as the document that the types are generated from has it.
import type { FetchResponse, MaybeOptionalInit } from 'openapi-fetch';
import type { components, paths } from './schema.js';

export type Json = Record<string, unknown>;
export type Schemas = components['schemas'];
export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

type MediaType = `${string}/${string}`;
type Members<T, Name extends string> = T extends { [N in Name]?: infer Member } ? Member : never;

/** The paths that have a method. */
export type PathsWith<M extends Method> = {
  [P in keyof paths]: NonNullable<paths[P][M]> extends never ? never : P;
}[keyof paths];

type InitOf<Init> = Record<string, never> extends Init
  ? [init?: Init & { [name: string]: unknown }]
  : undefined extends Init
    ? [init?: Init & { [name: string]: unknown }]
    : [init: Init & { [name: string]: unknown }];

/** A method of openapi-fetch that throws what the server refuses, so that there is always an answer. */
export type Call<M extends Method> = <P extends PathsWith<M>, Init extends MaybeOptionalInit<paths[P], M>>(
  path: P,
  ...init: InitOf<Init>
) => Promise<Extract<FetchResponse<NonNullable<paths[P][M]>, Init, MediaType>, { error?: never }>>;

type Operation<M extends string, P extends string> = P extends keyof paths ? Members<paths[P], M> : never;
type Or<T, Otherwise> = [T] extends [never] ? Otherwise : unknown extends T ? Otherwise : T;
type JsonOf<T> = Members<Members<NonNullable<T>, 'content'>, 'application/json'>;

/** The body of a route. */
export type BodyOf<M extends Method, P extends string, Otherwise = Json> = Or<
  NonNullable<JsonOf<Members<Operation<M, P>, 'requestBody'>>>,
  Otherwise
>;

type Responses<M extends Method, P extends string> = Members<Operation<M, P>, 'responses'>;

/** What a route answers. */
export type AnswerOf<M extends Method, P extends string, Otherwise = Json> = Or<
  JsonOf<Responses<M, P>[keyof Responses<M, P> & (200 | 201 | 202)]>,
  Otherwise
>;

/** The query of a route. */
export type QueryOf<M extends Method, P extends string> = NonNullable<
  Members<Members<Operation<M, P>, 'parameters'>, 'query'>
>;
