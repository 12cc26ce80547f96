import test from 'ava'
import { NotActiveError } from '#account/act.ts'
import { removePicture, setPicture } from '#account/picture.ts'
import { changeProfile, profileForm, profileVersion } from '#account/profile.ts'
import { buildMember, type Her } from './member.ts'

const rules = {
  editable: ['nickname', 'title', 'phone_number', 'gender'] as const,
  upstreams: new Set(['ntpc']),
}
const all = { editable: [...rules.editable], upstreams: rules.upstreams }
const account = async ({ store, id }: Her) => {
  const row = await store.accounts.find(id)
  if (!row) throw new Error('no account')
  return row
}
const change = async (her: Her, typed: Record<string, string>, more = {}) =>
  changeProfile(her.store, her.acting(), typed, {
    ...all,
    version: profileVersion(await account(her)),
    ...more,
  })

test('what she says of herself is kept as said by herself, and an emptied field is gone', async (t) => {
  const her = await buildMember(t)
  const typed = { name: ' 王  大明 ', nickname: '小明', phone_number: '０９１２－３４５－６７８' }
  t.deepEqual(await change(her, { ...typed, gender: 'female' }), {
    kind: 'saved',
    changed: ['name', 'nickname', 'phone_number', 'gender'],
  })
  const { profile } = await account(her)
  t.like(profile.name, { value: '王 大明', by: 'self' })
  t.like(profile.phone_number, { value: '+886912345678', verified: false })
  t.deepEqual(await change(her, { nickname: '' }), { kind: 'saved', changed: ['nickname'] })
  t.is((await account(her)).profile.nickname, undefined)
  t.deepEqual(await change(her, { nickname: '' }), { kind: 'saved', changed: [] })
  t.is((await her.trail()).length, 2, 'what changed nothing leaves no event')
})

test('a name a county vouched for is not hers to change, whatever is sent', async (t) => {
  const her = await buildMember(t)
  const { profile } = await account(her)
  const vouched = { ...profile, name: { value: '林老師', by: 'ntpc', at: 1 } }
  await her.store.accounts.setProfile(her.id, vouched, 1)
  const [name] = profileForm(await account(her), all)
  t.deepEqual(name, { field: 'name', value: '林老師', lockedBy: 'ntpc' })
  t.deepEqual(await change(her, { name: '校長' }), { kind: 'saved', changed: [] })
  t.is((await account(her)).profile.name?.value, '林老師')
})

test('whatever else a county vouched for is shown with who did, and is not hers to change', async (t) => {
  const her = await buildMember(t)
  const { profile } = await account(her)
  const said = (value: string) => ({ value, by: 'ntpc', at: 1 })
  const vouched = {
    ...profile,
    title: said('設備組長'),
    nickname: said('阿雯'),
    gender: said('female'),
  }
  await her.store.accounts.setProfile(her.id, vouched, 1)
  const locked = profileForm(await account(her), all).filter(({ lockedBy }) => lockedBy === 'ntpc')
  t.deepEqual(
    locked.map(({ field, value }) => [field, value]),
    [
      ['nickname', '阿雯'],
      ['title', '設備組長'],
      ['gender', 'female'],
    ],
  )
  const typed = { title: '校長', nickname: '', gender: 'male', phone_number: '0912345678' }
  t.deepEqual(await change(her, typed), { kind: 'saved', changed: ['phone_number'] })
  t.like((await account(her)).profile, vouched)
})

test('what cannot be seen is no name, and hides in none', async (t) => {
  const her = await buildMember(t)
  // Hangul fillers, Braille without a dot, zero width, a tag, directions, an interlinear mark.
  for (const trick of [
    '\u3164',
    '\u115f',
    '\u2800',
    'a\u200bb',
    'x\u{e0041}',
    '\u2066x',
    '\ufff9x',
  ]) {
    for (const field of ['name', 'nickname', 'title']) {
      const problems = { [field]: 'account.profile.characters' }
      t.deepEqual(await change(her, { [field]: trick }), { kind: 'again', problems }, trick)
    }
  }
  t.like(
    await change(her, { name: '葛\u{e0100}城' }),
    { kind: 'saved' },
    'variants of letters stay',
  )
})

test('fields that are not on the form change nothing: no status, no verified e-mail, no prototype', async (t) => {
  const her = await buildMember(t)
  const typed = {
    status: 'suspended',
    email: 'x@y.z',
    __proto__: 'x',
    constructor: 'x',
    kind: 'staff',
  }
  t.deepEqual(await change(her, typed), { kind: 'saved', changed: [] })
  const row = await account(her)
  t.is(row.status, 'active')
  t.is(row.profile.email, undefined)
  const narrow = { editable: ['nickname' as const] }
  t.deepEqual(await change(her, { gender: 'male', nickname: 'x' }, narrow), {
    kind: 'saved',
    changed: ['nickname'],
  })
})

test('slips are said field by field, and nothing is half saved', async (t) => {
  const her = await buildMember(t)
  const typed = {
    name: '',
    nickname: 'x'.repeat(41),
    phone_number: '12',
    gender: 'x',
    title: 'a\u202eb',
  }
  t.deepEqual(await change(her, { ...typed }), {
    kind: 'again',
    problems: {
      name: 'account.fields.name.empty',
      nickname: { key: 'account.profile.too-long', params: { most: 40 } },
      title: 'account.profile.characters',
      phone_number: 'account.fields.phone_number.wrong',
      gender: 'account.fields.gender.wrong',
    },
  })
  t.like(await change(her, { nickname: 'fine', title: '<script>' }), { kind: 'again' })
  t.is((await account(her)).profile.nickname, undefined)
})

test('a tab that was opened before another one saved does not put the old words back', async (t) => {
  const her = await buildMember(t)
  const version = profileVersion(await account(her))
  const both = await Promise.all([
    change(her, { nickname: 'one' }, { version }),
    change(her, { nickname: 'two' }, { version }),
  ])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['changed-meanwhile', 'saved'])
})

test('a picture is hers to set and to take away, and not for a closed account', async (t) => {
  const her = await buildMember(t)
  const picture = { type: 'image/webp', bytes: Buffer.from('picture') }
  await setPicture(her.store, her.acting(), picture)
  t.is((await her.store.pictures.find(her.id))?.bytes.toString(), 'picture')
  await removePicture(her.store, her.acting())
  await removePicture(her.store, her.acting())
  t.is(await her.store.pictures.find(her.id), undefined)
  t.deepEqual(await her.trail(), ['picture.remove ok', 'picture.change ok'])
  await her.store.accounts.close(her.id, her.clock.at)
  await t.throwsAsync(setPicture(her.store, her.acting(), picture), {
    instanceOf: NotActiveError,
  })
})
