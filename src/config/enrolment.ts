/** `enrolments/<id>.yaml`: one way to join, as zod schemas. The JSON Schema for editors is made from the same. */
import { z } from 'zod'
import { id, words } from './words.ts'

const factName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31})?$/,
    'must be lower-case letters, digits and underscores',
  )
const scalar = z.union([z.string(), z.number(), z.boolean()])

const condition = z
  .record(
    factName,
    z.union([
      scalar,
      z.array(scalar).min(1),
      z.strictObject({
        below: z.number().optional().describe('The fact is less than this.'),
        at_least: z.number().optional().describe('The fact is this or more.'),
      }),
    ]),
  )
  .meta({
    id: 'condition',
    description:
      'Facts as they must be: a value, one of several, or within bounds. All of them must hold; what nobody found out does not.',
  })
export type Condition = z.infer<typeof condition>

const option = z.strictObject({
  value: z.string().min(1).max(100).describe('What the fact then is.'),
  label: words.describe('What people read.'),
  hint: words.optional().describe('One more sentence under it.'),
})
const options = z
  .array(option)
  .min(2)
  .refine(
    (list) => new Set(list.map(({ value }) => value)).size === list.length,
    'has a value twice',
  )
  .meta({ id: 'options', description: 'What one can choose, in this order.' })

const fieldBase = {
  id: factName.describe('Also the name of the fact.'),
  label: words.describe('Its name on the page.'),
  help: words.optional().describe('What to write there, shown under the name.'),
  required: z.boolean().default(true).describe('Whether it must be filled in.'),
  from: factName.optional().describe('A fact that fills it in: what the county said.'),
  lock: z
    .enum(['never', 'vouched'])
    .default('never')
    .describe('vouched: what an upstream filled in cannot be changed.'),
}
const autocomplete = z
  .enum(['off', 'name', 'nickname', 'organization', 'organization-title', 'street-address', 'bday'])
  .default('off')
  .describe('What the browser may fill in, by its name in HTML.')
const twice = z.boolean().describe('Typed twice, so that a slip shows.')

/** The fields a form may have. */
export const field = z.discriminatedUnion('type', [
  z.strictObject({
    ...fieldBase,
    type: z.literal('text'),
    min_length: z.int().positive().default(1).describe('The least characters.'),
    max_length: z.int().positive().max(1000).default(100).describe('The most characters.'),
    pattern: z
      .string()
      .refine(isPattern, 'is no regular expression')
      .optional()
      .describe('A regular expression all of it must match.'),
    pattern_help: words
      .optional()
      .describe('What the pattern wants, in words: shown when it does not match.'),
    autocomplete,
  }),
  z.strictObject({ ...fieldBase, type: z.literal('name') }).describe('A person’s name.'),
  z
    .strictObject({
      ...fieldBase,
      type: z.literal('account'),
      domain: z
        .string()
        .regex(/^[a-z0-9.-]+$/)
        .optional()
        .describe('People choose what stands before the @ of this domain. Left out: a user name.'),
      min_length: z.int().min(1).default(4).describe('The least characters, before the @.'),
      max_length: z.int().max(64).default(32).describe('The most characters, before the @.'),
      reserved: z.array(z.string().min(1)).default([]).describe('Nobody may have these.'),
    })
    .describe(
      'The name one will sign in with: an address of domain, or a user name. Nobody else has it.',
    ),
  z
    .strictObject({
      ...fieldBase,
      type: z.literal('email'),
      twice: twice.default(false),
      not_at: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Addresses of these domains are refused: a backup of the mailbox that is lost would be no backup.',
        ),
    })
    .describe('An address elsewhere. A step must prove that it is hers.'),
  z
    .strictObject({ ...fieldBase, type: z.literal('password'), twice: twice.default(true) })
    .describe('A new password. Only its hash is kept.'),
  z.strictObject({ ...fieldBase, type: z.literal('phone') }).describe('A telephone number.'),
  z.strictObject({ ...fieldBase, type: z.literal('mobile') }).describe('09 and eight digits.'),
  z.strictObject({ ...fieldBase, type: z.literal('select'), options }).describe('One of a list.'),
  z
    .strictObject({ ...fieldBase, type: z.literal('radio'), options })
    .describe('One of a few, all of them in sight.'),
  z
    .strictObject({
      ...fieldBase,
      type: z.literal('date'),
      years: factName.optional().describe('Names a fact with the whole years since then: an age.'),
    })
    .describe('A day.'),
  z
    .strictObject({ ...fieldBase, type: z.literal('national-id') })
    .describe('國民身分證統一編號 or 統一證號; kept sealed.'),
  z
    .strictObject({ ...fieldBase, type: z.literal('tax-id') })
    .describe('統一編號 of a company or an agency.'),
  z
    .strictObject({ ...fieldBase, type: z.literal('picture') })
    .describe('A photograph, made a small square one of ours.'),
])
export type Field = z.infer<typeof field>
export type FieldType = Field['type']

