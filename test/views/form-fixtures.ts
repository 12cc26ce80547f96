/** The form of an enrolment as its step shows it: every kind of field, fresh, with something to mend, and once more. */
import { step as stepSchema } from '#config/enrolment.ts'
import { shownField } from '#enrolment/fields/shown.ts'
import type { FieldProblem } from '#enrolment/step.ts'

const words = (zh: string, en: string) => ({ 'zh-TW': zh, en })
const by = words('新北市', 'New Taipei City')
const at = Date.parse('2026-11-21T12:00:00+08:00') / 1000

const picture = 'image/webp,UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA'

const options = [
  { value: 'male', label: words('男', 'Male') },
  { value: 'female', label: words('女', 'Female') },
]

const rules = stepSchema.parse({
  id: 'data',
  type: 'form',
  intro: words('請填寫您的資料。', 'Please fill in your data.'),
  fields: [
    { id: 'name', type: 'name', label: words('姓名', 'Name') },
    { id: 'title', type: 'text', required: false, label: words('職稱', 'Title') },
    {
      id: 'account',
      type: 'account',
      domain: 'mail.edu.tw',
      label: words('帳號（Email）', 'Account (e-mail)'),
      help: words('系統將自動建立您所輸入的郵件帳號。', 'The mailbox is made for you.'),
    },
    {
      id: 'backup_email',
      type: 'email',
      twice: true,
      label: words('備用信箱', 'Backup e-mail'),
    },
    { id: 'password', type: 'password', label: words('密碼', 'Password') },
    { id: 'phone', type: 'phone', required: false, label: words('電話', 'Telephone') },
    { id: 'birthdate', type: 'date', years: 'age', label: words('出生日期', 'Date of birth') },
    { id: 'id_number', type: 'national-id', label: words('身分證字號', 'National id') },
    { id: 'gender', type: 'radio', required: false, label: words('性別', 'Gender'), options },
    {
      id: 'role.kind',
      type: 'select',
      label: words('身分', 'Role'),
      options: [
        { value: 'parent', label: words('家長', 'Parent') },
        { value: 'other', label: words('其他', 'Other') },
      ],
    },
    { id: 'picture', type: 'picture', required: false, label: words('個人頭像', 'Picture') },
  ],
})

const fields = (values: Record<string, string> = {}, kept: Record<string, string> = {}) => {
  if (rules.type !== 'form') throw new Error('no form')
  return rules.fields.map((field) => {
    const said = { name: '林小美', title: '設備組長' }[field.id]
    return shownField(field, {
      at,
      ...(values[field.id] ? { value: values[field.id] } : {}),
      ...(said ? { value: said, by: { label: by, value: said } } : {}),
      ...(field.id === 'name' ? { locked: true } : {}),
      ...(kept[field.id] ? { kept: kept[field.id] } : {}),
    })
  })
}

const intro = rules.type === 'form' ? rules.intro : undefined

export const formScreen = { intro, fields: fields() }

export const formScreenAgain = {
  intro,
  fields: fields(
    {
      account: 'lin.xiaomei@mail.edu.tw',
      backup_email: 'xiaomei@example.tw',
      phone: '+886212345678',
      birthdate: '1990-05-17',
      id_number: 'A1*****789',
      gender: 'female',
      'role.kind': 'other',
      picture: 'true',
    },
    { password: 'a hash', id_number: 'A123456789', picture },
  ),
}

export const formScreenKept = { intro, fields: fields({}, { picture }) }

export const formTyped = {
  account: 'admin',
  backup_email: 'xiaomei@example.tw',
  backup_email_again: 'xiaomei@example.com',
  title: '教務主任',
  birthdate: '',
  gender: 'x',
}

export const formProblems: FieldProblem[] = [
  { field: 'account', problem: 'field.account.reserved' },
  { field: 'backup_email_again', problem: 'field.email.differs' },
  { field: 'password', problem: { key: 'field.required', params: { label: '密碼' } } },
  { field: 'password_again', problem: 'field.again' },
  { field: 'birthdate', problem: 'field.date.bad' },
  { field: 'id_number', problem: 'field.national-id.bad' },
  { field: 'gender', problem: 'field.option.unknown' },
  { field: 'role.kind', problem: { key: 'field.required', params: { label: '身分' } } },
  { field: 'picture', problem: 'field.picture.broken' },
]
