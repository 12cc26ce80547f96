import test from 'ava'
import { maskMail } from '#lib/mask.ts'

test('of an address its first letter and its domain are shown, however it is written', (t) => {
  t.is(maskMail('wang@mail.edu.tw'), 'w•••@mail.edu.tw')
  t.is(maskMail('w@mail.edu.tw'), 'w•••@mail.edu.tw')
  t.is(maskMail('𠮷田@example.tw'), '𠮷•••@example.tw')
  t.is(maskMail('a@b@example.tw'), 'a•••@example.tw')
  t.is(maskMail(''), '•••')
})