const stepBase = {
  id: id.describe('Names it in addresses and in the audit trail. Once only.'),
  title: words.optional().describe('The page’s heading, in place of the type’s own.'),
  when: condition.optional(),
}
const whole = z.int().positive()
const resend = whole.default(120).describe('Seconds until another mail can be asked for.')
const connectors = z
  .union([z.literal('all'), z.array(id).min(1)])
  .default('all')
  .describe('Ids of connectors, or all.')

/** The steps an enrolment may have. */
export const step = z.discriminatedUnion('type', [
  z
    .strictObject({
      ...stepBase,
      type: z.literal('agreement'),
      terms: z.string().min(1).describe('Which ones: terms/<this>.<day>.<language>.md.'),
    })
    .describe('Terms one must agree to, in the version that is in force.'),
  z
    .strictObject({
      ...stepBase,
      type: z.literal('choice'),
      fact: factName.describe('Names the fact with what was chosen.'),
      options,
    })
    .describe('One of several, which later steps depend on.'),
  z
    .strictObject({ ...stepBase, type: z.literal('upstream'), connectors })
    .describe('Sign in at a county or another upstream, which says who she is.'),
  z
    .strictObject({
      ...stepBase,
      type: z.literal('form'),
      intro: words.optional().describe('A sentence above the fields.'),
      fields: z.array(field).min(1).describe('In the page’s order.'),
    })
    .describe('Things to fill in. Each field is a fact.'),
  z
    .strictObject({
      ...stepBase,
      type: z.literal('email-code'),
      address: factName
        .optional()
        .describe('The fact that holds the address; without it the step asks for one.'),
      fact: factName.default('email').describe('Names the fact with the proven address.'),
      unique: z.boolean().default(true).describe('Nobody else may sign in with it.'),
      resend_seconds: resend,
      tries: whole.max(20).default(5).describe('Wrong codes until a new one is needed.'),
      valid_seconds: whole.default(600).describe('How long a code is good.'),
    })
    .describe('Six digits, mailed to an address and typed in: it is hers.'),
  z
    .strictObject({
      ...stepBase,
      type: z.literal('email-link'),
      address: factName.describe('The fact that holds the address.'),
      resend_seconds: resend,
      valid_hours: whole.default(72).describe('How long the link is good.'),
    })
    .describe(
      'A mailed link that must be used before it goes on: the account is not active until then.',
    ),
  z
    .strictObject({ ...stepBase, type: z.literal('captcha') })
    .describe('Keeps robots out: the browser does a sum, nobody reads a picture.'),
  z
    .strictObject({
      ...stepBase,
      type: z.literal('guardian'),
      resend_seconds: resend,
      valid_days: whole.default(14).describe('How long the guardian’s link is good.'),
    })
    .describe('A minor’s guardian agrees, by a link mailed to the guardian’s own address.'),
  z
    .strictObject({ ...stepBase, type: z.literal('summary') })
    .describe('All that was said, to be looked at before it is sent.'),
  z
    .strictObject({
      ...stepBase,
      type: z.literal('done'),
      text: words.optional().describe('In place of our own words.'),
    })
    .describe('What is said at the end. The last step, if it is there.'),
])
export type StepRules = z.infer<typeof step>
export type StepType = StepRules['type']
export type StepOf<Type extends StepType> = Extract<StepRules, { type: Type }>

