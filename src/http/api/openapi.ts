/** The API's document (OpenAPI 3.1), of the same schemas that hold the calls. */
import type { Operation } from '#admin/operation.ts'
import { everyPermission, permissions, scopeOf } from '#admin/staff.ts'
import type { Stream } from '#admin/streams.ts'
import type { Messages } from '#lib/messages.ts'
import { placed, problemSchema, refTo, type Schemas } from './openapi-schemas.ts'
import { type ProblemKind, problemKinds } from './problem.ts'
import { createsOf, type JsonSchema, type Shape, shapeOf } from './shape.ts'

export type DocumentPorts = {
  issuer: string
  messages: Messages
  operations: readonly Operation[]
  streams: readonly Stream[]
}

/** Made at the first call, and the same from then on. */
export function openDocument(ports: DocumentPorts): () => string {
  let text: string | undefined
  return () => {
    text ??= JSON.stringify(describeApi(ports))
    return text
  }
}

/** The whole document, as an object to be written as JSON. */
export function describeApi({ issuer, messages, operations, streams }: DocumentPorts) {
  const creates = createsOf(operations)
  const words = (key: string) => messages.template('en', key)
  const schemas: Schemas = { Problem: problemSchema }
  const paths: Record<string, Record<string, unknown>> = {}
  const describe = (operation: Operation, csv?: Stream['kind']) => {
    const how = { isCreated: creates(operation), csv }
    paths[operation.path] ??= {}
    Object.assign(paths[operation.path] ?? {}, {
      [operation.method.toLowerCase()]: describeOperation(operation, schemas, how),
    })
  }
  for (const operation of operations) describe(operation)
  for (const { operation, kind } of streams) describe(operation, kind)
  const scopes = Object.fromEntries(
    everyPermission.map((one) => [scopeOf(one), words(`api.scope.${one}`)]),
  )
  const token = { tokenUrl: `${issuer}/token`, scopes }
  return {
    openapi: '3.1.0',
    info: { title: words('api.title'), version: '1', description: words('api.description') },
    servers: [{ url: `${issuer}/api/v1` }],
    tags: [...new Set(operations.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(answered.map((kind) => [nameOf(kind), describeProblem(kind)])),
      securitySchemes: {
        oauth2: {
          type: 'oauth2',
          description: words('api.token'),
          flows: {
            clientCredentials: token,
            authorizationCode: {
              ...token,
              authorizationUrl: `${issuer}/auth`,
              refreshUrl: `${issuer}/token`,
            },
          },
        },
      },
    },
  }
}

const tagOf = ({ id }: Operation): string => id.split('.')[0] ?? ''

function describeOperation(
  operation: Operation,
  schemas: Schemas,
  { isCreated, csv }: { isCreated: boolean; csv?: Stream['kind'] | undefined },
) {
  const { id, summary, permission, dangerous } = operation
  // What comes as CSV has its fields in the query.
  const shape = { ...shapeOf(operation), ...(csv === 'takes' ? { inQuery: true } : {}) }
  const name = id.split('.').map(capital).join('')
  const body = csv === 'takes' ? csvBody : describeBody(shape, schemas, name)
  const { roles } = permissions[permission]
  return {
    operationId: id,
    tags: [tagOf(operation)],
    summary,
    description: [
      `Needs the scope \`${scopeOf(permission)}\` and one of the roles ${roles.join(', ')}.`,
      ...(dangerous ? ['A person must have proved both factors within 15 minutes.'] : []),
    ].join(' '),
    security: [{ oauth2: [scopeOf(permission)] }],
    parameters: describeParameters(shape, schemas, name),
    ...(body ? { requestBody: body } : {}),
    responses: {
      ...(csv === 'gives' ? csvAnswer : describeDone(shape, schemas, name, isCreated)),
      ...Object.fromEntries(
        kindsOf(operation, shape, csv).map((kind) => [
          String(problemKinds[kind][0]),
          { $ref: `#/components/responses/${nameOf(kind)}` },
        ]),
      ),
    },
  }
}

const csv = { 'text/csv': { schema: { type: 'string' } } }
const csvBody = { required: true, content: csv }
const csvAnswer = { '200': { description: 'As it comes.', content: csv } }

function describeParameters(shape: Shape, schemas: Schemas, name: string) {
  const { path, fields, required, inQuery } = shape
  const inPath = path.map((field) => ({
    name: field,
    in: 'path',
    required: true,
    schema: placed(fields[field] ?? { type: 'string' }, shape.input, schemas, `${name}Input`),
  }))
  if (!inQuery) return inPath
  const query = Object.entries(fields).filter(([field]) => !path.includes(field))
  return [
    ...inPath,
    ...query.map(([field, schema]) => ({
      name: field,
      in: 'query',
      required: required.includes(field),
      ...(typeof schema.description === 'string' ? { description: schema.description } : {}),
      schema: placed(schema, shape.input, schemas, `${name}Input`),
    })),
  ]
}

function describeBody(shape: Shape, schemas: Schemas, name: string) {
  if (shape.inQuery) return undefined
  const { input, path } = shape
  const left = Object.entries(shape.fields).filter(([field]) => !path.includes(field))
  if (input.type === 'object' && left.length === 0 && !input.additionalProperties) return undefined
  const required = shape.required.filter((field) => !path.includes(field))
  const { required: _, properties: __, ...rest } = input
  const body: JsonSchema =
    input.type === 'object'
      ? {
          ...rest,
          properties: Object.fromEntries(left),
          ...(required.length > 0 ? { required } : {}),
        }
      : input
  schemas[`${name}Input`] = placed(body, input, schemas, `${name}Input`)
  return {
    required: required.length > 0,
    content: { 'application/json': { schema: refTo(`${name}Input`) } },
  }
}

function describeDone(
  { output, saysNothing }: Shape,
  schemas: Schemas,
  name: string,
  isCreated: boolean,
) {
  if (saysNothing) return { '204': { description: 'Done.' } }
  schemas[`${name}Output`] = placed(output, output, schemas, `${name}Output`)
  return {
    [isCreated ? '201' : '200']: {
      description: isCreated ? 'Made.' : 'Done.',
      ...(isCreated
        ? { headers: { Location: { schema: { type: 'string', format: 'uri' } } } }
        : {}),
      content: { 'application/json': { schema: refTo(`${name}Output`) } },
    },
  }
}

/** What an operation may answer instead. */
function kindsOf(
  { method, dangerous }: Operation,
  { path, inQuery }: Shape,
  csv: Stream['kind'] | undefined,
): ProblemKind[] {
  return [
    ...(inQuery ? [] : (['bad-request', 'too-large', 'media-type'] as const)),
    // A file that is too large is a problem of its field.
    ...(csv === 'takes' ? (['media-type'] as const) : []),
    'invalid-token',
    'insufficient-scope',
    ...(path.length > 0 ? (['unknown'] as const) : []),
    'not-acceptable',
    ...(method === 'GET' && !dangerous ? [] : (['refused'] as const)),
    'rejected',
    'too-many',
    'server',
    'busy',
  ]
}

/** Of kinds that share a status, the one that stands for both. */
const answered: readonly ProblemKind[] = [
  'bad-request',
  'invalid-token',
  'insufficient-scope',
  'unknown',
  'not-acceptable',
  'refused',
  'too-large',
  'media-type',
  'rejected',
  'too-many',
  'server',
  'busy',
]

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const nameOf = (kind: ProblemKind) => kind.split('-').map(capital).join('')

const sharedTitles: Partial<Record<ProblemKind, string>> = {
  'invalid-token':
    'No access token, one that is not good for this API, or, as WWW-Authenticate says, one of somebody who has to prove both factors anew.',
  refused: 'Somebody changed it meanwhile, or a rule says no: see type and code.',
}

const describeProblem = (kind: ProblemKind) => ({
  description: sharedTitles[kind] ?? `${problemKinds[kind][1]}.`,
  content: { 'application/problem+json': { schema: refTo('Problem') } },
})
