/** People as a country has them, made by PostgreSQL itself: a few surnames for most, schools, counties of every size. */
import type { Knex } from 'knex'

/** The largest first: each is a little smaller than the one before. */
export const counties = [
  'ntpc',
  'tc',
  'kh',
  'tp',
  'tyc',
  'tn',
  'chc',
  'ptc',
  'ylc',
  'hcc',
  'mlc',
  'cyc',
  'ntct',
  'hc',
  'ilc',
  'kl',
  'hlc',
  'cy',
  'boe',
  'km',
  'phc',
  'matsu',
]

const surnames =
  '王陳林黃張李吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾彭游詹胡施沈余盧梁趙顏柯翁魏孫戴范方宋鄧杜傅侯曹薛丁卓馬阮董溫唐藍石蔣古紀姚連馮歐程湯黎尤巫'
const given =
  '小明美玲志偉怡君淑芬建宏雅婷俊傑佳蓉家豪詩涵宗翰欣怡冠廷惠雯承恩思妤柏翰宜蓁子涵品妍宥翔芷晴'

export async function fillPeople(knex: Knex, count: number): Promise<void> {
  const raw = (sql: string, values: Knex.RawBinding[] = []) => knex.raw(sql, values)
  // A Zipf-like draw: the first of a list as often as the second and the third together.
  await raw(
    `CREATE TEMPORARY TABLE made AS
    SELECT i, gen_random_uuid()::text AS id, gen_random_uuid()::text AS identity,
      substr('${surnames}', 1 + floor(power(random(), 2.2) * ${[...surnames].length})::int, 1)
        || substr('${given}', 1 + floor(random() * ${[...given].length})::int, 1)
        || substr('${given}', 1 + floor(random() * ${[...given].length})::int, 1) AS name,
      (ARRAY[${counties.map((one) => `'${one}'`)}])[1 + floor(power(random(), 2.5) * ${counties.length})::int] AS county,
      CASE WHEN random() < 0.01 THEN 4000 ELSE floor(random() * 4000)::int END AS school,
      CASE WHEN i % 20 = 0 THEN 'closed' WHEN i % 1000 = 1 THEN 'suspended' ELSE 'active' END AS status,
      1700000000 + floor(random() * 90000000)::bigint AS at
    FROM generate_series(0, ?::int - 1) AS i`,
    [count],
  )
  await raw("UPDATE made SET county = 'matsu' WHERE i % 2000 = 7")
  await raw(`INSERT INTO account (id, kind, status, profile, created_at, updated_at)
    SELECT id, 'person', status, json_build_object('name', json_build_object('value', name, 'by', county, 'at', at),
      'email', json_build_object('value', 'p' || i || '@' || county || '.edu.tw', 'by', county, 'at', at))::text,
      at, at + floor(random() * 5000000)::bigint FROM made`)
  await raw(`INSERT INTO identifier (type, value, account_id, verified_at)
    SELECT 'email', 'u' || i || '@mail.edu.tw', id, at FROM made WHERE i % 3 > 0`)
  await raw(`INSERT INTO identity (id, account_id, connector, issuer, subject, openid2_ids, raw, created_at, read_at)
    SELECT identity, id, county, 'https://' || county || '.example', 'subject-' || i, '[]', '{}', at, at
    FROM made WHERE i % 10 > 0`)
  await raw(`INSERT INTO affiliation (identity_id, position, account_id, school_code, school_name, role, titles, classes, read_at)
    SELECT identity, 0, id, lpad((10000 + school)::text, 6, '0'), '第' || school || '國小', 'student', '[]', '[]', at
    FROM made WHERE i % 10 > 0`)
  await raw(`INSERT INTO account_key (value, kind, account_id)
    SELECT 'u' || i || '@mail.edu.tw', 'email', id FROM made WHERE i % 3 > 0
    UNION ALL SELECT 'p' || i || '@' || county || '.edu.tw', 'email', id FROM made
    UNION SELECT substr(name, part), 'name', id FROM made, generate_series(1, 3) AS part`)
  for (const table of ['account', 'identifier', 'identity', 'affiliation', 'account_key']) {
    await raw(`VACUUM ANALYZE ${table}`)
  }
}