const doorFacts = z
  .record(factName, scalar)
  .default({})
  .describe('What is known of whoever comes in by this door.')

export const enrolmentFile = z.strictObject({
  id: id.describe('The file’s name, and the last part of its address: /join/<id>.'),
  title: words.describe('What one joins.'),
  summary: words.optional().describe('One sentence for the page where several are offered.'),
  entry: z
    .strictObject({
      visitor: z.strictObject({ facts: doorFacts }).optional().describe('Anybody.'),
      identity: z
        .strictObject({ connectors, facts: doorFacts })
        .optional()
        .describe(
          'Whoever signed in at one of these connectors while nobody here is linked to that identity.',
        ),
      member: z
        .strictObject({ facts: doorFacts })
        .optional()
        .describe('A signed-in member who wants to become more.'),
    })
    .describe('Who may begin it, and what is known of them at the door.'),
  expires_days: whole
    .default(7)
    .describe('An application nobody touches is forgotten after so long.'),
  steps: z.array(step).min(1).describe('Asked in this order.'),
  creates: z
    .strictObject({
      kind: id.default('person').describe('The kind of member.'),
      identifiers: z
        .array(
          z.strictObject({
            type: z.enum(['username', 'email', 'phone']),
            fact: factName,
            verified: z
              .union([z.boolean(), factName])
              .default(false)
              .describe('True, or the fact that says so: email_verified.'),
          }),
        )
        .default([])
        .describe('Names to sign in with. Each is one account’s alone.'),
      profile: z
        .record(z.string().regex(/^[a-z_]+$/), z.union([factName, z.array(factName).min(1)]))
        .default({})
        .describe(
          'Claims by their facts: nickname: nickname; of several facts the first that is known.',
        ),
      password: factName.optional().describe('A password field.'),
      recovery_address: factName
        .optional()
        .describe('The address that gets the mail when the password is forgotten.'),
      picture: factName.optional().describe('A picture field.'),
      personal_numbers: z
        .record(id, factName)
        .default({})
        .describe('Kept sealed, by their kind: national-id: id_number.'),
      provision: z
        .array(
          z.strictObject({
            receiver: id.describe('Whom: an id of provisioning in site.yaml.'),
            type: z.string().regex(/^[a-z]+(\.[a-z]+)+$/),
            when: condition.optional(),
            data: z.record(z.string(), factName),
          }),
        )
        .default([])
        .describe('Whom to tell, who makes something of it: a mailbox.'),
    })
    .describe('What it makes of the facts; what was never found out is left out.'),
})
export type EnrolmentRules = z.infer<typeof enrolmentFile>

function isPattern(text: string): boolean {
  try {
    return new RegExp(`^(?:${text})$`, 'v').source.length > 0
  } catch {
    return false
  }
}

/** What an upstream may say that steps can use. */
export const upstreamFacts = [
  'upstream.connector',
  'upstream.name',
  'upstream.nickname',
  'upstream.email',
  'upstream.gender',
  'upstream.role',
  'upstream.title',
  'upstream.school',
] as const

/** The facts a step finds out. */
export function factsOf(step: StepRules): string[] {
  switch (step.type) {
    case 'choice':
      return [step.fact]
    case 'upstream':
      return [...upstreamFacts]
    case 'form':
      return step.fields.flatMap((field) =>
        field.type === 'date' && field.years ? [field.id, field.years] : [field.id],
      )
    case 'email-code':
      return [step.fact, `${step.fact}_verified`]
    case 'email-link':
      return [`${step.address}_verified`]
    case 'guardian':
      return ['guardian.name', 'guardian.email', 'guardian.relation']
    default:
      return []
  }
}
