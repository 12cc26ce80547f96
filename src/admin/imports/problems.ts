/** What may be wrong with a row or a file, by code: in English here, in both languages in `admin.imports.problem`. */

/** Of a row. */
export const rowProblems = {
  empty: 'is missing',
  'account-shape': 'must be a user name or an e-mail address without blanks',
  letters: 'holds letters that cannot be read or cannot be shown',
  long: 'is too long',
  email: 'is no e-mail address',
  'yes-or-no': 'must be yes or no',
  phone: 'is no telephone number',
  kind: 'is no kind of member here',
  status: 'must be active or suspended',
  'hash-weak': 'is a fast or unsalted hash: let this person choose a new password',
  'hash-unknown': 'is no hash we know: argon2, bcrypt, pbkdf2-sha256 or pbkdf2-sha512',
  'hash-broken': 'is not written as its kind of hash is',
  'hash-costly': 'takes more time or memory to verify than we allow',
  'password-weak': 'does not meet the rules for passwords',
  'password-both': 'stands beside a hash: which one counts?',
  county: 'is no upstream of this system',
  'county-alone': 'needs a subject beside it',
  'subject-alone': 'needs a county beside it',
  subject: 'cannot be an identifier of that county',
  'school-code': 'is no school code',
  'school-alone': 'needs a county and a subject: somebody has to vouch for it',
  'school-elsewhere': 'is not one of the school codes this county gives out',
  role: 'must be teacher, staff, student, parent or other',
  twin: 'stands in an earlier row of this file, too',
  'columns-many': 'has more cells than the heading has columns',
  taken: 'is an account already',
  'email-taken': 'is the address of another account',
  'identity-taken': 'is linked to another account',
  'two-people': 'belong to different accounts here',
  unproven: 'was registered with an address nobody has proven: no login is linked to it',
  staff: 'is an account of the staff: those are changed by hand',
  closed: 'is an account its member closed',
  'id-unknown': 'is no account of this system: leave it empty for somebody new',
  'id-name': 'is not the name of the account with this id: no file changes a name to sign in with',
  'id-subject': 'stands beside an id: to link a login, leave the id out',
  'no-way-in': 'has neither password nor upstream, and no verified address for a new password',
} as const
export type RowCode = keyof typeof rowProblems

/** They are told, and the row is imported all the same. */
export const warnings: ReadonlySet<string> = new Set<RowCode>(['school-elsewhere', 'no-way-in'])

/** Of a file: nothing of it is kept. */
export const fileProblems = {
  'file-missing': 'choose a file first',
  'file-empty': 'the file holds no rows beside its heading',
  'file-large': 'the file is larger than 50 MB',
  'file-rows': 'the file has more than 200,000 rows: divide it',
  'file-workbook': 'this is a spreadsheet, not CSV: save it as CSV UTF-8',
  'file-text': 'this is no text in UTF-8 or Big5',
  'file-mixed': 'the file holds UTF-8 and something else: save it anew as CSV UTF-8',
  'file-removed': 'the import was removed while its file was on the way; nothing was imported',
  'file-quotes': 'a quotation mark is not closed, or stands inside a cell without being doubled',
  'file-row': 'a row is longer than 64 kB: perhaps a quotation mark is not closed',
  'file-passwords':
    'more than 1,000 rows have a password in clear: each takes a tenth of a second to hash, and sign-ins wait behind them; export hashes from the old system, or leave passwords out and let people ask for new ones',
  'column-unknown': 'the heading names a column we do not know',
  'column-twice': 'the heading names a column twice',
  'column-missing': 'the heading lacks a column',
} as const
export type FileCode = keyof typeof fileProblems

/** Thrown while a file is read; caught by whoever receives it. `what` stands in the file: for whoever sent it. */
export class FileProblem extends Error {
  override name = 'FileProblem'
  readonly code: FileCode
  readonly row: number | undefined
  readonly what: string | undefined
  constructor(code: FileCode, { row, what }: { row?: number; what?: string } = {}) {
    super(fileProblems[code])
    this.code = code
    this.row = row
    this.what = what
  }
}

export type RowProblem = { field: string; code: RowCode; row?: number }
