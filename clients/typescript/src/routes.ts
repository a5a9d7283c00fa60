// What the generated types say of a route.
import type { FetchResponse, MaybeOptionalInit } from 'openapi-fetch';
import type { components, paths } from './schema.js';

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

type JsonOf<T> = Members<Members<NonNullable<T>, 'content'>, 'application/json'>;
type Responses<M extends Method, P extends PathsWith<M>> = Members<paths[P][M], 'responses'>;

/** The body of a route. */
export type BodyOf<M extends Method, P extends PathsWith<M>> = NonNullable<
  JsonOf<Members<paths[P][M], 'requestBody'>>
>;

/** What a route answers. */
export type AnswerOf<M extends Method, P extends PathsWith<M>> = JsonOf<
  Responses<M, P>[keyof Responses<M, P> & (200 | 201 | 202)]
>;

/** The query of a route. */
export type QueryOf<M extends Method, P extends PathsWith<M>> = NonNullable<
  Members<Members<paths[P][M], 'parameters'>, 'query'>
>;
